//! The maps of the memories: a few lines of cells, in colour or as letters, and what they mean.

use super::{page::Page, units::bytes, words::clean};
use crate::schema::{HeapMap, Report};
use anstyle::AnsiColor;

/// Lines of a map at most.
const LINES: usize = 24;
/// Columns for the address in front of a line.
const MARGIN: usize = 12;

/// A state of cells and how it looks.
struct Look {
    state: &'static str,
    words: &'static str,
    letter: char,
    color: AnsiColor,
    block: char,
}

const fn look(
    state: &'static str,
    words: &'static str,
    letter: char,
    color: AnsiColor,
    block: char,
) -> Look {
    Look { state, words, letter, color, block }
}

/// Every state, in the order of the legend.
const LOOKS: [Look; 13] = [
    look("static", "static", 's', AnsiColor::BrightBlack, '█'),
    look("stack", "stack", 'k', AnsiColor::Blue, '█'),
    look("definitely-lost", "definitely lost", 'D', AnsiColor::Red, '█'),
    look("indirectly-lost", "indirectly lost", 'I', AnsiColor::BrightRed, '█'),
    look("possibly-lost", "possibly lost", 'P', AnsiColor::Yellow, '█'),
    look("still-reachable", "still reachable", 'R', AnsiColor::Green, '█'),
    look("suppressed", "suppressed", 'N', AnsiColor::Cyan, '█'),
    look("live", "live", 'L', AnsiColor::Green, '█'),
    look("overhead", "overhead", 'o', AnsiColor::Magenta, '▓'),
    look("free-fitting", "free, fitting", '.', AnsiColor::White, '░'),
    look("free-fragmented", "free, fragmented", ':', AnsiColor::BrightYellow, '▒'),
    look("tail", "tail", '_', AnsiColor::BrightBlack, '·'),
    look("untracked", "untracked", '?', AnsiColor::BrightMagenta, '▓'),
];

pub(super) fn render(report: &Report, page: &mut Page<'_>) {
    for map in &report.heap_maps {
        let when = match (map.moment.as_str(), &map.mark) {
            ("peak", _) => "at the high-water mark".to_string(),
            ("mark", Some(name)) => format!("at the mark {}", clean(name)),
            _ => "at the end".to_string(),
        };
        let module = usize::try_from(map.module).ok().and_then(|at| at.checked_sub(1));
        let module = module.and_then(|at| report.modules.get(at));
        let of = module.map_or(String::new(), |module| format!(" of {}", clean(&module.name)));
        let (columns, together) = shape(map, page);
        let cell = bytes(map.cell_bytes.saturating_mul(together as u64));
        page.heading(&format!("memory{of} {when}, {cell} a cell"));
        draw(map, columns, together, page);
    }
}

/// Columns, and how many of the map's cells make one of the page's.
fn shape(map: &HeapMap, page: &Page<'_>) -> (usize, usize) {
    // A power of two, so that lines begin at round addresses.
    let columns = 1 << (page.width() - MARGIN).ilog2();
    let cells: u64 = map.cells.iter().map(|run| run.count).sum();
    let room = (columns * LINES) as u64;
    (columns, cells.div_ceil(room).max(1).next_power_of_two() as usize)
}

fn draw(map: &HeapMap, columns: usize, together: usize, page: &mut Page<'_>) {
    let known = |state: &str| LOOKS.iter().position(|look| look.state == state);
    let mut counts = [0u64; LOOKS.len()];
    let mut cells: Vec<usize> = Vec::new();
    for run in &map.cells {
        let Some(look) = known(&run.state) else { continue };
        counts[look] += run.count;
        cells.extend(std::iter::repeat_n(look, run.count as usize));
    }
    let shown: Vec<usize> = cells.chunks(together).map(most_frequent).collect();
    let line_bytes = map.cell_bytes.saturating_mul((columns * together) as u64);
    for (number, line) in (0u64..).zip(shown.chunks(columns)) {
        let mut text = format!("  {:<9} ", format!("{:x}", number * line_bytes));
        for run in line.chunk_by(|one, other| one == other) {
            text.push_str(&paint(&LOOKS[run[0]], run.len(), page));
        }
        page.line(&text);
    }
    for (look, count) in LOOKS.iter().zip(counts).filter(|(_, count)| *count > 0) {
        let size = bytes(count.saturating_mul(map.cell_bytes));
        page.line(&format!("    {} {}, {size} in cells", paint(look, 1, page), look.words));
    }
}

/// Of equally many the first in the order of the legend.
fn most_frequent(cells: &[usize]) -> usize {
    let count = |look: usize| cells.iter().filter(|&&cell| cell == look).count();
    (0..LOOKS.len()).rev().max_by_key(|&look| count(look)).unwrap_or(0)
}

fn paint(look: &Look, times: usize, page: &Page<'_>) -> String {
    if !page.options.color {
        return std::iter::repeat_n(look.letter, times).collect();
    }
    let character = if page.options.unicode { look.block } else { look.letter };
    let style = look.color.on_default();
    let text: String = std::iter::repeat_n(character, times).collect();
    format!("{style}{text}{style:#}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{formats::TextOptions, schema::CellRun};

    fn drawn(cells: &[(&str, u64)], color: bool) -> String {
        let run =
            |&(state, count): &(&str, u64)| CellRun { state: state.into(), context: None, count };
        let map = HeapMap {
            moment: "end".into(),
            mark: None,
            module: 0,
            cell_bytes: 64,
            cells: cells.iter().map(run).collect(),
        };
        let options = TextOptions { color, ..TextOptions::default() };
        let mut out = String::new();
        let mut page = Page::new(&options, &mut out);
        let (columns, together) = shape(&map, &page);
        draw(&map, columns, together, &mut page);
        out
    }

    #[test]
    fn letters_stand_where_there_is_no_colour() {
        let text = drawn(&[("static", 60), ("still-reachable", 3), ("tail", 4)], false);
        assert!(
            text.starts_with(&format!("  0         {}RRR_\n  1000      ___\n", "s".repeat(60))),
            "{text}"
        );
        assert!(drawn(&[("definitely-lost", 3)], true).contains("\u{1b}[31m███"), "{text}");
    }

    #[test]
    fn no_map_has_too_many_lines() {
        let text = drawn(&[("still-reachable", 4095), ("tail", 1)], false);
        let lines = text.lines().filter(|line| line.ends_with('R')).count();
        assert!(lines <= LINES, "{text}");
        assert!(text.contains("_ tail"), "a state that no cell shows is in the legend");
    }
}
