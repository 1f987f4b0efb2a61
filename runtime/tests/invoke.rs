//! Modules without `_start`, and what cannot be run at all.

mod support;

use seepage_runtime::{Capture, Error, Invoke, Output, RunOptions, Runner, is_instrumented};
use seepage_trace::{Message, Outcome};
use support::{Kind, MEMORY, command, guest, options, refused, run};

fn reactor() -> Vec<u8> {
    let text = format!(
        r#"{MEMORY} (global $ready (mut i32) (i32.const 0))
        (func $initialize (export "_initialize")
            (global.set $ready (i32.add (global.get $ready) (i32.const 100))))
        (func $mix (export "mix") (param i32 i64 f32 f64) (result i32 i64 f32 f64)
            (drop (call $alloc (i32.const 9)))
            (i32.add (local.get 0) (global.get $ready)) (local.get 1) (local.get 2) (local.get 3))"#
    );
    guest(Kind::Ring, &[], &text, &["initialize", "mix"], &[])
}

fn invoke(export: &str, args: &[&str], repeat: u32) -> RunOptions {
    let args = args.iter().map(|&arg| arg.into()).collect();
    let mut options = options();
    options.invoke = Some(Invoke { export: export.into(), args, repeat });
    options
}

#[test]
fn an_export_is_called_with_its_arguments() {
    let ran = run(&reactor(), invoke("mix", &["-7", "0x10", "1.5", "-2.25"], 3));
    assert_eq!(ran.values, ["93", "16", "1.5", "-2.25"]);
    assert_eq!((ran.trace.end.outcome, ran.trace.end.exit_code), (Outcome::Returned, None));
    let order = ran.trace.sink.iter().filter_map(|message| match message {
        Message::Records(records) => Some(format!("{} records", records.len())),
        Message::Mark { name } => Some(name.clone()),
        _ => None,
    });
    let order: Vec<_> = order.collect();
    assert_eq!(order, ["1 records", "mix #1", "1 records", "mix #2", "1 records", "mix #3"]);
}

#[test]
fn what_cannot_be_called_is_said() {
    let Error::NoStart { exports } = refused(&reactor(), options()) else { panic!() };
    assert_eq!(exports, ["_initialize", "mix"]);
    let error = refused(&reactor(), invoke("nix", &[], 1)).to_string();
    assert_eq!(error, "the module exports no function `nix`\nhint: it exports _initialize, mix");
    let error = refused(&reactor(), invoke("mix", &["1"], 1)).to_string();
    assert_eq!(error, "cannot call `mix(i32, i64, f32, f64)`: 1 argument was given");
    let error = refused(&reactor(), invoke("mix", &["1", "2", "x", "4"], 1)).to_string();
    assert!(error.starts_with("cannot call `mix(i32, i64, f32, f64)`: `x`: "), "{error}");
}

#[test]
fn other_files_are_refused() {
    assert!(matches!(refused(b"#!/bin/sh", options()), Error::NotWasm));
    assert!(matches!(refused(b"\0asm\x0d\0\x01\0", options()), Error::Component));
    assert!(matches!(refused(b"\0asm\x01\0\0\0", options()), Error::NotInstrumented));
    let damaged = b"\0asm\x01\0\0\0\0\x09\x07seepage\x09";
    assert!(is_instrumented(damaged));
    assert!(matches!(refused(damaged, options()), Error::Section(_)));
    let mut broken = command("");
    broken.truncate(20);
    assert!(Runner::new(&broken, options()).is_err());
}

#[test]
fn the_guest_gets_its_arguments_and_its_output_is_captured() {
    let wasi =
        |name, ty| format!(r#"(import "wasi_snapshot_preview1" "{name}" (func ${name} {ty}))"#);
    let imports = [
        wasi("args_get", "(param i32 i32) (result i32)"),
        wasi("fd_write", "(param i32 i32 i32 i32) (result i32)"),
    ];
    let imports: Vec<_> = imports.iter().map(String::as_str).collect();
    // The strings come to stand at 256, one behind the other, each with its NUL.
    let body = "(drop (call $args_get (i32.const 128) (i32.const 256)))
        (i32.store $own (i32.const 0) (i32.const 256))
        (i32.store $own (i32.const 4) (i32.const 8))
        (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))";
    let capture = Capture::new(1024);
    let mut options = options();
    options.args = vec!["app".into(), "-x=".into()];
    options.stdout = Output::Capture(capture.clone());
    run(&support::command_with(&imports, body), options);
    assert_eq!(capture.bytes(), b"app\0-x=\0");

    let mut options = support::options();
    options.args = vec!["a\0b".into()];
    assert!(matches!(refused(&command(""), options), Error::Nul { .. }));
}
