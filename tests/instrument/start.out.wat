;; malloc(size) is malloc, name `malloc`, 1 calls
;; blind: no code grows the memory: growth is the host's, seen when records are
;; blind: no DWARF: stacks show functions without lines
;; site in init
(module
  (type (;0;) (func))
  (type (;1;) (func (param i32) (result i32)))
  (type (;2;) (func (param i64)))
  (import "seepage" "flush" (func (;0;) (type 0)))
  (import "seepage" "context" (func (;1;) (type 2) (param i64)))
  (memory (;0;) 1)
  (memory $seepage:ring (;1;) 4 4)
  (global $seepage:head (;0;) (mut i32) i32.const 32768)
  (global $seepage:context (;1;) (mut i64) i64.const 0)
  (export "seepage:memory:0" (memory 0))
  (export "seepage:ring" (memory $seepage:ring))
  (export "seepage:head" (global $seepage:head))
  (start $init)
  (func $seepage:malloc (;2;) (type 1) (param i32) (result i32)
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
  (func $init (;3;) (type 0)
    (local i64)
    global.get $seepage:context
    i64.const 3
    i64.mul
    local.set 0
    i32.const 8
    local.get 0
    i64.const -1374049360250593737
    i64.add
    global.set $seepage:context
    call $seepage:malloc
    drop
  )
  (func $malloc (;4;) (type 1) (param i32) (result i32)
    i32.const 64
  )
)

