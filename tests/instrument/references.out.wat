;; malloc(size) is malloc, name `malloc`, 0 calls
;; blind: no function that frees was found: what is live cannot be told from what was freed
;; blind: no code grows the memory: growth is the host's, seen when records are
;; blind: no DWARF: stacks show functions without lines
;; site in run
(module
  (type (;0;) (func))
  (type (;1;) (func (result i32)))
  (type $one (;2;) (func (param i32) (result i32)))
  (type (;3;) (func (param i64)))
  (import "seepage" "flush" (func (;0;) (type 0)))
  (import "seepage" "context" (func (;1;) (type 3) (param i64)))
  (memory (;0;) 1)
  (memory $seepage:ring (;1;) 4 4)
  (global $hook (;0;) (mut funcref) ref.func $seepage:malloc)
  (global $seepage:head (;1;) (mut i32) i32.const 32768)
  (global $seepage:context (;2;) (mut i64) i64.const 0)
  (export "malloc" (func $"seepage:enter seepage:malloc"))
  (export "run" (func 3))
  (export "seepage:memory:0" (memory 0))
  (export "seepage:ring" (memory $seepage:ring))
  (export "seepage:head" (global $seepage:head))
  (elem (;0;) declare func $seepage:malloc)
  (func $seepage:malloc (;2;) (type $one) (param i32) (result i32)
    (local i32 i32 i64)
    global.get $seepage:context
    local.set 3
    local.get 0
    call $malloc
    local.set 1
    local.get 3
    i32.wrap_i64
    i32.const 32760
    i32.and
    local.tee 2
    i64.load $seepage:ring
    local.get 3
    i64.ne
    if ;; label = @1
      local.get 3
      call 1
      local.get 2
      local.get 3
      i64.store $seepage:ring
    else
    end
    global.get $seepage:head
    local.tee 2
    i32.const 16777471
    i32.store $seepage:ring
    local.get 2
    local.get 0
    i32.store $seepage:ring offset=4
    local.get 2
    local.get 3
    i64.store $seepage:ring offset=8
    local.get 2
    local.get 1
    i32.store $seepage:ring offset=16
    local.get 2
    i32.const 24
    i32.add
    local.tee 2
    global.set $seepage:head
    local.get 2
    i32.const 262136
    i32.ge_u
    if ;; label = @1
      call 0
    else
    end
    local.get 1
  )
  (func (;3;) (type 1) (result i32)
    (local i64)
    i64.const 5570656600836911158
    local.set 0
    ref.func $seepage:malloc
    global.set $hook
    i32.const 8
    ref.func $seepage:malloc
    local.get 0
    i64.const -2341307563404572961
    i64.add
    global.set $seepage:context
    call_ref $one
  )
  (func $"seepage:enter seepage:malloc" (;4;) (type $one) (param i32) (result i32)
    i64.const 5196802822362493915
    global.set $seepage:context
    local.get 0
    call $seepage:malloc
  )
  (func $malloc (;5;) (type $one) (param i32) (result i32)
    i32.const 64
  )
)

