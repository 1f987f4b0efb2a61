;; malloc(_, size) is ~lib/rt/tlsf/allocateBlock, name `~lib/rt/tlsf/allocateBlock`, 1 calls
;; free(ptr) is ~lib/rt/tlsf/__free, name `~lib/rt/tlsf/__free`, 1 calls
;; blind: the heap is garbage-collected: what is live at the end may only be waiting for the collector
;; blind: no code grows the memory: growth is the host's, seen when records are
;; blind: no DWARF: stacks show functions without lines
;; site in run
;; site in run
(module
  (type (;0;) (func))
  (type (;1;) (func (param i32)))
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
  (func $seepage:~lib/rt/tlsf/allocateBlock (;2;) (type 2) (param i32 i32) (result i32)
    (local i32 i32 i64)
    global.get $seepage:context
    local.set 4
    local.get 0
    local.get 1
    call $~lib/rt/tlsf/allocateBlock
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
    i32.store $seepage:ring offset=4
    local.get 3
    local.get 4
    i64.store $seepage:ring offset=8
    local.get 3
    local.get 2
    i32.const 4
    i32.add
    i32.const 0
    local.get 2
    select
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
  (func $seepage:~lib/rt/tlsf/__free (;3;) (type 1) (param i32)
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
    call $~lib/rt/tlsf/__free
  )
  (func (;4;) (type 0)
    (local i64)
    i64.const 2662632330587243456
    local.set 0
    i32.const 0
    i32.const 8
    local.get 0
    i64.const 6192573367858229616
    i64.add
    global.set $seepage:context
    call $seepage:~lib/rt/tlsf/allocateBlock
    i32.const 4
    i32.add
    local.get 0
    i64.const 4771384256668957810
    i64.add
    global.set $seepage:context
    call $seepage:~lib/rt/tlsf/__free
  )
  (func $~lib/rt/tlsf/allocateBlock (;5;) (type 2) (param i32 i32) (result i32)
    i32.const 60
  )
  (func $~lib/rt/tlsf/__free (;6;) (type 1) (param i32))
)

