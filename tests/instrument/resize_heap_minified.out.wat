;; blind: no allocator was found for sure: only memory growth is seen; settle it with --alloc-fn f3=malloc (no function that may be its free was found)
;; blind: no DWARF: stacks show functions without lines
;; site in sbrk
;; site in e
(module
  (type (;0;) (func (result i32)))
  (type (;1;) (func (param i32) (result i32)))
  (type (;2;) (func (param i32 i32) (result i32)))
  (type (;3;) (func (param i32 i32 i64 i32 i32)))
  (import "a" "b" (func $b (;0;) (type 1) (param i32) (result i32)))
  (import "a" "c" (func $c (;1;) (type 2) (param i32 i32) (result i32)))
  (import "seepage" "event" (func (;2;) (type 3) (param i32 i32 i64 i32 i32)))
  (memory (;0;) 1)
  (global $seepage:context (;0;) (mut i64) i64.const 0)
  (export "d" (memory 0))
  (export "e" (func 5))
  (export "f" (func 6))
  (export "seepage:memory:0" (memory 0))
  (func $seepage:b (;3;) (type 1) (param i32) (result i32)
    (local i32 i32 i32 i64)
    global.get $seepage:context
    local.set 4
    memory.size
    local.set 2
    local.get 0
    call $b
    local.set 1
    memory.size
    local.get 2
    i32.sub
    local.set 3
    local.get 3
    i32.eqz
    local.get 1
    i32.eqz
    i32.and
    if ;; label = @1
      local.get 0
      i64.extend_i32_u
      i64.const 65535
      i64.add
      i64.const 16
      i64.shr_u
      local.get 2
      i64.extend_i32_u
      i64.sub
      i32.wrap_i64
      local.set 3
      i32.const -1
      local.set 2
    else
    end
    local.get 3
    i32.const 0
    i32.gt_s
    if ;; label = @1
      i32.const 83886335
      local.get 3
      local.get 4
      local.get 2
      i32.const 0
      call 2
    else
    end
    local.get 1
  )
  (func $sbrk (;4;) (type 1) (param i32) (result i32)
    (local i64)
    global.get $seepage:context
    i64.const 3
    i64.mul
    local.set 1
    local.get 0
    memory.size
    i32.const 16
    i32.shl
    i32.gt_u
    if ;; label = @1
      local.get 0
      local.get 1
      i64.const 6261192649386533117
      i64.add
      global.set $seepage:context
      call $seepage:b
      i32.eqz
      if ;; label = @2
        i32.const -1
        return
      else
      end
    else
    end
    i32.const 1
    i32.const 2
    call $c
    drop
    i32.const 0
  )
  (func (;5;) (type 1) (param i32) (result i32)
    (local i64)
    i64.const 831604120089134315
    local.set 1
    local.get 0
    local.get 1
    i64.const 2268200845059927188
    i64.add
    global.set $seepage:context
    call $sbrk
  )
  (func (;6;) (type 0) (result i32)
    i32.const 3
    call $b
  )
)

