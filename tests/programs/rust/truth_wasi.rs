//! The ways of safe Rust to allocate and to leak, with the books kept by hand: the truth names
//! what this file leaks, not what std may hold for itself.

mod ledger;

use ledger::{Ledger, say};
use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::cell::RefCell;
use std::collections::HashMap;
use std::hint::black_box;
use std::mem::{forget, size_of};
use std::rc::Rc;

#[inline(never)]
fn leak_boxes(ledger: &mut Ledger) {
    for n in 0..10u64 {
        ledger.add(size_of::<[u64; 5]>());
        black_box(Box::leak(Box::new([n; 5])));
    }
}

#[inline(never)]
fn forget_vectors(ledger: &mut Ledger) {
    for n in 1..=8usize {
        let mut vector: Vec<u32> = Vec::new();
        for value in 0..n as u32 * 10 {
            vector.push(black_box(value));
        }
        ledger.add(vector.capacity() * size_of::<u32>());
        forget(vector);
    }
}

#[inline(never)]
fn shrink_strings(ledger: &mut Ledger) {
    for n in 0..6usize {
        let mut text = String::with_capacity(500);
        for _ in 0..=n {
            text.push_str(black_box("leak"));
        }
        text.shrink_to_fit();
        ledger.add(text.capacity());
        black_box(String::leak(text));
    }
}

#[inline(never)]
fn use_a_map() -> usize {
    let mut map: HashMap<String, Vec<u8>> = HashMap::new();
    for n in 0..200u32 {
        map.insert(format!("key {n}"), vec![n as u8; n as usize]);
    }
    map.retain(|_, value| value.len() % 2 == 0);
    map.values().map(Vec::len).sum()
}

struct Node {
    other: RefCell<Option<Rc<Node>>>,
    _payload: [u8; 32],
}

/// What an Rc's block holds before the value: the two counts.
const RC_COUNTS: usize = 2 * size_of::<usize>();

#[inline(never)]
fn make_cycles(ledger: &mut Ledger) {
    for n in 0..3 {
        let first = Rc::new(Node { other: RefCell::new(None), _payload: [n; 32] });
        let second = Rc::new(Node { other: RefCell::new(Some(first.clone())), _payload: [n; 32] });
        ledger.add(RC_COUNTS + size_of::<Node>());
        ledger.add(RC_COUNTS + size_of::<Node>());
        first.other.replace(Some(second));
    }
}

#[inline(never)]
fn raw_layouts(ledger: &mut Ledger) {
    for n in 0..12usize {
        let layout = Layout::from_size_align(100 + n, 1 << n).expect("a valid layout");
        let block = unsafe { if n % 2 == 0 { alloc_zeroed(layout) } else { alloc(layout) } };
        assert_eq!(black_box(block) as usize % layout.align(), 0);
        if n % 3 == 0 {
            ledger.add(layout.size());
        } else {
            unsafe { dealloc(block, layout) };
        }
    }
}

fn main() {
    let mut ledger = Ledger::new();
    leak_boxes(&mut ledger);
    forget_vectors(&mut ledger);
    shrink_strings(&mut ledger);
    say(format_args!("map bytes={}\n", use_a_map()));
    make_cycles(&mut ledger);
    raw_layouts(&mut ledger);
    // No totals: what std allocated and gave back in between is not in these books.
    say(format_args!(
        "truth live_blocks={} live_bytes={}\n",
        ledger.live_blocks, ledger.live_bytes
    ));
}
