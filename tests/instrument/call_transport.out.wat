;; malloc(size) is malloc, name `malloc`, 1 calls
;; blind: no function that frees was found: what is live cannot be told from what was freed
;; blind: no code grows the memory: growth is the host's, seen when records are
;; blind: no DWARF: stacks show functions without lines
;; site in run
(module
  (type (;0;) (func (result i32)))
  (type (;1;) (func (param i32) (result i32)))
  (type (;2;) (func (param i32 i32 i64 i32 i32)))
  (import "seepage" "event" (func (;0;) (type 2) (param i32 i32 i64 i32 i32)))
  (memory (;0;) 1)
  (global $seepage:context (;0;) (mut i64) i64.const 0)
  (export "run" (func 2))
  (export "seepage:memory:0" (memory 0))
  (func $seepage:malloc (;1;) (type 1) (param i32) (result i32)
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
  (func (;2;) (type 0) (result i32)
    (local i64)
    i64.const 5570656600836911158
    local.set 0
    i32.const 8
    local.get 0
    i64.const 2348886088387820919
    i64.add
    global.set $seepage:context
    call $seepage:malloc
  )
  (func $malloc (;3;) (type 1) (param i32) (result i32)
    i32.const 64
  )
)

