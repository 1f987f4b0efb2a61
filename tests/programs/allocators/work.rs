//! What the Rust programs of this folder do with a heap: the truth is what they keep.

use std::collections::BTreeMap;
use std::mem::forget;

fn number(state: &mut u32, bound: u32) -> u32 {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (*state >> 8) % bound
}

#[inline(never)]
fn texts(state: &mut u32, count: u32) -> Vec<Box<str>> {
    (0..count).map(|_| "x".repeat(1 + number(state, 300) as usize).into_boxed_str()).collect()
}

#[inline(never)]
fn index(state: &mut u32, count: u32) -> BTreeMap<u32, Box<[u8]>> {
    (0..count)
        .map(|key| (key, vec![7; 1 + number(state, 2000) as usize].into_boxed_slice()))
        .collect()
}

#[inline(never)]
fn tree(depth: u32) -> Option<Box<Tree>> {
    (depth > 0).then(|| Box::new(Tree { _sides: [tree(depth - 1), tree(depth - 1)] }))
}

struct Tree {
    _sides: [Option<Box<Tree>>; 2],
}

/// Works, forgets some of it, and answers how many blocks and bytes that was.
#[inline(never)]
fn work(steps: u32) -> (u32, u32) {
    let mut state = steps;
    let (mut blocks, mut bytes) = (0, 0);
    for step in 0..steps {
        let texts = texts(&mut state, 30);
        let index = index(&mut state, 50);
        drop(tree(step % 8));
        drop(texts);
        for (key, block) in index {
            if key % 7 == 0 {
                blocks += 1;
                bytes += block.len() as u32;
                forget(block);
            }
        }
    }
    (blocks, bytes)
}

/// Works, and answers how many blocks it has forgotten.
#[unsafe(no_mangle)]
pub extern "C" fn blocks(steps: u32) -> u32 {
    work(steps).0
}

/// Works, and answers how many bytes it has forgotten.
#[unsafe(no_mangle)]
pub extern "C" fn bytes(steps: u32) -> u32 {
    work(steps).1
}
