//! The suppressions of a session: the built-in ones, the user's, and what the modules bring along.

use crate::{
    config::Config,
    suppressions::{self, Origin, Rule},
};

/// The most of a module's text of suppressions that is read.
const MAX_TEXT: usize = 1 << 20;
/// What is said about such texts, at most.
const MAX_REMARKS: usize = 64;

/// All rules, in the order in which they are tried.
#[derive(Clone)]
pub(super) struct Rules {
    pub(super) list: Vec<Rule>,
    /// What is to be said of them.
    pub(super) remarks: Vec<String>,
    /// How many a module may still bring; none if these are switched off.
    room: Option<usize>,
}

impl Rules {
    pub(super) fn new(config: &Config) -> Rules {
        let mut list = Vec::new();
        if config.builtin_suppressions {
            list.extend(suppressions::builtin());
        }
        list.extend(config.suppressions.iter().cloned());
        let room = config.module_suppressions.then_some(config.caps.module_rules);
        Rules { list, remarks: Vec::new(), room }
    }

    /// Takes a module's rules. What is none in the text is passed over, and said.
    pub(super) fn add(&mut self, text: &str, origin: &str) {
        let Some(room) = &mut self.room else { return };
        let mut end = text.len().min(MAX_TEXT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let (rules, errors) = suppressions::lenient(&text[..end], origin, Origin::Module);
        let dropped = rules.len().saturating_sub(*room);
        *room -= rules.len() - dropped;
        let kept = rules.len() - dropped;
        self.list.extend(rules.into_iter().take(kept));
        if let Some(error) = errors.first() {
            let more = match errors.len() - 1 {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            self.remark(format!("a suppression of the module is not understood: {error}{more}"));
        }
        if dropped > 0 {
            self.remark(format!("{dropped} suppressions of the module are too many"));
        }
        if end < text.len() {
            self.remark("the module's suppressions are cut off at 1 MiB".into());
        }
    }

    fn remark(&mut self, remark: String) {
        if self.remarks.len() < MAX_REMARKS {
            self.remarks.push(remark);
        }
    }
}
