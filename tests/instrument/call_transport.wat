;; config: call
;; Without a ring every record is a call of `seepage.event`, and there is no cache of contexts.
(module
  (memory 1)
  (func $malloc (param i32) (result i32) i32.const 64)
  (func (export "run") (result i32) (call $malloc (i32.const 8))))
