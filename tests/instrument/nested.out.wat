;; malloc(size) is malloc, name `malloc`, 2 calls
;; free(ptr) is free, name `free`, 1 calls
;; realloc(ptr, size) is realloc, name `realloc`, 1 calls
;; blind: no code grows the memory: growth is the host's, seen when records are
;; blind: calling contexts are switched off: no stacks
;; site in _start
;; site in _start
;; site in core
;; site in core
;; site in realloc
;; site in resize
(module
  (type (;0;) (func))
  (type (;1;) (func (param i32)))
  (type (;2;) (func (param i32) (result i32)))
  (type (;3;) (func (param i32 i32) (result i32)))
  (type (;4;) (func (param i64)))
  (import "seepage" "flush" (func (;0;) (type 0)))
  (import "seepage" "context" (func (;1;) (type 4) (param i64)))
  (memory (;0;) 1)
  (memory $seepage:ring (;1;) 4 4)
  (global $top (;0;) (mut i32) i32.const 1024)
  (global $seepage:head (;1;) (mut i32) i32.const 32768)
  (global $seepage:nested (;2;) (mut i32) i32.const 0)
  (export "memory" (memory 0))
  (export "resize" (func 9))
  (export "_start" (func 6))
  (export "seepage:memory:0" (memory 0))
  (export "seepage:global:0" (global $top))
  (export "seepage:ring" (memory $seepage:ring))
  (export "seepage:head" (global $seepage:head))
  (func $seepage:realloc (;2;) (type 3) (param i32 i32) (result i32)
    (local i32 i32 i32)
    global.get $seepage:nested
    local.set 4
    i32.const 1
    global.set $seepage:nested
    local.get 0
    local.get 1
    call $realloc
    local.get 4
    global.set $seepage:nested
    local.set 2
    global.get $seepage:nested
    i32.eqz
    if ;; label = @1
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
      if ;; label = @2
        call 0
      else
      end
    else
    end
    local.get 2
  )
  (func $seepage:malloc (;3;) (type 2) (param i32) (result i32)
    (local i32 i32)
    local.get 0
    call $malloc
    local.set 1
    global.get $seepage:nested
    i32.eqz
    if ;; label = @1
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
      if ;; label = @2
        call 0
      else
      end
    else
    end
    local.get 1
  )
  (func $seepage:free (;4;) (type 1) (param i32)
    (local i32)
    global.get $seepage:nested
    i32.eqz
    if ;; label = @1
      local.get 0
      if ;; label = @2
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
        if ;; label = @3
          call 0
        else
        end
      else
      end
    else
    end
    local.get 0
    call $free
  )
  (func $malloc (;5;) (type 2) (param i32) (result i32)
    global.get $top
    global.get $top
    local.get 0
    i32.add
    global.set $top
  )
  (func (;6;) (type 0)
    i32.const 8
    call $seepage:malloc
    i32.const 16
    call $seepage:realloc
    drop
  )
  (func $core (;7;) (type 3) (param i32 i32) (result i32)
    local.get 0
    call $seepage:free
    local.get 1
    call $seepage:malloc
  )
  (func $realloc (;8;) (type 3) (param i32 i32) (result i32)
    local.get 0
    local.get 1
    call $core
  )
  (func (;9;) (type 3) (param i32 i32) (result i32)
    local.get 0
    local.get 1
    call $core
  )
  (func $free (;10;) (type 1) (param i32))
)

