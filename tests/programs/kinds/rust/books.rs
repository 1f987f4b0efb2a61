//! What a guest says of its own heap; see c/kinds.h for the lines.
#![allow(dead_code, reason = "each guest uses a part of it")]

use std::cell::Cell;
use std::io::Write;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;

#[derive(Clone, Copy)]
pub enum Kind {
    Lost,
    Indirect,
    Possible,
    Reachable,
}

const NAMES: [&str; 4] = ["definitely_lost", "indirectly_lost", "possibly_lost", "still_reachable"];

thread_local! {
    /// Blocks and bytes, as complements, so that no sum looks like an address.
    static BOOKS: Cell<[[usize; 2]; 4]> = const { Cell::new([[!0; 2]; 4]) };
}

pub fn state(kind: Kind, bytes: usize) {
    let mut books = BOOKS.get();
    books[kind as usize][0] -= 1;
    books[kind as usize][1] -= bytes;
    BOOKS.set(books);
}

/// Writes to stdout without `std::io::stdout`, which would allocate its buffer.
pub fn say(text: std::fmt::Arguments) {
    let mut line = [0; 160];
    let mut rest = &mut line[..];
    let _ = rest.write_fmt(text);
    let length = 160 - rest.len();
    // Not ours to close.
    let mut stdout = ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(1) });
    let _ = stdout.write_all(&line[..length]);
}

pub fn expect(words: &str) {
    say(format_args!("expect {words}\n"));
}

pub fn tell() {
    for (kind, books) in BOOKS.get().iter().enumerate() {
        say(format_args!("expect {} {} {}\n", NAMES[kind], !books[0], !books[1]));
    }
}

pub type Scenario = (&'static str, fn());

/// Runs the scenario whose name is the first argument, and tells.
pub fn run(all: &[Scenario]) {
    let Some(run) = scenario(all) else { std::process::exit(2) };
    run();
    tell();
}

/// The name is gone before the scenario begins.
#[inline(never)]
fn scenario(all: &[Scenario]) -> Option<fn()> {
    let name = std::env::args().nth(1)?;
    all.iter().find(|(known, _)| *known == name).map(|&(_, run)| run)
}
