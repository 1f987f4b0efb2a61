;; malloc(size) is malloc, name `malloc`, 1 calls
;; free(ptr) is free, name `free`, 1 calls
;; blind: no code grows the memory: growth is the host's, seen when records are
;; blind: no DWARF: stacks show functions without lines
;; site in run
;; site in run
(module
  (type (;0;) (func))
  (type (;1;) (func (result i32)))
  (type (;2;) (func (param i32)))
  (type (;3;) (func (param i32) (result i32)))
  (type (;4;) (func (param i64)))
  (import "seepage" "flush" (func (;0;) (type 0)))
  (import "seepage" "context" (func (;1;) (type 4) (param i64)))
  (memory (;0;) 1)
  (memory $seepage:ring (;1;) 4 4)
  (global $seepage:head (;0;) (mut i32) i32.const 32768)
  (global $seepage:context (;1;) (mut i64) i64.const 0)
  (export "run" (func 4))
  (export "seepage:memory:0" (memory 0))
  (export "seepage:ring" (memory $seepage:ring))
  (export "seepage:head" (global $seepage:head))
  (func $seepage:malloc (;2;) (type 3) (param i32) (result i32)
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
  (func $seepage:free (;3;) (type 2) (param i32)
    (local i32 i64)
    global.get $seepage:context
    local.set 2
    local.get 0
    if ;; label = @1
      local.get 2
      i32.wrap_i64
      i32.const 32760
      i32.and
      local.tee 1
      i64.load $seepage:ring
      local.get 2
      i64.ne
      if ;; label = @2
        local.get 2
        call 1
        local.get 1
        local.get 2
        i64.store $seepage:ring
      else
      end
      global.get $seepage:head
      local.tee 1
      i32.const 33554943
      i32.store $seepage:ring
      local.get 1
      i32.const 0
      i32.store $seepage:ring offset=4
      local.get 1
      local.get 2
      i64.store $seepage:ring offset=8
      local.get 1
      local.get 0
      i32.store $seepage:ring offset=16
      local.get 1
      i32.const 24
      i32.add
      local.tee 1
      global.set $seepage:head
      local.get 1
      i32.const 262136
      i32.ge_u
      if ;; label = @2
        call 0
      else
      end
    else
    end
    local.get 0
    call $free
  )
  (func (;4;) (type 1) (result i32)
    (local i32 i64)
    i64.const 831604120089134315
    local.set 1
    i32.const 8
    call $pure
    local.get 1
    i64.const -1258249308830931776
    i64.add
    global.set $seepage:context
    call $seepage:malloc
    local.set 0
    local.get 0
    local.get 1
    i64.const 2964889177012845576
    i64.add
    global.set $seepage:context
    call $seepage:free
    i32.const 1
    call $pure
  )
  (func $malloc (;5;) (type 3) (param i32) (result i32)
    i32.const 64
  )
  (func $pure (;6;) (type 3) (param i32) (result i32)
    local.get 0
  )
  (func $free (;7;) (type 2) (param i32))
)

