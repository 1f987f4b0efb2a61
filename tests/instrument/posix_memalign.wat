;; posix_memalign answers through a pointer, and only if it returns 0.
(module
  (memory 1)
  (func $posix_memalign (param i32 i32 i32) (result i32) i32.const 0)
  (func (export "run") (result i32)
    (call $posix_memalign (i32.const 16) (i32.const 64) (i32.const 100))))
