//! Descriptors that the guest opened and never closed, by kind and by the place that opened them.

use crate::profile::StackId;
use rustc_hash::FxHashMap;
use seepage_trace::{ModuleId, OpenFile};

/// Paths that are listed of one place.
const MAX_PATHS: usize = 16;

/// Descriptors of one kind from one place that were never closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFiles {
    /// The module that opened them.
    pub module: ModuleId,
    /// What they are, such as `file` or `directory`.
    pub kind: String,
    /// How many.
    pub count: u64,
    /// Under which paths, each once: the first of them.
    pub paths: Vec<String>,
    /// The calls that opened them; nothing if there were too many stacks to keep it.
    pub stack: Option<StackId>,
}

/// Those of a run.
#[derive(Clone)]
pub(crate) struct OpenFileList {
    list: Vec<OpenFiles>,
    places: FxHashMap<(ModuleId, String, Option<StackId>), usize>,
    max: usize,
    /// Descriptors of places beyond the cap.
    pub(crate) dropped: u64,
}

impl OpenFileList {
    pub(crate) fn new(max: usize) -> OpenFileList {
        OpenFileList { list: Vec::new(), places: FxHashMap::default(), max, dropped: 0 }
    }

    pub(crate) fn add(&mut self, file: &OpenFile, stack: Option<StackId>) {
        let OpenFile { module, ref kind, ref path, .. } = *file;
        let place = (module, kind.clone(), stack);
        let known = self.places.get(&place).copied();
        if known.is_none() && self.list.len() >= self.max {
            self.dropped += 1;
            return;
        }
        let index = known.unwrap_or_else(|| {
            let paths = Vec::new();
            self.list.push(OpenFiles { module, kind: kind.clone(), count: 0, paths, stack });
            self.places.insert(place, self.list.len() - 1);
            self.list.len() - 1
        });
        let files = &mut self.list[index];
        files.count += 1;
        if files.paths.len() < MAX_PATHS && !files.paths.contains(path) {
            files.paths.push(path.clone());
        }
    }

    /// All of them, the most first.
    pub(crate) fn finish(mut self) -> Vec<OpenFiles> {
        self.list.sort_by_key(|files| std::cmp::Reverse(files.count));
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(kind: &str, path: &str) -> OpenFile {
        let (kind, path) = (kind.into(), path.into());
        OpenFile { module: ModuleId(0), descriptor: 4, kind, path, frames: Vec::new() }
    }

    #[test]
    fn one_line_a_place() {
        let mut files = OpenFileList::new(2);
        files.add(&file("directory", "d"), Some(StackId(1)));
        files.add(&file("file", "a"), Some(StackId(1)));
        files.add(&file("file", "b"), Some(StackId(1)));
        files.add(&file("file", "b"), Some(StackId(1)));
        files.add(&file("file", "c"), Some(StackId(2)));
        assert_eq!(files.dropped, 1);
        let list = files.finish();
        assert_eq!((list[0].count, list[0].paths.len()), (3, 2));
        assert_eq!((&*list[1].kind, list[1].count), ("directory", 1));
    }
}
