;; malloc(size) is malloc, name `malloc`, 1 calls
;; free(ptr) is free, name `free`, 1 calls
;; malloc_usable_size(ptr) is malloc_usable_size, name `malloc_usable_size`, 0 calls
;; blind: no code grows the memory: growth is the host's, seen when records are
;; blind: calling contexts are switched off: no stacks
;; site in run
;; site in run
(module
  (type (;0;) (func))
  (type (;1;) (func (param i32)))
  (type (;2;) (func (param i32) (result i32)))
  (type (;3;) (func (param i64)))
  (import "seepage" "flush" (func (;0;) (type 0)))
  (import "seepage" "context" (func (;1;) (type 3) (param i64)))
  (memory (;0;) 1)
  (memory $seepage:ring (;1;) 4 4)
  (global $__stack_pointer (;0;) (mut i32) i32.const 65536)
  (global $seepage:head (;1;) (mut i32) i32.const 32768)
  (export "run" (func 5))
  (export "seepage:memory:0" (memory 0))
  (export "seepage:global:0" (global $__stack_pointer))
  (export "seepage:ring" (memory $seepage:ring))
  (export "seepage:head" (global $seepage:head))
  (func $seepage:malloc (;2;) (type 2) (param i32) (result i32)
    (local i32 i32)
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
  )
  (func $seepage:free (;3;) (type 1) (param i32)
    (local i32)
    local.get 0
    if ;; label = @1
      global.get $seepage:head
      local.tee 1
      i32.const 33554943
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
  (func $malloc_usable_size (;4;) (type 2) (param i32) (result i32)
    i32.const 1024
    i32.const 1024
    i32.load
    i32.const 1
    i32.add
    i32.store
    i32.const 8
  )
  (func (;5;) (type 0)
    i32.const 8
    call $seepage:malloc
    call $seepage:free
  )
  (func $malloc (;6;) (type 2) (param i32) (result i32)
    i32.const 0
  )
  (func $free (;7;) (type 1) (param i32))
)

