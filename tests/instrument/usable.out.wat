;; malloc(size) is malloc, name `malloc`, 1 calls
;; realloc(ptr, size) is realloc, name `realloc`, 1 calls
;; posix_memalign(out, align, size) is posix_memalign, name `posix_memalign`, 1 calls
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
  (type (;5;) (func (param i32 i32 i32) (result i32)))
  (type (;6;) (func (param i64)))
  (import "seepage" "flush" (func (;0;) (type 0)))
  (import "seepage" "context" (func (;1;) (type 6) (param i64)))
  (memory (;0;) 1)
  (memory $seepage:ring (;1;) 4 4)
  (global $__stack_pointer (;0;) (mut i32) i32.const 65536)
  (global $seepage:head (;1;) (mut i32) i32.const 32768)
  (export "run" (func 7))
  (export "seepage:memory:0" (memory 0))
  (export "seepage:global:0" (global $__stack_pointer))
  (export "seepage:ring" (memory $seepage:ring))
  (export "seepage:head" (global $seepage:head))
  (func $seepage:posix_memalign (;2;) (type 5) (param i32 i32 i32) (result i32)
    (local i32 i32 i32)
    local.get 0
    local.get 1
    local.get 2
    call $posix_memalign
    local.set 3
    global.get $seepage:head
    local.tee 4
    i32.const 16777728
    local.get 1
    i32.ctz
    i32.or
    i32.store $seepage:ring
    local.get 4
    local.get 2
    i32.store $seepage:ring offset=4
    local.get 4
    i64.const 0
    i64.store $seepage:ring offset=8
    local.get 4
    local.get 3
    i32.eqz
    local.get 0
    i64.extend_i32_u
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
    i64.extend_i32_u
    i64.sub
    i64.const 4
    i64.ge_u
    i32.and
    if (result i32) ;; label = @1
      local.get 0
      i32.load
    else
      i32.const 0
    end
    i32.store $seepage:ring offset=16
    local.get 4
    i32.const 24
    i32.add
    local.tee 4
    global.set $seepage:head
    local.get 4
    i32.const 262136
    i32.ge_u
    if ;; label = @1
      call 0
    else
    end
    local.get 3
    i32.eqz
    local.get 0
    i64.extend_i32_u
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
    i64.extend_i32_u
    i64.sub
    i64.const 4
    i64.ge_u
    i32.and
    if (result i32) ;; label = @1
      local.get 0
      i32.load
    else
      i32.const 0
    end
    local.tee 5
    if ;; label = @1
      global.get $seepage:head
      local.tee 4
      i32.const 134218495
      i32.store $seepage:ring
      local.get 4
      local.get 5
      call $malloc_usable_size
      i32.store $seepage:ring offset=4
      local.get 4
      i64.const 0
      i64.store $seepage:ring offset=8
      local.get 4
      local.get 5
      i32.store $seepage:ring offset=16
      local.get 4
      i32.const 24
      i32.add
      local.tee 4
      global.set $seepage:head
      local.get 4
      i32.const 262136
      i32.ge_u
      if ;; label = @2
        call 0
      else
      end
    else
    end
    local.get 3
  )
  (func $seepage:realloc (;3;) (type 4) (param i32 i32) (result i32)
    (local i32 i32 i32)
    local.get 0
    local.get 1
    call $realloc
    local.set 2
    global.get $seepage:head
    local.tee 3
    i32.const 67109375
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
  (func $seepage:malloc (;4;) (type 3) (param i32) (result i32)
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
  )
  (func $seepage:free (;5;) (type 2) (param i32)
    (local i32)
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
    call $free
  )
  (func $malloc_usable_size (;6;) (type 3) (param i32) (result i32)
    (local i32)
    global.get $__stack_pointer
    i32.const 16
    i32.sub
    local.set 1
    local.get 1
    local.get 0
    i32.store offset=12
    local.get 1
    i32.load offset=12
    if (result i32) ;; label = @1
      local.get 1
      i32.load offset=12
      call $class
    else
      i32.const 0
    end
  )
  (func (;7;) (type 1) (result i32)
    i32.const 8
    call $seepage:malloc
    i32.const 16
    call $seepage:realloc
    call $seepage:free
    i32.const 64
    i32.const 16
    i32.const 8
    call $seepage:posix_memalign
  )
  (func $class (;8;) (type 3) (param i32) (result i32)
    local.get 0
    i32.const 4
    i32.sub
    i32.load
  )
  (func $malloc (;9;) (type 3) (param i32) (result i32)
    i32.const 0
  )
  (func $realloc (;10;) (type 4) (param i32 i32) (result i32)
    i32.const 0
  )
  (func $posix_memalign (;11;) (type 5) (param i32 i32 i32) (result i32)
    i32.const 0
  )
  (func $free (;12;) (type 2) (param i32))
)

