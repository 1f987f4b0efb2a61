;; The alignment's logarithm is part of the record; C++'s sized, aligned delete passes the size.
(module
  (memory 1)
  (func $new (@name "operator new(unsigned long, std::align_val_t)") (param i32 i32) (result i32)
    i32.const 64)
  (func $delete (@name "operator delete(void*, unsigned long, std::align_val_t)")
    (param i32 i32 i32))
  (func (export "run")
    (call $delete (call $new (i32.const 100) (i32.const 64)) (i32.const 100) (i32.const 64))))
