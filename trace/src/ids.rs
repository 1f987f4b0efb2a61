//! Identifiers as types of their own, so that one cannot be taken for another.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($of:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $of);
    };
}

id! {
    /// One hooked function or `memory.grow` of a module: an index into
    /// [`crate::ModuleInfo::tracepoints`].
    TracepointId(u16)
}
id! {
    /// One static, instrumented call: an index into [`crate::SiteTable`].
    SiteId(u32)
}
id! {
    /// A calling context as the guest counts it: 64 bits that stand for a whole stack.
    ///
    /// Probabilistic calling context (Bond and McKinley, OOPSLA 2007): `3 * caller + site`.
    Context(u64)
}
id! {
    /// One core module in a trace; modules are numbered as the host meets them.
    ModuleId(u32)
}
id! {
    /// One thread of the guest; 0 is the first.
    ThreadId(u32)
}
