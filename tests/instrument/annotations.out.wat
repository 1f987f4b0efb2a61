;; malloc(size) is malloc, name `malloc`, 1 calls
;; blind: no code grows the memory: growth is the host's, seen when records are
;; blind: no DWARF: stacks show functions without lines
;; disable is __lsan_disable, import `__lsan_disable`
;; mark is __lsan_do_recoverable_leak_check, import `__lsan_do_recoverable_leak_check`
;; ignore_object is __lsan_ignore_object, name `__lsan_ignore_object`
;; register_root_region is __lsan_register_root_region, export `__lsan_register_root_region`
;; site in run
;; site in run
;; site in run
(module
  (type (;0;) (func))
  (type (;1;) (func (result i32)))
  (type (;2;) (func (param i32)))
  (type (;3;) (func (param i32) (result i32)))
  (type (;4;) (func (param i32 i32)))
  (type (;5;) (func (param i64)))
  (import "seepage" "flush" (func (;0;) (type 0)))
  (import "seepage" "context" (func (;1;) (type 5) (param i64)))
  (import "seepage" "mark" (func (;2;) (type 2) (param i32)))
  (memory (;0;) 1)
  (memory $seepage:ring (;1;) 4 4)
  (global $seepage:head (;0;) (mut i32) i32.const 32768)
  (global $seepage:context (;1;) (mut i64) i64.const 0)
  (export "__lsan_register_root_region" (func 9))
  (export "run" (func 7))
  (export "seepage:suppressions" (func $__lsan_default_suppressions))
  (export "seepage:memory:0" (memory 0))
  (export "seepage:ring" (memory $seepage:ring))
  (export "seepage:head" (global $seepage:head))
  (func $seepage:malloc (;3;) (type 3) (param i32) (result i32)
    (local i32 i32 i64)
    global.get $seepage:context
    local.set 3
    local.get 0
    call $malloc
    local.set 1
    local.get 3
    i32.wrap_i64
    i32.const 32760
    i32.and
    local.tee 2
    i64.load $seepage:ring
    local.get 3
    i64.ne
    if ;; label = @1
      local.get 3
      call 1
      local.get 2
      local.get 3
      i64.store $seepage:ring
    else
    end
    global.get $seepage:head
    local.tee 2
    i32.const 16777471
    i32.store $seepage:ring
    local.get 2
    local.get 0
    i32.store $seepage:ring offset=4
    local.get 2
    local.get 3
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
  (func $seepage:register_root_region (;4;) (type 4) (param i32 i32)
    (local i32 i64)
    i64.const 903114586442990803
    global.set $seepage:context
    global.get $seepage:context
    local.set 3
    local.get 3
    i32.wrap_i64
    i32.const 32760
    i32.and
    local.tee 2
    i64.load $seepage:ring
    local.get 3
    i64.ne
    if ;; label = @1
      local.get 3
      call 1
      local.get 2
      local.get 3
      i64.store $seepage:ring
    else
    end
    global.get $seepage:head
    local.tee 2
    i32.const 100664575
    i32.store $seepage:ring
    local.get 2
    local.get 1
    i32.store $seepage:ring offset=4
    local.get 2
    local.get 3
    i64.store $seepage:ring offset=8
    local.get 2
    local.get 0
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
  )
  (func $seepage:disable (;5;) (type 0)
    (local i32 i64)
    global.get $seepage:context
    local.set 1
    local.get 1
    i32.wrap_i64
    i32.const 32760
    i32.and
    local.tee 0
    i64.load $seepage:ring
    local.get 1
    i64.ne
    if ;; label = @1
      local.get 1
      call 1
      local.get 0
      local.get 1
      i64.store $seepage:ring
    else
    end
    global.get $seepage:head
    local.tee 0
    i32.const 100663807
    i32.store $seepage:ring
    local.get 0
    i32.const 0
    i32.store $seepage:ring offset=4
    local.get 0
    local.get 1
    i64.store $seepage:ring offset=8
    local.get 0
    i32.const 0
    i32.store $seepage:ring offset=16
    local.get 0
    i32.const 24
    i32.add
    local.tee 0
    global.set $seepage:head
    local.get 0
    i32.const 262136
    i32.ge_u
    if ;; label = @1
      call 0
    else
    end
  )
  (func $seepage:ignore_object (;6;) (type 2) (param i32)
    (local i32 i64)
    global.get $seepage:context
    local.set 2
    local.get 2
    i32.wrap_i64
    i32.const 32760
    i32.and
    local.tee 1
    i64.load $seepage:ring
    local.get 2
    i64.ne
    if ;; label = @1
      local.get 2
      call 1
      local.get 1
      local.get 2
      i64.store $seepage:ring
    else
    end
    global.get $seepage:head
    local.tee 1
    i32.const 100664319
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
    if ;; label = @1
      call 0
    else
    end
  )
  (func (;7;) (type 1) (result i32)
    (local i64)
    i64.const -8009414325402475991
    local.set 0
    local.get 0
    i64.const -1852844918378921493
    i64.add
    global.set $seepage:context
    call $disable
    i32.const 8
    local.get 0
    i64.const -3975119481476047123
    i64.add
    global.set $seepage:context
    call $seepage:malloc
    local.get 0
    i64.const 2673693802239526045
    i64.add
    global.set $seepage:context
    call $__lsan_ignore_object
    call $check
  )
  (func $check (;8;) (type 1) (result i32)
    i32.const 2
    call 2
    i32.const 0
  )
  (func (;9;) (type 4) (param i32 i32)
    local.get 0
    local.get 1
    call $seepage:register_root_region
  )
  (func $__lsan_ignore_object (;10;) (type 2) (param i32)
    local.get 0
    call $seepage:ignore_object
  )
  (func $disable (;11;) (type 0)
    call $seepage:disable
  )
  (func $malloc (;12;) (type 3) (param i32) (result i32)
    i32.const 0
  )
  (func $__lsan_default_suppressions (;13;) (type 1) (result i32)
    i32.const 8
  )
)

