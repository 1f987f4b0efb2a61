;; config: no-context
;; `malloc_usable_size` counts how often it is called, so nobody calls it but the program.
(module
  (memory 1)
  (global $__stack_pointer (mut i32) (i32.const 65536))
  (func $malloc (param i32) (result i32) i32.const 0)
  (func $free (param i32))
  (func $malloc_usable_size (param i32) (result i32)
    (i32.store (i32.const 1024) (i32.add (i32.load (i32.const 1024)) (i32.const 1)))
    (i32.const 8))
  (func (export "run")
    (call $free (call $malloc (i32.const 8)))))
