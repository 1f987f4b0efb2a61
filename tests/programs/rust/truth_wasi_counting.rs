//! Random traffic below a global allocator that keeps the books: every block of this program,
//! std's own included, is in the truth.
//!
//!   truth_wasi_counting [seed] [steps]

mod ledger;

use ledger::{Ledger, say};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::collections::{BTreeMap, HashMap};
use std::mem::forget;

struct Counting {
    ledger: UnsafeCell<Ledger>,
}

// One thread is all there is.
unsafe impl Sync for Counting {}

impl Counting {
    #[allow(clippy::mut_from_ref)]
    fn ledger(&self) -> &mut Ledger {
        unsafe { &mut *self.ledger.get() }
    }
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.ledger().add(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.ledger().add(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.ledger().remove(layout.size());
        self.ledger().add(size);
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.ledger().remove(layout.size());
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting { ledger: UnsafeCell::new(Ledger::new()) };

struct Random(u32);

impl Random {
    fn next(&mut self, below: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % below
    }
}

#[derive(Default)]
struct Store {
    words: Vec<String>,
    lines: BTreeMap<u32, String>,
    counts: HashMap<String, u32>,
    zeros: Vec<Vec<u64>>,
}

#[inline(never)]
fn step(store: &mut Store, random: &mut Random) {
    let n = random.next(400);
    match random.next(8) {
        0 => store.words.push("w".repeat(n as usize)),
        1 => drop(store.words.pop()),
        2 => drop(store.lines.insert(n, format!("line {n}"))),
        3 => drop(store.lines.remove(&n)),
        4 => *store.counts.entry(format!("count {}", n % 50)).or_default() += 1,
        5 => store.zeros.push(vec![0; n as usize]),
        6 => {
            if let Some(words) = store.words.last_mut() {
                words.push_str("and more");
                words.shrink_to_fit();
            }
        }
        _ => forget(store.zeros.pop()),
    }
}

fn main() {
    let number = |n| std::env::args().nth(n).and_then(|text| text.parse::<u32>().ok());
    let mut random = Random(number(1).filter(|&seed| seed != 0).unwrap_or(1));
    let mut store = Store::default();
    for _ in 0..number(2).unwrap_or(2000) {
        step(&mut store, &mut random);
    }
    store.words.clear();
    store.counts.clear();
    // Half the store is dropped, half is leaked with what it owns.
    drop(store.lines);
    forget((store.words, store.counts, store.zeros));

    let truth = *COUNTING.ledger();
    say(format_args!(
        "truth live_blocks={} live_bytes={} \
         allocated_blocks={} allocated_bytes={} freed_blocks={}\n",
        truth.live_blocks,
        truth.live_bytes,
        truth.allocated_blocks,
        truth.allocated_bytes,
        truth.freed_blocks
    ));
}
