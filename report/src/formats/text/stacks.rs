//! Stacks as lines of `function  file:line`, aligned and cut to what a person can read.

use super::{
    page::{Page, Style},
    selection::select,
    words::{clean, shorten},
};
use crate::schema::{Context, Frame, Report};

/// Frames that are shown of a stack that matters.
pub(super) const MANY: usize = 12;
/// And of one that is there for completeness.
pub(super) const FEW: usize = 6;

/// What all paths of a report begin with, and nobody wants to read in each line.
#[derive(Debug, Default)]
pub(super) struct Prefix(String);

impl Prefix {
    /// The longest directory that all the files are in, of which one name is left.
    pub(super) fn of<'a>(frames: impl Iterator<Item = &'a Frame>) -> Prefix {
        let mut common: Option<String> = None;
        for file in frames.filter_map(|frame| frame.file.as_deref()) {
            if !is_absolute(file) || toolchain(file).is_some() {
                continue;
            }
            let directory = &file[..file.rfind(['/', '\\']).map_or(0, |at| at + 1)];
            common = Some(match common {
                None => directory.into(),
                Some(common) => shared_directory(&common, directory).into(),
            });
        }
        let mut prefix = common.unwrap_or_default();
        // `src/main.c` says more than `main.c`.
        let inner = prefix.trim_end_matches(['/', '\\']);
        let keep = inner.rfind(['/', '\\']).map_or(0, |at| at + 1);
        prefix.truncate(keep);
        Prefix(prefix)
    }

    fn strip<'a>(&self, file: &'a str) -> &'a str {
        toolchain(file).unwrap_or_else(|| file.strip_prefix(self.0.as_str()).unwrap_or(file))
    }
}

fn is_absolute(file: &str) -> bool {
    file.starts_with(['/', '\\']) || file.as_bytes().get(1) == Some(&b':')
}

fn shared_directory<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    // A separator is one byte and never part of another character.
    let end = one.as_bytes()[..same].iter().rposition(|byte| matches!(byte, b'/' | b'\\'));
    &one[..end.map_or(0, |at| at + 1)]
}

/// The part of a path that matters, in a library that came with the toolchain or a registry.
fn toolchain(file: &str) -> Option<&str> {
    if let Some(rest) = file.strip_prefix("/rustc/") {
        return rest.split_once('/').map(|(_, path)| path);
    }
    if let Some((_, path)) = file.split_once("/rustlib/src/rust/") {
        return Some(path);
    }
    let (_, registry) = file.split_once("/registry/src/")?;
    registry.split_once('/').map(|(_, path)| path)
}

/// How a stack is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Columns before it.
    pub(super) indent: usize,
    /// Frames to show; of a longer stack, [`select`] says which.
    pub(super) frames: usize,
}

/// Who has called the allocator where no frame of the module was in between.
pub(super) fn by_the_host(function: Option<&str>) -> String {
    match function {
        Some(function) => format!("by the host, which called {}", clean(function)),
        None => "by the host, which called it directly".into(),
    }
}

/// The host's own calls, where what has no stack is surely those: of a module, or of any. What has
/// none because it is not known looks the same.
pub(super) fn of_the_host(report: &Report, module: Option<u64>) -> Option<&Context> {
    let is_asked = |it: &&Context| module.is_none_or(|module| module == it.module);
    let mut bare = report.contexts.iter().filter(is_asked).filter(|it| it.frames.is_empty());
    let first = bare.next().filter(|it| it.known)?;
    bare.all(|it| it.known).then_some(first)
}

/// Adds the stack of an allocation: if it has no frames, it was made in `context` of the host.
pub(super) fn render_allocation(
    frames: &[Frame],
    truncated: bool,
    context: Option<&Context>,
    layout: Layout,
    prefix: &Prefix,
    page: &mut Page<'_>,
) {
    match context.filter(|_| frames.is_empty()) {
        Some(context) => {
            let function = match context.allocator.as_slice() {
                [function] => Some(function.as_str()),
                _ => None,
            };
            page.line(&format!("{}{}", " ".repeat(layout.indent), by_the_host(function)));
        }
        None => render(frames, truncated, layout, prefix, page),
    }
}

/// Adds a stack.
pub(super) fn render(
    frames: &[Frame],
    truncated: bool,
    layout: Layout,
    prefix: &Prefix,
    page: &mut Page<'_>,
) {
    let Layout { indent, frames: most } = layout;
    let margin = " ".repeat(indent);
    if frames.is_empty() {
        let text = page.paint(Style::Dim, "(its stack is not known)");
        page.line(&format!("{margin}{text}"));
        return;
    }
    let selected = select(frames, most);
    let shown = || selected.iter().map(|&at| &frames[at]);

    let room = page.width().saturating_sub(indent);
    let places: Vec<String> = shown().map(|frame| place(frame, prefix)).collect();
    let widest_place = places.iter().map(|place| place.chars().count()).max().unwrap_or(0);
    let for_names = room.saturating_sub(widest_place + 2).max(room / 2);
    let names: Vec<String> = shown().map(|frame| name(frame, for_names, page)).collect();
    let column = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);

    let mut next = 0;
    for ((&at, name), place) in selected.iter().zip(&names).zip(&places) {
        left_out(at - next, &margin, page);
        next = at + 1;
        let gap = " ".repeat(column - name.chars().count() + 2);
        let place = shorten(place, room.saturating_sub(column + 2), page.ellipsis());
        let place = page.paint(Style::Dim, &place);
        let name = page.paint(Style::Function, name);
        page.line(&format!("{margin}{name}{gap}{place}"));
    }
    left_out(frames.len() - next, &margin, page);
    if truncated {
        let text = format!("{} outer frames are not known", page.ellipsis());
        let text = page.paint(Style::Dim, &text);
        page.line(&format!("{margin}{text}"));
    }
}

/// One frame in a line of something else.
pub(super) fn line(frame: &Frame, prefix: &Prefix) -> String {
    format!("{}  {}", clean(&frame.function), place(frame, prefix)).trim_end().to_string()
}

fn left_out(count: usize, margin: &str, page: &mut Page<'_>) {
    let frames = match count {
        0 => return,
        1 => "frame",
        _ => "frames",
    };
    let text = format!("{} {count} {frames}", page.ellipsis());
    let text = page.paint(Style::Dim, &text);
    page.line(&format!("{margin}{text}"));
}

fn name(frame: &Frame, width: usize, page: &Page<'_>) -> String {
    let mark = if frame.recursion { " [recursion]" } else { "" };
    let name = clean(&frame.function);
    format!("{}{mark}", shorten(&name, width.saturating_sub(mark.len()), page.ellipsis()))
}

fn place(frame: &Frame, prefix: &Prefix) -> String {
    let Some(file) = &frame.file else { return String::new() };
    let file = clean(prefix.strip(file));
    match frame.line {
        Some(line) => format!("{file}:{line}"),
        None => file.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(file: &str) -> Frame {
        Frame {
            function: "f".into(),
            file: Some(file.into()),
            line: Some(1),
            column: None,
            inlined: false,
            recursion: false,
        }
    }

    fn stripped(files: &[&str]) -> Vec<String> {
        let frames: Vec<Frame> = files.iter().map(|file| frame(file)).collect();
        let prefix = Prefix::of(frames.iter());
        files.iter().map(|file| prefix.strip(file).to_string()).collect()
    }

    #[test]
    fn paths_lose_what_they_share_but_their_last_directory() {
        assert_eq!(stripped(&["/home/u/app/src/a.c"]), ["src/a.c"]);
        assert_eq!(
            stripped(&["/home/u/app/src/a.c", "/home/u/app/lib/b.c"]),
            ["app/src/a.c", "app/lib/b.c"]
        );
        assert_eq!(stripped(&["/b.c", "/home/a.c"]), ["/b.c", "/home/a.c"]);
        assert_eq!(stripped(&["src/a.c", "src/b.c"]), ["src/a.c", "src/b.c"]);
        assert_eq!(stripped(&["/ä/ö/x.c", "/ä/ü/x.c"]), ["ä/ö/x.c", "ä/ü/x.c"]);
    }

    #[test]
    fn libraries_do_not_spoil_it() {
        let files = [
            "/home/u/app/src/main.rs",
            "/rustc/0123/library/alloc/src/vec.rs",
            "/home/u/.cargo/registry/src/index.crates.io-1949/serde-1.0.0/src/lib.rs",
        ];
        let expected = ["src/main.rs", "library/alloc/src/vec.rs", "serde-1.0.0/src/lib.rs"];
        assert_eq!(stripped(&files), expected);
    }
}
