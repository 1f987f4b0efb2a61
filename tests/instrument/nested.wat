;; config: no-context
;; `realloc` works through `$core`, which the export calls as well: what that calls is booked only
;; where no reallocation is running.
(module
  (memory (export "memory") 1)
  (global $top (mut i32) (i32.const 1024))
  (func $malloc (param $size i32) (result i32)
    global.get $top
    global.get $top
    local.get $size
    i32.add
    global.set $top)
  (func $free (param $block i32))
  (func $core (param $block i32) (param $size i32) (result i32)
    local.get $block
    call $free
    local.get $size
    call $malloc)
  (func $realloc (param $block i32) (param $size i32) (result i32)
    local.get $block
    local.get $size
    call $core)
  (func (export "resize") (param $block i32) (param $size i32) (result i32)
    local.get $block
    local.get $size
    call $core)
  (func (export "_start")
    i32.const 8
    call $malloc
    i32.const 16
    call $realloc
    drop))
