;; config: no-context
;; What blocks can hold is asked: nobody notices, since `malloc_usable_size` only reads, but
;; for a frame of its own. Where there is no block there is nothing to ask about.
(module
  (memory 1)
  (global $__stack_pointer (mut i32) (i32.const 65536))
  (func $malloc (param i32) (result i32) i32.const 0)
  (func $realloc (param i32 i32) (result i32) i32.const 0)
  (func $posix_memalign (param i32 i32 i32) (result i32) i32.const 0)
  (func $free (param i32))
  (func $malloc_usable_size (param i32) (result i32) (local $frame i32)
    (local.set $frame (i32.sub (global.get $__stack_pointer) (i32.const 16)))
    (i32.store offset=12 (local.get $frame) (local.get 0))
    (if (result i32) (i32.load offset=12 (local.get $frame))
      (then (call $class (i32.load offset=12 (local.get $frame))))
      (else (i32.const 0))))
  (func $class (param i32) (result i32)
    (i32.load (i32.sub (local.get 0) (i32.const 4))))
  (func (export "run") (result i32)
    (call $free (call $realloc (call $malloc (i32.const 8)) (i32.const 16)))
    (call $posix_memalign (i32.const 64) (i32.const 16) (i32.const 8))))
