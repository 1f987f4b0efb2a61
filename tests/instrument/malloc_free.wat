;; A call of an allocator goes to a wrapper that writes a record into the ring; a call of anything
;; else stays.
(module
  (memory 1)
  (func $malloc (param i32) (result i32) i32.const 64)
  (func $free (param i32))
  (func $pure (param i32) (result i32) local.get 0)
  (func (export "run") (result i32)
    (local $block i32)
    (local.set $block (call $malloc (call $pure (i32.const 8))))
    (call $free (local.get $block))
    (call $pure (i32.const 1))))
