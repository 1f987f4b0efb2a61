;; With 64-bit addresses all records are wide.
(module
  (memory i64 1)
  (func $malloc (param i64) (result i64) (memory.grow (i64.const 1)))
  (func $free (param i64))
  (func (export "run")
    (call $free (call $malloc (i64.const 8)))))
