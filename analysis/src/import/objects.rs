//! Which address stands for which object of a log.
//!
//! An object is known by its type and id. It gets an address of its own, which is only a name: the
//! module of a log has no memory. Memory is bounded by the live objects: of the dropped ones only
//! the last are remembered, and their addresses serve again.

use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// Addresses are multiples of it, for which the heap model has a dense table.
const STEP: u64 = 8;
/// Stands for whatever was never allocated. Lower ones are no blocks to the heap model.
const NOWHERE: u64 = 64;
/// Dropped objects that are remembered, to tell a second drop from one of nothing.
pub(super) const REMEMBERED: usize = 1 << 20;

/// What a drop is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    /// The live object at this address, and whether the size is another than when it was allocated.
    Live(u64, bool),
    /// An object that was dropped before.
    Again(u64),
    /// None that is known; the address is no object's.
    Nothing(u64),
}

#[derive(Clone, Copy, Debug)]
struct Object {
    addr: u64,
    size: u64,
    is_live: bool,
}

/// The objects of a log. A key is the hash of an object's type and id.
pub(super) struct Objects {
    by_key: FxHashMap<u64, Object>,
    /// By address of a live object: the live object whose id was given to it as well.
    beneath: FxHashMap<u64, Object>,
    /// Keys of dropped objects, the first to be forgotten in front.
    dropped: VecDeque<u64>,
    remembered: usize,
    vacant: Vec<u64>,
    next: u64,
}

impl Objects {
    pub(super) fn new(remembered: usize) -> Objects {
        Objects {
            by_key: FxHashMap::default(),
            beneath: FxHashMap::default(),
            dropped: VecDeque::new(),
            remembered,
            vacant: Vec::new(),
            next: NOWHERE + STEP,
        }
    }

    /// The address of a new object, and whether a live one has the id already. Both are live then,
    /// since nobody dropped the first; the next drop is of the second.
    pub(super) fn allocate(&mut self, key: u64, size: u64) -> (u64, bool) {
        let known = self.by_key.get(&key).copied();
        let (addr, is_twice) = match known {
            Some(object) if !object.is_live => (object.addr, false),
            Some(object) => {
                let addr = self.address();
                self.beneath.insert(addr, object);
                (addr, true)
            }
            None => (self.address(), false),
        };
        self.by_key.insert(key, Object { addr, size, is_live: true });
        (addr, is_twice)
    }

    pub(super) fn drop(&mut self, key: u64, size: u64) -> Dropped {
        let Some(object) = self.by_key.get_mut(&key) else { return Dropped::Nothing(NOWHERE) };
        if !object.is_live {
            return Dropped::Again(object.addr);
        }
        let Object { addr, size: allocated, .. } = *object;
        if let Some(first) = self.beneath.remove(&addr) {
            *object = first;
            self.vacant.push(addr);
        } else {
            object.is_live = false;
            self.remember(key);
        }
        Dropped::Live(addr, size != allocated)
    }

    fn address(&mut self) -> u64 {
        self.vacant.pop().unwrap_or_else(|| {
            self.next += STEP;
            self.next - STEP
        })
    }

    fn remember(&mut self, key: u64) {
        self.dropped.push_back(key);
        if self.dropped.len() <= self.remembered {
            return;
        }
        // It may be live again, under the same id.
        if let Some(oldest) = self.dropped.pop_front()
            && let Some(object) = self.by_key.get(&oldest).filter(|object| !object.is_live)
        {
            self.vacant.push(object.addr);
            self.by_key.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_lives_once_or_in_layers() {
        let mut objects = Objects::new(9);
        let (one, _) = objects.allocate(1, 10);
        let (two, _) = objects.allocate(2, 20);
        assert_ne!(one, two);
        assert_eq!(objects.drop(1, 10), Dropped::Live(one, false));
        assert_eq!(objects.drop(1, 10), Dropped::Again(one));
        assert_eq!(objects.drop(3, 10), Dropped::Nothing(NOWHERE));
        assert_eq!(objects.allocate(1, 10), (one, false));
        let (again, is_twice) = objects.allocate(2, 30);
        assert!(is_twice && again != one && again != two);
        assert_eq!(objects.drop(2, 20), Dropped::Live(again, true));
        assert_eq!(objects.drop(2, 20), Dropped::Live(two, false));
        assert_eq!(objects.drop(2, 20), Dropped::Again(two));
    }

    #[test]
    fn dropped_objects_are_forgotten_and_live_ones_never() {
        let mut objects = Objects::new(2);
        let (kept, _) = objects.allocate(5000, 1);
        for key in 0..1000 {
            objects.allocate(key, 1);
            assert!(matches!(objects.drop(key, 1), Dropped::Live(..)));
        }
        assert!(objects.next < NOWHERE + 8 * STEP && objects.by_key.len() < 8);
        assert!(matches!(objects.drop(999, 1), Dropped::Again(_)));
        assert_eq!(objects.drop(1, 1), Dropped::Nothing(NOWHERE));
        assert_eq!(objects.drop(5000, 1), Dropped::Live(kept, false));
    }
}
