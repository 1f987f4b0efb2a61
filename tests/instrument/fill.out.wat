;; malloc(size) is malloc, name `malloc`, 1 calls
;; calloc(count, size) is calloc, name `calloc`, 1 calls
;; realloc(ptr, size) is realloc, name `realloc`, 1 calls
;; free(ptr) is free, name `free`, 1 calls
;; malloc_usable_size(ptr) is malloc_usable_size, name `malloc_usable_size`, 0 calls
;; blind: no code grows the memory: growth is the host's, seen when records are
;; blind: calling contexts are switched off: no stacks
;; site in run
;; site in run
;; site in run
;; site in run
(module
  (type (;0;) (func))
  (type (;1;) (func (result i32)))
  (type (;2;) (func (param i32)))
  (type (;3;) (func (param i32) (result i32)))
  (type (;4;) (func (param i32 i32) (result i32)))
  (type (;5;) (func (param i64)))
  (type (;6;) (func (param i64 i64 i32)))
  (import "seepage" "flush" (func (;0;) (type 0)))
  (import "seepage" "context" (func (;1;) (type 5) (param i64)))
  (memory (;0;) 1)
  (memory $seepage:ring (;1;) 4 4)
  (global $seepage:head (;0;) (mut i32) i32.const 32768)
  (export "run" (func 7))
  (export "seepage:memory:0" (memory 0))
  (export "seepage:ring" (memory $seepage:ring))
  (export "seepage:head" (global $seepage:head))
  (func $seepage:realloc (;2;) (type 4) (param i32 i32) (result i32)
    (local i32 i32 i32 i64 i64)
    local.get 0
    call $malloc_usable_size
    i64.extend_i32_u
    local.set 5
    local.get 0
    local.get 1
    call $realloc
    local.set 2
    global.get $seepage:head
    local.tee 3
    i32.const 67109631
    i32.store $seepage:ring
    local.get 3
    local.get 1
    i32.store $seepage:ring offset=4
    local.get 3
    i64.const 0
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
    local.tee 4
    if ;; label = @1
      global.get $seepage:head
      local.tee 3
      i32.const 134218495
      i32.store $seepage:ring
      local.get 3
      local.get 4
      call $malloc_usable_size
      i32.store $seepage:ring offset=4
      local.get 3
      i64.const 0
      i64.store $seepage:ring offset=8
      local.get 3
      local.get 4
      i32.store $seepage:ring offset=16
      local.get 3
      i32.const 24
      i32.add
      local.tee 3
      global.set $seepage:head
      local.get 3
      i32.const 262136
      i32.ge_u
      if ;; label = @2
        call 0
      else
      end
    else
    end
    local.get 2
    i64.extend_i32_u
    local.tee 6
    i64.eqz
    i32.eqz
    local.get 1
    i64.extend_i32_u
    local.get 5
    i64.gt_u
    i32.and
    if ;; label = @1
      local.get 6
      local.get 5
      i64.add
      local.get 1
      i64.extend_i32_u
      local.get 5
      i64.sub
      i32.const 170
      call $seepage:fill
    else
    end
    local.get 2
  )
  (func $seepage:malloc (;3;) (type 3) (param i32) (result i32)
    (local i32 i32 i32)
    local.get 0
    call $malloc
    local.set 1
    global.get $seepage:head
    local.tee 2
    i32.const 16777471
    i32.store $seepage:ring
    local.get 2
    local.get 0
    i32.store $seepage:ring offset=4
    local.get 2
    i64.const 0
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
    local.tee 3
    if ;; label = @1
      global.get $seepage:head
      local.tee 2
      i32.const 134217983
      i32.store $seepage:ring
      local.get 2
      local.get 3
      call $malloc_usable_size
      i32.store $seepage:ring offset=4
      local.get 2
      i64.const 0
      i64.store $seepage:ring offset=8
      local.get 2
      local.get 3
      i32.store $seepage:ring offset=16
      local.get 2
      i32.const 24
      i32.add
      local.tee 2
      global.set $seepage:head
      local.get 2
      i32.const 262136
      i32.ge_u
      if ;; label = @2
        call 0
      else
      end
    else
    end
    local.get 1
    i64.extend_i32_u
    local.get 0
    i64.extend_i32_u
    i32.const 170
    call $seepage:fill
    local.get 1
  )
  (func $seepage:calloc (;4;) (type 4) (param i32 i32) (result i32)
    (local i32 i32 i32)
    local.get 0
    local.get 1
    call $calloc
    local.set 2
    global.get $seepage:head
    local.tee 3
    i32.const 16777727
    i32.store $seepage:ring
    local.get 3
    local.get 1
    local.get 0
    i32.mul
    i32.store $seepage:ring offset=4
    local.get 3
    i64.const 0
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
    local.tee 4
    if ;; label = @1
      global.get $seepage:head
      local.tee 3
      i32.const 134218239
      i32.store $seepage:ring
      local.get 3
      local.get 4
      call $malloc_usable_size
      i32.store $seepage:ring offset=4
      local.get 3
      i64.const 0
      i64.store $seepage:ring offset=8
      local.get 3
      local.get 4
      i32.store $seepage:ring offset=16
      local.get 3
      i32.const 24
      i32.add
      local.tee 3
      global.set $seepage:head
      local.get 3
      i32.const 262136
      i32.ge_u
      if ;; label = @2
        call 0
      else
      end
    else
    end
    local.get 2
  )
  (func $seepage:free (;5;) (type 2) (param i32)
    (local i32 i64)
    local.get 0
    if ;; label = @1
      global.get $seepage:head
      local.tee 1
      i32.const 33555455
      i32.store $seepage:ring
      local.get 1
      i32.const 0
      i32.store $seepage:ring offset=4
      local.get 1
      i64.const 0
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
    call $malloc_usable_size
    i64.extend_i32_u
    local.set 2
    local.get 0
    i64.extend_i32_u
    local.get 2
    i32.const 221
    call $seepage:fill
    local.get 0
    call $free
  )
  (func $seepage:fill (;6;) (type 6) (param i64 i64 i32)
    local.get 0
    i64.eqz
    i32.eqz
    local.get 0
    memory.size
    i64.extend_i32_u
    i64.const 16
    i64.shl
    i64.lt_u
    i32.and
    memory.size
    i64.extend_i32_u
    i64.const 16
    i64.shl
    local.get 0
    i64.sub
    local.get 1
    i64.ge_u
    i32.and
    if ;; label = @1
      local.get 0
      i32.wrap_i64
      local.get 2
      local.get 1
      i32.wrap_i64
      memory.fill
    else
    end
  )
  (func (;7;) (type 1) (result i32)
    i32.const 8
    call $seepage:malloc
    i32.const 16
    call $seepage:realloc
    call $seepage:free
    i32.const 1
    i32.const 8
    call $seepage:calloc
  )
  (func $malloc (;8;) (type 3) (param i32) (result i32)
    i32.const 0
  )
  (func $calloc (;9;) (type 4) (param i32 i32) (result i32)
    i32.const 0
  )
  (func $realloc (;10;) (type 4) (param i32 i32) (result i32)
    i32.const 0
  )
  (func $malloc_usable_size (;11;) (type 3) (param i32) (result i32)
    i32.const 8
  )
  (func $free (;12;) (type 2) (param i32))
)

