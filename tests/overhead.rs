//! What allocators take beyond what was asked for: as they themselves say.

mod support;

use seepage_trace::{Decoder, Event, Message};
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

/// An allocator that nobody knows is asked after each allocation. It does not say what it has in
/// front of a block: neighbours show that.
#[test]
fn what_an_unknown_allocator_tells_is_measured() {
    for (variant, header) in
        [("O0", 0), ("O2", 0), ("O2.stripped", 0), ("header.O0", 8), ("header.O2", 16)]
    {
        let name = format!("usable/classes.{variant}");
        let ran = run(&name, &[], &[]);
        let (taken, how, blocks, bytes) = overhead(&ran);
        let expected = printed(&ran, "usable_bytes") + header * blocks - bytes;
        assert_eq!((taken, how.as_str()), (expected, "measured"), "{variant}");
        assert_eq!(blocks, ran.truth("live_blocks").unwrap(), "{variant}");
        // What it told is in the trace, so no image is needed.
        for options in [["--trace-images", "off"], ["--transport", "call"]] {
            assert_eq!(overhead(&run(&name, &options, &[])), overhead(&ran), "{variant}");
        }
        // At the high-water mark, by the sizes: blocks that became smaller have kept larger places.
        let at_peak = ran.number("/memory/peak_account/overhead");
        let exact = printed(&ran, "peak_usable_bytes") + header * printed(&ran, "peak_blocks")
            - ran.number("/totals/peak/bytes");
        assert!(at_peak <= exact && exact - at_peak < exact / 20, "{variant}: {at_peak}, {exact}");
    }
}

/// Only what nothing else tells is asked: the others' traces have not a record more.
#[test]
fn known_allocators_are_not_asked() {
    let folder = tempfile::tempdir().unwrap();
    let told = |name: &str| {
        let file = folder.path().join("trace");
        run(name, &["--trace", &file.display().to_string()], &[]);
        let bytes = std::fs::read(&file).unwrap();
        let mut decoder = Decoder::new();
        decoder.push(&bytes);
        let (mut handed_out, mut told) = (0, 0);
        while let Some(message) = decoder.next().unwrap() {
            let Message::Records(records) = message else { continue };
            for event in records.events() {
                handed_out +=
                    u64::from(matches!(event, Event::Alloc { .. } | Event::Realloc { .. }));
                told += u64::from(matches!(event, Event::Usable { .. }));
            }
        }
        assert!(handed_out > 10_000, "{name}");
        (handed_out, told)
    };
    for name in ["usable/dlmalloc", "usable/mimalloc2", "usable/mimalloc3"] {
        assert_eq!(told(name).1, 0, "{name}");
    }
    let (handed_out, usable) = told("usable/classes.O2");
    assert_eq!(usable, handed_out);
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

/// Where the books have other sizes than the heap, because the optimiser has moved reallocations
/// into the program, the heap's words are not believed.
#[test]
fn what_disagrees_is_estimated() {
    let ran = run("usable/tlsf.minimal.release", &["--invoke", "work"], &["20000"]);
    assert_eq!(overhead(&ran).1, "estimated");
}

/// talc puts a word behind each block. wee_alloc puts two in front, and cuts a large cell only if
/// half a thousand words are left.
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
