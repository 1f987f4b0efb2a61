//! How many addresses a call under way may keep where nobody can read them: in locals and operands that
//! it will still use.
//!
//! ```text
//! offsets of a stack's calls ─► bodies ─► values   what can be an address at all
//!                                     └─► live     what is read behind the call
//! ```
//!
//! The rest of a frame is known: the shadow stack is memory, and a place in it is no block's
//! address, nor is a constant or what a comparison yields. A body that is not understood keeps
//! any number.

mod live;
mod values;

use crate::verify;
use seepage_trace::{ModuleInfo, abi};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};
use wasmparser::{
    ExternalKind, FuncToValidate, FuncValidator, FunctionBody, Operator, Parser, Payload,
    ValidPayload, Validator, ValidatorResources,
};

/// A body of more operators than compilers make is not looked into.
const MAX_OPERATORS: usize = 1 << 18;
/// Answers that are remembered.
const MAX_ANSWERS: usize = 1 << 16;

/// The code of an instrumented module, to be asked about its calls under way.
#[derive(Debug)]
pub struct Code {
    wasm: Arc<[u8]>,
    /// Globals that may hold an address, by index in the instrumented module.
    globals: BTreeSet<u32>,
    answers: Mutex<BTreeMap<u32, u32>>,
}

/// A function's code, and what its operators mean to the stack.
pub(crate) struct Body<'a> {
    operators: Vec<(Operator<'a>, usize)>,
    /// Before the first operator.
    start: FuncValidator<ValidatorResources>,
    parameters: u32,
}

impl Code {
    /// Takes an instrumented module and what its section says of it. What is damaged about it shows
    /// in the answers.
    pub fn new(wasm: Arc<[u8]>, info: &ModuleInfo) -> Code {
        let globals = address_globals(&wasm, info.layout.stack_pointer).unwrap_or_default();
        Code { wasm, globals, answers: Mutex::default() }
    }

    /// How many addresses the calls at these offsets, which will all go on, may keep together.
    /// `u32::MAX` if there is no telling.
    pub fn kept(&self, calls: &[u32]) -> u32 {
        let Ok(mut answers) = self.answers.lock() else { return u32::MAX };
        let is_unknown = |call: &&u32| !answers.contains_key(call);
        let unknown = calls.iter().filter(is_unknown).map(|&call| (call, u32::MAX));
        let mut found: BTreeMap<u32, u32> = unknown.collect();
        if !found.is_empty() {
            // What cannot be read stays unknown.
            let _ = self.ask(&mut found);
        }
        if answers.len() + found.len() > MAX_ANSWERS {
            answers.clear();
        }
        answers.extend(found);
        let kept = |call: &u32| answers.get(call).copied().unwrap_or(u32::MAX);
        calls.iter().map(kept).fold(0, u32::saturating_add)
    }

    /// Answers what can be answered.
    fn ask(&self, calls: &mut BTreeMap<u32, u32>) -> wasmparser::Result<()> {
        let mut validator = Validator::new_with_features(verify::features());
        for payload in Parser::new(0).parse_all(&self.wasm) {
            let ValidPayload::Func(check, body) = validator.payload(&payload?)? else { continue };
            let range = body.range();
            let within = range.start as u32..range.end as u32;
            if calls.range(within.clone()).next().is_none() {
                continue;
            }
            let Some(body) = Body::read(check, &body)? else { continue };
            let mut values = values::Values::new(&body, &self.globals)?;
            for (&call, kept) in calls.range_mut(within) {
                if let Some(place) = body.place(call) {
                    *kept = values.kept(&body, place)?;
                }
            }
        }
        Ok(())
    }
}

/// The globals under whose export names a host reads addresses, but for the stack pointer.
fn address_globals(wasm: &[u8], stack_pointer: Option<u32>) -> wasmparser::Result<BTreeSet<u32>> {
    let mut globals = BTreeSet::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::ExportSection(exports) = payload? else { continue };
        for export in exports {
            let export = export?;
            let original = export.name.strip_prefix(abi::GLOBAL_EXPORT_PREFIX);
            if let (ExternalKind::Global, Some(original)) = (export.kind, original)
                && original.parse() != Ok(stack_pointer.unwrap_or(u32::MAX))
            {
                globals.insert(export.index);
            }
        }
    }
    Ok(globals)
}

impl<'a> Body<'a> {
    /// `None` if it is too large to be looked into.
    fn read(
        check: FuncToValidate<ValidatorResources>,
        body: &FunctionBody<'a>,
    ) -> wasmparser::Result<Option<Body<'a>>> {
        let mut start = check.into_validator(Default::default());
        let parameters = start.len_locals();
        start.read_locals(&mut body.get_binary_reader())?;
        let mut operators = Vec::new();
        for operator in body.get_operators_reader()?.into_iter_with_offsets() {
            if operators.len() == MAX_OPERATORS {
                return Ok(None);
            }
            operators.push(operator?);
        }
        Ok(Some(Body { operators, start, parameters }))
    }

    /// Which operator stands at an offset of the module.
    fn place(&self, offset: u32) -> Option<usize> {
        self.operators.binary_search_by_key(&(offset as usize), |&(_, at)| at).ok()
    }
}
