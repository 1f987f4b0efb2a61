;; malloc(size) is malloc, name `malloc`, 1 calls
;; blind: no code grows the memory: growth is the host's, seen when records are
;; blind: no DWARF: stacks show functions without lines
;; site in run
;; site in other
(module
  (type $none (;0;) (func))
  (type (;1;) (func (result i32)))
  (type $one (;2;) (func (param i32) (result i32)))
  (type (;3;) (func (param i64)))
  (import "seepage" "flush" (func (;0;) (type $none)))
  (import "seepage" "context" (func (;1;) (type 3) (param i64)))
  (table (;0;) 3 3 funcref)
  (memory (;0;) 1)
  (memory $seepage:ring (;1;) 4 4)
  (global $seepage:head (;0;) (mut i32) i32.const 32768)
  (global $seepage:context (;1;) (mut i64) i64.const 0)
  (export "run" (func 3))
  (export "seepage:memory:0" (memory 0))
  (export "seepage:ring" (memory $seepage:ring))
  (export "seepage:head" (global $seepage:head))
  (elem (;0;) (i32.const 0) func $seepage:malloc $other $nothing)
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
    i64.const 831604120089134315
    local.set 0
    i32.const 2
    call_indirect (type $none)
    i32.const 8
    i32.const 0
    local.get 0
    i64.const 412268354897948391
    i64.add
    global.set $seepage:context
    call_indirect (type $one)
  )
  (func $other (;4;) (type $one) (param i32) (result i32)
    (local i64)
    global.get $seepage:context
    i64.const 3
    i64.mul
    local.set 1
    local.get 0
    local.get 1
    i64.const -4261196715006488265
    i64.add
    global.set $seepage:context
    call $seepage:malloc
  )
  (func $malloc (;5;) (type $one) (param i32) (result i32)
    i32.const 64
  )
  (func $nothing (;6;) (type $none))
)

