//! The families of allocators that are known by name, one descriptor file each.
//!
//! To add a family: a file with a `FAMILY`, and a line in [`LIST`]. A descriptor only says what
//! names mean; [`crate::discover`] decides what is hooked. All of a family's functions may be
//! hooked at once, at every level, because a call from one allocator function to another is never
//! booked: the outermost function that the program calls gets the block. For that, all levels of
//! a family must hand out the same address for the same block; where one does not,
//! [`Known::offset`] says how far off it is.

mod assemblyscript;
pub(crate) mod cpp;
pub(crate) mod emscripten;
pub(crate) mod libc;
mod napi;
pub(crate) mod rust;
pub(crate) mod shape;
mod tinygo;
mod wasm_bindgen;
mod zig;

use seepage_trace::Role;

/// All families. Where two know one name the earlier one wins.
pub(crate) const LIST: &[&Family] = &[
    &rust::FAMILY,
    &wasm_bindgen::FAMILY,
    &cpp::FAMILY,
    &libc::FAMILY,
    &emscripten::FAMILY,
    &zig::FAMILY,
    &assemblyscript::FAMILY,
    &tinygo::FAMILY,
    &napi::FAMILY,
];

/// A family of allocator functions.
pub(crate) struct Family {
    /// What it is called in reports.
    pub(crate) name: &'static str,
    /// Its functions.
    pub(crate) functions: &'static [Known],
    /// Blocks are taken back by a garbage collector inside the module.
    pub(crate) collected: bool,
    /// Its functions are so short that compilers put them into their callers, names or not.
    pub(crate) inlined: bool,
}

/// A function of a family.
pub(crate) struct Known {
    /// Its names, demangled, in the name section or as exports; `*` stands for anything.
    pub(crate) names: &'static [&'static str],
    /// What it does.
    pub(crate) role: Role,
    /// The meaning of its parameters, in the notation of [`shape::Parameter`]: one entry for each
    /// number of parameters that the function is seen with.
    pub(crate) parameters: &'static [&'static str],
    /// What to add to its block addresses to get the one that the family's other functions use.
    pub(crate) offset: u32,
    /// What its result means.
    pub(crate) result: shape::Answer,
    /// It only leads from the host to an allocator inside, which the module's own code calls
    /// without it: to hook it alone would show half of the picture.
    pub(crate) is_door: bool,
}

impl Known {
    pub(crate) const fn new(
        role: Role,
        names: &'static [&'static str],
        parameters: &'static [&'static str],
    ) -> Known {
        let result = match role {
            Role::Free => shape::Answer::None,
            Role::PosixMemalign => shape::Answer::ThroughPointer,
            _ => shape::Answer::Address,
        };
        Known { names, role, parameters, offset: 0, result, is_door: false }
    }

    pub(crate) const fn at_offset(self, offset: u32) -> Known {
        Known { offset, ..self }
    }

    pub(crate) const fn in_place(self) -> Known {
        Known { result: shape::Answer::InPlace, ..self }
    }

    pub(crate) const fn door(self) -> Known {
        Known { is_door: true, ..self }
    }

    /// Whether the function goes by that name.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.names.iter().any(|pattern| matches(pattern, name))
    }
}

/// Whether `name` matches `pattern`, in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((front, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(front) else { return false };
    if rest.is_empty() {
        return true;
    }
    (0..=name.len()).filter(|&at| name.is_char_boundary(at)).any(|at| matches(rest, &name[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(matches("malloc", "malloc"));
        assert!(!matches("malloc", "dlmalloc"));
        assert!(matches("*::malloc", "a::b::malloc"));
        assert!(matches("a*b*c", "axxbyyc"));
        assert!(!matches("a*b*c", "axxbyy"));
        assert!(matches("*", ""));
    }

    /// A hostile name must not make the matcher slow: the work is bounded by the pattern's stars.
    #[test]
    fn every_pattern_has_few_stars() {
        for known in LIST.iter().flat_map(|family| family.functions) {
            for name in known.names {
                assert!(name.matches('*').count() <= 2, "{name}");
            }
        }
    }

    #[test]
    fn every_parameter_list_fits_its_role() {
        for family in LIST {
            for known in family.functions {
                for list in known.parameters {
                    let parameters = shape::Parameter::list(list).expect(list);
                    assert!(shape::Shape::lacks(known.role, &parameters).is_none(), "{list}");
                }
            }
        }
    }
}
