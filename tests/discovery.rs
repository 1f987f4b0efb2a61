//! Allocators that no rule knows.

fn main() {}
