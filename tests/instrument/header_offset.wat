;; AssemblyScript's inner functions count from the block's header.
(module
  (memory 1)
  (func $allocate (@name "~lib/rt/tlsf/allocateBlock") (param i32 i32) (result i32) i32.const 60)
  (func $free (@name "~lib/rt/tlsf/__free") (param i32))
  (func (export "run")
    (call $free (i32.add (call $allocate (i32.const 0) (i32.const 8)) (i32.const 4)))))
