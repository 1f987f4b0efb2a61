;; blind: no allocator was found for sure: only memory growth is seen; settle it with --alloc-fn NAME=ROLE
;; blind: f0 `malloc` is not hooked: it has 0 results
;; blind: f1 `free` is not hooked: it takes or returns what is no integer
;; blind: no code grows the memory: growth is the host's, seen when records are
;; blind: no DWARF: stacks show functions without lines
(module
  (type (;0;) (func))
  (type (;1;) (func (param i32)))
  (type (;2;) (func (param i64)))
  (type (;3;) (func (param f64)))
  (import "seepage" "flush" (func (;0;) (type 0)))
  (import "seepage" "context" (func (;1;) (type 2) (param i64)))
  (memory (;0;) 1)
  (memory $seepage:ring (;1;) 4 4)
  (global $seepage:head (;0;) (mut i32) i32.const 32768)
  (global $seepage:context (;1;) (mut i64) i64.const 0)
  (export "run" (func 2))
  (export "seepage:memory:0" (memory 0))
  (export "seepage:ring" (memory $seepage:ring))
  (export "seepage:head" (global $seepage:head))
  (func (;2;) (type 0)
    i32.const 8
    call $malloc
    f64.const 0x0p+0 (;=0;)
    call $free
  )
  (func $malloc (;3;) (type 1) (param i32))
  (func $free (;4;) (type 3) (param f64))
)

