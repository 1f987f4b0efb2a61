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

fn inspect(line: &str) -> Value {
    let ran = say(&format!("inspect -f json {line}"));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{line}");
    serde_json::from_str(&ran.stdout).expect("stdout is JSON and nothing else")
}

/// The names of the checks, each with its function.
fn checks(inspection: &Value) -> Vec<String> {
    let checks = inspection["probe"]["checks"].as_array().expect("a list");
    let show = |check: &Value| {
        assert!(check["passed"].is_boolean() && check["detail"].is_string(), "{check}");
        format!("{}:{}", check["function"], check["name"].as_str().unwrap_or_default())
    };
    checks.iter().map(show).collect()
}

#[test]
fn what_a_probe_settles() {
    let path = "tests/programs/allocators/first_fit.O2.stripped.wasm";
    let told = inspect(path);
    assert_eq!(
        (&told["verdict"], &told["probe"]["outcome"]),
        (&"confirmed".into(), &"passed".into())
    );
    let allocators = told["allocators"].as_array().expect("a list").iter();
    let roles: Vec<_> =
        allocators.map(|it| (it["function"].as_u64(), it["role"].as_str())).collect();
    assert_eq!(
        roles,
        [(Some(3), Some("free")), (Some(4), Some("malloc")), (Some(5), Some("realloc"))]
    );
    for function in told["allocators"].as_array().expect("a list") {
        assert_eq!(function["verdict"], "confirmed");
        assert_eq!(function["evidence"].as_array().map(Vec::len), Some(2), "{function}");
    }
    assert_eq!(
        checks(&told),
        ["4:blocks", "4:growth", "3:reuse", "3:refill", "5:resize", "5:returned", "5:exact"]
    );
    assert_eq!(inspect(&format!("--probe {path}")), told, "it is probed anyway");

    let without = inspect(&format!("--no-probe {path}"));
    assert_eq!(without["verdict"], "likely");
    assert_eq!(without["probe"]["outcome"], "not run");
    assert!(checks(&without).is_empty());
    assert!(without["candidates"].as_array().is_some_and(|list| !list.is_empty()));
}

/// What is known is left as it is, and the checks are there to see.
#[test]
fn a_probe_of_what_is_known() {
    for path in [
        "tests/programs/c/truth.O2.wasm",
        "tests/programs/c/truth.O2.stripped.wasm",
        "tests/programs/rust/truth_wasi.release.stripped.wasm",
    ] {
        let plain = inspect(path);
        assert_eq!(plain["probe"]["outcome"], "not needed", "{path}");
        let probed = inspect(&format!("--probe {path}"));
        assert_eq!(probed["probe"]["outcome"], "passed", "{path}: {}", probed["probe"]);
        assert_eq!(probed["allocators"], plain["allocators"], "{path}");
        assert!(checks(&probed).len() >= 4, "{path}");
    }
    let ran = say("inspect --probe --no-probe tests/programs/c/truth.O2.wasm");
    assert_eq!(ran.code, 2);
    let text = say("inspect --probe tests/programs/c/truth.O2.wasm");
    assert!(text.stdout.contains("probe: passed"), "{}", text.stdout);
}

#[test]
fn exit_codes() {
    let (_folder, none) = module("(module (memory 1) (func (export \"run\")))");
    let abstains = inspect(&none);
    assert_eq!(
        (&abstains["verdict"], &abstains["allocators"]),
        (&"abstain".into(), &Value::Array(Vec::new()))
    );
    assert_eq!(inspect(&format!("--probe {none}"))["probe"]["outcome"], "not needed");
    let likely = inspect("tests/programs/c/custom_pool.O2.stripped.wasm");
    assert_eq!(
        (&likely["verdict"], &likely["probe"]["outcome"]),
        (&"likely".into(), &"failed".into())
    );
    let text = "tests/programs/c/truth.c";
    assert_eq!(say(&format!("inspect {text}")).code, 2);
    assert_eq!(say(&format!("inspect --probe -f json {text}")).code, 2);
}

/// One line of options, the likeliest, and each function once.
#[test]
fn the_hint_can_be_used() {
    let told = inspect("tests/programs/c/custom_pool.O2.stripped.wasm");
    let candidates = told["candidates"].as_array().expect("a list");
    let mut functions: Vec<_> =
        candidates.iter().filter_map(|it| it["function"].as_u64()).collect();
    assert_eq!(candidates[0]["family"], "dlmalloc", "the likeliest comes first: {candidates:?}");
    let count = functions.len();
    functions.sort_unstable();
    functions.dedup();
    assert_eq!(functions.len(), count, "each once");
    let hint = |told: &Value| {
        let spots = told["blind_spots"].as_array().expect("a list").iter();
        let mut spots = spots.filter_map(Value::as_str);
        spots.find_map(|it| it.split_once("settle it with ")).expect("a hint").1.to_owned()
    };
    assert_eq!(hint(&told), "--alloc-fn f7=malloc --alloc-fn 'f8=free(ptr,_,_)'");

    let path = "tests/programs/allocators/slab.O0.stripped.wasm";
    let pair = hint(&inspect(&format!("--no-probe {path}")));
    assert_eq!(pair, "--alloc-fn f3=malloc --alloc-fn f5=free");
    assert_eq!(inspect(&format!("{pair} {path}"))["verdict"], "confirmed");
}

/// An allocator may call its own parts through a table: the probe keeps their code, and they are no
/// program's. It may serve small blocks only.
#[test]
fn a_probe_of_calls_through_a_table() {
    let (_folder, path) = module(
        r#"(module
        (memory 2)
        (type $link (func (param i32)))
        (table funcref (elem $push))
        (func $push (param $block i32)
            (i32.store (local.get $block) (i32.load (i32.const 1040)))
            (i32.store (i32.const 1040) (local.get $block)))
        (func $refill (local $at i32) (local $end i32)
            (local.set $at (i32.shl (memory.grow (i32.const 1)) (i32.const 16)))
            (local.set $end (i32.add (local.get $at) (i32.const 65536)))
            (loop $next
                (call_indirect (type $link) (local.get $at) (i32.const 0))
                (local.set $at (i32.add (local.get $at) (i32.const 512)))
                (br_if $next (i32.lt_u (local.get $at) (local.get $end)))))
        (func $take (param $size i32) (result i32) (local $block i32)
            (if (i32.gt_u (local.get $size) (i32.const 512)) (then (return (i32.const 0))))
            (if (i32.eqz (i32.load (i32.const 1040))) (then (call $refill)))
            (local.set $block (i32.load (i32.const 1040)))
            (i32.store (i32.const 1040) (i32.load (local.get $block)))
            (local.get $block))
        (func $give (param $block i32)
            (if (local.get $block) (then
                (i32.store (local.get $block) (i32.load (i32.const 1040)))
                (i32.store (i32.const 1040) (local.get $block)))))
        (func (export "run") (call $give (call $take (i32.const 40)))))"#,
    );
    let told = inspect(&path);
    assert_eq!(told["probe"]["outcome"], "passed", "{}", told["probe"]);
    assert_eq!(told["verdict"], "confirmed");
    let hooked = told["allocators"].as_array().expect("a list").iter();
    let hooked: Vec<_> = hooked.map(|it| (it["function"].as_u64(), it["role"].as_str())).collect();
    assert_eq!(hooked, [(Some(2), Some("malloc")), (Some(3), Some("free"))]);
}
