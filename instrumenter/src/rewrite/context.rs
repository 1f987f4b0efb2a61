//! Counts calling contexts, and leads calls to the wrappers.
//!
//! Probabilistic calling context (Bond and McKinley, OOPSLA 2007). A function on the way to an
//! allocator takes three times the global on entry; before each call on that way it sets the
//! global to that plus the site's own number. A return needs nothing, so neither exceptions nor
//! traps matter. A call within a group of mutually recursive functions passes the context on
//! unchanged, so that recursion does not multiply contexts:
//!
//! ```text
//!   local.get $caller3  i64.const <site>  i64.add  global.set $context    ;; any other call
//!   local.get $caller   global.set $context                               ;; a recursive call
//! ```

use super::Replacements;
use crate::{
    discover::Discovery,
    graph::{CallGraph, IndirectReach, Reaching, index_of},
};
use walrus::{
    FunctionId, FunctionKind, GlobalId, LocalFunction, LocalId, Module, ValType,
    ir::{
        BinaryOp, Binop, Call, Const, GlobalGet, GlobalSet, Instr, InstrLocId, InstrSeq, LocalGet,
        LocalSet, LocalTee, Value, VisitorMut, dfs_pre_order_mut,
    },
};

/// A call that was instrumented, by its offset in the original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OriginalSite {
    pub(crate) offset: u32,
    pub(crate) is_recursive: bool,
}

/// What decides about every call.
pub(crate) struct Rewriter<'a> {
    pub(crate) graph: &'a CallGraph,
    pub(crate) discovery: &'a Discovery,
    pub(crate) reaching: &'a Reaching,
    pub(crate) indirect: &'a IndirectReach<'a>,
    pub(crate) replacements: &'a Replacements,
    pub(crate) groups: Vec<u32>,
    pub(crate) context: Option<GlobalId>,
}

/// The number of a site: well spread, so that sums of a few of them do not meet.
fn site_number(seed: u64) -> u64 {
    // SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), whose output for distinct seeds is distinct.
    let z = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// The context in which the host calls a function: contexts start anew there.
pub(crate) fn entry_number(function: u32) -> u64 {
    site_number(1 << 63 | u64::from(function))
}

impl Rewriter<'_> {
    /// Rewrites all functions of the original; returns the sites by rising offset.
    pub(crate) fn functions(&self, module: &mut Module, ids: &[FunctionId]) -> Vec<OriginalSite> {
        let mut sites = Vec::new();
        for &id in ids {
            let function = index_of(id);
            if !self.reaching.contains(function) {
                continue;
            }
            let caller = module.locals.add(ValType::I64);
            let caller3 = module.locals.add(ValType::I64);
            let FunctionKind::Local(local) = &mut module.funcs.get_mut(id).kind else { continue };
            let mut walk = Walk {
                rewriter: self,
                function,
                caller,
                caller3,
                sites: &mut sites,
                uses: Uses::default(),
            };
            let entry = local.entry_block();
            dfs_pre_order_mut(&mut walk, local, entry);
            let uses = walk.uses;
            self.begin(function, local, (caller, caller3), uses);
        }
        sites.sort_unstable_by_key(|site| site.offset);
        sites
    }

    /// Puts the prologue in front of a function that has sites.
    fn begin(
        &self,
        function: u32,
        local: &mut LocalFunction,
        (caller, caller3): (LocalId, LocalId),
        uses: Uses,
    ) {
        let Some(context) = self.context else { return };
        if !uses.caller && !uses.caller3 {
            return;
        }
        let mut prologue: Vec<Instr> = Vec::new();
        let constant = |value: u64| Instr::from(Const { value: Value::I64(value as i64) });
        if self.graph.is_only_exported(function) {
            let entry = entry_number(function);
            if uses.caller {
                prologue.extend([constant(entry), LocalSet { local: caller }.into()]);
            }
            if uses.caller3 {
                let tripled = entry.wrapping_mul(3);
                prologue.extend([constant(tripled), LocalSet { local: caller3 }.into()]);
            }
        } else {
            prologue.push(GlobalGet { global: context }.into());
            if uses.caller {
                prologue.push(if uses.caller3 {
                    LocalTee { local: caller }.into()
                } else {
                    LocalSet { local: caller }.into()
                });
            }
            if uses.caller3 {
                prologue.extend([
                    constant(3),
                    Binop { op: BinaryOp::I64Mul }.into(),
                    LocalSet { local: caller3 }.into(),
                ]);
            }
        }
        let entry = local.entry_block();
        let added = prologue.into_iter().map(|instr| (instr, InstrLocId::default()));
        local.block_mut(entry).instrs.splice(0..0, added);
    }

    /// Whether a direct call from `caller` to `callee` stays within a circle of calls. What enters
    /// the allocator never counts as that: it is where a stack's innermost frame comes from.
    fn is_recursive(&self, caller: u32, callee: u32) -> bool {
        let group = |function: u32| self.groups.get(function as usize);
        let enters = self.discovery.is_inside(callee) && !self.discovery.is_inside(caller);
        !enters && group(caller) == group(callee)
    }
}

/// Which of its two locals a function's sites read.
#[derive(Clone, Copy, Default)]
struct Uses {
    caller: bool,
    caller3: bool,
}

struct Walk<'a> {
    rewriter: &'a Rewriter<'a>,
    function: u32,
    caller: LocalId,
    caller3: LocalId,
    sites: &'a mut Vec<OriginalSite>,
    uses: Uses,
}

impl Walk<'_> {
    /// Whether the call is a site, and then whether it is recursive; leads it to its wrapper.
    fn site(&self, instr: &mut Instr) -> Option<bool> {
        let Rewriter { reaching, indirect, replacements, discovery, .. } = self.rewriter;
        let direct = |callee: &mut FunctionId| {
            let index = index_of(*callee);
            if let Some(&asker) = replacements.askers.get(callee)
                && discovery.host_growth.callers.contains(&self.function)
            {
                *callee = asker;
                return Some(false);
            }
            let is_recursive = self.rewriter.is_recursive(self.function, index);
            if !discovery.is_inside(self.function)
                && let Some(&wrapper) = replacements.wrappers.get(callee)
            {
                *callee = wrapper;
            }
            reaching.contains(index).then_some(is_recursive)
        };
        match instr {
            Instr::Call(call) => direct(&mut call.func),
            Instr::ReturnCall(call) => direct(&mut call.func),
            Instr::CallIndirect(call) => indirect.contains(call.ty).then_some(false),
            Instr::ReturnCallIndirect(call) => indirect.contains(call.ty).then_some(false),
            Instr::CallRef(call) => indirect.contains(call.ty).then_some(false),
            Instr::ReturnCallRef(call) => indirect.contains(call.ty).then_some(false),
            Instr::MemoryGrow(grow) => {
                let func = *replacements.growers.get(&grow.memory)?;
                *instr = Call { func }.into();
                Some(false)
            }
            _ => None,
        }
    }
}

impl VisitorMut for Walk<'_> {
    fn start_instr_seq_mut(&mut self, seq: &mut InstrSeq) {
        let mut rewritten = Vec::with_capacity(seq.instrs.len());
        for (mut instr, location) in std::mem::take(&mut seq.instrs) {
            if let Some(is_recursive) = self.site(&mut instr) {
                if let Some(context) = self.rewriter.context {
                    let mut add = |instr: Instr| rewritten.push((instr, InstrLocId::default()));
                    if is_recursive {
                        self.uses.caller = true;
                        add(LocalGet { local: self.caller }.into());
                    } else {
                        self.uses.caller3 = true;
                        let number = site_number(u64::from(location.data()));
                        add(LocalGet { local: self.caller3 }.into());
                        add(Const { value: Value::I64(number as i64) }.into());
                        add(Binop { op: BinaryOp::I64Add }.into());
                    }
                    add(GlobalSet { global: context }.into());
                }
                self.sites.push(OriginalSite { offset: location.data(), is_recursive });
            }
            rewritten.push((instr, location));
        }
        seq.instrs = rewritten;
    }

    fn visit_ref_func_mut(&mut self, reference: &mut walrus::ir::RefFunc) {
        if let Some(&wrapper) = self.rewriter.replacements.wrappers.get(&reference.func) {
            reference.func = wrapper;
        }
    }
}
