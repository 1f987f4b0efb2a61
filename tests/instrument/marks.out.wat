;; malloc(size) is malloc, name `malloc`, 1 calls
;; blind: no code grows the memory: growth is the host's, seen when records are
;; blind: no DWARF: stacks show functions without lines
;; mark is seepage_mark, import `seepage_mark`
;; mark is request, --mark-export request
;; site in request
(module
  (type (;0;) (func (param i32)))
  (type (;1;) (func (param i32) (result i32)))
  (type (;2;) (func (param i32) (result i32 i64)))
  (type (;3;) (func (param i32 i32 i64 i32 i32)))
  (type (;4;) (func (param i32 f64) (result i64)))
  (import "seepage" "event" (func (;0;) (type 3) (param i32 i32 i64 i32 i32)))
  (import "seepage" "mark" (func (;1;) (type 0) (param i32)))
  (table (;0;) 1 funcref)
  (memory (;0;) 1)
  (global $seepage:context (;0;) (mut i64) i64.const 0)
  (export "request" (func $"seepage:mark request"))
  (export "seepage:memory:0" (memory 0))
  (elem (;0;) (i32.const 0) func $mark)
  (func $seepage:malloc (;2;) (type 1) (param i32) (result i32)
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
    call 0
    local.get 1
  )
  (func (;3;) (type 2) (param i32) (result i32 i64)
    (local i64)
    i64.const 2662632330587243456
    local.set 1
    local.get 0
    local.get 1
    i64.const -8369659007957873220
    i64.add
    global.set $seepage:context
    call $seepage:malloc
    i32.const 1
    f64.const 0x1p+1 (;=2;)
    call $mark
  )
  (func $"seepage:mark request" (;4;) (type 2) (param i32) (result i32 i64)
    local.get 0
    call 3
    i32.const 2
    call 1
  )
  (func $mark (;5;) (type 4) (param i32 f64) (result i64)
    i32.const 1
    call 1
    i64.const 0
  )
  (func $malloc (;6;) (type 1) (param i32) (result i32)
    i32.const 0
  )
)

