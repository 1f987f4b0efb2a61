;; config: call
;; A side module has the main module's allocator: its own calls of it are seen, and those by way of
;; its own elements; what the main module gives back is not.
(module
  (@dylink.0 (mem-info (memory 0 0) (table 1 0)))
  (import "env" "memory" (memory 1))
  (import "env" "__indirect_function_table" (table 1 funcref))
  (import "env" "__table_base" (global $base i32))
  (import "GOT.func" "free" (global $free_address (mut i32)))
  (import "env" "malloc" (func $malloc (param i32) (result i32)))
  (import "env" "free" (func $free (param i32)))
  (import "env" "_Znwm" (func $new (param i32) (result i32)))
  (import "env" "malloc_is_not_what_it_says" (func $other (param i32) (result i32)))
  (elem (global.get $base) func $malloc)
  (func (export "make") (result i32)
    (call $free (call $malloc (i32.const 8)))
    (drop (call $other (i32.const 8)))
    (call $new (i32.const 16))))
