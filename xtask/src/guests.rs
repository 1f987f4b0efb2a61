//! The one list of guests: each source, and in which variants it is built.
//!
//! The output lies beside the source: `truth.c` as `O2` becomes `truth.O2.wasm`. A source built in
//! a single, unnamed variant becomes `sessions.wasm`.
//!
//! There is no TinyGo here: neither npm, PyPI nor Debian has it. The corpus has modules built by it.

/// One source file. Its extension decides the language.
pub struct Guest {
    pub source: &'static str,
    pub variants: &'static [Variant],
}

/// One way to build a source.
#[derive(Clone, Copy)]
pub struct Variant {
    /// The part of the output's name between the source's and `.wasm`; may be empty.
    pub name: &'static str,
    /// Handed to the compiler as they are; for Rust the cargo profile and rustc's flags.
    pub flags: &'static [&'static str],
    /// Handed to the linker (C, C++, Rust).
    pub link: &'static [&'static str],
    pub symbols: Symbols,
}

/// What is kept for the reader of a module beside its code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Symbols {
    /// Names and DWARF, that of libc included.
    Everything,
    /// Names and DWARF of our own code, and of libc only the names: for the sake of the size.
    OwnLines,
    Names,
    /// Neither names nor DWARF.
    Nothing,
}

use Symbols::{Everything, Names, Nothing, OwnLines};

const fn variant(name: &'static str, flags: &'static [&'static str], symbols: Symbols) -> Variant {
    Variant { name, flags, link: &[], symbols }
}

const O0: Variant = variant("O0", &["-O0", "-g"], OwnLines);
const O2: Variant = variant("O2", &["-O2", "-g"], OwnLines);
const O0_STRIPPED: Variant = variant("O0.stripped", &["-O0"], Nothing);
const O2_STRIPPED: Variant = variant("O2.stripped", &["-O2"], Nothing);
const FOUR: &[Variant] = &[O0, O2, O0_STRIPPED, O2_STRIPPED];

/// The full DWARF of the templates would be three times the code.
const CPP: &[Variant] = &[
    variant("O0", &["-O0", "-gline-tables-only"], OwnLines),
    variant("O2", &["-O2", "-gline-tables-only"], OwnLines),
    O0_STRIPPED,
    O2_STRIPPED,
];

const O0_LIBC: Variant = variant("O0", &["-O0", "-g"], Everything);
const WITH_LIBC: &[Variant] = &[O0_LIBC, O2, O0_STRIPPED, O2_STRIPPED];

/// So little memory that running out of it takes no time, and the stack first in it, so that
/// running out of stack traps instead of eating the statics.
const TIGHT: &[&str] = &["--max-memory=67108864", "--stack-first"];
const ENDS: &[Variant] = &[
    Variant { link: TIGHT, ..O0 },
    Variant { link: TIGHT, ..O2 },
    Variant { link: TIGHT, ..O0_STRIPPED },
    Variant { link: TIGHT, ..O2_STRIPPED },
];

const BENCH_C: &[Variant] = &[variant("", &["-O2"], Names)];
const BENCH_RUST: &[Variant] = &[variant("", &["release"], Names)];
/// Without inlining: with it, all of the demo would be one function.
const DEMO: &[Variant] = &[variant("", &["-O1", "-g", "-fno-inline"], OwnLines)];

const RUST: &[Variant] = &[
    variant("dev", &["lines"], Everything),
    variant("release", &["release"], Names),
    variant("release.stripped", &["release"], Nothing),
];
/// Every spelling of a name: rustc of today mangles in the legacy way, std comes mangled by v0.
const RUST_MANGLED: &[Variant] = &[
    variant("release", &["release"], Names),
    variant("release.stripped", &["release"], Nothing),
    variant("v0", &["release", "-Csymbol-mangling-version=v0"], Names),
    Variant { link: &["--demangle"], ..variant("demangled", &["release"], Names) },
];
const RUST_LIBRARY: &[Variant] = &[
    variant("dev", &["lines"], Everything),
    RUST_MANGLED[0],
    RUST_MANGLED[1],
    RUST_MANGLED[2],
    RUST_MANGLED[3],
];

const ASSEMBLYSCRIPT: &[Variant] = &[
    variant("incremental", &["--runtime", "incremental", "--debug"], Names),
    variant("incremental.O", &["--runtime", "incremental", "-O", "--debug"], Names),
    variant("incremental.release", &["--runtime", "incremental", "-O"], Nothing),
    variant("minimal", &["--runtime", "minimal", "--debug"], Names),
    variant("minimal.release", &["--runtime", "minimal", "-O"], Nothing),
    variant("stub", &["--runtime", "stub", "--debug"], Names),
    variant("stub.release", &["--runtime", "stub", "-O"], Nothing),
];

const ZIG: &[Variant] = &[
    variant("safe", &["-OReleaseSafe"], Names),
    variant("small", &["-OReleaseSmall"], Names),
    variant("small.stripped", &["-OReleaseSmall"], Nothing),
];

/// For the hunt after allocators without names: each as the program and its named twin, whose
/// functions have the same numbers.
const TWINS: &[Variant] = &[
    variant("O0", &["-O0"], Names),
    variant("O0.stripped", &["-O0"], Nothing),
    variant("O2", &["-O2"], Names),
    variant("O2.stripped", &["-O2"], Nothing),
    variant("Os", &["-Os"], Names),
    variant("Os.stripped", &["-Os"], Nothing),
];
const RUST_TWINS: &[Variant] = &[
    variant("O0", &["release", "-Copt-level=0"], Names),
    variant("O0.stripped", &["release", "-Copt-level=0"], Nothing),
    variant("O2", &["release", "-Copt-level=2"], Names),
    variant("O2.stripped", &["release", "-Copt-level=2"], Nothing),
    variant("Os", &["release", "-Copt-level=s"], Names),
    variant("Os.stripped", &["release", "-Copt-level=s"], Nothing),
];

/// Many scenarios in one module, so with names where it matters to see them, and without lines.
const KINDS: &[Variant] =
    &[variant("O0", &["-O0"], Names), variant("O2", &["-O2"], Names), O0_STRIPPED, O2_STRIPPED];

const KINDS_RUST: &[Variant] = &[
    variant("O0", &["release", "-Copt-level=0"], Names),
    variant("O2", &["release", "-Copt-level=2"], Names),
    variant("O0.stripped", &["release", "-Copt-level=0"], Nothing),
    variant("O2.stripped", &["release", "-Copt-level=2"], Nothing),
];

/// Without the stripped stub runtime, whose allocator nothing tells.
const KINDS_ASSEMBLYSCRIPT: &[Variant] = &[
    ASSEMBLYSCRIPT[0],
    ASSEMBLYSCRIPT[1],
    ASSEMBLYSCRIPT[2],
    ASSEMBLYSCRIPT[3],
    ASSEMBLYSCRIPT[4],
    ASSEMBLYSCRIPT[5],
];

/// Optimised, a layout is gone before it reaches the allocator.
const KINDS_LAYOUTS: &[Variant] = &[KINDS_RUST[0]];

/// With Rust's shims as functions, and dissolved at link time; `--cfg` tells the program.
const BRIDGES: &[Variant] = &[
    variant("O0", &["unlinked", "-Copt-level=0", "--cfg=whole"], Names),
    variant("O2", &["unlinked", "-Copt-level=2", "--cfg=whole"], Names),
    variant("O2.stripped", &["unlinked", "-Copt-level=2"], Nothing),
    variant("lto.lines", &["lines", "-Copt-level=2", "--cfg=lines"], Everything),
    variant("lto", &["release", "-Copt-level=2"], Names),
    variant("lto.O1", &["release", "-Copt-level=1", "--cfg=whole"], Names),
];

const SIDES: &[Variant] = &[
    variant("O0", &["unlinked", "-Copt-level=0"], Names),
    variant("O2", &["unlinked", "-Copt-level=2"], Names),
    variant("lto", &["release", "-Copt-level=2"], Names),
];

/// For what is known by the names of functions.
const KINDS_NAMED: &[Variant] = &[KINDS[0], KINDS[1]];
/// Known allocators, at the levels at which they stay in functions of their own.
const TALC: &[Variant] = &[
    variant("O2", &["release", "-Copt-level=2"], Names),
    variant("O2.stripped", &["release", "-Copt-level=2"], Nothing),
    variant("Oz", &["release", "-Copt-level=z"], Names),
    variant("Oz.stripped", &["release", "-Copt-level=z"], Nothing),
];
const WEE: &[Variant] = &[
    variant("Os", &["release", "-Copt-level=s"], Names),
    variant("Os.stripped", &["release", "-Copt-level=s"], Nothing),
    variant("Oz", &["release", "-Copt-level=z"], Names),
    variant("Oz.stripped", &["release", "-Copt-level=z"], Nothing),
];
const MIMALLOC: &[Variant] =
    &[variant("O2", &["-O2"], Names), variant("O2.stripped", &["-O2"], Nothing)];

/// For what an allocator says itself, by names.
const USABLE: &[Variant] = &[variant("", &["-O1", "-fno-inline"], Names)];
const USABLE_TLSF: &[Variant] = &[
    variant("incremental", &["--runtime", "incremental", "--debug"], Names),
    variant("minimal.release", &["--runtime", "minimal", "-O"], Nothing),
    variant("stub", &["--runtime", "stub", "--debug"], Names),
];

/// The same for an allocator of the program's own, with its functions' names or only those that it
/// exports.
const USABLE_OWN: &[Variant] = &[
    variant("O0", &["-O0", "-fno-builtin"], Names),
    variant("O2", &["-O2", "-fno-builtin"], Names),
    Variant { link: EXPORTED, ..variant("O2.stripped", &["-O2", "-fno-builtin"], Nothing) },
    variant("header.O0", &["-O0", "-fno-builtin", "-DHEADER=8"], Names),
    variant("header.O2", &["-O2", "-fno-builtin", "-DHEADER=16"], Names),
];
/// With the last of them the linker puts no function in front of each that is exported.
const EXPORTED: &[&str] = &[
    "--export=malloc",
    "--export=calloc",
    "--export=realloc",
    "--export=free",
    "--export=malloc_usable_size",
    "--export=__wasm_call_ctors",
];

const fn guest(source: &'static str, variants: &'static [Variant]) -> Guest {
    Guest { source, variants }
}

pub const GUESTS: &[Guest] = &[
    guest("tests/programs/c/truth.c", WITH_LIBC),
    guest("tests/programs/c/noargs.c", FOUR),
    guest("tests/programs/c/leak_list.c", FOUR),
    guest("tests/programs/c/double_free.c", FOUR),
    guest("tests/programs/c/unknown_free.c", FOUR),
    guest("tests/programs/c/ends.c", ENDS),
    guest("tests/programs/c/host.c", FOUR),
    guest("tests/programs/c/recursion.c", FOUR),
    guest("tests/programs/c/custom_pool.c", FOUR),
    guest("tests/programs/c/grow.c", FOUR),
    guest("tests/programs/c/beside.c", &[O2]),
    guest("tests/programs/cpp/truth.cpp", CPP),
    guest("tests/programs/rust/truth_wasi.rs", RUST),
    guest("tests/programs/rust/truth_wasi_counting.rs", RUST_MANGLED),
    guest("tests/programs/rust/truth_unknown.rs", RUST_LIBRARY),
    guest("tests/programs/assemblyscript/truth.ts", ASSEMBLYSCRIPT),
    guest("tests/programs/zig/truth_wasm_allocator.zig", ZIG),
    guest("tests/programs/zig/truth_c_allocator.zig", ZIG),
    guest("tests/programs/allocators/bump_lists.c", TWINS),
    guest("tests/programs/allocators/buddy.c", TWINS),
    guest("tests/programs/allocators/slab.c", TWINS),
    guest("tests/programs/allocators/first_fit.c", TWINS),
    guest("tests/programs/allocators/cells_unknown.rs", RUST_TWINS),
    guest("tests/programs/allocators/gaps_unknown.rs", RUST_TWINS),
    guest("tests/programs/allocators/talc_unknown.rs", TALC),
    guest("tests/programs/allocators/wee_unknown.rs", WEE),
    guest("tests/programs/allocators/mimalloc.c", MIMALLOC),
    guest("tests/programs/allocators/mimalloc_aligned.c", MIMALLOC),
    guest("tests/programs/allocators/decoy_pool.c", TWINS),
    guest("tests/programs/allocators/decoy_arena.c", TWINS),
    guest("tests/programs/allocators/decoy_grow.c", TWINS),
    guest("tests/programs/allocators/decoy_interner.c", TWINS),
    guest("tests/programs/allocators/decoy_stack.c", TWINS),
    guest("tests/programs/usable/dlmalloc.c", USABLE),
    guest("tests/programs/usable/classes.c", USABLE_OWN),
    guest("tests/programs/usable/mimalloc2.c", USABLE),
    guest("tests/programs/usable/mimalloc3.c", USABLE),
    guest("tests/programs/usable/tlsf.ts", USABLE_TLSF),
    guest("tests/programs/kinds/c/shapes.c", KINDS),
    guest("tests/programs/kinds/c/roots.c", KINDS),
    guest("tests/programs/kinds/c/ends.c", KINDS),
    guest("tests/programs/kinds/c/arena.c", KINDS),
    guest("tests/programs/kinds/c/memory.c", KINDS),
    guest("tests/programs/kinds/c/containers.c", KINDS),
    guest("tests/programs/kinds/c/misuse.c", KINDS),
    guest("tests/programs/kinds/c/files.c", KINDS),
    guest("tests/programs/kinds/c/calls.c", KINDS),
    guest("tests/programs/kinds/c/marks_imported.c", KINDS),
    guest("tests/programs/kinds/c/marks.c", KINDS_NAMED),
    guest("tests/programs/kinds/c/annotations.c", KINDS_NAMED),
    guest("tests/programs/kinds/c/suppressions.c", KINDS_NAMED),
    guest("tests/programs/kinds/cpp/objects.cpp", KINDS),
    guest("tests/programs/kinds/cpp/doors.cpp", KINDS_NAMED),
    guest("tests/programs/kinds/rust/holders.rs", KINDS_RUST),
    guest("tests/programs/kinds/rust/layouts.rs", KINDS_LAYOUTS),
    guest("tests/programs/kinds/rust/bridges.rs", BRIDGES),
    guest("tests/programs/kinds/rust/sides_unknown.rs", SIDES),
    guest("tests/programs/kinds/assemblyscript/collected.ts", KINDS_ASSEMBLYSCRIPT),
    guest("benches/guests/alloc_bound.c", BENCH_C),
    guest("benches/guests/trees.c", BENCH_C),
    guest("benches/guests/numeric.c", BENCH_C),
    guest("benches/guests/mixed.rs", BENCH_RUST),
    guest("examples/sessions.c", DEMO),
];
