//! The models: by hand, and on random requests.

use super::model::{Chunk, Classes, Model, PAGE, Rule, Tags};
use proptest::{collection::vec, prelude::*};

/// dlmalloc as wasi-libc has it.
const DLMALLOC: Rule = Rule {
    header: 4,
    footer: 0,
    align: 16,
    least: 16,
    foot: 57,
    padding: 71,
    asks_whole: false,
    doubles: false,
    pages: 1,
};

fn dlmalloc(start: u64, bytes: u64) -> Model {
    Model::Tags(Tags::new(DLMALLOC, start, bytes))
}

fn alloc(model: &mut Model, size: u64) -> Chunk {
    model.alloc(size, 1).expect("there is room")
}

#[test]
fn what_is_free_is_merged_and_the_best_fit_taken() {
    let mut model = dlmalloc(1020, PAGE);
    let [one, two, three, four, _five] = [100, 40, 100, 60, 8].map(|size| alloc(&mut model, size));
    assert_eq!((one.start, one.size), (1020, 112));
    model.free(one);
    model.free(four);
    // 64 bytes fit best where four was, not in the larger place at the front.
    assert_eq!(alloc(&mut model, 50).start, four.start);
    model.free(three);
    model.free(two);
    assert_eq!(alloc(&mut model, 200).start, one.start);
    assert_eq!(model.bytes(), PAGE);
}

#[test]
fn the_memory_grows_by_what_is_missing() {
    let mut model = dlmalloc(1020, PAGE);
    let block = alloc(&mut model, 60_000);
    assert_eq!(model.bytes(), PAGE);
    let next = alloc(&mut model, PAGE);
    assert_eq!((next.start, model.bytes()), (block.end(), 2 * PAGE));
    // What is given back at the top is handed out again, and never returned to the host.
    model.free(next);
    model.free(block);
    assert_eq!(alloc(&mut model, 100_000).start, 1020);
    assert_eq!(model.bytes(), 2 * PAGE);
}

#[test]
fn others_memory_is_left_alone() {
    let mut model = dlmalloc(1020, PAGE);
    model.others_grow(PAGE);
    let first = alloc(&mut model, 100_000);
    assert_eq!((first.start, model.bytes()), (1020, 2 * PAGE), "from before the first request");
    model.others_grow(10 * PAGE);
    let next = alloc(&mut model, 60_000);
    assert!(next.start >= 12 * PAGE, "{next:?}");
    assert_eq!(model.bytes(), 13 * PAGE);
    assert!(alloc(&mut model, 20_000).start < 2 * PAGE, "what was left below is used");
}

#[test]
fn blocks_grow_where_they_are_if_they_can() {
    let mut model = dlmalloc(1020, PAGE);
    let [one, two, three] = [40, 40, 40].map(|size| alloc(&mut model, size));
    let moved = model.realloc(one, 200, 1).expect("there is room");
    assert_eq!(moved.start, three.end());
    let longer = model.realloc(moved, 2000, 1).expect("there is room");
    assert_eq!((longer.start, longer.size), (moved.start, 2016), "into the top");
    model.free(three);
    assert_eq!(model.realloc(two, 80, 1).expect("there is room").start, two.start);
}

#[test]
fn alignment_wastes_no_more_than_it_must() {
    let mut model = dlmalloc(1020, PAGE);
    let chunk = model.alloc(100, 4096).expect("there is room");
    assert_eq!((chunk.start + 4, chunk.size), (4096, 112));
    assert_eq!(alloc(&mut model, 3000).start, 1020, "what lies before it is free");
}

#[test]
fn classes_do_not_mix() {
    let mut model = Model::Classes(Classes::new(0, 1, 0, PAGE));
    let [small, large, huge] = [20, 1000, 100_000].map(|size| alloc(&mut model, size));
    assert_eq!((small.size, large.size, huge.size), (32, 1024, 2 * PAGE));
    assert_ne!(small.start / PAGE, large.start / PAGE);
    model.free(small);
    assert_eq!(alloc(&mut model, 32), small);
    assert_eq!(model.bytes(), 4 * PAGE);
}

#[test]
fn absurd_requests_are_refused() {
    for mut model in models() {
        for (size, align) in [(u64::MAX, 1), (1 << 60, 1 << 60), (8, 1 << 63)] {
            if let Some(chunk) = model.alloc(size, align) {
                assert!(chunk.size < 1 << 48);
            }
        }
        assert!(model.bytes() < 1 << 50);
    }
}

fn models() -> Vec<Model> {
    let rust = Rule { align: 8, asks_whole: true, ..DLMALLOC };
    let emmalloc = Rule { footer: 4, align: 8, foot: 48, padding: 0, ..DLMALLOC };
    let tlsf = Rule { header: 20, least: 32, foot: 0, padding: 0, doubles: true, ..DLMALLOC };
    let tags = [(DLMALLOC, 1020), (rust, u64::MAX), (emmalloc, 7000), (tlsf, 100)];
    let tags = tags.map(|(rule, start)| Model::Tags(Tags::new(rule, start, 2 * PAGE)));
    let classes = [(0, 1), (3, 4)]
        .map(|(steps, pages)| Model::Classes(Classes::new(steps, pages, 3000, 2 * PAGE)));
    tags.into_iter().chain(classes).collect()
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Alloc(u64, u32),
    Free(usize),
    Realloc(usize, u64),
    Others(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let size = || prop_oneof![4 => 0..200u64, 3 => 0..5000u64, 1 => 0..300_000u64];
    prop_oneof![
        6 => (size(), prop_oneof![3 => Just(0u32), 1 => 0..13u32]).prop_map(|(size, align)| Step::Alloc(size, align)),
        4 => any::<usize>().prop_map(Step::Free),
        2 => (any::<usize>(), size()).prop_map(|(which, size)| Step::Realloc(which, size)),
        1 => (1..4u64).prop_map(Step::Others),
    ]
}

/// Blocks lie within the memory, and never over each other.
fn sound(live: &[(Chunk, u64)], others: &[(u64, u64)], bytes: u64) {
    let mut all: Vec<(u64, u64)> = live.iter().map(|(it, _)| (it.start, it.end())).collect();
    all.extend(others);
    all.sort_unstable();
    for pair in all.windows(2) {
        assert!(pair[0].1 <= pair[1].0, "{pair:x?}");
    }
    assert!(all.last().is_none_or(|last| last.1 <= bytes), "{all:x?} in {bytes:x}");
    assert!(live.iter().all(|(chunk, size)| chunk.size >= *size));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn blocks_never_overlap_and_the_memory_never_shrinks(steps in vec(step(), 1..120)) {
        for mut model in models() {
            let mut live: Vec<(Chunk, u64)> = Vec::new();
            let mut others: Vec<(u64, u64)> = Vec::new();
            for &step in &steps {
                let before = model.bytes();
                match step {
                    Step::Alloc(size, align) => {
                        let chunk = model.alloc(size, 1 << align).expect("there is room");
                        if let Model::Tags(Tags { rule, .. }) = &model {
                            let align = rule.align.max(1 << align);
                            prop_assert!((chunk.start + rule.header).is_multiple_of(align));
                        }
                        live.push((chunk, size));
                    }
                    Step::Free(which) if !live.is_empty() => {
                        model.free(live.swap_remove(which % live.len()).0);
                    }
                    Step::Realloc(which, size) if !live.is_empty() => {
                        let (chunk, _) = live.swap_remove(which % live.len());
                        live.push((model.realloc(chunk, size, 1).expect("there is room"), size));
                    }
                    // A heap that nobody has asked for anything may take what it finds.
                    Step::Others(pages) if !live.is_empty() => {
                        model.others_grow(pages * PAGE);
                        others.push((before, before + pages * PAGE));
                    }
                    _ => {}
                }
                prop_assert!(model.bytes() >= before);
                sound(&live, &others, model.bytes());
            }
            // All given back, there is room for what was there.
            let (bytes, most) = (model.bytes(), live.iter().map(|(_, size)| *size).max());
            live.into_iter().for_each(|(chunk, _)| model.free(chunk));
            if let (Model::Tags(_), Some(most)) = (&model, most) {
                model.alloc(most, 1);
                prop_assert_eq!(model.bytes(), bytes);
            }
        }
    }
}
