;; Calls of an import that grows the memory go through a function that records it. The import itself
;; stays what it is where it is exported, and in the table.
(module
  (import "env" "emscripten_resize_heap" (func $resize (param i32) (result i32)))
  (memory (export "memory") 1)
  (table 1 funcref)
  (elem (i32.const 0) $resize)
  (export "resize" (func $resize))
  (func (export "run") (param $bytes i32) (result i32) (call $resize (local.get $bytes))))
