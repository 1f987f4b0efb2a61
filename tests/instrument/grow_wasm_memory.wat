;; Before Emscripten 2.0 the host that is asked grows the memory by an export: it is recorded once,
;; where it was asked.
(module
  (import "env" "emscripten_resize_heap" (func $resize (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "__growWasmMemory") (param $pages i32) (result i32) (memory.grow (local.get $pages)))
  (func (export "run") (param $bytes i32) (result i32) (call $resize (local.get $bytes))))
