;; config: alloc-fn=pool_take=malloc(_,size) alloc-fn=f1=free(_,ptr)
;; A pool above malloc: the pool's blocks are booked, its slabs are not.
(module
  (memory 1)
  (func $pool_take (param i32 i32) (result i32) (call $malloc (i32.const 4096)))
  (func $pool_give (param i32 i32))
  (func $malloc (param i32) (result i32) i32.const 64)
  (func (export "run")
    (call $pool_give (i32.const 0) (call $pool_take (i32.const 0) (i32.const 24)))))
