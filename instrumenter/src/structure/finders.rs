//! Allocators that are found by signs of their own, wherever they stand.
//!
//! To add one: a file with a `find`, and a line in [`LIST`].

use super::{Finding, View, mimalloc, shape, stub, tinygo, tlsf, wee_alloc, zig};
use crate::allocators::shape::Shape;
use seepage_trace::Role;

/// An allocator with signs of its own.
pub(super) struct Finder {
    /// What it is called in reports.
    pub(super) name: &'static str,
    /// Its functions, if the module has it.
    pub(super) find: fn(&View<'_>) -> Found,
    /// A collector in the module gives blocks back.
    pub(super) is_collected: bool,
}

/// All of them.
pub(super) const LIST: &[Finder] = &[
    Finder { name: "assemblyscript", find: tlsf::find, is_collected: true },
    Finder { name: "assemblyscript", find: stub::find, is_collected: true },
    Finder { name: "tinygo", find: tinygo::find, is_collected: true },
    Finder { name: "zig", find: zig::find, is_collected: false },
    Finder { name: "wee_alloc", find: wee_alloc::find, is_collected: false },
    Finder { name: "mimalloc", find: mimalloc::find, is_collected: false },
];

/// What a finder has found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) functions: Vec<FoundFunction>,
    /// Functions of the allocator's own that nobody else would know from the call graph.
    pub(super) own: Vec<u32>,
    /// Why it may not be whole.
    pub(super) doubt: Option<String>,
    /// Parts of it are inlined where nobody would see them.
    pub(super) is_scattered: bool,
}

/// A function of an allocator.
pub(super) struct FoundFunction {
    function: u32,
    shape: Shape,
    sign: &'static str,
}

impl Found {
    /// Adds a function whose parameters are as in `list`, and then what nobody knows.
    pub(super) fn add(
        &mut self,
        view: &View<'_>,
        function: u32,
        role: Role,
        list: &str,
        sign: &'static str,
    ) {
        let parameters = view.integers(function).map_or(0, |(parameters, _)| parameters);
        let shape = shape(role, list, parameters);
        self.functions.push(FoundFunction { function, shape, sign });
    }

    /// The shape of the function that was added last.
    pub(super) fn last_shape(&mut self) -> Option<&mut Shape> {
        self.functions.last_mut().map(|found| &mut found.shape)
    }

    /// The functions, without what is known of them.
    pub(super) fn functions(&self) -> impl Iterator<Item = u32> + '_ {
        self.functions.iter().map(|found| found.function)
    }

    /// The first function of that role.
    pub(super) fn with(&self, role: Role) -> Option<u32> {
        self.functions.iter().find(|it| it.shape.role == role).map(|it| it.function)
    }

    pub(super) fn into_findings(self, finder: &Finder) -> Vec<Finding> {
        let Found { functions, doubt, .. } = self;
        let functions = functions.into_iter();
        functions
            .map(|found| Finding {
                function: found.function,
                shape: found.shape,
                family: finder.name,
                evidence: vec![found.sign.into()],
                is_collected: finder.is_collected,
                doubt: doubt.clone(),
            })
            .collect()
    }
}
