//! What a caller may ask for.

use crate::allocators::shape::{Answer, Parameter};
use seepage_trace::Role;
use std::str::FromStr;

/// How to instrument.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// What the module is called in reports.
    pub module_name: String,
    /// How records leave the guest.
    pub transport: TransportKind,
    /// Whether records carry their calling context.
    pub contexts: Contexts,
    /// Allocators that the user names.
    pub alloc_fns: Vec<AllocFn>,
    /// Exports whose return to the host marks the moment.
    pub mark_exports: Vec<String>,
    /// Bytes to fill blocks with.
    pub fill: Option<Fill>,
    /// The JavaScript that loads the module: it may tell its exports apart.
    pub glue: Option<String>,
    /// Take modules with a shared memory: the host sees to it that one thread at a time uses it for
    /// as long as it takes their records. What several write has no order.
    pub shared_memory: bool,
    /// The same module with its names or its DWARF, where the one to instrument was stripped.
    pub companion: Option<Vec<u8>>,
}

/// How records leave the guest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransportKind {
    /// Through a ring in a second memory: fast, needs an engine with multi-memory.
    #[default]
    Ring,
    /// One call of an import a record: for every engine.
    Call,
}

/// With what blocks are filled, as `BYTE` or `BYTE,BYTE`: the second is for freed blocks.
///
/// ```
/// use seepage_instrumenter::Fill;
/// assert_eq!("0xaa,221".parse(), Ok(Fill { allocated: 0xaa, freed: 0xdd }));
/// assert!("256".parse::<Fill>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// What a new block is filled with.
    pub allocated: u8,
    /// What a freed block is filled with.
    pub freed: u8,
}

impl FromStr for Fill {
    type Err = String;

    fn from_str(text: &str) -> Result<Fill, String> {
        let byte = |text: &str| {
            let read = match text.strip_prefix("0x") {
                Some(digits) => u8::from_str_radix(digits, 16),
                None => text.parse(),
            };
            read.map_err(|_| format!("`{text}` is no byte; write 170 or 0xaa"))
        };
        let (allocated, freed) = text.split_once(',').unwrap_or((text, text));
        Ok(Fill { allocated: byte(allocated)?, freed: byte(freed)? })
    }
}

/// Whether records carry their calling context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Contexts {
    /// They do.
    #[default]
    On,
    /// They do not: less code and time, and reports without stacks.
    Off,
}

/// A function that the user says is an allocator's, as `NAME=ROLE` or `NAME=ROLE(PARAMETERS)`.
///
/// `NAME` is a function's name, an export's, or `f123` for the function with that index. `ROLE` is
/// one of [`Role`]'s names. `PARAMETERS` say what each parameter is, where it is not as in C:
/// `size`, `count`, `ptr`, `align`, `old` (the old size), `out` (where to store the pointer), `_`.
///
/// ```
/// use seepage_instrumenter::AllocFn;
/// assert!("pool_alloc=malloc(_,size)".parse::<AllocFn>().is_ok());
/// assert!("pool_alloc=mallok".parse::<AllocFn>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllocFn {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) parameters: Option<Vec<Parameter>>,
    /// What its result means, where the role alone does not say.
    pub(crate) answer: Option<Answer>,
    /// A probe says so, and not the user.
    pub(crate) is_probed: bool,
}

impl FromStr for AllocFn {
    type Err = String;

    fn from_str(text: &str) -> Result<AllocFn, String> {
        let (name, what) = text
            .rsplit_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| format!("`{text}` is not of the form NAME=ROLE"))?;
        let (role, parameters) = match what.split_once('(') {
            None => (what, None),
            Some((role, rest)) => {
                let list = rest
                    .strip_suffix(')')
                    .ok_or_else(|| format!("`{what}` lacks its closing parenthesis"))?;
                (role, Some(Parameter::list(list)?))
            }
        };
        let role = Role::from_name(role).filter(|role| role.is_allocators()).ok_or_else(|| {
            let roles = Role::ALL.iter().filter(|role| role.is_allocators());
            let names: Vec<_> = roles.map(|role| role.name()).collect();
            format!("`{role}` is no role; roles are {}", names.join(", "))
        })?;
        Ok(AllocFn { name: name.into(), role, parameters, answer: None, is_probed: false })
    }
}
