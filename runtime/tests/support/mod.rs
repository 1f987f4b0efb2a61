//! Guests that are instrumented by hand: the text of a module whose allocator writes records as
//! the injected code would, and the site table that goes with it.
#![allow(dead_code, reason = "each test uses its part")]

use seepage_runtime::{Error, Output, Ran, RunOptions, Runner};
use seepage_trace::{
    End, Event, Frame, Memory, Message, ModuleInfo, RecordLayout, Records, Role, SiteTable, Stack,
    Tracepoint,
    abi::{RingLayout, SECTION},
    sites::{Function, Site, Transport},
};

/// A ring of ten records, so that it is full soon.
pub const RING: RingLayout = RingLayout { pages: 1, cache_slots: 0, start: 64, end: 64 + 240 };

/// What stands in front of every guest's own functions: imports, ring, and `$alloc`, which hands
/// out addresses 16 bytes apart and writes a record of each. `$context` is told of every context.
const RING_HEAD: &str = r#"
    (import "seepage" "flush" (func $flush))
    (import "seepage" "context" (func $context (param i64)))
    (memory $ring (export "seepage:ring") 1 1)
    (global $head (export "seepage:head") (mut i32) (i32.const 64))
    (global $ctx (mut i64) (i64.const 0))
    (global $next (mut i32) (i32.const 1024))
    (func $alloc (param $size i32) (result i32)
        (call $context (global.get $ctx))
        (if (i32.eq (global.get $head) (i32.const 304)) (then (call $flush)))
        (i32.store $ring (global.get $head) (i32.const 0x010000ff))
        (i32.store $ring offset=4 (global.get $head) (local.get $size))
        (i64.store $ring offset=8 (global.get $head) (global.get $ctx))
        (i32.store $ring offset=16 (global.get $head) (global.get $next))
        (i32.store $ring offset=20 (global.get $head) (i32.const 0))
        (global.set $head (i32.add (global.get $head) (i32.const 24)))
        (global.set $next (i32.add (global.get $next) (i32.const 16)))
        (global.get $next))
"#;

const CALL_HEAD: &str = r#"
    (import "seepage" "event" (func $event (param i32 i32 i64 i32 i32)))
    (global $ctx (mut i64) (i64.const 0))
    (global $next (mut i32) (i32.const 1024))
    (func $alloc (param $size i32) (result i32)
        (call $event (i32.const 0x010000ff) (local.get $size) (global.get $ctx)
            (global.get $next) (i32.const 0))
        (global.set $next (i32.add (global.get $next) (i32.const 16)))
        (global.get $next))
"#;

const WIDE_HEAD: &str = r#"
    (import "seepage" "event" (func $event (param i32 i64 i64 i64 i64)))
    (global $ctx (mut i64) (i64.const 0))
    (global $next (mut i64) (i64.const 0x200000000))
    (func $alloc (param $size i32) (result i32)
        (call $event (i32.const 0x010000ff) (i64.extend_i32_u (local.get $size)) (global.get $ctx)
            (global.get $next) (i64.const 0))
        (global.set $next (i64.add (global.get $next) (i64.const 16)))
        (i32.const 0))
"#;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Ring,
    Call,
    WideCall,
}

/// A call that counts as a traced site: it stands behind `(drop (i32.const MARKER))`.
pub struct Marked {
    pub marker: i32,
    pub function: &'static str,
    pub recursive: bool,
}

/// Instruments by hand: `imports` stand first, `body` may use `$alloc` and has a memory `$own` to
/// declare; `names` are the body's functions in their order.
pub fn guest(
    kind: Kind,
    imports: &[&str],
    body: &str,
    names: &[&'static str],
    marked: &[Marked],
) -> Vec<u8> {
    let head = match kind {
        Kind::Ring => RING_HEAD,
        Kind::Call => CALL_HEAD,
        Kind::WideCall => WIDE_HEAD,
    };
    let text = format!("(module {} {head} {body})", imports.join("\n"));
    let mut wasm = wat::parse_str(text).unwrap();

    let function = |name: &str| Function { original: 0, name: Some(name.into()) };
    let mut functions: Vec<_> = imports.iter().map(|_| Some(function("import"))).collect();
    functions.extend(vec![None; if kind == Kind::Ring { 3 } else { 2 }]);
    functions.extend(names.iter().map(|name| Some(function(name))));
    let mut sites: Vec<Site> = Vec::new();
    let mut frames = Vec::new();
    for mark in marked {
        let at = frames.len() as u32;
        frames.push(Frame { line: Some(mark.marker as u32), ..Frame::function(mark.function) });
        let offset = call_behind(&wasm, mark.marker);
        sites.push(Site { offset, original: 0, recursive: mark.recursive, frames: at..at + 1 });
    }
    sites.sort_by_key(|site| site.offset);
    let table = SiteTable {
        module: ModuleInfo {
            name: "guest".into(),
            tracepoints: vec![Tracepoint {
                index: 0,
                function: "alloc".into(),
                role: Role::Malloc,
                family: "test".into(),
                how: "by hand".into(),
            }],
            memories: vec![Memory {
                initial_pages: 1,
                maximum_pages: None,
                page_size: 65536,
                is_64: kind == Kind::WideCall,
                imported: false,
            }],
            contexts: true,
            ..ModuleInfo::default()
        },
        transport: if kind == Kind::Ring { Transport::Ring(RING) } else { Transport::Call },
        layout: if kind == Kind::WideCall { RecordLayout::Wide } else { RecordLayout::Narrow },
        sites,
        frames,
        functions,
    };
    append_section(&mut wasm, &table);
    wasm
}

fn append_section(wasm: &mut Vec<u8>, table: &SiteTable) {
    let mut content = vec![SECTION.len() as u8];
    content.extend(SECTION.as_bytes());
    content.extend(table.encode());
    wasm.push(0);
    wasm.extend([content.len() as u8 & 0x7f | 0x80, (content.len() >> 7) as u8 & 0x7f | 0x80]);
    wasm.push((content.len() >> 14) as u8);
    wasm.extend(content);
}

/// Offset of the first call behind the marker.
fn call_behind(wasm: &[u8], marker: i32) -> u32 {
    let mut pattern = vec![0x41];
    let mut value = marker;
    while value >= 0x40 {
        pattern.push(value as u8 & 0x7f | 0x80);
        value >>= 7;
    }
    pattern.extend([value as u8, 0x1a]);
    let at = wasm.windows(pattern.len()).position(|window| window == pattern).unwrap();
    let call = wasm[at + pattern.len()..].iter().position(|&byte| byte == 0x10).unwrap();
    (at + pattern.len() + call) as u32
}

pub const MEMORY: &str = r#"(memory $own (export "memory") (export "seepage:memory:0") 1)"#;

/// A command whose `_start` has the given body.
pub fn command(body: &str) -> Vec<u8> {
    command_with(&[], body)
}

pub fn command_with(imports: &[&str], body: &str) -> Vec<u8> {
    let text = format!(r#"{MEMORY} (func $start (export "_start") (local $i i32) {body})"#);
    guest(Kind::Ring, imports, &text, &["start"], &[])
}

/// `count` allocations, in a loop that changes nothing but the allocator.
pub fn allocate(count: u32) -> String {
    format!(
        "(local.set $i (i32.const {count}))
        (loop $again
            (drop (call $alloc (local.get $i)))
            (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))"
    )
}

pub fn options() -> RunOptions {
    let mut options = RunOptions::default();
    options.stdout = Output::Discard;
    options.stderr = Output::Discard;
    options
}

pub type Messages = Vec<Message<'static>>;

pub fn run(wasm: &[u8], options: RunOptions) -> Ran<Messages> {
    Runner::new(wasm, options).unwrap().run(Messages::new()).unwrap()
}

pub fn refused(wasm: &[u8], options: RunOptions) -> Error {
    match Runner::new(wasm, options) {
        Ok(_) => panic!("the module should have been refused"),
        Err(error) => error,
    }
}

pub fn records(messages: &Messages) -> Vec<&Records<'static>> {
    let records = messages.iter().filter_map(|message| match message {
        Message::Records(records) => Some(records),
        _ => None,
    });
    records.collect()
}

pub fn events(messages: &Messages) -> Vec<Event> {
    records(messages).iter().flat_map(|records| records.events().collect::<Vec<_>>()).collect()
}

pub fn stacks(messages: &Messages) -> Vec<&Stack> {
    let stacks = messages.iter().filter_map(|message| match message {
        Message::Stack(stack) => Some(stack),
        _ => None,
    });
    stacks.collect()
}

pub fn names(frames: &[Frame]) -> Vec<&str> {
    frames.iter().map(|frame| &*frame.function).collect()
}

/// The trace's last message, which is there once.
pub fn end(messages: &Messages) -> &End {
    let ends = messages.iter().filter(|message| matches!(message, Message::End(_))).count();
    assert_eq!(ends, 1);
    let Some(Message::End(end)) = messages.last() else { panic!("the end comes last") };
    end
}
