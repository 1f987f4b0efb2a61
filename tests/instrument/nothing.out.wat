;; blind: no allocator was found for sure: only memory growth is seen; settle it with --alloc-fn NAME=ROLE
;; blind: no code grows the memory: growth is the host's, seen when records are
;; blind: no function names and no DWARF: stacks show function indices
(module
  (type (;0;) (func))
  (type (;1;) (func (param i32 i32) (result i32)))
  (type (;2;) (func (param i64)))
  (import "seepage" "flush" (func (;0;) (type 0)))
  (import "seepage" "context" (func (;1;) (type 2) (param i64)))
  (memory (;0;) 1)
  (memory $seepage:ring (;1;) 4 4)
  (global $seepage:head (;0;) (mut i32) i32.const 32768)
  (global $seepage:context (;1;) (mut i64) i64.const 0)
  (export "memory" (memory 0))
  (export "add" (func 2))
  (export "seepage:memory:0" (memory 0))
  (export "seepage:ring" (memory $seepage:ring))
  (export "seepage:head" (global $seepage:head))
  (func (;2;) (type 1) (param i32 i32) (result i32)
    local.get 0
    local.get 1
    i32.add
  )
)

