//! Descriptors that were opened and never closed, if the user wants them judged.

use super::{Analysis, Findings, View, plural, thousands};
use crate::{
    finding::{Finding, FindingKind},
    open_files::OpenFiles,
    profile::Count,
};

pub(crate) struct OpenFilesCheck;

impl Analysis for OpenFilesCheck {
    fn name(&self) -> &'static str {
        "open-files"
    }

    fn run(&self, view: &View<'_>, findings: &mut Findings) {
        if !view.config.track_fds {
            return;
        }
        for files in view.open_files {
            findings.claim(Finding {
                analysis: self.name(),
                kind: FindingKind::OpenFile,
                summary: summary(files),
                stack: files.stack,
                contexts: Vec::new(),
                count: Count { blocks: files.count, bytes: 0 },
                rate: None,
            });
        }
    }
}

fn summary(files: &OpenFiles) -> String {
    let descriptors = match files.kind.as_str() {
        "file" => plural(files.count, "file"),
        "directory" if files.count > 1 => format!("{} directories", thousands(files.count)),
        "directory" => "1 directory".into(),
        _ => plural(files.count, "descriptor"),
    };
    let was = if files.count == 1 { "was" } else { "were" };
    let paths = files.paths.iter().take(3).map(|path| format!("`{path}`"));
    let paths = paths.collect::<Vec<_>>().join(", ");
    let more = if files.paths.len() > 3 { ", …" } else { "" };
    format!("{descriptors} opened and never closed {was} {paths}{more}")
}
