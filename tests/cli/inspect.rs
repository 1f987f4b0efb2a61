//! `seepage inspect`.

use crate::{HEAP, finish, module, say, seepage, support::program};
use serde_json::Value;

#[test]
fn text_tells_what_there_is() {
    let ran = say("inspect tests/programs/c/truth.O2.wasm");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    for part in [
        "truth.O2.wasm: ",
        "with DWARF",
        "no maximum",
        "wasi_snapshot_preview1",
        "exports     _start",
        "allocator: confirmed",
        "posix_memalign",
        "the name `malloc`, with a signature that fits",
        "next: seepage run tests/programs/c/truth.O2.wasm",
    ] {
        assert!(ran.stdout.contains(part), "no `{part}` in {}", ran.stdout);
    }
}

#[test]
fn json_has_it_all() {
    let ran = say("inspect --format json tests/programs/c/truth.O2.wasm");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let json: Value = serde_json::from_str(&ran.stdout).expect("stdout is JSON and nothing else");
    let allocators = json["allocators"].as_array().expect("a list");
    let roles: Vec<_> = allocators.iter().filter_map(|it| it["role"].as_str()).collect();
    for role in ["malloc", "free", "calloc", "realloc", "posix_memalign", "aligned_alloc"] {
        assert!(roles.contains(&role), "{roles:?}");
    }
    for function in allocators {
        for field in ["function", "name", "role", "family", "how", "evidence", "calls"] {
            assert!(!function[field].is_null(), "no {field} in {function}");
        }
    }
    assert!(json["module"]["dwarf"].as_bool().expect("known"));
    assert_eq!(json["module"]["memories"][0]["initial_pages"], 2);
    for field in ["bytes", "functions", "features", "producers", "exported_functions"] {
        assert!(!json["module"][field].is_null(), "no {field}");
    }
    assert!(json["blind_spots"].is_array() && json["verdict"] == "confirmed");
}

#[test]
fn into_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.txt");
    let ran = finish(seepage().arg("inspect").arg("-o").arg(&file).arg(program("c/noargs.O2")));
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    assert!(std::fs::read_to_string(file).expect("it was written").contains("allocator: "));
}

#[test]
fn what_cannot_be_seen_is_said() {
    let (_folder, path) = module("(module (memory 1) (func (export \"run\")))");
    let ran = say(&format!("inspect {path}"));
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.contains("seepage would not see"), "{}", ran.stdout);
    let stripped = say("inspect tests/programs/c/truth.O2.stripped.wasm");
    assert!(stripped.stdout.contains("no DWARF"), "{}", stripped.stdout);
}

#[test]
fn an_allocator_of_ones_own() {
    let (_folder, path) = module(&HEAP.replace("malloc", "obtain").replace("free", "return"));
    let blind: Value =
        serde_json::from_str(&say(&format!("inspect -f json {path}")).stdout).expect("JSON");
    assert_eq!(blind["allocators"].as_array().map(Vec::len), Some(0));
    let line = format!("inspect -f json --alloc-fn obtain=malloc --alloc-fn return=free {path}");
    let told: Value = serde_json::from_str(&say(&line).stdout).expect("JSON");
    let roles: Vec<_> = told["allocators"].as_array().expect("a list").iter().collect();
    assert_eq!(roles.len(), 2, "{told}");
}
