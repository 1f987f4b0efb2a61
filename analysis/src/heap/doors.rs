//! Through which door a block came, and which doors may take it back.
//!
//! What `malloc` gave is for `free`, what `new` gave for `delete`, and what `new[]` gave for
//! `delete[]`. The tracepoint of an event is the outermost function that the program called, so a
//! `delete` that ends in `free` is one of `delete`. The instrumenter puts C++'s doors into families
//! of their own only where the module calls them; where a compiler may have dissolved them in the
//! code around, they stay in one family, and nobody is accused. Of Rust's and wasm-bindgen's doors
//! nothing is claimed: the shims are inlined unevenly, and what JavaScript allocates Rust may free.

use super::stacks::StackEntry;
use seepage_trace::Tracepoint;

/// A group of functions that give and take back the same blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    C,
    New,
    NewArray,
    /// One of which nothing is claimed.
    Any,
}

/// The doors of a module.
#[derive(Clone, Debug, Default)]
pub(super) struct Doors {
    /// By tracepoint. Empty where there are no two that are known to be apart.
    doors: Vec<Door>,
}

impl Doors {
    pub(super) fn new(tracepoints: &[Tracepoint]) -> Doors {
        let door = |tracepoint: &Tracepoint| match tracepoint.family.as_str() {
            "libc" | "emscripten" => Door::C,
            "c++ new" => Door::New,
            "c++ new[]" => Door::NewArray,
            _ => Door::Any,
        };
        let doors: Vec<Door> = tracepoints.iter().map(door).collect();
        let are_apart = doors.iter().any(|door| matches!(door, Door::New | Door::NewArray));
        Doors { doors: if are_apart { doors } else { Vec::new() } }
    }

    /// Whether there is anything to tell apart.
    #[inline]
    pub(super) fn are_apart(&self) -> bool {
        !self.doors.is_empty()
    }

    /// Whether what came by one tracepoint must not go by the other.
    pub(super) fn are_strangers(&self, one: usize, other: usize) -> bool {
        let door = |at: usize| self.doors.get(at).copied().unwrap_or(Door::Any);
        let (one, other) = (door(one), door(other));
        one != other && one != Door::Any && other != Door::Any
    }
}

/// Whether the call was made in a door that is part of the function around it: then it was not the
/// function called that the program had named.
pub(super) fn is_in_a_door(stack: &StackEntry) -> bool {
    let frames = stack.frames.iter().take_while(|frame| frame.inlined);
    frames.into_iter().any(|frame| {
        frame.function.starts_with("operator new") || frame.function.starts_with("operator delete")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use seepage_trace::{Frame, ModuleId, Role};

    fn doors(families: &[&str]) -> Doors {
        let tracepoint = |family: &&str| Tracepoint {
            index: 0,
            function: String::new(),
            role: Role::Malloc,
            family: (*family).into(),
            how: String::new(),
        };
        Doors::new(&families.iter().map(tracepoint).collect::<Vec<_>>())
    }

    #[test]
    fn only_what_is_known_to_be_apart_is_strange() {
        let apart = doors(&["libc", "c++ new", "c++ new[]", "custom", "emscripten"]);
        assert!(
            apart.are_strangers(0, 1) && apart.are_strangers(1, 2) && apart.are_strangers(2, 4)
        );
        assert!(!apart.are_strangers(0, 4) && !apart.are_strangers(1, 3));
        assert!(!doors(&["libc", "c++"]).are_apart());
    }

    #[test]
    fn an_inlined_door_is_no_door_of_its_own() {
        let stack = |inlined: bool| StackEntry {
            module: ModuleId(0),
            frames: vec![
                Frame { inlined, ..Frame::function("operator delete(void*)") },
                Frame::function("main"),
            ],
            truncated: false,
            known: true,
        };
        assert!(is_in_a_door(&stack(true)));
        assert!(!is_in_a_door(&stack(false)));
    }
}
