//! The runs behind the goldens: what happened in each, as its guest tells it.

use super::guest::{Guest, module_info};
use seepage_trace::{End, Frame, Frees, HostMemory, Message, ModuleId, ModuleInfo, Outcome, Role};

type Program = fn() -> Vec<Message<'static>>;

/// Every run, under the name of its goldens.
pub const LIST: &[(&str, Program)] = &[
    ("clean", clean),
    ("leak", leak),
    ("misuse", misuse),
    ("growth", growth),
    ("trap", trap),
    ("blind", blind),
    ("collected", collected),
    ("hostile", hostile),
    ("cut-off", cut_off),
    ("two-modules", two_modules),
    ("no-contexts", no_contexts),
    ("under-a-host", under_a_host),
];

fn clean() -> Vec<Message<'static>> {
    let mut guest = Guest::new();
    let read = guest.at(&["read_all", "main", "__main_void", "_start"]);
    let line = guest.at(&["next_line", "main", "__main_void", "_start"]);
    let argv = guest.at(&["__main_void", "_start"]);
    guest.alloc(argv, 8, 24).alloc(argv, 64, 16).alloc(read, 4096, 100_000);
    for _ in 0..50 {
        guest.alloc(line, 128, 80).free(line, 128);
    }
    guest.free(read, 4096);
    guest.end(Outcome::Exited);
    guest.messages
}

fn leak() -> Vec<Message<'static>> {
    let mut guest = Guest::new();
    let root = "/home/ann/work/shop";
    let path = |file: &str| format!("{root}/{file}");
    let (cart, main, list) = (path("src/cart.c"), path("src/main.c"), path("lib/list.c"));
    let node = guest.lines(&[
        ("list_push", &list, 31),
        ("cart_add", &cart, 12),
        ("serve", &main, 40),
        ("main", &main, 77),
    ]);
    let name = guest.lines(&[("copy_name", &cart, 55), ("serve", &main, 41), ("main", &main, 77)]);
    let deep: Vec<Frame> = (0..30)
        .map(|depth| Frame {
            file: Some("/rustc/0123456789abcdef/library/core/src/ops.rs".into()),
            line: Some(100 + depth),
            recursion: depth == 3,
            ..Frame::function(format!("visit<{depth}, a_rather_long_parameter_name::Of<Type>>"))
        })
        .collect();
    let deep = guest.stack(deep);
    let buffer = guest.lines(&[("grow_buffer", &main, 20), ("main", &main, 77)]);
    let argv = guest.at(&["__main_void", "_start"]);
    guest.alloc(argv, 8, 24).grow(node, Some(2), 14);
    let mut old = 0;
    for round in 0..100u64 {
        guest.alloc(node, 65_536 + round * 48, 40);
        if round % 3 != 0 {
            guest.free(node, 65_536 + round * 48);
        }
        guest.alloc(name, 131_072 + round * 64, 12);
        guest.realloc(buffer, old, 262_144 + (round % 2) * 8192, round * 40 + 1);
        old = 262_144 + (round % 2) * 8192;
        if round % 25 == 0 {
            guest.flush();
        }
    }
    guest.free(buffer, old).alloc(deep, 1 << 20, 1_500_000).grow(deep, Some(16), 30);
    guest.grow(buffer, None, 9000);
    guest.end(Outcome::Returned);
    guest.messages
}

fn misuse() -> Vec<Message<'static>> {
    let mut guest = Guest::new();
    let make = guest.lines(&[("make", "src/a.c", 3), ("main", "src/a.c", 20)]);
    let drop = guest.lines(&[("drop", "src/a.c", 8), ("main", "src/a.c", 21)]);
    let again = guest.lines(&[("cleanup", "src/a.c", 14), ("main", "src/a.c", 25)]);
    guest.alloc(make, 64, 40).alloc(make, 256, 16).free(drop, 64).free(again, 64).free(again, 64);
    guest.free(drop, 264).free_sized(drop, 256, 24).alloc(make, 0, 1 << 30);
    guest.end(Outcome::Returned);
    guest.messages
}

fn growth() -> Vec<Message<'static>> {
    let mut guest = Guest::new();
    let cache = guest.lines(&[("remember", "src/cache.c", 9), ("handle", "src/web.c", 30)]);
    let work = guest.lines(&[("parse", "src/web.c", 12), ("handle", "src/web.c", 28)]);
    for request in 0..12u64 {
        guest.alloc(work, 4096, 900).alloc(cache, 8192 + request * 128, 100).free(work, 4096);
        if request % 4 == 3 {
            guest.grow(cache, Some(2 + request / 4), 1);
        }
        guest.mark("handle");
    }
    guest.host_grow(20).end(Outcome::Returned);
    guest.messages
}

fn trap() -> Vec<Message<'static>> {
    let mut guest = Guest::new();
    let load = guest.at(&["load", "main"]);
    guest.alloc(load, 64, 3_000_000).alloc(load, 0, 4_000_000);
    guest.end_with(End {
        outcome: Outcome::MemoryLimit,
        message: Some("wasm trap: wasm `unreachable` instruction executed".into()),
        trap_stack: ["abort", "out_of_memory", "load", "main"].map(Frame::function).to_vec(),
        refused_growths: 1,
        ..End::default()
    });
    guest.messages
}

fn blind() -> Vec<Message<'static>> {
    let mut info = module_info("stripped.wasm", "");
    info.tracepoints.retain(|tracepoint| tracepoint.role == Role::Grow);
    info.blind_spots =
        vec!["no function of this module could be recognised as an allocator".into()];
    let mut guest = Guest::of(info);
    let start = guest.at(&["wasm-function[7]", "_start"]);
    guest.grow(start, Some(2), 5).grow(start, Some(7), 5).end(Outcome::Returned);
    guest.messages
}

fn collected() -> Vec<Message<'static>> {
    let info = ModuleInfo { frees: Frees::Collected, ..module_info("go.wasm", "tinygo") };
    let mut guest = Guest::of(info);
    let main = guest.at(&["main.run", "main.main"]);
    guest.alloc(main, 64, 100).alloc(main, 256, 100).free(main, 64).end(Outcome::Returned);
    guest.messages
}

fn hostile() -> Vec<Message<'static>> {
    let mut info = module_info("\u{1b}[2J\u{202e}app.wasm", "c\u{7}");
    info.blind_spots = vec!["line\r\n\u{9b}31mred".into()];
    info.tracepoints[0].function = "mal\u{1b}loc".repeat(40);
    let mut guest = Guest::of(info);
    let odd = guest
        .lines(&[("evil\u{1b}]0;title\u{7}", "/src/\u{1b}c.c", 1), (&"long".repeat(99), "", 0)]);
    guest.alloc(odd, 64, 10).alloc(seepage_trace::Context(1), 72, 1);
    guest.end_with(End {
        outcome: Outcome::Trapped,
        message: Some("\u{1b}[31mtrap\u{1b}[0m".into()),
        lost_records: 3,
        ..End::default()
    });
    guest.messages
}

fn cut_off() -> Vec<Message<'static>> {
    let mut guest = Guest::new();
    let main = guest.at(&["main"]);
    guest.alloc(main, 64, 10).flush();
    guest.messages
}

fn two_modules() -> Vec<Message<'static>> {
    let mut guest = Guest::new();
    let main = guest.at(&["main"]);
    guest.alloc(main, 64, 10).free(main, 64).flush();
    let mut other = Guest::of(ModuleInfo { id: ModuleId(1), ..module_info("plugin.wasm", "c") });
    let init = other.at(&["plugin_init"]);
    other.alloc(init, 64, 33).end(Outcome::Returned);
    [guest.messages, other.messages].concat()
}

fn no_contexts() -> Vec<Message<'static>> {
    let info = ModuleInfo { contexts: false, ..module_info("app.wasm", "wasi-libc") };
    let mut guest = Guest::of(info);
    let nowhere = seepage_trace::Context(0);
    guest.alloc(nowhere, 64, 10).alloc(nowhere, 128, 10).free(nowhere, 64);
    guest.end(Outcome::Returned);
    guest.messages
}

/// JavaScript's own heap grows, with garbage that comes and goes.
fn under_a_host() -> Vec<Message<'static>> {
    let mut guest = Guest::new();
    let parse = guest.at(&["parse"]);
    for second in 0..12u64 {
        guest.alloc(parse, 64, 1000).free(parse, 64).flush();
        guest.messages.push(Message::Host(HostMemory {
            time_ns: second * 1_000_000_000,
            heap: (12 + second * 6 + second % 3 * 9) << 20,
            buffers: (second > 0).then_some(4096 * second),
            resident: Some((60 + second * 7) << 20),
            tracer: 3 << 20,
        }));
    }
    guest.end(Outcome::Unknown);
    guest.messages
}
