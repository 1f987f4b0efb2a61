//! The ways of Rust to hold and to lose: one scenario an argument. See c/kinds.h for the lines.
//!
//! Sizes are those of the types, which this file knows; what std keeps for itself is known noise.

mod books;

use books::{Kind, Scenario, expect, run, say, state};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hint::black_box;
use std::mem::{ManuallyDrop, forget, size_of};
use std::rc::{Rc, Weak};
use std::sync::{Mutex, OnceLock};

struct Payload {
    numbers: [u64; 5],
}

fn payload() -> Box<Payload> {
    black_box(Box::new(Payload { numbers: black_box([7; 5]) }))
}

/// What an Rc's block holds before the value: the two counts.
const COUNTS: usize = 2 * size_of::<usize>();

struct Node {
    other: RefCell<Option<Rc<Node>>>,
    parent: RefCell<Weak<Node>>,
    _payload: [u8; 32],
}

const NODE: usize = COUNTS + size_of::<Node>();

fn node() -> Rc<Node> {
    let (other, parent) = (RefCell::new(None), RefCell::new(Weak::new()));
    black_box(Rc::new(Node { other, parent, _payload: black_box([1; 32]) }))
}

thread_local! {
    static HELD: RefCell<Vec<Rc<Node>>> = const { RefCell::new(Vec::new()) };
    static ONE: Cell<Option<&'static Payload>> = const { Cell::new(None) };
    static RAW: Cell<*const u8> = const { Cell::new(std::ptr::null()) };
}

fn box_leaked() {
    for _ in 0..10 {
        state(Kind::Lost, size_of::<Payload>());
        black_box(Box::leak(payload()));
    }
}

/// Leaked on purpose, for a static: it is held.
fn box_leaked_for_a_static() {
    state(Kind::Reachable, size_of::<Payload>());
    ONE.set(Some(Box::leak(payload())));
    // Whoever may read the static keeps the compiler from dropping it.
    ONE.with(|one| {
        black_box(one);
    });
}

fn forgotten() {
    state(Kind::Lost, size_of::<Payload>());
    forget(payload());
    let vector: Vec<u32> = black_box(Vec::with_capacity(100));
    state(Kind::Lost, vector.capacity() * size_of::<u32>());
    forget(vector);
    // The boxes of a forgotten vector hang from its buffer.
    let boxes: Vec<Box<Payload>> = (0..8).map(|_| payload()).collect();
    state(Kind::Lost, boxes.capacity() * size_of::<Box<Payload>>());
    boxes.iter().for_each(|_| state(Kind::Indirect, size_of::<Payload>()));
    forget(black_box(boxes));
}

fn manually_dropped() {
    state(Kind::Lost, size_of::<Payload>());
    black_box(&ManuallyDrop::new(payload()));
}

fn into_raw() {
    state(Kind::Lost, size_of::<Payload>());
    black_box(Box::into_raw(payload()));
    let returned = Box::into_raw(payload());
    drop(unsafe { Box::from_raw(black_box(returned)) });
}

fn rc_cycle() {
    for _ in 0..3 {
        let (first, second) = (node(), node());
        state(Kind::Lost, NODE);
        state(Kind::Indirect, NODE);
        first.other.replace(Some(second.clone()));
        second.other.replace(Some(first.clone()));
    }
}

/// The same with a weak pointer back: all of it is freed.
fn rc_weak() {
    let (parent, child) = (node(), node());
    child.parent.replace(Rc::downgrade(&parent));
    parent.other.replace(Some(child));
}

/// A cycle of one.
fn rc_itself() {
    let only = node();
    state(Kind::Lost, NODE);
    only.other.replace(Some(only.clone()));
}

fn rc_in_a_vector() {
    let nodes: Vec<Rc<Node>> = (0..16).map(|_| node()).collect();
    state(Kind::Reachable, nodes.capacity() * size_of::<Rc<Node>>());
    nodes.iter().for_each(|_| state(Kind::Reachable, NODE));
    HELD.set(nodes);
}

/// What `Rc::into_raw` answers lies behind the counts: inside the block.
fn rc_into_raw() {
    state(Kind::Possible, NODE);
    RAW.set(Rc::into_raw(node()).cast());
    RAW.with(|raw| {
        black_box(raw);
    });
}

/// A static that is filled once.
fn once_lock() {
    static CACHE: OnceLock<Vec<Box<Payload>>> = OnceLock::new();
    let cache = CACHE.get_or_init(|| (0..8).map(|_| payload()).collect());
    state(Kind::Reachable, cache.capacity() * size_of::<Box<Payload>>());
    cache.iter().for_each(|_| state(Kind::Reachable, size_of::<Payload>()));
    black_box(cache);
}

static LOG: Mutex<Vec<u64>> = Mutex::new(Vec::new());

/// Requests of which each adds to the log and frees what it needed for itself.
fn log_requests(step: usize) {
    for request in 0..20_000 {
        let mut log = LOG.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if log.len() == log.capacity() && step > 0 {
            log.reserve_exact(step);
        }
        log.push(black_box(request));
        drop(payload());
    }
    let log = LOG.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    state(Kind::Reachable, log.capacity() * size_of::<u64>());
    expect("verdict clean+growth");
}

/// A log that is never emptied.
fn vector_grows() {
    log_requests(64);
    expect("finding containers 1");
}

/// The same, doubled when it is full: a few steps, of which nothing follows for certain.
fn vector_doubles() {
    log_requests(0);
}

/// Cleared by each request, and used again.
fn vector_reused() {
    let mut line: Vec<u64> = Vec::new();
    for _ in 0..200 {
        line.clear();
        line.extend(black_box(0..100));
        black_box(&line);
    }
    expect("no_finding containers");
}

/// All of the containers, dropped at the end of the scope.
fn scoped() {
    let mut map: HashMap<String, Vec<u8>> = HashMap::new();
    for n in 0..200_u8 {
        map.insert(format!("key {n}"), vec![n; n as usize]);
    }
    map.retain(|_, value| value.len() % 2 == 0);
    black_box(&map);
    let shared = Rc::new(RefCell::new(vec![payload()]));
    shared.clone().borrow_mut().push(payload());
    black_box(&shared);
}

fn string_leaked() {
    let mut text = black_box(String::with_capacity(64));
    text.push_str(&"leak".repeat(16));
    state(Kind::Lost, text.capacity());
    black_box(String::leak(text));
}

/// A list of boxes: the head is lost, and the rest with it.
fn list_lost() {
    struct Link {
        next: Option<Box<Link>>,
        _payload: [u32; 3],
    }
    let mut head: Option<Box<Link>> = None;
    for _ in 0..9 {
        state(Kind::Indirect, size_of::<Link>());
        head = Some(black_box(Box::new(Link { next: head, _payload: [9; 3] })));
    }
    state(Kind::Lost, size_of::<Link>());
    black_box(Box::leak(black_box(Box::new(Link { next: head, _payload: [9; 3] }))).next.is_some());
}

/// `exit` runs no destructors, but what nothing points to was lost before. A frame that is live may
/// still have the last address in a gap.
fn exit_behind_a_leak() {
    box_leaked();
    let bytes = 10 * size_of::<Payload>();
    say(format_args!("expect definitely_lost+possibly_lost+still_reachable 10 {bytes}\n"));
    expect("verdict leak");
    expect("outcome exited");
    expect("exit_code 3");
    std::process::exit(3);
}

#[inline(never)]
fn exit_if(sure: bool) {
    if black_box(sure) {
        std::process::exit(0);
    }
}

/// The box would have been dropped, had the program gone on: nobody may accuse it.
fn exit_while_in_use() {
    let used = payload();
    expect("definitely_lost 0 0");
    expect("indirectly_lost 0 0");
    say(format_args!("expect possibly_lost+still_reachable 1 {}\n", size_of::<Payload>()));
    expect("verdict clean+inconclusive");
    exit_if(true);
    black_box(used);
}

const ALL: &[Scenario] = &[
    ("box_leaked", box_leaked),
    ("box_leaked_for_a_static", box_leaked_for_a_static),
    ("forgotten", forgotten),
    ("manually_dropped", manually_dropped),
    ("into_raw", into_raw),
    ("rc_cycle", rc_cycle),
    ("rc_weak", rc_weak),
    ("rc_itself", rc_itself),
    ("rc_in_a_vector", rc_in_a_vector),
    ("rc_into_raw", rc_into_raw),
    ("once_lock", once_lock),
    ("vector_grows", vector_grows),
    ("vector_doubles", vector_doubles),
    ("vector_reused", vector_reused),
    ("scoped", scoped),
    ("string_leaked", string_leaked),
    ("list_lost", list_lost),
    ("exit_behind_a_leak", exit_behind_a_leak),
    ("exit_while_in_use", exit_while_in_use),
];

fn main() {
    run(ALL);
}
