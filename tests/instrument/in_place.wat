;; Zig's resize answers whether the block could stay where it is.
(module
  (memory 1)
  (func $alloc (@name "heap.WasmAllocator.alloc") (param i32 i32 i32 i32) (result i32) i32.const 64)
  (func $resize (@name "heap.WasmAllocator.resize") (param i32 i32 i32 i32 i32 i32) (result i32)
    i32.const 1)
  (func $free (@name "heap.WasmAllocator.free") (param i32 i32 i32 i32 i32))
  (func (export "run") (result i32)
    (call $resize (i32.const 0) (i32.const 64) (i32.const 8) (i32.const 2) (i32.const 12) (i32.const 0))))
