;; config: no-context fill=0xaa,0xdd
;; What the allocator says that a block can hold bounds what is filled; zeroed blocks stay so.
(module
  (memory 1)
  (func $malloc (param i32) (result i32) i32.const 0)
  (func $calloc (param i32 i32) (result i32) i32.const 0)
  (func $realloc (param i32 i32) (result i32) i32.const 0)
  (func $free (param i32))
  (func $malloc_usable_size (param i32) (result i32) i32.const 8)
  (func (export "run") (result i32)
    (call $free (call $realloc (call $malloc (i32.const 8)) (i32.const 16)))
    (call $calloc (i32.const 1) (i32.const 8))))
