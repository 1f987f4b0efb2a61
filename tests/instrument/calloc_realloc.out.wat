;; calloc(count, size) is calloc, name `calloc`, 1 calls
;; realloc(ptr, size) is realloc, name `realloc`, 1 calls
;; blind: no code grows the memory: growth is the host's, seen when records are
;; blind: no DWARF: stacks show functions without lines
;; site in run
;; site in run
(module
  (type (;0;) (func))
  (type (;1;) (func (result i32)))
  (type (;2;) (func (param i32 i32) (result i32)))
  (type (;3;) (func (param i64)))
  (import "seepage" "flush" (func (;0;) (type 0)))
  (import "seepage" "context" (func (;1;) (type 3) (param i64)))
  (memory (;0;) 1)
  (memory $seepage:ring (;1;) 4 4)
  (global $seepage:head (;0;) (mut i32) i32.const 32768)
  (global $seepage:context (;1;) (mut i64) i64.const 0)
  (export "run" (func 4))
  (export "seepage:memory:0" (memory 0))
  (export "seepage:ring" (memory $seepage:ring))
  (export "seepage:head" (global $seepage:head))
  (func $seepage:realloc (;2;) (type 2) (param i32 i32) (result i32)
    (local i32 i32 i64)
    global.get $seepage:context
    local.set 4
    local.get 0
    local.get 1
    call $realloc
    local.set 2
    local.get 4
    i32.wrap_i64
    i32.const 32760
    i32.and
    local.tee 3
    i64.load $seepage:ring
    local.get 4
    i64.ne
    if ;; label = @1
      local.get 4
      call 1
      local.get 3
      local.get 4
      i64.store $seepage:ring
    else
    end
    global.get $seepage:head
    local.tee 3
    i32.const 67109375
    i32.store $seepage:ring
    local.get 3
    local.get 1
    i32.store $seepage:ring offset=4
    local.get 3
    local.get 4
    i64.store $seepage:ring offset=8
    local.get 3
    local.get 2
    i32.store $seepage:ring offset=16
    local.get 3
    local.get 0
    i32.store $seepage:ring offset=20
    local.get 3
    i32.const 24
    i32.add
    local.tee 3
    global.set $seepage:head
    local.get 3
    i32.const 262136
    i32.ge_u
    if ;; label = @1
      call 0
    else
    end
    local.get 2
  )
  (func $seepage:calloc (;3;) (type 2) (param i32 i32) (result i32)
    (local i32 i32 i64)
    global.get $seepage:context
    local.set 4
    local.get 0
    local.get 1
    call $calloc
    local.set 2
    local.get 4
    i32.wrap_i64
    i32.const 32760
    i32.and
    local.tee 3
    i64.load $seepage:ring
    local.get 4
    i64.ne
    if ;; label = @1
      local.get 4
      call 1
      local.get 3
      local.get 4
      i64.store $seepage:ring
    else
    end
    global.get $seepage:head
    local.tee 3
    i32.const 16777471
    i32.store $seepage:ring
    local.get 3
    local.get 1
    local.get 0
    i32.mul
    i32.store $seepage:ring offset=4
    local.get 3
    local.get 4
    i64.store $seepage:ring offset=8
    local.get 3
    local.get 2
    i32.store $seepage:ring offset=16
    local.get 3
    i32.const 24
    i32.add
    local.tee 3
    global.set $seepage:head
    local.get 3
    i32.const 262136
    i32.ge_u
    if ;; label = @1
      call 0
    else
    end
    local.get 2
  )
  (func (;4;) (type 1) (result i32)
    (local i64)
    i64.const 2662632330587243456
    local.set 0
    i32.const 3
    i32.const 5
    local.get 0
    i64.const 4467750364978384669
    i64.add
    global.set $seepage:context
    call $seepage:calloc
    i32.const 30
    local.get 0
    i64.const 4771384256668957810
    i64.add
    global.set $seepage:context
    call $seepage:realloc
  )
  (func $calloc (;5;) (type 2) (param i32 i32) (result i32)
    i32.const 64
  )
  (func $realloc (;6;) (type 2) (param i32 i32) (result i32)
    i32.const 128
  )
)

