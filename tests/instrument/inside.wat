;; What only the allocator calls is inside: its calls of the allocator are not booked. `sbrk` is on
;; the way to a growth, so contexts pass through.
(module
  (memory 1)
  (func $sbrk (param i32) (result i32) (memory.grow (local.get 0)))
  (func $malloc (param i32) (result i32) (call $sbrk (i32.const 1)))
  (func $free (param i32))
  (func $zeroed (param i32) (result i32) (call $malloc (local.get 0)))
  (func $calloc (param i32 i32) (result i32) (call $zeroed (local.get 0)))
  (func $realloc (param i32 i32) (result i32)
    (call $free (local.get 0))
    (call $malloc (local.get 1)))
  (func (export "run") (result i32)
    (call $realloc (call $calloc (i32.const 1) (i32.const 8)) (i32.const 9))))
