;; malloc(size) is malloc, name `malloc`, 0 calls
;; free(ptr) is free, name `free`, 0 calls
;; calloc(count, size) is calloc, name `calloc`, 1 calls
;; realloc(ptr, size) is realloc, name `realloc`, 1 calls
;; blind: no DWARF: stacks show functions without lines
;; site in realloc
;; site in realloc
;; site in run
;; site in run
;; site in sbrk
;; site in malloc
;; site in zeroed
;; site in calloc
(module
  (type (;0;) (func))
  (type (;1;) (func (result i32)))
  (type (;2;) (func (param i32)))
  (type (;3;) (func (param i32) (result i32)))
  (type (;4;) (func (param i32 i32) (result i32)))
  (type (;5;) (func (param i64)))
  (import "seepage" "flush" (func (;0;) (type 0)))
  (import "seepage" "context" (func (;1;) (type 5) (param i64)))
  (memory (;0;) 1)
  (memory $seepage:ring (;1;) 4 4)
  (global $seepage:head (;0;) (mut i32) i32.const 32768)
  (global $seepage:context (;1;) (mut i64) i64.const 0)
  (export "run" (func 8))
  (export "seepage:memory:0" (memory 0))
  (export "seepage:ring" (memory $seepage:ring))
  (export "seepage:head" (global $seepage:head))
  (func $seepage:realloc (;2;) (type 4) (param i32 i32) (result i32)
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
    i32.const 67109887
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
  (func $seepage:calloc (;3;) (type 4) (param i32 i32) (result i32)
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
    i32.const 16777983
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
  (func $"seepage:memory.grow 0" (;4;) (type 3) (param i32) (result i32)
    (local i32 i32 i64)
    global.get $seepage:context
    local.set 3
    local.get 0
    memory.grow
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
    i32.const 83887359
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
    i32.const 0
    i32.store $seepage:ring offset=20
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
  (func $seepage:malloc (;5;) (type 3) (param i32) (result i32)
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
  (func $seepage:free (;6;) (type 2) (param i32)
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
  (func $realloc (;7;) (type 4) (param i32 i32) (result i32)
    (local i64)
    global.get $seepage:context
    i64.const 3
    i64.mul
    local.set 2
    local.get 0
    local.get 2
    i64.const -7940580477908286923
    i64.add
    global.set $seepage:context
    call $free
    local.get 1
    local.get 2
    i64.const 7247738914666652423
    i64.add
    global.set $seepage:context
    call $malloc
  )
  (func (;8;) (type 1) (result i32)
    (local i64)
    i64.const -8009414325402475991
    local.set 0
    i32.const 1
    i32.const 8
    local.get 0
    i64.const 6230055630797000076
    i64.add
    global.set $seepage:context
    call $seepage:calloc
    i32.const 9
    local.get 0
    i64.const 3828576627696906615
    i64.add
    global.set $seepage:context
    call $seepage:realloc
  )
  (func $sbrk (;9;) (type 3) (param i32) (result i32)
    (local i64)
    global.get $seepage:context
    i64.const 3
    i64.mul
    local.set 1
    local.get 0
    local.get 1
    i64.const 6192573367858229616
    i64.add
    global.set $seepage:context
    call $"seepage:memory.grow 0"
  )
  (func $malloc (;10;) (type 3) (param i32) (result i32)
    (local i64)
    global.get $seepage:context
    i64.const 3
    i64.mul
    local.set 1
    i32.const 1
    local.get 1
    i64.const 3673999814881033724
    i64.add
    global.set $seepage:context
    call $sbrk
  )
  (func $zeroed (;11;) (type 3) (param i32) (result i32)
    (local i64)
    global.get $seepage:context
    i64.const 3
    i64.mul
    local.set 1
    local.get 0
    local.get 1
    i64.const -2855526677486414623
    i64.add
    global.set $seepage:context
    call $malloc
  )
  (func $calloc (;12;) (type 4) (param i32 i32) (result i32)
    (local i64)
    global.get $seepage:context
    i64.const 3
    i64.mul
    local.set 2
    local.get 0
    local.get 2
    i64.const 8898481838737274279
    i64.add
    global.set $seepage:context
    call $zeroed
  )
  (func $free (;13;) (type 2) (param i32))
)

