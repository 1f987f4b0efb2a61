//! What the calls under way may hold in locals and operands: see [`seepage_trace::locals`].

use crate::{abi::Address, guests};
use seepage_instrumenter::Code;
use seepage_trace::{
    Frame, ModuleId, SiteTable, State,
    locals::{self, CallUnderWay, Innermost},
};
use std::{cell::RefCell, collections::BTreeMap};

thread_local! {
    /// By guest, as far as JavaScript has handed it over.
    static CODE: RefCell<BTreeMap<u32, Code>> = const { RefCell::new(BTreeMap::new()) };
}

/// Stands for a call of a module that is no guest's.
const NOBODY: u32 = u32::MAX;

/// The code of a guest's module, which may be asked about its calls from now on.
#[unsafe(no_mangle)]
extern "C" fn seepage_code(guest: u32, wasm: Address, length: usize) {
    let code = |table: &SiteTable| Code::new(wasm.bytes(length).into(), &table.module);
    if let Some(code) = guests::with_table(guest, code) {
        CODE.with_borrow_mut(|all| all.insert(guest, code));
    }
}

/// How many addresses the calls of a stack may hold, all ones for any number. For each call there are
/// its guest, the function's index and the offset, the innermost first. `way` says what comes of
/// that one: 0 if it goes on, 1 if it has exited, 2 if it has trapped.
#[unsafe(no_mangle)]
extern "C" fn seepage_hidden(calls: Address, count: usize, is_cut: i32, way: u32) -> u32 {
    let innermost = match way {
        1 => Innermost::Exits,
        2 => Innermost::Traps,
        _ => Innermost::GoesOn,
    };
    let mut numbers = calls.numbers(count * 3);
    let stack = std::iter::from_fn(|| {
        let (guest, function, offset) = (numbers.next()?, numbers.next()?, numbers.next()?);
        let call = CallUnderWay { module: ModuleId(guest), function, offset: Some(offset) };
        Some((guest != NOBODY).then_some(call))
    });
    let stack: Vec<Option<CallUnderWay>> = stack.collect();
    locals::hidden(&stack, is_cut != 0, innermost, &Guests)
}

struct Guests;

impl locals::Code for Guests {
    fn is_original(&self, call: CallUnderWay) -> bool {
        let is_original = |table: &SiteTable| table.is_original(call.function);
        guests::with_table(call.module.0, is_original).unwrap_or(true)
    }

    fn kept(&self, module: ModuleId, offsets: &[u32]) -> u32 {
        CODE.with_borrow(|all| all.get(&module.0).map_or(State::UNBOUNDED, |it| it.kept(offsets)))
    }

    fn frames(&self, call: CallUnderWay) -> Vec<Frame> {
        let frames = |table: &SiteTable| table.frames(call.function, call.offset);
        guests::with_table(call.module.0, frames).unwrap_or_default()
    }
}
