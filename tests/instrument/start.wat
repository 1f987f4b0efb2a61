;; The start function runs before anybody could look; it is traced like any other.
(module
  (memory 1)
  (func $malloc (param i32) (result i32) i32.const 64)
  (func $init (drop (call $malloc (i32.const 8))))
  (start $init))
