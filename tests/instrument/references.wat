;; References to an allocator lead to its wrapper, in code and in globals.
(module
  (type $one (func (param i32) (result i32)))
  (memory 1)
  (func $malloc (export "malloc") (type $one) i32.const 64)
  (global $hook (mut funcref) (ref.func $malloc))
  (func (export "run") (result i32)
    (global.set $hook (ref.func $malloc))
    (call_ref $one (i32.const 8) (ref.func $malloc))))
