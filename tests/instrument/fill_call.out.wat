;; malloc(size, align) is __rust_alloc, name `__rust_alloc`, 1 calls
;; realloc(ptr, old, align, size) is __rust_realloc, name `__rust_realloc`, 1 calls
;; free(ptr, size, align) is __rust_dealloc, name `__rust_dealloc`, 1 calls
;; blind: no code grows the memory: growth is the host's, seen when records are
;; blind: calling contexts are switched off: no stacks
;; site in run
;; site in run
;; site in run
(module
  (type (;0;) (func))
  (type (;1;) (func (param i32 i32) (result i32)))
  (type (;2;) (func (param i32 i32 i32)))
  (type (;3;) (func (param i32 i32 i32 i32) (result i32)))
  (type (;4;) (func (param i32 i32 i64 i32 i32)))
  (type (;5;) (func (param i64 i64 i32)))
  (import "seepage" "event" (func (;0;) (type 4) (param i32 i32 i64 i32 i32)))
  (memory (;0;) 1)
  (export "run" (func 5))
  (export "seepage:memory:0" (memory 0))
  (func $seepage:__rust_realloc (;1;) (type 3) (param i32 i32 i32 i32) (result i32)
    (local i32 i64 i64)
    local.get 1
    i64.extend_i32_u
    local.set 5
    local.get 0
    local.get 1
    local.get 2
    local.get 3
    call $__rust_realloc
    local.set 4
    local.get 0
    if ;; label = @1
      i32.const 117441023
      local.get 1
      i64.const 0
      local.get 0
      i32.const 0
      call 0
    else
    end
    i32.const 67109120
    local.get 2
    i32.ctz
    i32.or
    local.get 3
    i64.const 0
    local.get 4
    local.get 0
    call 0
    local.get 4
    i64.extend_i32_u
    local.tee 6
    i64.eqz
    i32.eqz
    local.get 3
    i64.extend_i32_u
    local.get 5
    i64.gt_u
    i32.and
    if ;; label = @1
      local.get 6
      local.get 5
      i64.add
      local.get 3
      i64.extend_i32_u
      local.get 5
      i64.sub
      i32.const 7
      call $seepage:fill
    else
    end
    local.get 4
  )
  (func $seepage:fill (;2;) (type 5) (param i64 i64 i32)
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
      block ;; label = @2
        loop ;; label = @3
          local.get 1
          i64.eqz
          br_if 1 (;@2;)
          local.get 1
          i64.const 1
          i64.sub
          local.set 1
          local.get 0
          local.get 1
          i64.add
          i32.wrap_i64
          local.get 2
          i32.store8
          br 0 (;@3;)
        end
      end
    else
    end
  )
  (func $seepage:__rust_dealloc (;3;) (type 2) (param i32 i32 i32)
    (local i64)
    local.get 0
    if ;; label = @1
      i32.const 50332160
      local.get 2
      i32.ctz
      i32.or
      local.get 1
      i64.const 0
      local.get 0
      i32.const 0
      call 0
    else
    end
    local.get 1
    i64.extend_i32_u
    local.set 3
    local.get 0
    i64.extend_i32_u
    local.get 3
    i32.const 7
    call $seepage:fill
    local.get 0
    local.get 1
    local.get 2
    call $__rust_dealloc
  )
  (func $seepage:__rust_alloc (;4;) (type 1) (param i32 i32) (result i32)
    (local i32)
    local.get 0
    local.get 1
    call $__rust_alloc
    local.set 2
    i32.const 16777216
    local.get 1
    i32.ctz
    i32.or
    local.get 0
    i64.const 0
    local.get 2
    i32.const 0
    call 0
    local.get 2
    i64.extend_i32_u
    local.get 0
    i64.extend_i32_u
    i32.const 7
    call $seepage:fill
    local.get 2
  )
  (func (;5;) (type 0)
    i32.const 8
    i32.const 4
    call $seepage:__rust_alloc
    i32.const 8
    i32.const 4
    i32.const 16
    call $seepage:__rust_realloc
    i32.const 16
    i32.const 4
    call $seepage:__rust_dealloc
  )
  (func $__rust_alloc (;6;) (type 1) (param i32 i32) (result i32)
    i32.const 0
  )
  (func $__rust_realloc (;7;) (type 3) (param i32 i32 i32 i32) (result i32)
    i32.const 0
  )
  (func $__rust_dealloc (;8;) (type 2) (param i32 i32 i32))
)

