//! What the parameters and the result of an allocator function mean.

use seepage_trace::Role;

/// What a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parameter {
    /// Bytes wanted, or, of a `free`, the bytes that the caller says the block has.
    Size,
    /// A factor of the size, as `calloc` has.
    Count,
    /// The block to resize or to take back.
    Pointer,
    /// The alignment wanted.
    Align,
    /// The size that the caller says the block has, of a reallocation.
    OldSize,
    /// Where to store the block's address.
    Out,
    /// Something else.
    Other,
}

const WORDS: [(Parameter, &str); 7] = [
    (Parameter::Size, "size"),
    (Parameter::Count, "count"),
    (Parameter::Pointer, "ptr"),
    (Parameter::Align, "align"),
    (Parameter::OldSize, "old"),
    (Parameter::Out, "out"),
    (Parameter::Other, "_"),
];

impl Parameter {
    /// A list in words, separated by commas or blanks.
    pub(crate) fn list(text: &str) -> Result<Vec<Parameter>, String> {
        text.split([',', ' '])
            .filter(|word| !word.is_empty())
            .map(|word| {
                let known = WORDS.iter().find(|(_, name)| *name == word);
                known.map(|(parameter, _)| *parameter).ok_or_else(|| {
                    let words: Vec<_> = WORDS.iter().map(|(_, name)| *name).collect();
                    format!("`{word}` is no parameter; parameters are {}", words.join(", "))
                })
            })
            .collect()
    }
}

/// What a function's result means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The block's address, or 0.
    Address,
    /// Nothing about blocks.
    None,
    /// 0 if the block's address has been stored through [`Parameter::Out`].
    ThroughPointer,
    /// Not 0 if the block could be resized where it is.
    InPlace,
}

/// The meaning of one function's parameters and result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) role: Role,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) answer: Answer,
    pub(crate) offset: u32,
}

impl Shape {
    /// Index of the parameter of that meaning.
    pub(crate) fn index(&self, wanted: Parameter) -> Option<usize> {
        self.parameters.iter().position(|&parameter| parameter == wanted)
    }

    /// What a parameter list needs for a role and does not have.
    pub(crate) fn lacks(role: Role, parameters: &[Parameter]) -> Option<&'static str> {
        let needs: &[(Parameter, &str)] = match role {
            Role::Malloc | Role::Calloc | Role::Memalign | Role::AlignedAlloc => {
                &[(Parameter::Size, "size")]
            }
            Role::Realloc => &[(Parameter::Pointer, "ptr"), (Parameter::Size, "size")],
            Role::Free | Role::UsableSize => &[(Parameter::Pointer, "ptr")],
            Role::PosixMemalign => &[(Parameter::Out, "out"), (Parameter::Size, "size")],
            // No function of an allocator's.
            _ => &[],
        };
        needs.iter().find(|(needed, _)| !parameters.contains(needed)).map(|(_, word)| *word)
    }

    /// The parameter lists that a role has in C, for functions that the user names.
    pub(crate) fn default_parameters(role: Role) -> &'static [&'static str] {
        match role {
            Role::Malloc => &["size", "size align"],
            Role::Calloc => &["count size", "size"],
            Role::Realloc => &["ptr size", "ptr old size", "ptr old align size"],
            Role::Free => &["ptr", "ptr size", "ptr size align"],
            Role::Memalign | Role::AlignedAlloc => &["align size"],
            Role::PosixMemalign => &["out align size"],
            Role::UsableSize => &["ptr"],
            _ => &[],
        }
    }

    /// The parameters in words.
    pub(crate) fn describe(&self) -> String {
        let word = |parameter: &Parameter| {
            WORDS.iter().find(|(known, _)| known == parameter).map_or("_", |(_, word)| *word)
        };
        self.parameters.iter().map(word).collect::<Vec<_>>().join(", ")
    }
}
