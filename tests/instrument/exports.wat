;; The host's calls begin a context: in the prologue where only the host calls, through a door where
;; the module's own code does too.
(module
  (memory 1)
  (func $malloc (export "malloc") (param i32) (result i32) i32.const 64)
  (func $shared (export "shared") (export "again") (result i32) (call $malloc (i32.const 8)))
  (func (export "only") (result i32) (call $shared))
  (func (export "untouched") (result i32) i32.const 1))
