;; A name alone is not believed: this free takes a float, and this malloc gives nothing.
(module
  (memory 1)
  (func $malloc (param i32))
  (func $free (param f64))
  (func (export "run") (call $malloc (i32.const 8)) (call $free (f64.const 0))))
