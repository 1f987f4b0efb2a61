//! The built-in rules: runtimes that allocate once and never free, by design.
//!
//! Each names functions of the runtime itself. A function that the instrumenter could not name is
//! known by the WASI import it calls, as in `wasm-function[9] (args_get)`; one that calls embind's is
//! known by that whether it has a name or not.

/// What a runtime keeps: the form of the rules in this file. It looks at the place that allocates,
/// not at what calls it, so that a program's own functions are never suppressed for being called
/// from `main`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownNoise {
    /// Its name, in reports and options.
    pub name: &'static str,
    /// Why such blocks are no leak of the program: a clause without a full stop.
    pub reason: &'static str,
    /// Frames of the language's own plumbing, which are passed over at the innermost end.
    pub plumbing: &'static [&'static str],
    /// Patterns of the stack from there on; one of them must match.
    pub stacks: &'static [&'static [&'static str]],
    /// The most blocks that it suppresses in one module. A context with more than is left of
    /// this is not touched: a program that was inlined into its runtime must not hide behind it.
    pub max_blocks: u64,
    /// The most bytes that a block of a context has on average.
    pub max_block_bytes: Option<u64>,
}

/// What C programs allocate through, beside the allocator.
const C: &[&str] = &["strdup", "__strdup", "strndup", "__strndup"];

/// What Rust programs allocate through.
const RUST: &[&str] = &[
    "alloc::*",
    "core::*",
    "std::alloc::*",
    "hashbrown::*",
    "__rust_*",
    "__rustc::*",
    "std::collections::hash::*",
    "T as alloc::*",
    "T as core::*",
];

/// And what std's own statics are initialised through.
const RUST_ONCE: &[&str] = &[
    "alloc::*",
    "core::*",
    "std::alloc::*",
    "__rust_*",
    "__rustc::*",
    "std::io::buffered::*",
    "std::sync::once_lock::*",
    "std::sync::poison::once::*",
    "std::sync::once::*",
    "std::sys::sync::once::*",
    "std::sync::reentrant_lock::*",
    "std::sync::lazy_lock::*",
];

/// What C++ programs allocate through.
const CPP: &[&str] = &[
    "operator new*",
    "std::__*::__libcpp_*",
    "std::__*::allocator*",
    "std::__*::vector*",
    "std::__*::__split_buffer*",
    "std::__*::basic_string*",
    "std::__*::locale*",
];

/// Every built-in rule. A context belongs to the first that matches.
pub const RULES: &[KnownNoise] = &[
    KnownNoise {
        name: "wasi-libc-start",
        reason: "the first libcs for WASI copied arguments and environment in the entry itself",
        plumbing: C,
        stacks: &[&["_start (args_get)"], &["_start (environ_get)"]],
        max_blocks: 4,
        max_block_bytes: None,
    },
    KnownNoise {
        name: "wasi-libc-argv",
        reason: "libc copies the arguments of main once and keeps them",
        plumbing: C,
        stacks: &[&["__main_void"], &["* (args_get)"], &["* (args_sizes_get)"]],
        max_blocks: 2,
        max_block_bytes: None,
    },
    KnownNoise {
        name: "wasi-libc-environ",
        reason: "libc copies the environment once and keeps it",
        plumbing: C,
        stacks: &[
            &["__wasilibc_initialize_environ*"],
            &["__wasilibc_ensure_environ"],
            &["__emscripten_environ_constructor"],
            &["* (environ_get)"],
            &["* (environ_sizes_get)"],
        ],
        max_blocks: 2,
        max_block_bytes: None,
    },
    KnownNoise {
        name: "wasi-libc-preopens",
        reason: "libc keeps the table of the directories it was given",
        plumbing: C,
        stacks: &[
            &["__wasilibc_populate_preopens"],
            &["internal_register_preopened_fd*"],
            &["__wasilibc_register_preopened_fd"],
            &["* (fd_prestat_get)"],
            &["* (fd_prestat_dir_name)"],
        ],
        max_blocks: 64,
        max_block_bytes: None,
    },
    KnownNoise {
        name: "wasi-libc-paths",
        reason: "libc keeps one buffer for the path it resolved last",
        plumbing: C,
        stacks: &[&["__wasilibc_find_relpath*"], &["find_relpath*"], &["make_absolute"]],
        max_blocks: 3,
        max_block_bytes: None,
    },
    KnownNoise {
        name: "libc-atexit",
        reason: "libc keeps the list of what is to run at exit",
        plumbing: C,
        stacks: &[&["__cxa_atexit"], &["atexit"]],
        // 32 functions a block: each static object of C++ has its destructor there.
        max_blocks: 1024,
        max_block_bytes: None,
    },
    KnownNoise {
        name: "rust-stdio",
        reason: "std keeps the buffers of stdin, stdout and stderr",
        plumbing: RUST_ONCE,
        stacks: &[
            &["std::io::stdio::stdin*"],
            &["std::io::stdio::stdout*"],
            &["std::io::stdio::stderr*"],
            &["std::io::stdio::STDOUT*"],
            &["std::io::stdio::cleanup*"],
            &["std::io::stdio::print_to*"],
            &["std::io::stdio::_print*"],
            &["std::io::stdio::_eprint*"],
        ],
        max_blocks: 4,
        max_block_bytes: None,
    },
    KnownNoise {
        name: "rust-runtime",
        reason: "std keeps what it knows of the main thread",
        plumbing: RUST,
        stacks: &[
            &["std::rt::init*"],
            &["std::rt::lang_start_internal*"],
            &["std::rt::thread_cleanup*"],
            &["std::sys::thread_local::destructors::*"],
            &["std::sys::thread_local::guard::*"],
            &["std::sys_common::thread_info::*"],
            &["std::thread::Thread::new*"],
            &["std::thread::ThreadId::new*"],
            &["std::thread::current::*"],
            &["std::thread::main_thread*"],
            &["std::thread::set_current*"],
        ],
        max_blocks: 8,
        max_block_bytes: None,
    },
    KnownNoise {
        name: "rust-libtest",
        reason: "libtest keeps the hook by which threads inherit its capture of the output",
        plumbing: RUST,
        stacks: &[
            // Only libtest's own: a program may add hooks as well.
            &["std::thread::spawnhook::add_spawn_hook*test::test_main*"],
            &[
                "std::thread::spawnhook::add_spawn_hook*",
                "std::thread::local::LocalKey*",
                "std::thread::local::LocalKey*",
                "std::thread::spawnhook::add_spawn_hook*",
                "test::test_main*",
            ],
            // Optimized, all of it is in one function, which no test's own code ever is.
            &["test::test_main*"],
        ],
        max_blocks: 2,
        max_block_bytes: None,
    },
    KnownNoise {
        name: "c++-runtime",
        reason: "the C++ runtime keeps memory for exceptions and its standard streams",
        plumbing: CPP,
        stacks: &[
            &["__cxxabiv1::*"],
            &["__cxa_get_globals*"],
            &["std::__*::ios_base::Init*"],
            &["std::__*::DoIOSInit*"],
        ],
        max_blocks: 16,
        max_block_bytes: None,
    },
    KnownNoise {
        name: "tinygo-runtime",
        reason: "the TinyGo runtime keeps the arguments, the environment and the standard files",
        plumbing: &["runtime.alloc*", "runtime.sliceAppend*", "runtime.stringFromBytes*"],
        stacks: &[
            &["runtime.os_runtime_args*"],
            &["os.runtime_args*"],
            &["syscall.runtime_envs*"],
            &["runtime.syscall_runtime_envs*"],
            &["os.init*"],
        ],
        max_blocks: 32,
        max_block_bytes: None,
    },
    KnownNoise {
        name: "embind-registration",
        reason: "JavaScript keeps what embind registers a function with",
        plumbing: CPP,
        stacks: &[
            &["emscripten::internal::getContext*"],
            &["* (embind_register)"],
            // `operator new` and what it is made of, where functions have no names.
            &["wasm-function[*]", "* (embind_register)"],
            &["wasm-function[*]", "wasm-function[*]", "* (embind_register)"],
        ],
        max_blocks: 4096,
        // Pointers to members: two words at most, and what a lambda captures.
        max_block_bytes: Some(16),
    },
];
