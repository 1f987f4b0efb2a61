//! What a function does that leaves records: one of an allocator, or one by which the program speaks
//! to whoever watches its heap.

/// The role of a function, in C's words where C has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Gives a new block: `malloc`, `operator new`, `__rust_alloc`, `__new`.
    Malloc,
    /// Gives a new, zeroed block: `calloc`, `__rust_alloc_zeroed`.
    Calloc,
    /// Resizes or moves a block.
    Realloc,
    /// Takes a block back.
    Free,
    /// Gives a block of an alignment that the caller chooses: `memalign`.
    Memalign,
    /// C11's `aligned_alloc`.
    AlignedAlloc,
    /// `posix_memalign`, which returns the block through a pointer.
    PosixMemalign,
    /// Tells how much an allocated block can hold: `malloc_usable_size`. Not an event.
    UsableSize,
    /// Grows a linear memory: the `memory.grow` instruction.
    Grow,
    /// Marks the moment: `seepage_mark`, and LeakSanitizer's leak checks.
    Mark,
    /// Says that a block is no leak: `__lsan_ignore_object`.
    IgnoreObject,
    /// Says that what is allocated from here on is no leak: `__lsan_disable`.
    Disable,
    /// Takes the last [`Role::Disable`] back.
    Enable,
    /// Says that a stretch of memory holds addresses: `__lsan_register_root_region`.
    RegisterRegion,
    /// Takes that back.
    UnregisterRegion,
}

impl Role {
    /// All roles, in the order of their numbers in the format.
    pub const ALL: [Role; 15] = [
        Role::Malloc,
        Role::Calloc,
        Role::Realloc,
        Role::Free,
        Role::Memalign,
        Role::AlignedAlloc,
        Role::PosixMemalign,
        Role::UsableSize,
        Role::Grow,
        Role::Mark,
        Role::IgnoreObject,
        Role::Disable,
        Role::Enable,
        Role::RegisterRegion,
        Role::UnregisterRegion,
    ];

    /// The word for it in options, reports and messages.
    pub fn name(self) -> &'static str {
        match self {
            Role::Malloc => "malloc",
            Role::Calloc => "calloc",
            Role::Realloc => "realloc",
            Role::Free => "free",
            Role::Memalign => "memalign",
            Role::AlignedAlloc => "aligned_alloc",
            Role::PosixMemalign => "posix_memalign",
            Role::UsableSize => "malloc_usable_size",
            Role::Grow => "memory.grow",
            Role::Mark => "mark",
            Role::IgnoreObject => "ignore_object",
            Role::Disable => "disable",
            Role::Enable => "enable",
            Role::RegisterRegion => "register_root_region",
            Role::UnregisterRegion => "unregister_root_region",
        }
    }

    /// Whether it is a function of an allocator.
    pub fn is_allocators(self) -> bool {
        self.allocates() || matches!(self, Role::Free | Role::UsableSize)
    }

    /// Whether it gives blocks.
    pub fn allocates(self) -> bool {
        matches!(
            self,
            Role::Malloc
                | Role::Calloc
                | Role::Realloc
                | Role::Memalign
                | Role::AlignedAlloc
                | Role::PosixMemalign
        )
    }

    /// The role of that name.
    pub fn from_name(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }

    pub(crate) fn code(self) -> u8 {
        Role::ALL.iter().position(|&role| role == self).unwrap_or(0) as u8
    }

    pub(crate) fn from_code(code: u8) -> Option<Role> {
        Role::ALL.get(usize::from(code)).copied()
    }
}
