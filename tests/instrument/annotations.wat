;; What a program says of its heap is booked; imports that say it become functions.
(module
  (import "env" "__lsan_disable" (func $disable))
  (import "env" "__lsan_do_recoverable_leak_check" (func $check (result i32)))
  (memory 1)
  (func $malloc (param i32) (result i32) i32.const 0)
  (func $__lsan_ignore_object (param i32) nop)
  (func (export "__lsan_register_root_region") (param i32 i32))
  (func $__lsan_default_suppressions (result i32) i32.const 8)
  (func (export "run") (result i32)
    (call $disable)
    (call $__lsan_ignore_object (call $malloc (i32.const 8)))
    (call $check)))
