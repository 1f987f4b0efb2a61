;; malloc(_, size, _, _) is heap.WasmAllocator.alloc, name `heap.WasmAllocator.alloc`, 0 calls
;; realloc(_, ptr, old, _, size, _) is heap.WasmAllocator.resize, name `heap.WasmAllocator.resize`, 1 calls
;; free(_, ptr, _, _, _) is heap.WasmAllocator.free, name `heap.WasmAllocator.free`, 0 calls
;; blind: no code grows the memory: growth is the host's, seen when records are
;; blind: no DWARF: stacks show functions without lines
;; site in run
(module
  (type (;0;) (func))
  (type (;1;) (func (result i32)))
  (type (;2;) (func (param i32 i32 i32 i32) (result i32)))
  (type (;3;) (func (param i32 i32 i32 i32 i32)))
  (type (;4;) (func (param i32 i32 i32 i32 i32 i32) (result i32)))
  (type (;5;) (func (param i64)))
  (import "seepage" "flush" (func (;0;) (type 0)))
  (import "seepage" "context" (func (;1;) (type 5) (param i64)))
  (memory (;0;) 1)
  (memory $seepage:ring (;1;) 4 4)
  (global $seepage:head (;0;) (mut i32) i32.const 32768)
  (global $seepage:context (;1;) (mut i64) i64.const 0)
  (export "run" (func 5))
  (export "seepage:memory:0" (memory 0))
  (export "seepage:ring" (memory $seepage:ring))
  (export "seepage:head" (global $seepage:head))
  (func $seepage:heap.WasmAllocator.resize (;2;) (type 4) (param i32 i32 i32 i32 i32 i32) (result i32)
    (local i32 i32 i64)
    global.get $seepage:context
    local.set 8
    local.get 0
    local.get 1
    local.get 2
    local.get 3
    local.get 4
    local.get 5
    call $heap.WasmAllocator.resize
    local.set 6
    local.get 1
    if ;; label = @1
      local.get 8
      i32.wrap_i64
      i32.const 32760
      i32.and
      local.tee 7
      i64.load $seepage:ring
      local.get 8
      i64.ne
      if ;; label = @2
        local.get 8
        call 1
        local.get 7
        local.get 8
        i64.store $seepage:ring
      else
      end
      global.get $seepage:head
      local.tee 7
      i32.const 117441023
      i32.store $seepage:ring
      local.get 7
      local.get 2
      i32.store $seepage:ring offset=4
      local.get 7
      local.get 8
      i64.store $seepage:ring offset=8
      local.get 7
      local.get 1
      i32.store $seepage:ring offset=16
      local.get 7
      i32.const 24
      i32.add
      local.tee 7
      global.set $seepage:head
      local.get 7
      i32.const 262136
      i32.ge_u
      if ;; label = @2
        call 0
      else
      end
    else
    end
    local.get 8
    i32.wrap_i64
    i32.const 32760
    i32.and
    local.tee 7
    i64.load $seepage:ring
    local.get 8
    i64.ne
    if ;; label = @1
      local.get 8
      call 1
      local.get 7
      local.get 8
      i64.store $seepage:ring
    else
    end
    global.get $seepage:head
    local.tee 7
    i32.const 67109375
    i32.store $seepage:ring
    local.get 7
    local.get 4
    i32.store $seepage:ring offset=4
    local.get 7
    local.get 8
    i64.store $seepage:ring offset=8
    local.get 7
    local.get 1
    i32.const 0
    local.get 6
    select
    i32.store $seepage:ring offset=16
    local.get 7
    local.get 1
    i32.store $seepage:ring offset=20
    local.get 7
    i32.const 24
    i32.add
    local.tee 7
    global.set $seepage:head
    local.get 7
    i32.const 262136
    i32.ge_u
    if ;; label = @1
      call 0
    else
    end
    local.get 6
  )
  (func $seepage:heap.WasmAllocator.free (;3;) (type 3) (param i32 i32 i32 i32 i32)
    (local i32 i64)
    global.get $seepage:context
    local.set 6
    local.get 1
    if ;; label = @1
      local.get 6
      i32.wrap_i64
      i32.const 32760
      i32.and
      local.tee 5
      i64.load $seepage:ring
      local.get 6
      i64.ne
      if ;; label = @2
        local.get 6
        call 1
        local.get 5
        local.get 6
        i64.store $seepage:ring
      else
      end
      global.get $seepage:head
      local.tee 5
      i32.const 33555199
      i32.store $seepage:ring
      local.get 5
      i32.const 0
      i32.store $seepage:ring offset=4
      local.get 5
      local.get 6
      i64.store $seepage:ring offset=8
      local.get 5
      local.get 1
      i32.store $seepage:ring offset=16
      local.get 5
      i32.const 24
      i32.add
      local.tee 5
      global.set $seepage:head
      local.get 5
      i32.const 262136
      i32.ge_u
      if ;; label = @2
        call 0
      else
      end
    else
    end
    local.get 0
    local.get 1
    local.get 2
    local.get 3
    local.get 4
    call $heap.WasmAllocator.free
  )
  (func $seepage:heap.WasmAllocator.alloc (;4;) (type 2) (param i32 i32 i32 i32) (result i32)
    (local i32 i32 i64)
    global.get $seepage:context
    local.set 6
    local.get 0
    local.get 1
    local.get 2
    local.get 3
    call $heap.WasmAllocator.alloc
    local.set 4
    local.get 6
    i32.wrap_i64
    i32.const 32760
    i32.and
    local.tee 5
    i64.load $seepage:ring
    local.get 6
    i64.ne
    if ;; label = @1
      local.get 6
      call 1
      local.get 5
      local.get 6
      i64.store $seepage:ring
    else
    end
    global.get $seepage:head
    local.tee 5
    i32.const 16777471
    i32.store $seepage:ring
    local.get 5
    local.get 1
    i32.store $seepage:ring offset=4
    local.get 5
    local.get 6
    i64.store $seepage:ring offset=8
    local.get 5
    local.get 4
    i32.store $seepage:ring offset=16
    local.get 5
    i32.const 24
    i32.add
    local.tee 5
    global.set $seepage:head
    local.get 5
    i32.const 262136
    i32.ge_u
    if ;; label = @1
      call 0
    else
    end
    local.get 4
  )
  (func (;5;) (type 1) (result i32)
    (local i64)
    i64.const 831604120089134315
    local.set 0
    i32.const 0
    i32.const 64
    i32.const 8
    i32.const 2
    i32.const 12
    i32.const 0
    local.get 0
    i64.const 412268354897948391
    i64.add
    global.set $seepage:context
    call $seepage:heap.WasmAllocator.resize
  )
  (func $heap.WasmAllocator.alloc (;6;) (type 2) (param i32 i32 i32 i32) (result i32)
    i32.const 64
  )
  (func $heap.WasmAllocator.resize (;7;) (type 4) (param i32 i32 i32 i32 i32 i32) (result i32)
    i32.const 1
  )
  (func $heap.WasmAllocator.free (;8;) (type 3) (param i32 i32 i32 i32 i32))
)

