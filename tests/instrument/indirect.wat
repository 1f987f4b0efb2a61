;; An indirect call is on the way if a function of its type is; tables hold the wrappers.
(module
  (type $one (func (param i32) (result i32)))
  (type $none (func))
  (memory 1)
  (table funcref (elem $malloc $other $nothing))
  (func $malloc (type $one) i32.const 64)
  (func $other (type $one) (call $malloc (local.get 0)))
  (func $nothing (type $none))
  (func (export "run") (result i32)
    (call_indirect (type $none) (i32.const 2))
    (call_indirect (type $one) (i32.const 8) (i32.const 0))))
