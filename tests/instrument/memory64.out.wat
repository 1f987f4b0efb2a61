;; malloc(size) is malloc, name `malloc`, 1 calls
;; free(ptr) is free, name `free`, 1 calls
;; blind: no DWARF: stacks show functions without lines
;; site in run
;; site in run
;; site in malloc
(module
  (type (;0;) (func))
  (type (;1;) (func (param i64)))
  (type (;2;) (func (param i64) (result i64)))
  (import "seepage" "flush" (func (;0;) (type 0)))
  (import "seepage" "context" (func (;1;) (type 1) (param i64)))
  (memory (;0;) i64 1)
  (memory $seepage:ring (;1;) 4 4)
  (global $seepage:head (;0;) (mut i32) i32.const 32768)
  (global $seepage:context (;1;) (mut i64) i64.const 0)
  (export "run" (func 5))
  (export "seepage:memory:0" (memory 0))
  (export "seepage:ring" (memory $seepage:ring))
  (export "seepage:head" (global $seepage:head))
  (func $"seepage:memory.grow 0" (;2;) (type 2) (param i64) (result i64)
    (local i32 i64 i64)
    global.get $seepage:context
    local.set 3
    local.get 0
    memory.grow
    local.set 2
    local.get 3
    i32.wrap_i64
    i32.const 32760
    i32.and
    local.tee 1
    i64.load $seepage:ring
    local.get 3
    i64.ne
    if ;; label = @1
      local.get 3
      call 1
      local.get 1
      local.get 3
      i64.store $seepage:ring
    else
    end
    global.get $seepage:head
    local.tee 1
    i32.const 83886847
    i32.store $seepage:ring
    local.get 1
    local.get 0
    i64.store $seepage:ring offset=8
    local.get 1
    local.get 3
    i64.store $seepage:ring offset=16
    local.get 1
    local.get 2
    i64.store $seepage:ring offset=24
    local.get 1
    i64.const 0
    i64.store $seepage:ring offset=32
    local.get 1
    i32.const 40
    i32.add
    local.tee 1
    global.set $seepage:head
    local.get 1
    i32.const 262128
    i32.ge_u
    if ;; label = @1
      call 0
    else
    end
    local.get 2
  )
  (func $seepage:free (;3;) (type 1) (param i64)
    (local i32 i64)
    global.get $seepage:context
    local.set 2
    local.get 0
    i64.eqz
    i32.eqz
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
      i64.const 0
      i64.store $seepage:ring offset=8
      local.get 1
      local.get 2
      i64.store $seepage:ring offset=16
      local.get 1
      local.get 0
      i64.store $seepage:ring offset=24
      local.get 1
      i32.const 40
      i32.add
      local.tee 1
      global.set $seepage:head
      local.get 1
      i32.const 262128
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
  (func $seepage:malloc (;4;) (type 2) (param i64) (result i64)
    (local i32 i64 i64)
    global.get $seepage:context
    local.set 3
    local.get 0
    call $malloc
    local.set 2
    local.get 3
    i32.wrap_i64
    i32.const 32760
    i32.and
    local.tee 1
    i64.load $seepage:ring
    local.get 3
    i64.ne
    if ;; label = @1
      local.get 3
      call 1
      local.get 1
      local.get 3
      i64.store $seepage:ring
    else
    end
    global.get $seepage:head
    local.tee 1
    i32.const 16777471
    i32.store $seepage:ring
    local.get 1
    local.get 0
    i64.store $seepage:ring offset=8
    local.get 1
    local.get 3
    i64.store $seepage:ring offset=16
    local.get 1
    local.get 2
    i64.store $seepage:ring offset=24
    local.get 1
    i32.const 40
    i32.add
    local.tee 1
    global.set $seepage:head
    local.get 1
    i32.const 262128
    i32.ge_u
    if ;; label = @1
      call 0
    else
    end
    local.get 2
  )
  (func (;5;) (type 0)
    (local i64)
    i64.const 2662632330587243456
    local.set 0
    i64.const 8
    local.get 0
    i64.const -1334965252028342917
    i64.add
    global.set $seepage:context
    call $seepage:malloc
    local.get 0
    i64.const 4467750364978384669
    i64.add
    global.set $seepage:context
    call $seepage:free
  )
  (func $malloc (;6;) (type 2) (param i64) (result i64)
    (local i64)
    global.get $seepage:context
    i64.const 3
    i64.mul
    local.set 1
    i64.const 1
    local.get 1
    i64.const -2027226300370231631
    i64.add
    global.set $seepage:context
    call $"seepage:memory.grow 0"
  )
  (func $free (;7;) (type 1) (param i64))
)

