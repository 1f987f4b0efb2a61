//! JavaScript objects that own memory of a module: those that were forgotten, where each was made,
//! and what to do about it.

use super::{page::Page, units::bytes, words::clean};
use crate::schema::{DroppedObjects, HeldValues, ObjectGroup, ObjectKind, Objects, ScriptFrame};
use seepage_analysis::words::{plural, thousands};
use std::{cmp::Reverse, collections::BTreeSet};

/// Places that are shown, unless more are asked for.
const MAX_PLACES: usize = 20;
/// Frames of a place.
const MAX_FRAMES: usize = 6;
/// Classes that are named of those that cannot be seen.
const MAX_CLASSES: usize = 8;

pub(super) fn render(objects: &Objects, page: &mut Page<'_>) {
    let mut sheet = Sheet { objects, page, begun: false, told: BTreeSet::new() };
    let most = sheet.page.options.top.max(MAX_PLACES);
    let (closures, owners): (Vec<_>, Vec<_>) =
        objects.groups.iter().partition(|group| group.kind == ObjectKind::Closure);
    if !owners.is_empty() {
        sheet.part(&summary(&owners));
    }
    let forgotten =
        || owners.iter().filter(|it| it.held > 0 || it.lost > 0 || it.late > 0).copied();
    forgotten().take(most).for_each(|group| sheet.group(group));
    let left_out = forgotten().count().saturating_sub(most);
    if left_out > 0 {
        let more = plural(left_out as u64, "more place");
        sheet.part(&format!("{} and {more}", sheet.page.ellipsis()));
    }
    sheet.closures(&closures, most);
    objects.values.iter().for_each(|values| sheet.values(values));
    sheet.unseen();
    let DroppedObjects { pointers, stacks } = objects.dropped;
    for (count, what) in [(pointers, "addresses"), (stacks, "stacks")] {
        if count > 0 {
            let of = plural(count, "object");
            sheet.part(&format!("beyond the limit: the {what} of {of} (they are counted)"));
        }
    }
}

fn summary(groups: &[&ObjectGroup]) -> String {
    let total = |pick: fn(&ObjectGroup) -> u64| {
        groups.iter().map(|group| pick(group)).fold(0, u64::saturating_add)
    };
    let never = total(|group| group.held.saturating_add(group.lost));
    let fates = [
        (total(|group| group.freed), "freed"),
        (total(|group| group.moved), "moved into wasm"),
        (total(|group| group.late), "forgotten and freed by the collector"),
    ];
    let mut line = format!("{} made: ", plural(total(|group| group.created), "object"));
    line += &format!("{} never freed", thousands(never));
    for (count, fate) in fates.into_iter().filter(|(count, _)| *count > 0) {
        line += &format!(", {} {fate}", thousands(count));
    }
    line
}

struct Sheet<'a, 'b> {
    objects: &'a Objects,
    page: &'a mut Page<'b>,
    /// Something stands there already.
    begun: bool,
    /// What was said already of what to do.
    told: BTreeSet<&'a str>,
}

impl<'a> Sheet<'a, '_> {
    /// Begins a part with its first line.
    fn part(&mut self, line: &str) {
        if self.begun {
            self.page.line("");
        }
        self.begun = true;
        self.page.line(line);
    }

    fn group(&mut self, group: &'a ObjectGroup) {
        let unfreed = group.held.saturating_add(group.lost);
        let (verdict, count) = match unfreed {
            0 => ("freed by the collector only", group.late),
            unfreed => ("never freed", unfreed),
        };
        let minified = group.glue_name.as_deref();
        let minified = minified.map(|name| format!(" ({} in the glue)", clean(name)));
        let retained = group.retained;
        let retained = retained.map(|it| format!(", at least {} of the wasm heap", bytes(it)));
        let at = group.at.as_ref().map(|at| format!(", made at {}", self.place(at)));
        self.part(&format!(
            "{verdict}: {} of {} {}{}{}{}",
            thousands(count),
            thousands(group.created),
            clean(&group.class),
            minified.unwrap_or_default(),
            retained.unwrap_or_default(),
            at.unwrap_or_default(),
        ));
        let fates = [
            (group.held, "still held"),
            (group.lost, "dropped, and nothing will free them"),
            (if unfreed > 0 { group.late } else { 0 }, "freed by the collector"),
            (group.freed, "freed"),
            (group.moved, "moved"),
        ];
        let fates: Vec<String> = (fates.into_iter().filter(|(count, _)| *count > 0))
            .map(|(count, fate)| format!("{} {fate}", thousands(count)))
            .collect();
        if fates.len() > 1 || group.lost > 0 {
            self.page.line(&format!("  {}", fates.join(", ")));
        }
        for frame in group.stack.iter().take(MAX_FRAMES) {
            let place = format!("{}:{}", self.place(frame), frame.column);
            let line = match &frame.name {
                Some(name) => format!("    at {} ({place})", clean(name)),
                None => format!("    at {place}"),
            };
            self.page.line(&line);
        }
        let deeper = group.stack.len().saturating_sub(MAX_FRAMES);
        if deeper > 0 {
            let more = plural(deeper as u64, "more frame");
            self.page.line(&format!("    {} {more}", self.page.ellipsis()));
        }
        if let Some(note) = &group.note {
            self.page.line(&format!("  note: {}", clean(note)));
        }
        if let Some(fix) = &group.fix {
            let is_new = self.told.insert(fix);
            let fix = if is_new { clean(fix) } else { "as above".into() };
            self.page.line(&format!("  fix: {fix}"));
        }
    }

    fn closures(&mut self, closures: &[&ObjectGroup], most: usize) {
        let held = || closures.iter().filter(|group| group.held > 0);
        let sum = held().map(|group| group.held).fold(0, u64::saturating_add);
        if sum == 0 {
            return;
        }
        self.part(&format!("Rust closures that are alive: {}", thousands(sum)));
        for group in held().take(most) {
            let at = group.at.as_ref().map(|at| self.place(at));
            let at = at.unwrap_or_else(|| "an unknown place".into());
            let (held, created) = (thousands(group.held), thousands(group.created));
            self.page.line(&format!("  {held} of {created} made at {at}"));
        }
        let left_out = held().count().saturating_sub(most);
        if left_out > 0 {
            let more = plural(left_out as u64, "more place");
            self.page.line(&format!("  {} and {more}", self.page.ellipsis()));
        }
    }

    fn values(&mut self, values: &HeldValues) {
        let mut types: Vec<(&String, &u64)> = values.by_type.iter().collect();
        types.sort_by_key(|(_, count)| Reverse(**count));
        let types: Vec<String> = (types.into_iter())
            .map(|(name, count)| format!("{} {}", thousands(*count), clean(name)))
            .collect();
        self.part(&format!(
            "JavaScript values held by Rust (instance {}, {}): {}",
            values.instance,
            clean(&values.place),
            types.join(", ")
        ));
    }

    fn unseen(&mut self) {
        for unseen in &self.objects.unseen {
            let glue = unseen.bindgen.as_deref();
            let glue = glue.map(|version| format!(", wasm-bindgen {}", clean(version)));
            let mut names: Vec<_> =
                unseen.classes.iter().take(MAX_CLASSES).map(|name| clean(name)).collect();
            if unseen.classes.len() > MAX_CLASSES {
                names.push(self.page.ellipsis().into());
            }
            let noun = if unseen.classes.len() == 1 { "class" } else { "classes" };
            self.part(&format!(
                "not observed: {} {noun} of instance {}{}: {}",
                thousands(unseen.classes.len() as u64),
                unseen.instance,
                glue.unwrap_or_default(),
                names.join(", ")
            ));
        }
    }

    /// `app.mjs:12`: within the program's directory its name goes without saying.
    fn place(&self, frame: &ScriptFrame) -> String {
        let path = frame.file.strip_prefix("file://").unwrap_or(&frame.file);
        let inside = self.objects.directory.as_deref().and_then(|directory| {
            path.strip_prefix(directory)?.strip_prefix(['/', '\\']).filter(|rest| !rest.is_empty())
        });
        format!("{}:{}", clean(inside.unwrap_or(path)), frame.line)
    }
}
