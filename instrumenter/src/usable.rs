//! Whether an allocator is asked in the run how much each of its blocks can hold.
//!
//! It is if it has a function for that (`malloc_usable_size`), if nothing else would tell, since its
//! way of keeping blocks is none of those that can be read from an image of the memory, and if nobody
//! would ever notice: the function only reads, but for a frame of its own on the stack in memory.

use crate::{
    discover::{Discovery, Hook},
    facts::Facts,
    graph::CallGraph,
    layout, structure,
};
use seepage_trace::Role;
use std::collections::BTreeSet;
use walrus::{
    FunctionKind, GlobalId, LocalFunction, LocalId, Module,
    ir::{BinaryOp, Instr, InstrSeqId, InstrSeqType},
};

/// With all that it calls, at most so many functions have part in the answer.
const MAX_FUNCTIONS: usize = 16;
/// And none of them is longer, in bytes, or has more blocks in one another.
const MAX_BYTES: u32 = 4096;
const MAX_DEPTH: usize = 64;
/// Allocators whose blocks are read from an image; these prefixes their functions have.
const READ: [&str; 4] = ["dl", "emmalloc_", "mi_", "_mi_"];

/// The hooked function that tells how much a block of `hook`'s family can hold.
pub(crate) fn teller<'a>(discovery: &'a Discovery, hook: &Hook) -> Option<&'a Hook> {
    let is_usable = |it: &&Hook| it.shape.role == Role::UsableSize && it.family == hook.family;
    discovery.hooks.iter().find(is_usable)
}

/// The functions that are asked, by index.
pub(crate) struct Usable(BTreeSet<u32>);

impl Usable {
    pub(crate) fn new(
        module: &Module,
        facts: &Facts<'_>,
        graph: &CallGraph,
        discovery: &Discovery,
    ) -> Usable {
        let asked = discovery.hooks.iter().filter_map(|hook| teller(discovery, hook));
        let mut asked: BTreeSet<u32> = asked.map(|hook| hook.function).collect();
        if !asked.is_empty() {
            let stack_pointer = layout::stack_pointer(module).map(|(_, global)| global);
            asked.retain(|&function| is_quiet(module, facts, graph, stack_pointer, function));
        }
        let inside = || graph.functions().filter(|&function| discovery.is_inside(function));
        let is_read = |function: u32| {
            let name = facts.known_name(function).unwrap_or_default();
            READ.iter().any(|prefix| name.starts_with(prefix))
        };
        if !asked.is_empty()
            && (inside().any(is_read) || structure::is_known(module, facts, graph, inside()))
        {
            asked.clear();
        }
        Usable(asked)
    }

    /// The function that is asked about the blocks of a hooked one.
    pub(crate) fn of(&self, discovery: &Discovery, hook: &Hook) -> Option<u32> {
        let function = teller(discovery, hook)?.function;
        let has_own_addresses = hook.shape.offset == 0;
        (has_own_addresses && self.0.contains(&function)).then_some(function)
    }
}

/// Whether a function and all that it calls read only.
fn is_quiet(
    module: &Module,
    facts: &Facts<'_>,
    graph: &CallGraph,
    stack_pointer: Option<GlobalId>,
    function: u32,
) -> bool {
    let mut seen = BTreeSet::from([function]);
    let mut left = vec![function];
    while let Some(function) = left.pop() {
        let Some(FunctionKind::Local(code)) =
            module.funcs.iter().nth(function as usize).map(|function| &function.kind)
        else {
            return false;
        };
        let is_long = facts.body_size(function).is_none_or(|bytes| bytes > MAX_BYTES);
        if is_long
            || seen.len() > MAX_FUNCTIONS
            || !Frame::new(code, stack_pointer).reads_only(module)
        {
            return false;
        }
        left.extend(graph.callees(function).iter().filter(|&&callee| seen.insert(callee)));
    }
    true
}

/// What a function does with its frame.
struct Frame<'a> {
    code: &'a LocalFunction,
    stack_pointer: Option<GlobalId>,
    /// Locals in which something else has been put than an address in the frame.
    others: BTreeSet<LocalId>,
    /// Locals in which such an address has been put.
    frames: BTreeSet<LocalId>,
    /// Something is done that others can see, or that nobody has looked at.
    is_seen: bool,
    depth: usize,
}

impl<'a> Frame<'a> {
    fn new(code: &'a LocalFunction, stack_pointer: Option<GlobalId>) -> Frame<'a> {
        let (others, frames) = (code.args.iter().copied().collect(), BTreeSet::new());
        Frame { code, stack_pointer, others, frames, is_seen: false, depth: 0 }
    }

    /// Whether it writes nowhere but to its frame. Locals are first taken for addresses in the frame,
    /// until nothing speaks against any more of them.
    fn reads_only(mut self, module: &Module) -> bool {
        loop {
            let before = self.others.len();
            self.is_seen = false;
            self.sequence(module, self.code.entry_block());
            if self.others.len() == before {
                return !self.is_seen;
            }
        }
    }

    fn is_frame(&self, local: LocalId) -> bool {
        self.frames.contains(&local) && !self.others.contains(&local)
    }

    /// Goes through a sequence, with an operand for each that it puts there: whether it is an address
    /// in the frame. What comes from outside is none.
    fn sequence(&mut self, module: &Module, sequence: InstrSeqId) {
        let code = self.code;
        if self.depth == MAX_DEPTH {
            self.is_seen = true;
            return;
        }
        self.depth += 1;
        let mut operands: Vec<bool> = Vec::new();
        for (instruction, _) in &code.block(sequence).instrs {
            self.instruction(module, instruction, &mut operands);
        }
        self.depth -= 1;
    }

    fn instruction(&mut self, module: &Module, instruction: &Instr, operands: &mut Vec<bool>) {
        let mut pop = || operands.pop().unwrap_or(false);
        match instruction {
            Instr::Const(_) | Instr::MemorySize(_) => operands.push(false),
            Instr::LocalGet(get) => operands.push(self.is_frame(get.local)),
            Instr::GlobalGet(get) => operands.push(Some(get.global) == self.stack_pointer),
            Instr::LocalSet(set) => {
                let is_frame = pop();
                self.put(set.local, is_frame);
            }
            Instr::LocalTee(tee) => {
                let is_frame = pop();
                self.put(tee.local, is_frame);
                operands.push(is_frame);
            }
            // The pointer comes back to where it was, or the program would not run.
            Instr::GlobalSet(set) => {
                pop();
                self.is_seen |= Some(set.global) != self.stack_pointer;
            }
            Instr::Load(_) | Instr::Unop(_) => {
                pop();
                operands.push(false);
            }
            Instr::Store(_) => {
                pop();
                self.is_seen |= !pop();
            }
            Instr::Binop(operation) => {
                pop();
                let is_frame = pop();
                let moves = matches!(
                    operation.op,
                    BinaryOp::I32Add | BinaryOp::I32Sub | BinaryOp::I64Add | BinaryOp::I64Sub
                );
                operands.push(is_frame && moves);
            }
            Instr::Select(_) => {
                operands.truncate(operands.len().saturating_sub(3));
                operands.push(false);
            }
            Instr::Drop(_) | Instr::BrIf(_) => _ = pop(),
            Instr::Block(block) => self.inner(module, block.seq, operands),
            Instr::Loop(block) => self.inner(module, block.seq, operands),
            Instr::IfElse(either) => {
                pop();
                self.sequence(module, either.consequent);
                self.inner(module, either.alternative, operands);
            }
            Instr::Call(call) => {
                let ty = module.funcs.get(call.func).ty();
                let (parameters, results) = module.types.params_results(ty);
                operands.truncate(operands.len().saturating_sub(parameters.len()));
                operands.extend(results.iter().map(|_| false));
            }
            // What stands behind these in a sequence is never reached.
            Instr::Br(_) | Instr::BrTable(_) | Instr::Return(_) | Instr::Unreachable(_) => {
                operands.clear();
            }
            _ => self.is_seen = true,
        }
    }

    fn inner(&mut self, module: &Module, sequence: InstrSeqId, operands: &mut Vec<bool>) {
        self.sequence(module, sequence);
        let block = self.code.block(sequence);
        let (taken, results) = match block.ty {
            InstrSeqType::Simple(result) => (0, usize::from(result.is_some())),
            InstrSeqType::MultiValue(ty) => {
                let (taken, results) = module.types.params_results(ty);
                (taken.len(), results.len())
            }
        };
        operands.truncate(operands.len().saturating_sub(taken));
        operands.extend(std::iter::repeat_n(false, results));
    }

    fn put(&mut self, local: LocalId, is_frame: bool) {
        if is_frame { &mut self.frames } else { &mut self.others }.insert(local);
    }
}
