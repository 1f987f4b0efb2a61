;; config: call
;; Minified, it is the import with a number and an answer that is called where the memory's size is
;; asked for; elsewhere it is called as before.
(module
  (import "a" "b" (func $b (param i32) (result i32)))
  (import "a" "c" (func $c (param i32 i32) (result i32)))
  (memory (export "d") 1)
  (func $sbrk (param $bytes i32) (result i32)
    (if (i32.gt_u (local.get $bytes) (i32.shl (memory.size) (i32.const 16)))
      (then (if (i32.eqz (call $b (local.get $bytes))) (then (return (i32.const -1))))))
    (drop (call $c (i32.const 1) (i32.const 2)))
    (i32.const 0))
  (func (export "e") (param $bytes i32) (result i32) (call $sbrk (local.get $bytes)))
  (func (export "f") (result i32) (call $b (i32.const 3))))
