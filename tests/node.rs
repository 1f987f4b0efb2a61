//! Published packages under Node.

fn main() {}
