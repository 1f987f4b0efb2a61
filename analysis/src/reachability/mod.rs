//! Which blocks something still points to, and what hangs on each.
//!
//! The mathematics of leak kinds: [`graph`] finds the references between blocks, [`marking`] tells
//! which blocks are lost, [`dominators`] what each retains. Nothing here knows calling contexts,
//! modules or reports; [`crate::heap`] has the blocks, and [`crate::leaks`] puts both together.

pub(crate) mod dominators;
pub(crate) mod graph;
pub(crate) mod marking;

#[cfg(test)]
mod tests;
