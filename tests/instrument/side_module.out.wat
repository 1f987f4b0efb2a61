;; malloc(size) is malloc, import `malloc`, 1 calls
;; free(ptr) is free, import `free`, 1 calls
;; malloc(size) is new, import `_Znwm`, 1 calls
;; blind: the allocator is the main module's: what other modules do with the same heap is not seen
;; blind: it calls the main module's `free` by address as well, unseen
;; blind: no code grows the memory: growth is the host's, seen when records are
;; blind: no DWARF: stacks show functions without lines
;; site in make
;; site in make
;; site in make
(module
  (type (;0;) (func (result i32)))
  (type (;1;) (func (param i32)))
  (type (;2;) (func (param i32) (result i32)))
  (type (;3;) (func (param i32 i32 i64 i32 i32)))
  (import "env" "memory" (memory (;0;) 1))
  (import "env" "__indirect_function_table" (table (;0;) 1 funcref))
  (import "env" "__table_base" (global $base (;0;) i32))
  (import "GOT.func" "free" (global $free_address (;1;) (mut i32)))
  (import "env" "malloc" (func $malloc (;0;) (type 2) (param i32) (result i32)))
  (import "env" "free" (func $free (;1;) (type 1) (param i32)))
  (import "env" "_Znwm" (func $new (;2;) (type 2) (param i32) (result i32)))
  (import "env" "malloc_is_not_what_it_says" (func $other (;3;) (type 2) (param i32) (result i32)))
  (import "seepage" "event" (func (;4;) (type 3) (param i32 i32 i64 i32 i32)))
  (global $seepage:context (;2;) (mut i64) i64.const 0)
  (export "make" (func 5))
  (export "seepage:memory:0" (memory 0))
  (export "seepage:global:1" (global $free_address))
  (elem (;0;) (global.get $base) func $seepage:malloc)
  (func (;5;) (type 0) (result i32)
    (local i64)
    i64.const 2709343759328972409
    local.set 0
    i32.const 8
    local.get 0
    i64.const 7531096454125713561
    i64.add
    global.set $seepage:context
    call $seepage:malloc
    local.get 0
    i64.const -1837267970747729232
    i64.add
    global.set $seepage:context
    call $seepage:free
    i32.const 8
    call $other
    drop
    i32.const 16
    local.get 0
    i64.const -164312325795198688
    i64.add
    global.set $seepage:context
    call $seepage:new
  )
  (func $seepage:malloc (;6;) (type 2) (param i32) (result i32)
    (local i32 i64)
    global.get $seepage:context
    local.set 2
    local.get 0
    call $malloc
    local.set 1
    i32.const 16777471
    local.get 0
    local.get 2
    local.get 1
    i32.const 0
    call 4
    local.get 1
  )
  (func $seepage:free (;7;) (type 1) (param i32)
    (local i64)
    global.get $seepage:context
    local.set 1
    local.get 0
    if ;; label = @1
      i32.const 33554943
      i32.const 0
      local.get 1
      local.get 0
      i32.const 0
      call 4
    else
    end
    local.get 0
    call $free
  )
  (func $seepage:new (;8;) (type 2) (param i32) (result i32)
    (local i32 i64)
    global.get $seepage:context
    local.set 2
    local.get 0
    call $new
    local.set 1
    i32.const 16777983
    local.get 0
    local.get 2
    local.get 1
    i32.const 0
    call 4
    local.get 1
  )
)

