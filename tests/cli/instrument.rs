//! `seepage instrument`.

use crate::{HEAP, finish, module, refused, say, seepage, support::program};
use std::{collections::BTreeSet, path::Path};
use wasmparser::{Parser, Payload, Validator, WasmFeatures};

/// Imports as `module::name`, and exports.
fn interface(wasm: &[u8]) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut imports, mut exports) = (BTreeSet::new(), BTreeSet::new());
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.expect("it parses") {
            Payload::ImportSection(section) => {
                let all = section.into_imports().map(|import| import.expect("an import"));
                imports.extend(all.map(|import| format!("{}::{}", import.module, import.name)));
            }
            Payload::ExportSection(section) => {
                let all = section.into_iter().map(|export| export.expect("an export"));
                exports.extend(all.map(|export| export.name.to_owned()));
            }
            _ => {}
        }
    }
    (imports, exports)
}

fn valid(wasm: &[u8]) {
    Validator::new_with_features(WasmFeatures::all()).validate_all(wasm).expect("it validates");
}

#[test]
fn only_what_is_documented_is_new() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("out.wasm");
    let guests = ["c/host.O0", "c/truth.O2.stripped", "rust/truth_unknown.release", "cpp/truth.O2"];
    for guest in guests {
        let (imports, exports) = interface(&std::fs::read(program(guest)).expect("a guest"));
        for (options, own_imports, own_exports) in [
            (vec![], vec!["context", "flush"], vec!["head", "ring"]),
            (vec!["--no-context"], vec!["context", "flush"], vec!["head", "ring"]),
            (vec!["--transport", "call"], vec!["context", "event"], vec![]),
        ] {
            let mut command = seepage();
            command.arg("instrument").args(&options).arg(program(guest)).arg("-o").arg(&file);
            let ran = finish(&mut command);
            assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
            assert!(ran.stderr.contains("allocator functions hooked"), "{}", ran.stderr);
            let wasm = std::fs::read(&file).expect("it was written");
            valid(&wasm);
            let (new_imports, new_exports) = interface(&wasm);
            let own = own_imports.iter().map(|name| format!("seepage::{name}")).collect();
            let added: BTreeSet<_> = new_imports.difference(&imports).cloned().collect();
            assert!(added.is_subset(&own) && imports.is_subset(&new_imports), "{added:?}");
            assert!(!added.is_empty());
            let own: BTreeSet<_> =
                own_exports.iter().map(|name| format!("seepage:{name}")).collect();
            let added: BTreeSet<_> = new_exports.difference(&exports).cloned().collect();
            let others = added.difference(&own);
            assert!(exports.is_subset(&new_exports));
            for name in others {
                let is_root = ["seepage:memory:", "seepage:global:"];
                assert!(is_root.iter().any(|prefix| name.starts_with(prefix)), "{name}");
            }
        }
    }
}

/// An engine without multi-memory takes what the `call` transport makes.
#[test]
fn the_call_transport_needs_no_second_memory() {
    let wasm = seepage()
        .args(["instrument", "--transport", "call", "-o", "-"])
        .arg(program("c/truth.O2"))
        .output()
        .expect("seepage can be started")
        .stdout;
    let features = WasmFeatures::all() - WasmFeatures::MULTI_MEMORY;
    Validator::new_with_features(features).validate_all(&wasm).expect("one memory is enough");
}

#[test]
fn a_dry_run_writes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("out.wasm");
    let mut command = seepage();
    let ran = finish(
        command.args(["instrument", "--dry-run", "-o"]).arg(&file).arg(program("c/grow.O2")),
    );
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    assert!(ran.stderr.contains("malloc"), "{}", ran.stderr);
    assert!(!file.exists());
    let ran = say("instrument --dry-run tests/programs/c/grow.O2.wasm");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
}

#[test]
fn to_standard_output() {
    let mut command = seepage();
    command.args(["instrument", "-o", "-"]).arg(program("c/noargs.O2"));
    let output = command.output().expect("seepage can be started");
    assert!(output.status.success());
    valid(&output.stdout);
}

#[test]
fn allocators_of_ones_own() {
    let (folder, path) = module(&HEAP.replace("malloc", "obtain").replace("free", "return"));
    let out = folder.path().join("out.wasm").display().to_string();
    let good = format!("--alloc-fn obtain=malloc(size) --alloc-fn return=free -o {out} {path}");
    let ran = say(&format!("instrument {good}"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("2 allocator functions hooked"), "{}", ran.stderr);
    let indexed = say(&format!("instrument --dry-run --alloc-fn f0=malloc {path}"));
    assert!(indexed.stderr.contains("1 allocator function hooked"), "{}", indexed.stderr);

    for (bad, says) in [
        ("nope=malloc", "no function of that name"),
        ("f99=malloc", "f99"),
        ("obtain=mallok", "`mallok` is no role"),
        ("obtain", "not of the form NAME=ROLE"),
        ("=malloc", "not of the form NAME=ROLE"),
        ("obtain=malloc(size", "closing parenthesis"),
        ("obtain=malloc(colour)", "colour"),
        ("obtain=malloc(_,size)", "obtain"),
        ("obtain=memory.grow", "is no role"),
        // Its signature is not such a function's.
        ("return=malloc", "return"),
    ] {
        let never = folder.path().join("never.wasm");
        let line = format!("instrument --alloc-fn {bad} -o {} {path}", never.display());
        let stderr = refused(say(&line));
        assert!(stderr.contains(says), "{bad}: {stderr}");
        assert!(!Path::new(&never).exists(), "{bad}");
    }
}

#[test]
fn not_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let once = folder.path().join("once.wasm").display().to_string();
    let guest = "tests/programs/c/noargs.O2.wasm";
    assert_eq!(say(&format!("instrument {guest} -o {once}")).code, 0);
    let again = refused(say(&format!("instrument {once} -o {once}")));
    assert!(again.contains("instrumented already") && again.contains("hint: "), "{again}");
    let inspected = say(&format!("inspect {once}"));
    assert!(inspected.stdout.contains("instrumented already"), "{}", inspected.stdout);
}

#[test]
fn a_place_that_cannot_be_written() {
    let stderr = refused(say("instrument tests/programs/c/noargs.O2.wasm -o /nowhere/x.wasm"));
    assert!(stderr.contains("failed to write `/nowhere/x.wasm`"), "{stderr}");
}
