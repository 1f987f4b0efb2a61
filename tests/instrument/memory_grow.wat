;; memory.grow goes through a function that records it.
(module
  (memory 1)
  (func (export "run") (param $pages i32) (result i32) (memory.grow (local.get $pages))))
