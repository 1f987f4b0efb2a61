;; config: no-context
;; Only the wrappers are added: callers stay as they are.
(module
  (memory 1)
  (func $malloc (param i32) (result i32) i32.const 64)
  (func (export "run") (result i32) (call $malloc (i32.const 8))))
