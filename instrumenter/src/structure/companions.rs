//! The functions that belong to a known `malloc`: they share its state.

use super::{Finding, View, prints::Print, shape, whole};
use crate::probe::{MAX_FREES, ProbeFunction};
use seepage_trace::Role;
use std::collections::BTreeSet;

/// A reallocation or an aligned allocation is about so long; what is longer is something else.
const REALLOC_BYTES: std::ops::RangeInclusive<u32> = 100..=1800;
const FORWARD_BYTES: u32 = 16;
const CALLOC_BYTES: u32 = 250;
const MAX_MEMALIGN: u32 = 900;
/// The largest request of an alignment of 0, in dlmalloc's Rust.
const RUST_LIMITS: [i64; 2] = [-65587, -65588];

/// The search for the companions of one `malloc`.
pub(crate) struct Companions<'a> {
    view: &'a View<'a>,
    malloc: u32,
    print: &'a Print,
    /// Functions that names have settled.
    known: &'a [(u32, Role)],
    /// Static addresses of malloc's that few others touch.
    state: BTreeSet<u32>,
    /// What malloc calls and few others do.
    helpers: BTreeSet<u32>,
}

impl<'a> Companions<'a> {
    pub(crate) fn new(
        view: &'a View<'a>,
        malloc: u32,
        print: &'a Print,
        known: &'a [(u32, Role)],
    ) -> Companions<'a> {
        let state = view.features.rare_addresses(malloc).into_iter().collect();
        let callers = |function: u32| view.graph.callers(function).collect::<BTreeSet<_>>().len();
        let helpers = view
            .graph
            .callees(malloc)
            .iter()
            .copied()
            .filter(|&callee| callee != malloc && callers(callee) <= 8)
            .collect();
        Companions { view, malloc, print, known, state, helpers }
    }

    pub(crate) fn find(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut free = self.known(Role::Free);
        let best = match self.print.free {
            Some(is_free) => self.free_by_print(is_free),
            None => self.best(|it| self.free(it)),
        };
        if free.is_none()
            && let Some((function, parameters, evidence)) = best
        {
            let list = if parameters == 1 { "ptr" } else { self.print.free_of_two };
            found.push(self.finding(function, Role::Free, list, parameters, evidence));
            free = Some(function);
        }
        if let Some((function, list)) = free.and_then(|free| self.realloc_by_print(free)) {
            let parameters = self.view.integers(function).map_or(0, |(parameters, _)| parameters);
            let evidence = "calls malloc and free, and has the parameters of their realloc".into();
            found.push(self.finding(function, Role::Realloc, list, parameters, evidence));
        } else if self.known(Role::Realloc).is_none()
            && let Some((function, parameters, evidence)) = self.best(|it| self.realloc(it, free))
        {
            let list = ["", "", "ptr size", "ptr _ size", "ptr old align size"][parameters];
            found.push(self.finding(function, Role::Realloc, list, parameters, evidence));
        }
        let mut taken: BTreeSet<u32> = found.iter().map(|finding| finding.function).collect();
        taken.extend(self.known.iter().map(|(function, _)| function));
        for function in self.view.graph.functions() {
            if taken.contains(&function) || function == self.malloc {
                continue;
            }
            if self.forwards(function) {
                let evidence = "does nothing but call malloc".into();
                found.push(self.finding(function, Role::Malloc, "size", 1, evidence));
            } else if let Some(evidence) = self.calloc(function) {
                found.push(self.finding(function, Role::Calloc, "count size", 2, evidence));
            } else if let Some((role, list, evidence)) = self.memalign(function, free) {
                let parameters = list.split(' ').count();
                found.push(self.finding(function, role, list, parameters, evidence));
            }
        }
        found
    }

    /// Whether a free is among the companions, or known by its name.
    pub(crate) fn has_free(&self, found: &[Finding]) -> bool {
        self.known(Role::Free).is_some() || found.iter().any(|it| it.shape.role == Role::Free)
    }

    /// A function of that role that a name has settled and that itself works on this malloc's
    /// state: one that only leads to the function in question does not stand in for it.
    pub(crate) fn known(&self, role: Role) -> Option<u32> {
        let of_role = self.known.iter().filter(|(_, known)| *known == role);
        of_role.map(|(function, _)| *function).find(|&it| self.shared_state(it) >= 3)
    }

    fn finding(
        &self,
        function: u32,
        role: Role,
        list: &str,
        parameters: usize,
        evidence: String,
    ) -> Finding {
        let shape = shape(role, list, parameters);
        Finding {
            function,
            shape,
            family: self.print.name,
            evidence: vec![evidence],
            is_collected: false,
            doubt: None,
        }
    }

    /// The functions that may give blocks back, the likeliest first, for a probe to try.
    pub(crate) fn free_suspects(&self) -> Vec<ProbeFunction> {
        let functions = self.view.graph.functions();
        let place = whole::place(&self.state);
        let is_there = |address: &u32| place.as_ref().is_some_and(|place| place.contains(address));
        // What both leave to functions of their own, such as whole pages, is state too.
        let deeper = |function: u32| -> BTreeSet<u32> {
            let callees = self.view.graph.callees(function).iter();
            callees.flat_map(|&callee| self.view.features.rare_addresses(callee)).collect()
        };
        let of_helpers = deeper(self.malloc);
        let mut suspects: Vec<(usize, u32, usize)> = functions
            .filter_map(|function| {
                let (parameters @ 1..=5, 0 | 1) = self.view.integers(function)? else {
                    return None;
                };
                let (mut state, helpers) =
                    (self.shared_state(function), self.shared_helpers(function));
                // One of the addresses may have an index folded in.
                let code = self.view.features.of(function);
                let is_near = code.addresses.iter().any(is_there)
                    || (!of_helpers.is_empty() && !deeper(function).is_disjoint(&of_helpers));
                if state == 0 && is_near {
                    state = 1;
                }
                let touches = self.view.features.of(function).stores > 0 || helpers > 0;
                // An allocator may use its own `free` for what is left of a block.
                let is_private = self.view.graph.is_only_called(function)
                    && self.view.graph.callers(function).all(|caller| caller == self.malloc);
                let is_it = touches
                    && state + helpers > 0
                    && function != self.malloc
                    && !is_private
                    && !self.calls(function, self.malloc);
                is_it.then_some((state + 2 * helpers, function, parameters))
            })
            .collect();
        suspects.sort_by_key(|&(score, function, _)| (std::cmp::Reverse(score), function));
        suspects.truncate(MAX_FREES);
        // What frees one thing by freeing others passes a probe as well as what it calls: the inner
        // one goes first.
        let all: Vec<u32> = suspects.iter().map(|&(_, function, _)| function).collect();
        suspects.sort_by_key(|&(_, function, _)| {
            all.iter().any(|&other| other != function && self.calls(function, other))
        });
        let suspects = suspects.into_iter();
        suspects
            .map(|(_, function, arity)| ProbeFunction::new(function, Role::Free, arity))
            .collect()
    }

    /// The function with the highest score.
    fn best(
        &self,
        score: impl Fn(u32) -> Option<(usize, usize, String)>,
    ) -> Option<(u32, usize, String)> {
        self.view
            .graph
            .functions()
            .filter_map(|function| {
                let (score, parameters, evidence) = score(function)?;
                Some((score, std::cmp::Reverse(function), parameters, evidence))
            })
            .max_by_key(|&(score, function, ..)| (score, function))
            .map(|(_, function, parameters, evidence)| (function.0, parameters, evidence))
    }

    fn shared_state(&self, function: u32) -> usize {
        let touched = &self.view.features.of(function).addresses;
        touched.iter().filter(|address| self.state.contains(address)).count()
    }

    fn shared_helpers(&self, function: u32) -> usize {
        let callees: BTreeSet<_> = self.view.graph.callees(function).iter().collect();
        callees.into_iter().filter(|callee| self.helpers.contains(callee)).count()
    }

    fn calls(&self, function: u32, callee: u32) -> bool {
        self.view.graph.callees(function).contains(&callee)
    }

    /// Takes a pointer, gives nothing, changes malloc's state, and is called where malloc is not.
    fn free(&self, function: u32) -> Option<(usize, usize, String)> {
        let Some((parameters @ 1..=2, 0)) = self.view.integers(function) else { return None };
        let code = self.view.features.of(function);
        let (state, helpers) = (self.shared_state(function), self.shared_helpers(function));
        if code.stores < 3 || state + helpers == 0 || self.calls(self.malloc, function) {
            return None;
        }
        let is_called_alone = !self.view.graph.is_only_called(function)
            || self
                .view
                .graph
                .callers(function)
                .any(|caller| caller != self.malloc && !self.calls(caller, self.malloc));
        if !is_called_alone {
            return None;
        }
        let evidence = format!(
            "takes a pointer, shares {state} static addresses and {helpers} helpers with malloc, \
             and is called without it"
        );
        Some((state + 2 * helpers, parameters, evidence))
    }

    /// The only function that the print knows for `malloc`'s `free`, and that is called without it.
    fn free_by_print(
        &self,
        is_free: fn(&View<'_>, u32, u32) -> bool,
    ) -> Option<(u32, usize, String)> {
        let is_alone = |function: u32| {
            let mut callers = self.view.graph.callers(function);
            callers.any(|caller| caller != self.malloc && !self.calls(caller, self.malloc))
        };
        let fits = |&function: &u32| {
            is_free(self.view, self.malloc, function)
                && !self.calls(function, self.malloc)
                && !self.calls(self.malloc, function)
        };
        let fitting: Vec<u32> = self.view.graph.functions().filter(fits).collect();
        // Who frees has the constants near, in what it calls.
        let frees_by_another =
            |function: u32| fitting.iter().any(|&it| it != function && self.calls(function, it));
        let mut frees = fitting.iter().copied().filter(|&it| is_alone(it) && !frees_by_another(it));
        let free = frees.next().filter(|_| frees.next().is_none())?;
        let (parameters, _) = self.view.integers(free)?;
        Some((free, parameters, format!("has the constants of {}'s free", self.print.name)))
    }

    /// The only function with such parameters that calls both.
    fn realloc_by_print(&self, free: u32) -> Option<(u32, &'static str)> {
        let mut found = self.view.graph.functions().filter_map(|function| {
            let (parameters, 1) = self.view.integers(function)? else { return None };
            let fits = |list: &&&str| list.split(' ').count() == parameters;
            let list = self.print.realloc.iter().find(fits)?;
            let is_it = REALLOC_BYTES.contains(&self.view.bytes(function))
                && self.calls(function, self.malloc)
                && self.calls(function, free);
            is_it.then_some((function, *list))
        });
        found.next().filter(|_| found.next().is_none())
    }

    /// `malloc` over `dlmalloc`: a name of its own for the same thing.
    fn forwards(&self, function: u32) -> bool {
        self.view.integers(function) == Some((1, 1))
            && self.view.bytes(function) <= FORWARD_BYTES
            && self.view.graph.callees(function) == [self.malloc]
    }

    /// Multiplies two numbers, checks the product as dlmalloc does, and clears what malloc gives.
    fn calloc(&self, function: u32) -> Option<String> {
        let Some((2, 1)) = self.view.integers(function) else { return None };
        let code = self.view.features.of(function);
        let callees = self.view.graph.callees(function);
        let calls = callees.iter().filter(|&&callee| callee == self.malloc).count();
        let is_it = calls == 1
            && callees.len() <= 2
            && self.view.bytes(function) <= CALLOC_BYTES
            && code.mul > 0
            && code.has_any(&[65535, 65536, -65536]);
        is_it.then(|| "multiplies, checks the product as dlmalloc does, and calls malloc".into())
    }

    /// Takes a block and a size, and uses malloc and free and their state, or what has it.
    fn realloc(&self, function: u32, free: Option<u32>) -> Option<(usize, usize, String)> {
        let Some((parameters @ 2..=4, 1)) = self.view.integers(function) else { return None };
        let bytes = self.view.bytes(function);
        if !REALLOC_BYTES.contains(&bytes) || !self.calls(function, self.malloc) {
            return None;
        }
        let free = free.filter(|&free| self.calls(function, free))?;
        // What works on the heap for it must do so for it alone: else it is a reallocation's user.
        let is_private = |callee: u32| {
            ![self.malloc, free, function].contains(&callee)
                && self.view.graph.callers(callee).all(|caller| caller == function)
        };
        let callees = self.view.graph.callees(function).iter().copied();
        let inner = callees.filter(|&it| is_private(it)).map(|it| self.shared_state(it)).max();
        let own = self.shared_state(function);
        let state = own.max(inner.unwrap_or(0));
        // An allocator's own has no frame on the shadow stack; a program's that the compiler has
        // inlined it into may, and adds its own header besides, as SQLite's does.
        let has_frame = !self.view.features.of(function).global_sets.is_empty();
        if state < 3 || has_frame || (own >= 3 && !self.pads_alike(function)) {
            return None;
        }
        let evidence = format!(
            "calls malloc and free, and it or what it calls shares {state} static addresses with \
             them"
        );
        Some((state, parameters, evidence))
    }

    /// Whether a request is rounded up with malloc's own number. Where a header of the program's has
    /// been added to the size before, as SQLite does, the number is another, and so are the blocks'
    /// addresses.
    fn pads_alike(&self, function: u32) -> bool {
        let pads = |function: u32| -> BTreeSet<i64> {
            let code = self.view.features.of(function);
            [11, 15, 19, 23, 27, 35, 43].into_iter().filter(|&pad| code.has(pad)).collect()
        };
        let (malloc, own) = (pads(self.malloc), pads(function));
        malloc.is_empty() || own.is_empty() || !malloc.is_disjoint(&own)
    }

    /// Calls malloc for more than it hands out, aligns what it gets, and gives back the rest.
    ///
    /// What gives back the rest works on the heap without being `free`; a reallocation uses it too.
    fn memalign(&self, function: u32, free: Option<u32>) -> Option<(Role, &'static str, String)> {
        let (parameters @ 1..=3, 1) = self.view.integers(function)? else { return None };
        let frees = free.is_some_and(|free| self.calls(function, free));
        let is_long = self.view.bytes(function) > MAX_MEMALIGN;
        if is_long || frees || !self.calls(function, self.malloc) {
            return None;
        }
        let has_self = self.view.integers(self.malloc) == Some((2, 1));
        let (role, list) = match parameters {
            1 if !has_self => (Role::Malloc, self.always_aligned(function)?),
            2 => (Role::Memalign, self.aligned_of_two(function)?),
            3 if has_self => (Role::Memalign, self.aligned_with_self(function)?),
            3 => (Role::PosixMemalign, self.aligned_through_pointer(function)?),
            _ => return None,
        };
        let evidence = "calls malloc, and has dlmalloc's limits of an aligned request".into();
        Some((role, list, evidence))
    }

    fn aligned_of_two(&self, function: u32) -> Option<&'static str> {
        let code = self.view.features.of(function);
        // Where each of these is a call of its own, as in Rust without optimisation.
        let is_spelt = || code.has(-9) && code.has(20) && code.stores <= 4;
        // Rust's limit of a request is a number of its own; C's, -64, occurs elsewhere too, so the
        // padding of a request and the disposal of the rest must stand beside it.
        let is_it = code.has_any(&RUST_LIMITS)
            || ((code.has(-64) && self.pads(function)) || is_spelt()) && self.disposes(function);
        // C's are told the alignment first, and Rust's, of which it is a part, the size. An alignment
        // that malloc has anyway leads to a plain call of it.
        let size_first = self.passes(function, 0) && !self.passes(function, 1);
        is_it.then_some(if size_first { "size align" } else { "align size" })
    }

    /// Rust's, told the heap that it passes on.
    fn aligned_with_self(&self, function: u32) -> Option<&'static str> {
        let is_it = self.view.features.of(function).has_any(&RUST_LIMITS)
            && self.pads(function)
            && self.disposes(function);
        let size_first = self.passes(function, 1) && !self.passes(function, 2);
        is_it.then_some(if size_first { "_ size align" } else { "_ align size" })
    }

    /// C's `posix_memalign` around it, with WASI's numbers of the two errors.
    fn aligned_through_pointer(&self, function: u32) -> Option<&'static str> {
        let code = self.view.features.of(function);
        let is_it = [-64, 28, 48].into_iter().all(|it| code.has(it))
            && self.pads(function)
            && self.disposes(function);
        is_it.then_some("out align size")
    }

    /// The alignment is a constant that the compiler has put in: from the limit of a request it is
    /// taken off, and to the padding it is added.
    fn always_aligned(&self, function: u32) -> Option<&'static str> {
        let code = self.view.features.of(function);
        let is_for = |align: i64| {
            code.has(-64 - align) && code.has(align + 12) && code.has_any(&[align - 1, -align])
        };
        let is_it = (4..=16).any(|bits| is_for(1 << bits))
            && self.pads(function)
            && self.disposes(function);
        is_it.then_some("size")
    }

    /// Rounds a request as dlmalloc does.
    fn pads(&self, function: u32) -> bool {
        let code = self.view.features.of(function);
        code.has(-8) && code.has(11)
    }

    /// Calls what takes a piece of a block and its size, with the heap before them where malloc is
    /// told it: then the state that they share is behind it, and no address.
    fn disposes(&self, function: u32) -> bool {
        let has_self = self.view.integers(self.malloc) == Some((2, 1));
        let mut others = self.view.graph.callees(function).iter().filter(|&&it| it != self.malloc);
        others.any(|&callee| match self.view.integers(callee) {
            Some((2, 0)) => self.shared_state(callee) >= 3,
            Some((3, 0)) => has_self && self.view.features.of(callee).stores >= 3,
            _ => false,
        })
    }

    /// Whether it calls malloc with that parameter as it is.
    fn passes(&self, function: u32, parameter: u32) -> bool {
        self.view.features.of(function).passes.contains(&(self.malloc, parameter))
    }
}
