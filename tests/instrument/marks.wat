;; config: call mark-export=request
;; An import that marks is the module's own then, whatever it takes; so is an export's return.
(module
  (import "game" "seepage_mark" (func $mark (param i32 f64) (result i64)))
  (memory 1)
  (table 1 funcref)
  (elem (i32.const 0) $mark)
  (func $malloc (param i32) (result i32) i32.const 0)
  (func (export "request") (param i32) (result i32 i64)
    (call $malloc (local.get 0))
    (call $mark (i32.const 1) (f64.const 2))))
