;; blind: no allocator was found for sure: only memory growth is seen; settle it with --alloc-fn f1=malloc (no function that may be its free was found)
;; blind: no DWARF: stacks show functions without lines
;; site in run
(module
  (type (;0;) (func))
  (type (;1;) (func (param i32) (result i32)))
  (type (;2;) (func (param i64)))
  (import "env" "emscripten_resize_heap" (func $resize (;0;) (type 1) (param i32) (result i32)))
  (import "seepage" "flush" (func (;1;) (type 0)))
  (import "seepage" "context" (func (;2;) (type 2) (param i64)))
  (table (;0;) 1 funcref)
  (memory (;0;) 1)
  (memory $seepage:ring (;1;) 4 4)
  (global $seepage:head (;0;) (mut i32) i32.const 32768)
  (global $seepage:context (;1;) (mut i64) i64.const 0)
  (export "memory" (memory 0))
  (export "resize" (func $resize))
  (export "run" (func 4))
  (export "seepage:memory:0" (memory 0))
  (export "seepage:ring" (memory $seepage:ring))
  (export "seepage:head" (global $seepage:head))
  (elem (;0;) (i32.const 0) func $resize)
  (func $seepage:resize (;3;) (type 1) (param i32) (result i32)
    (local i32 i32 i32 i32 i64)
    global.get $seepage:context
    local.set 5
    memory.size
    local.set 2
    local.get 0
    call $resize
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
      local.get 5
      i32.wrap_i64
      i32.const 32760
      i32.and
      local.tee 4
      i64.load $seepage:ring
      local.get 5
      i64.ne
      if ;; label = @2
        local.get 5
        call 2
        local.get 4
        local.get 5
        i64.store $seepage:ring
      else
      end
      global.get $seepage:head
      local.tee 4
      i32.const 83886335
      i32.store $seepage:ring
      local.get 4
      local.get 3
      i32.store $seepage:ring offset=4
      local.get 4
      local.get 5
      i64.store $seepage:ring offset=8
      local.get 4
      local.get 2
      i32.store $seepage:ring offset=16
      local.get 4
      i32.const 0
      i32.store $seepage:ring offset=20
      local.get 4
      i32.const 24
      i32.add
      local.tee 4
      global.set $seepage:head
      local.get 4
      i32.const 262136
      i32.ge_u
      if ;; label = @2
        call 1
      else
      end
    else
    end
    local.get 1
  )
  (func (;4;) (type 1) (param i32) (result i32)
    (local i64)
    i64.const 5570656600836911158
    local.set 1
    local.get 0
    local.get 1
    i64.const -888971750242791038
    i64.add
    global.set $seepage:context
    call $seepage:resize
  )
)

