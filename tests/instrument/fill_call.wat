;; config: call no-context fill=7
;; Sizes that the callers tell, and an engine that may not have bulk memory.
(module
  (memory 1)
  (func $__rust_alloc (param i32 i32) (result i32) i32.const 0)
  (func $__rust_realloc (param i32 i32 i32 i32) (result i32) i32.const 0)
  (func $__rust_dealloc (param i32 i32 i32))
  (func (export "run")
    (call $__rust_dealloc
      (call $__rust_realloc
        (call $__rust_alloc (i32.const 8) (i32.const 4))
        (i32.const 8) (i32.const 4) (i32.const 16))
      (i32.const 16) (i32.const 4))))
