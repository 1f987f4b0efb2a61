;; calloc's size is the product; realloc is one record with two addresses.
(module
  (memory 1)
  (func $calloc (param i32 i32) (result i32) i32.const 64)
  (func $realloc (param i32 i32) (result i32) i32.const 128)
  (func (export "run") (result i32)
    (call $realloc (call $calloc (i32.const 3) (i32.const 5)) (i32.const 30))))
