//! Which stack a context value stands for.
//!
//! Values of one module that stand for the same frames share a [`StackId`], so that what a person
//! cannot tell apart is one line of the report. A value whose stack the trace never gave belongs
//! to its module's unknown context. Ids are given by first appearance and never change.

use super::doors::Site;
use crate::{config::Caps, profile::StackId};
use rustc_hash::{FxBuildHasher, FxHashMap};
use seepage_trace::{Context, Frame, ModuleId, Stack};
use std::hash::BuildHasher;

/// Places for values that were looked up of late. A power of two.
const RECENT: usize = 512;

/// One stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StackEntry {
    pub(crate) module: ModuleId,
    pub(crate) frames: Vec<Frame>,
    pub(crate) truncated: bool,
    pub(crate) known: bool,
    /// Who makes its innermost call.
    pub(super) site: Site,
}

impl StackEntry {
    /// Whether the host made the call, or another module: there is nothing in between.
    pub(crate) fn is_hosts(&self) -> bool {
        self.known && self.frames.is_empty() && !self.truncated
    }
}

/// The context values of one module.
#[derive(Clone)]
pub(crate) struct Values {
    module: ModuleId,
    ids: FxHashMap<u64, StackId>,
    unknown: Option<StackId>,
    /// Values that were looked up of late, by their low bits: nearly every event finds its own.
    recent: Box<[(Context, StackId); RECENT]>,
}

impl Values {
    pub(crate) fn new(module: ModuleId) -> Values {
        // An empty place holds a value that belongs in another.
        let mut recent = Box::new([(Context(1), StackId(0)); RECENT]);
        recent[1].0 = Context(0);
        Values { module, ids: FxHashMap::default(), unknown: None, recent }
    }

    /// The stack of `context`, if it was looked up of late.
    #[inline(always)]
    pub(crate) fn recent(&self, context: Context) -> Option<StackId> {
        let (recent, id) = self.recent[context.0 as usize % RECENT];
        (recent == context).then_some(id)
    }

    /// The stack of `context`, if it is known.
    pub(crate) fn get(&mut self, context: Context) -> Option<StackId> {
        let id = self.ids.get(&context.0).copied()?;
        self.recent[context.0 as usize % RECENT] = (context, id);
        Some(id)
    }

    /// The values that stand for a stack, in no order.
    pub(crate) fn of(&self, stack: StackId) -> impl Iterator<Item = (ModuleId, Context)> {
        let values = self.ids.iter().filter(move |&(_, &id)| id == stack);
        values.map(|(&value, _)| (self.module, Context(value)))
    }
}

/// All stacks.
#[derive(Clone)]
pub(crate) struct Stacks {
    entries: Vec<StackEntry>,
    by_hash: FxHashMap<u64, Vec<StackId>>,
    max_stacks: usize,
    max_frames: usize,
    max_values: usize,
    frames_left: usize,
    values: usize,
    /// Stacks that were turned away.
    pub(crate) dropped: u64,
}

impl Stacks {
    pub(crate) fn new(caps: &Caps) -> Stacks {
        Stacks {
            entries: Vec::new(),
            by_hash: FxHashMap::default(),
            // A freed address remembers a stack in 31 bits.
            max_stacks: caps.stacks.min(1 << 30),
            max_frames: caps.frames,
            max_values: caps.stacks.saturating_mul(4),
            values: 0,
            frames_left: caps.all_frames,
            dropped: 0,
        }
    }

    /// Learns what a value stands for. The first stack of a value counts.
    pub(crate) fn learn(&mut self, values: &mut Values, stack: &Stack) {
        if values.ids.contains_key(&stack.context.0) {
            return;
        }
        if self.values >= self.max_values {
            self.dropped += 1;
            return;
        }
        let frames = stack.frames.get(..self.max_frames).unwrap_or(&stack.frames);
        let truncated = stack.truncated || frames.len() < stack.frames.len();
        match self.intern(values.module, frames, truncated) {
            Some(id) => {
                values.ids.insert(stack.context.0, id);
                self.values += 1;
            }
            None => self.dropped += 1,
        }
    }

    /// The number of a stack for which no value stands.
    pub(crate) fn place(&mut self, module: ModuleId, frames: &[Frame]) -> Option<StackId> {
        let kept = frames.get(..self.max_frames).unwrap_or(frames);
        let place = self.intern(module, kept, kept.len() < frames.len());
        self.dropped += u64::from(place.is_none());
        place
    }

    /// The context of everything in `values`' module whose stack is not known.
    #[cold]
    pub(crate) fn unknown(&mut self, values: &mut Values) -> StackId {
        if let Some(id) = values.unknown {
            return id;
        }
        let id = self.push(StackEntry {
            module: values.module,
            frames: Vec::new(),
            truncated: false,
            known: false,
            site: Site::Unknown,
        });
        *values.unknown.insert(id)
    }

    /// Whether a stack that grows the memory is that of a request and, within it, an allocator's
    /// functions. Of stacks that are not known nobody can say that they are not.
    pub(crate) fn leads_through(
        &self,
        grower: StackId,
        request: StackId,
        is_allocators: impl Fn(&str) -> bool,
    ) -> bool {
        let entry = |id: StackId| self.entries.get(id.0 as usize).filter(|entry| entry.known);
        let (Some(grower), Some(request)) = (entry(grower), entry(request)) else { return true };
        let is_cut = grower.truncated || request.truncated;
        (0..=grower.frames.len()).any(|inner| {
            let (allocator, rest) = grower.frames.split_at(inner);
            (is_cut || rest.len() == request.frames.len())
                && rest.iter().zip(&request.frames).all(|(one, other)| is_same_call(one, other))
                && allocator.iter().any(|frame| is_allocators(&frame.function))
        })
    }

    /// What is known of a stack.
    pub(crate) fn get(&self, stack: StackId) -> Option<&StackEntry> {
        self.entries.get(stack.0 as usize)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn entries(&self) -> &[StackEntry] {
        &self.entries
    }

    pub(crate) fn into_entries(self) -> Vec<StackEntry> {
        self.entries
    }

    fn intern(&mut self, module: ModuleId, frames: &[Frame], truncated: bool) -> Option<StackId> {
        let hash = FxBuildHasher.hash_one((module, frames, truncated));
        let same = |id: &&StackId| {
            self.entries.get(id.0 as usize).is_some_and(|entry| {
                entry.known
                    && entry.module == module
                    && entry.truncated == truncated
                    && entry.frames == frames
            })
        };
        if let Some(&id) = self.by_hash.get(&hash).and_then(|ids| ids.iter().find(same)) {
            return Some(id);
        }
        if self.entries.len() >= self.max_stacks {
            return None;
        }
        self.frames_left = self.frames_left.checked_sub(frames.len())?;
        let frames = frames.to_vec();
        let id = self.push(StackEntry {
            module,
            site: Site::new(&frames),
            frames,
            truncated,
            known: true,
        });
        self.by_hash.entry(hash).or_default().push(id);
        Some(id)
    }

    fn push(&mut self, entry: StackEntry) -> StackId {
        let id = StackId(self.entries.len() as u32);
        self.entries.push(entry);
        id
    }
}

/// Whether two frames are one call, however deep the recursion was that led there: that is no part
/// of a context, and a context's stack is that of its first time.
fn is_same_call(one: &Frame, other: &Frame) -> bool {
    let Frame { function, file, line, column, inlined, recursion: _ } = one;
    *function == other.function
        && (line, column, inlined) == (&other.line, &other.column, &other.inlined)
        && *file == other.file
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(context: u64, functions: &[&str]) -> Stack {
        Stack {
            module: ModuleId(0),
            context: Context(context),
            frames: functions.iter().map(|&name| Frame::function(name)).collect(),
            truncated: false,
        }
    }

    #[test]
    fn equal_frames_share_an_id() {
        let mut stacks = Stacks::new(&Caps::default());
        let mut values = Values::new(ModuleId(0));
        stacks.learn(&mut values, &stack(1, &["a", "b"]));
        stacks.learn(&mut values, &stack(2, &["a", "b"]));
        stacks.learn(&mut values, &stack(3, &["a"]));
        stacks.learn(&mut values, &stack(3, &["the first counts"]));
        assert_eq!(values.get(Context(1)), Some(StackId(0)));
        assert_eq!(values.get(Context(2)), Some(StackId(0)));
        assert_eq!(values.get(Context(3)), Some(StackId(1)));
        assert_eq!(values.recent(Context(2)), Some(StackId(0)));
        assert_eq!(values.recent(Context(0)), None, "the shortcut starts empty");
        assert_eq!(Values::new(ModuleId(0)).recent(Context(1)), None, "everywhere");
        assert_eq!(stacks.unknown(&mut values), StackId(2));
        assert_eq!(stacks.unknown(&mut values), StackId(2));
        assert_eq!(stacks.into_entries()[0].frames.len(), 2);
    }

    #[test]
    fn a_recursion_may_be_deeper_when_the_memory_grows() {
        let mut stacks = Stacks::new(&Caps::default());
        let mut values = Values::new(ModuleId(0));
        let mut request = stack(1, &["visit", "main"]);
        request.frames[0].recursion = true;
        stacks.learn(&mut values, &request);
        stacks.learn(&mut values, &stack(2, &["sbrk", "malloc", "visit", "main"]));
        stacks.learn(&mut values, &stack(3, &["sbrk", "malloc", "look", "main"]));
        let leads = |grower| stacks.leads_through(grower, StackId(0), |name| name == "malloc");
        assert!(leads(StackId(1)));
        assert!(!leads(StackId(2)));
    }

    #[test]
    fn caps_hold() {
        let caps = Caps { stacks: 1, frames: 1, ..Caps::default() };
        let mut stacks = Stacks::new(&caps);
        let mut values = Values::new(ModuleId(0));
        stacks.learn(&mut values, &stack(1, &["a", "b"]));
        stacks.learn(&mut values, &stack(2, &["c"]));
        assert_eq!(stacks.dropped, 1);
        assert_eq!(values.get(Context(2)), None);
        let entries = stacks.into_entries();
        assert_eq!((entries[0].frames.len(), entries[0].truncated), (1, true));
    }
}
