;; Each memory has its own.
(module
  (memory $first 1)
  (memory $second 1)
  (func (export "run") (result i32)
    (i32.add (memory.grow $first (i32.const 1)) (memory.grow $second (i32.const 2)))))
