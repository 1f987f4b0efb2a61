//! What allocators take beyond what was asked for: as they themselves say.

mod support;

use support::{Ran, program, report};

/// The account's overhead, how it was found, and the bytes and blocks that are live.
fn overhead(ran: &Ran) -> (u64, String, u64, u64) {
    let how = ran.report["memory"]["overhead"].as_str().unwrap_or_default().to_owned();
    let (blocks, bytes) = ran.live();
    (ran.number("/memory/account/overhead"), how, blocks, bytes)
}

/// A line of the program's own.
fn printed(ran: &Ran, name: &str) -> u64 {
    let mut lines = ran.stdout.lines().filter_map(|line| line.split_once('='));
    lines.find(|(key, _)| *key == name).and_then(|(_, value)| value.parse().ok()).unwrap()
}

fn run(name: &str, options: &[&str], args: &[&str]) -> Ran {
    report("run", options, &program(name), args)
}

/// By `malloc_usable_size`, and with the word in front of each block, which that leaves out.
#[test]
fn dlmalloc_is_measured() {
    let ran = run("usable/dlmalloc", &[], &[]);
    let usable = printed(&ran, "usable_bytes");
    let (taken, how, blocks, bytes) = overhead(&ran);
    assert_eq!((taken, how.as_str()), (usable + 4 * blocks - bytes, "measured"));
    assert_eq!(blocks, ran.truth("live_blocks").unwrap());
}

/// By `mi_usable_size`: a page's blocks have nothing between them.
#[test]
fn mimalloc_is_measured() {
    for version in ["2", "3"] {
        let ran = run(&format!("usable/mimalloc{version}"), &[], &[]);
        let (taken, how, blocks, bytes) = overhead(&ran);
        let expected = printed(&ran, "usable_bytes") - bytes;
        assert_eq!((taken, how.as_str()), (expected, "measured"), "version {version}");
        assert_eq!(blocks, ran.truth("live_blocks").unwrap(), "version {version}");
    }
}

/// By the word in front of each block, which the program has read itself. In the stub runtime's heap
/// blocks that became smaller keep their places.
#[test]
fn assemblyscripts_heaps_are_measured() {
    for runtime in ["incremental", "stub"] {
        let ran = run(&format!("usable/tlsf.{runtime}"), &["--invoke", "work"], &["20000"]);
        let (taken, how, ..) = overhead(&ran);
        let expected: u64 = ran.stdout.trim().parse().unwrap();
        assert_eq!((taken, how.as_str()), (expected, "measured"), "{runtime}");
    }
}

/// Where the books have other sizes than the heap, because the optimiser has moved reallocations into the
/// program, the heap's words are not believed.
#[test]
fn what_disagrees_is_estimated() {
    let ran = run("usable/tlsf.minimal.release", &["--invoke", "work"], &["20000"]);
    assert_eq!(overhead(&ran).1, "estimated");
}

/// talc puts a word behind each block. wee_alloc puts two in front, and cuts a large cell only if half a
/// thousand words are left.
#[test]
fn allocators_of_rust_are_measured() {
    let guests =
        [("talc_unknown.O2", 4, 16), ("talc_unknown.Oz", 4, 16), ("wee_unknown.Oz", 8, 512)];
    for (name, least, most) in guests {
        let ran = run(&format!("allocators/{name}"), &["--invoke", "blocks"], &["3000"]);
        let (taken, how, blocks, _) = overhead(&ran);
        assert!(blocks > 20, "{name}: {blocks} blocks");
        assert_eq!(how, "measured", "{name}");
        let range = least * blocks..=most * blocks;
        assert!(range.contains(&taken), "{name}: {taken} bytes for {blocks} blocks");
    }
}

/// Zig's classes of sizes follow from the size, as each address shows.
#[test]
fn zigs_is_computed() {
    for variant in ["safe", "small", "small.stripped"] {
        let ran = run(&format!("zig/truth_wasm_allocator.{variant}"), &[], &[]);
        let (taken, how, blocks, bytes) = overhead(&ran);
        assert_eq!(how, "computed", "{variant}");
        // A power of two with room for a word more.
        assert!(taken >= 4 * blocks && taken < bytes + 8 * blocks, "{variant}: {taken}");
    }
}
