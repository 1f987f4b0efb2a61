//! Through which door a block came, and which doors may take it back.
//!
//! What `malloc` gave is for `free`, what `new` gave for `delete`, what `new[]` gave for `delete[]`,
//! and what Rust's global allocator gave for that alone. The tracepoint of an event is the outermost
//! function that the program called, so a `delete` that ends in `free` is one of `delete`. The
//! instrumenter puts C++'s doors and Rust's into families of their own only where the module calls
//! them; where a compiler may have dissolved them in the code around, nobody is accused, unless the
//! lines of a call show whose it is. What the host does by C's doors may be either's: where it hands
//! memory over to Rust, it has no other.

use super::stacks::StackEntry;
use seepage_trace::{Frame, Tracepoint};

/// A group of functions that give and take back the same blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    C,
    New,
    NewArray,
    /// One of C++'s of which it is not known which.
    AnyOfCpp,
    Rust,
    /// One that leads the host to Rust's.
    RustForTheHost,
    /// One of which nothing is claimed.
    Any,
}

/// The doors of a module.
#[derive(Clone, Debug, Default)]
pub(super) struct Doors {
    /// By tracepoint.
    doors: Vec<Door>,
    /// There are two that are known to be apart.
    are_apart: bool,
    /// All that Rust's allocator gives goes by doors of its own.
    rust_is_whole: bool,
    /// A call of C's was seen that is one of Rust's allocator.
    rust_is_inlined: bool,
}

/// Who makes a call of an allocator, as far as its lines tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Site {
    /// Rust's global allocator, which is part of the function around.
    RustsAllocator,
    /// C or C++, and nothing else is part of the function around.
    C,
    Unknown,
}

impl Doors {
    pub(super) fn new(tracepoints: &[Tracepoint]) -> Doors {
        let is_there = |family: &str| tracepoints.iter().any(|it| it.family == family);
        let rust_is_whole = is_there("rust shims");
        let rust_is_apart = rust_is_whole || is_there("rust inlined");
        let door = |tracepoint: &Tracepoint| match tracepoint.family.as_str() {
            "libc" | "emscripten" => Door::C,
            "c++" => Door::AnyOfCpp,
            "c++ new" => Door::New,
            "c++ new[]" => Door::NewArray,
            "rust shims" | "rust inlined" => Door::Rust,
            // These lead to Rust's, and nothing else of that family does.
            "wasm-bindgen" if rust_is_apart && tracepoint.function.starts_with("__wbindgen_") => {
                Door::RustForTheHost
            }
            _ => Door::Any,
        };
        let doors: Vec<Door> = tracepoints.iter().map(door).collect();
        let are_apart =
            doors.iter().any(|door| matches!(door, Door::New | Door::NewArray | Door::Rust));
        Doors { doors, are_apart, rust_is_whole, rust_is_inlined: false }
    }

    /// The module has a context with that stack.
    pub(super) fn learn(&mut self, frames: &[Frame]) {
        if !self.rust_is_whole && !self.rust_is_inlined {
            self.rust_is_inlined = Site::new(frames) == Site::RustsAllocator;
        }
    }

    /// Whether there is anything to tell apart.
    #[inline]
    pub(super) fn are_apart(&self) -> bool {
        self.are_apart || self.rust_is_inlined
    }

    /// Whether what came by one tracepoint may be for another door than the other one. If not, it is
    /// for that, whoever calls.
    #[inline]
    pub(super) fn may_be_strangers(&self, one: usize, other: usize) -> bool {
        let (one, other) = (self.door(one), self.door(other));
        one != other && one != Door::Any && other != Door::Any
            || self.rust_is_inlined && one == Door::C && other == Door::C
    }

    /// Whether the host gives back by one tracepoint what Rust's code was given by another, so that
    /// both speak of the same size.
    pub(super) fn give_back(&self, by: usize, from: usize) -> bool {
        self.rust_is_whole && (self.door(by), self.door(from)) == (Door::RustForTheHost, Door::Rust)
    }

    /// Whether what came by one call must not go by the other.
    pub(super) fn are_strangers(
        &self,
        one: (usize, &StackEntry),
        other: (usize, &StackEntry),
    ) -> bool {
        if let (Some(one), Some(other)) = (self.is_rusts(one), self.is_rusts(other))
            && (one || other)
        {
            return one != other;
        }
        match (self.door(one.0), self.door(other.0)) {
            (Door::C | Door::New | Door::NewArray, Door::AnyOfCpp) => false,
            (Door::AnyOfCpp, Door::C | Door::New | Door::NewArray) => false,
            (Door::Any | Door::Rust | Door::RustForTheHost, _) => false,
            (_, Door::Any | Door::Rust | Door::RustForTheHost) => false,
            (one_door, other_door) => {
                one_door != other_door && !is_in_a_door(one.1) && !is_in_a_door(other.1)
            }
        }
    }

    fn door(&self, tracepoint: usize) -> Door {
        self.doors.get(tracepoint).copied().unwrap_or(Door::Any)
    }

    /// Whether the call is one of Rust's allocator, if that is certain.
    fn is_rusts(&self, (tracepoint, stack): (usize, &StackEntry)) -> Option<bool> {
        match self.door(tracepoint) {
            Door::Any => None,
            Door::Rust | Door::RustForTheHost => Some(true),
            _ if !stack.known || stack.is_hosts() => None,
            // A program may call the allocator that its global one is by its own name.
            _ if self.rust_is_whole => (stack.site != Site::RustsAllocator).then_some(false),
            Door::C => match stack.site {
                Site::RustsAllocator => Some(true),
                Site::C => Some(false),
                Site::Unknown => None,
            },
            // Rust has no calls of C++'s.
            _ => Some(false),
        }
    }
}

impl Site {
    /// Of the innermost call of a stack.
    pub(super) fn new(frames: &[Frame]) -> Site {
        let around = || function_around(frames);
        if around().any(is_rusts_allocator) {
            Site::RustsAllocator
        } else if !frames.is_empty() && around().all(is_c) {
            Site::C
        } else {
            Site::Unknown
        }
    }
}

/// The innermost function that stands in the module, behind those that are part of it.
fn function_around(frames: &[Frame]) -> impl Iterator<Item = &Frame> {
    let inlined = frames.iter().take_while(|frame| frame.inlined).count();
    frames.iter().take(inlined + 1)
}

/// The function by which a program in Rust calls its allocator, as its compiler names it in full or
/// by the last name alone, or one of the allocator's.
fn is_rusts_allocator(frame: &Frame) -> bool {
    frame.function.starts_with("alloc::alloc::")
        || frame.function.contains(" as core::alloc::global::GlobalAlloc>::")
        || frame.file.as_ref().is_some_and(|file| file.ends_with("/library/alloc/src/alloc.rs"))
}

fn is_c(frame: &Frame) -> bool {
    const C: [&str; 8] = ["c", "h", "cc", "hh", "cpp", "hpp", "cxx", "hxx"];
    let extension = frame.file.as_deref().and_then(|file| file.rsplit_once('.'));
    extension.is_some_and(|(_, extension)| C.contains(&extension))
}

/// What the program calls an allocator's function: that of a tracepoint, or, where a call of C's is
/// one of Rust's allocator, what that is called.
pub(crate) fn name<'a>(tracepoint: &'a Tracepoint, frames: &'a [Frame]) -> &'a str {
    let of_rust = || function_around(frames).find(|frame| is_rusts_allocator(frame));
    match tracepoint.family.as_str() {
        "libc" | "emscripten" => of_rust().map_or(&tracepoint.function, |frame| &frame.function),
        _ => &tracepoint.function,
    }
}

/// Whether the call was made in a door that is part of the function around it: then it was not the
/// function called that the program had named.
fn is_in_a_door(stack: &StackEntry) -> bool {
    let frames = stack.frames.iter().take_while(|frame| frame.inlined);
    frames.into_iter().any(|frame| {
        frame.function.starts_with("operator new") || frame.function.starts_with("operator delete")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use seepage_trace::{ModuleId, Role};

    fn doors(families: &[&str]) -> Doors {
        let tracepoint = |family: &&str| Tracepoint {
            index: 0,
            function: "__wbindgen_free".into(),
            role: Role::Malloc,
            family: (*family).into(),
            how: String::new(),
        };
        Doors::new(&families.iter().map(tracepoint).collect::<Vec<_>>())
    }

    fn frame(function: &str, file: &str, inlined: bool) -> Frame {
        let file = Some(file.into()).filter(|_| !file.is_empty());
        Frame { inlined, file, ..Frame::function(function) }
    }

    fn stack(frames: Vec<Frame>) -> StackEntry {
        let site = Site::new(&frames);
        StackEntry { module: ModuleId(0), frames, truncated: false, known: true, site }
    }

    fn in_c() -> StackEntry {
        stack(vec![frame("put", "list.h", true), frame("main", "main.c", false)])
    }

    fn in_rust() -> StackEntry {
        stack(vec![frame("main", "src/main.rs", false)])
    }

    fn in_rusts_allocator() -> StackEntry {
        let file = "/rustc/0/library/alloc/src/alloc.rs";
        stack(vec![frame("dealloc", file, true), frame("main", "src/main.rs", false)])
    }

    #[test]
    fn only_what_is_known_to_be_apart_is_strange() {
        let apart = doors(&["libc", "c++ new", "c++ new[]", "custom", "emscripten", "c++"]);
        let main = stack(vec![frame("main", "", false)]);
        let strange = |one, other| {
            let is = apart.are_strangers((one, &main), (other, &main));
            assert!(!is || apart.may_be_strangers(one, other));
            is
        };
        assert!(strange(0, 1) && strange(1, 2) && strange(2, 4));
        assert!(!strange(0, 4) && !strange(1, 3) && !strange(5, 0) && !strange(1, 5));
        assert!(!doors(&["libc", "c++"]).are_apart());
        assert!(!doors(&["libc", "rust"]).are_apart(), "Rust's may be C's by another name");
    }

    #[test]
    fn an_inlined_door_is_no_door_of_its_own() {
        let stack = |inlined| {
            stack(vec![frame("operator delete(void*)", "", inlined), frame("main", "", false)])
        };
        assert!(is_in_a_door(&stack(true)));
        assert!(!is_in_a_door(&stack(false)));
    }

    #[test]
    fn all_that_is_not_rusts_is_strange_to_it_where_its_shims_are_whole() {
        let doors = doors(&["rust shims", "libc", "c++", "wasm-bindgen", "custom"]);
        let (main, host) = (in_rust(), stack(Vec::new()));
        let strange = |one, other| doors.are_strangers((one, &main), (other, &main));
        assert!(strange(0, 1) && strange(1, 0) && strange(0, 2) && strange(3, 1));
        let system = in_rusts_allocator();
        assert!(!doors.are_strangers((0, &main), (1, &system)), "Rust's allocator by its name");
        assert!(!strange(0, 3) && !strange(0, 4) && !strange(1, 1) && !strange(1, 2));
        assert!(doors.are_strangers((1, &main), (3, &host)), "it can only be Rust's");
        assert!(!doors.are_strangers((0, &main), (1, &host)), "the host has nothing else");
        let unknown = StackEntry { known: false, ..stack(Vec::new()) };
        assert!(!doors.are_strangers((0, &main), (1, &unknown)));
    }

    #[test]
    fn where_shims_are_dissolved_only_lines_tell() {
        let mut doors = doors(&["libc", "libc", "rust inlined"]);
        let strange = |doors: &Doors, one: &StackEntry, other: &StackEntry| {
            doors.may_be_strangers(0, 1) && doors.are_strangers((0, one), (1, other))
        };
        let (c, rust, allocator) = (in_c(), in_rust(), in_rusts_allocator());
        assert!(!strange(&doors, &allocator, &c), "nobody has looked yet");
        doors.learn(&allocator.frames);
        assert!(strange(&doors, &allocator, &c) && strange(&doors, &c, &allocator));
        assert!(!strange(&doors, &rust, &c) && !strange(&doors, &rust, &allocator));
        assert!(!strange(&doors, &c, &c) && !strange(&doors, &allocator, &allocator));
        assert!(doors.are_strangers((2, &rust), (0, &c)));
        assert!(!doors.are_strangers((2, &rust), (0, &allocator)));
        assert!(!doors.are_strangers((2, &rust), (0, &rust)), "it may be a shim");
    }

    #[test]
    fn one_line_of_rust_makes_a_call_doubtful() {
        let mixed = vec![frame("put", "list.h", true), frame("main", "src/main.rs", false)];
        assert_eq!(Site::new(&mixed), Site::Unknown);
        assert_eq!(Site::new(&[]), Site::Unknown);
        assert_eq!(Site::new(&in_c().frames), Site::C);
        // What is further out does not count.
        let outer = vec![frame("put", "list.c", false), frame("main", "src/main.rs", false)];
        assert_eq!(Site::new(&outer), Site::C);
        let system = "<std::alloc::System as core::alloc::global::GlobalAlloc>::dealloc";
        for without_lines in ["alloc::alloc::dealloc", system] {
            let frames = [Frame::function(without_lines)];
            assert_eq!(Site::new(&frames), Site::RustsAllocator);
        }
    }
}
