;; A tail call stays one.
(module
  (memory 1)
  (func $malloc (param i32) (result i32) i32.const 64)
  (func $make (param i32) (result i32) (return_call $malloc (local.get 0)))
  (func (export "run") (result i32) (return_call $make (i32.const 8))))
