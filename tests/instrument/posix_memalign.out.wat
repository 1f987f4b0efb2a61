;; posix_memalign(out, align, size) is posix_memalign, name `posix_memalign`, 1 calls
;; blind: no function that frees was found: what is live cannot be told from what was freed
;; blind: no code grows the memory: growth is the host's, seen when records are
;; blind: no DWARF: stacks show functions without lines
;; site in run
(module
  (type (;0;) (func))
  (type (;1;) (func (result i32)))
  (type (;2;) (func (param i32 i32 i32) (result i32)))
  (type (;3;) (func (param i64)))
  (import "seepage" "flush" (func (;0;) (type 0)))
  (import "seepage" "context" (func (;1;) (type 3) (param i64)))
  (memory (;0;) 1)
  (memory $seepage:ring (;1;) 4 4)
  (global $seepage:head (;0;) (mut i32) i32.const 32768)
  (global $seepage:context (;1;) (mut i64) i64.const 0)
  (export "run" (func 3))
  (export "seepage:memory:0" (memory 0))
  (export "seepage:ring" (memory $seepage:ring))
  (export "seepage:head" (global $seepage:head))
  (func $seepage:posix_memalign (;2;) (type 2) (param i32 i32 i32) (result i32)
    (local i32 i32 i64)
    global.get $seepage:context
    local.set 5
    local.get 0
    local.get 1
    local.get 2
    call $posix_memalign
    local.set 3
    local.get 5
    i32.wrap_i64
    i32.const 32760
    i32.and
    local.tee 4
    i64.load $seepage:ring
    local.get 5
    i64.ne
    if ;; label = @1
      local.get 5
      call 1
      local.get 4
      local.get 5
      i64.store $seepage:ring
    else
    end
    global.get $seepage:head
    local.tee 4
    i32.const 16777216
    local.get 1
    i32.ctz
    i32.or
    i32.store $seepage:ring
    local.get 4
    local.get 2
    i32.store $seepage:ring offset=4
    local.get 4
    local.get 5
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
  )
  (func (;3;) (type 1) (result i32)
    (local i64)
    i64.const 5570656600836911158
    local.set 0
    i32.const 16
    i32.const 64
    i32.const 100
    local.get 0
    i64.const -4621063917895205745
    i64.add
    global.set $seepage:context
    call $seepage:posix_memalign
  )
  (func $posix_memalign (;4;) (type 2) (param i32 i32 i32) (result i32)
    i32.const 0
  )
)

