//! The sheet that the text is written on: colour, and characters that the terminal can show.

use crate::formats::TextOptions;
use anstyle::AnsiColor;

/// What a piece of text is, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Bad,
    Warn,
    Good,
    Heading,
    Dim,
    Function,
}

impl Style {
    fn ansi(self) -> anstyle::Style {
        let color = |color: AnsiColor| color.on_default();
        match self {
            Style::Bad => color(AnsiColor::Red).bold(),
            Style::Warn => color(AnsiColor::Yellow).bold(),
            Style::Good => color(AnsiColor::Green).bold(),
            Style::Heading => anstyle::Style::new().bold(),
            Style::Dim => anstyle::Style::new().dimmed(),
            Style::Function => color(AnsiColor::Cyan),
        }
    }
}

/// Text under way.
pub(super) struct Page<'a> {
    pub(super) options: &'a TextOptions,
    out: &'a mut String,
}

impl<'a> Page<'a> {
    pub(super) fn new(options: &'a TextOptions, out: &'a mut String) -> Page<'a> {
        Page { options, out }
    }

    /// The text in its colour, if there is to be any.
    pub(super) fn paint(&self, style: Style, text: &str) -> String {
        if !self.options.color {
            return text.into();
        }
        let style = style.ansi();
        format!("{style}{text}{style:#}")
    }

    /// Adds a line.
    pub(super) fn line(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    /// Begins a part.
    pub(super) fn heading(&mut self, text: &str) {
        let text = self.paint(Style::Heading, text);
        self.line("");
        self.line(&text);
    }

    pub(super) fn width(&self) -> usize {
        self.options.width.max(40)
    }

    pub(super) fn ellipsis(&self) -> &'static str {
        if self.options.unicode { "…" } else { "..." }
    }

    pub(super) fn arrow(&self) -> &'static str {
        if self.options.unicode { "→" } else { "->" }
    }

    /// A bar of at most `width` characters for `part` of `whole`, filled up with spaces.
    pub(super) fn bar(&self, part: u64, whole: u64, width: usize) -> String {
        let eighths = (part as f64 / whole.max(1) as f64 * width as f64 * 8.0).round() as usize;
        let eighths = eighths.clamp(usize::from(part > 0), width * 8);
        let mut bar = String::new();
        if self.options.unicode {
            bar.extend(std::iter::repeat_n('█', eighths / 8));
            bar.extend("▏▎▍▌▋▊▉".chars().nth((eighths % 8).wrapping_sub(1)));
        } else {
            bar.extend(std::iter::repeat_n('#', eighths.div_ceil(8)));
        }
        let filled = bar.chars().count();
        bar.extend(std::iter::repeat_n(' ', width - filled.min(width)));
        bar
    }

    /// Values as a row of characters of that height.
    pub(super) fn sparkline(&self, values: &[u64]) -> String {
        let levels: &[char] = if self.options.unicode {
            &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
        } else {
            &['_', '.', ':', '-', '=', '+', '*', '#']
        };
        let top = values.iter().copied().max().unwrap_or(0);
        values
            .iter()
            .map(|&value| {
                let share = value as f64 / top.max(1) as f64;
                levels[((share * 7.0).round() as usize).min(7)]
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_wide_as_they_are_said_to_be() {
        for unicode in [true, false] {
            let options = TextOptions { unicode, ..TextOptions::default() };
            let mut out = String::new();
            let page = Page::new(&options, &mut out);
            for (part, whole) in [(0, 0), (0, 9), (1, 1000), (1, 3), (999, 1000), (7, 7), (9, 7)] {
                let bar = page.bar(part, whole, 10);
                assert_eq!(bar.chars().count(), 10, "{part} of {whole}");
                assert_eq!(bar.trim().is_empty(), part == 0, "{part} of {whole}");
            }
        }
    }

    #[test]
    fn sparklines_reach_from_bottom_to_top() {
        let options = TextOptions::default();
        let mut out = String::new();
        let page = Page::new(&options, &mut out);
        assert_eq!(page.sparkline(&[0, 50, 100]), "▁▅█");
        assert_eq!(page.sparkline(&[0, 0]), "▁▁");
        assert_eq!(page.sparkline(&[]), "");
    }
}
