;; Calls within a circle leave the context as it is.
(module
  (memory 1)
  (func $malloc (param i32) (result i32) i32.const 64)
  (func $build (param $depth i32) (result i32)
    (if (i32.eqz (local.get $depth)) (then (return (i32.const 0))))
    (drop (call $build (i32.sub (local.get $depth) (i32.const 1))))
    (call $malloc (i32.const 16)))
  (func $even (param i32) (result i32) (call $odd (local.get 0)))
  (func $odd (param i32) (result i32) (drop (call $malloc (i32.const 4))) (call $even (local.get 0)))
  (func (export "run") (result i32)
    (drop (call $even (i32.const 3)))
    (call $build (i32.const 3))))
