//! Objects of JavaScript in a report: as text, and read back from JSON.

use seepage_analysis::{Config, Session};
use seepage_report::{
    Context, Options, Report, TextOptions, assemble, formats,
    schema::{
        DroppedObjects, HeldValues, ObjectGroup, ObjectKind, Objects, ScriptFrame, UnseenClasses,
    },
};
use seepage_trace::{Message, ModuleInfo};

fn frame(name: Option<&str>, file: &str, line: u64) -> ScriptFrame {
    ScriptFrame { name: name.map(str::to_owned), file: file.into(), line, column: 3 }
}

fn group() -> ObjectGroup {
    ObjectGroup {
        kind: ObjectKind::WasmBindgen,
        class: "Doc".into(),
        glue_name: None,
        at: Some(frame(None, "file:///app/main.mjs", 12)),
        stack: vec![
            frame(Some("new Doc"), "/packages/doc/doc.js", 100),
            frame(None, "file:///app/main.mjs", 12),
        ],
        certain: true,
        created: 12,
        freed: 2,
        moved: 0,
        late: 3,
        lost: 0,
        held: 7,
        pointers: Vec::new(),
        retained: Some(5_400_000),
        fix: Some("call .free() on the Doc made at main.mjs:12".into()),
        note: None,
    }
}

fn objects() -> Objects {
    let closure = ObjectGroup {
        kind: ObjectKind::Closure,
        created: 5,
        freed: 1,
        late: 0,
        held: 4,
        retained: None,
        ..group()
    };
    Objects {
        groups: vec![group(), closure],
        values: vec![HeldValues {
            instance: 1,
            place: "externref table".into(),
            by_type: [("Map".into(), 9), ("string".into(), 20)].into(),
        }],
        unseen: vec![UnseenClasses {
            instance: 1,
            bindgen: Some("0.2.87".into()),
            classes: vec!["doc".into()],
        }],
        dropped: DroppedObjects { pointers: 0, stacks: 1 },
        directory: Some("/app".into()),
    }
}

fn report(module: Option<&str>, objects: Objects) -> Report {
    let mut session = Session::new(Config::default());
    if let Some(name) = module {
        session.feed(&Message::Module(ModuleInfo { name: name.into(), ..Default::default() }));
    }
    let mut report = assemble(&session.finish(), &Context::new("0.0.0"));
    report.objects = Some(objects);
    report
}

fn text(report: &Report, text: TextOptions) -> String {
    let mut out = String::new();
    let format = formats::find("text").expect("there is text");
    (format.render)(report, &Options { text, ..Options::default() }, &mut out);
    out
}

#[test]
fn forgotten_objects_come_first() {
    let expected = "\
12 objects made: 7 never freed, 2 freed, 3 forgotten and freed by the collector

never freed: 7 of 12 Doc, at least 5.15 MiB of the wasm heap, made at main.mjs:12
  7 still held, 3 freed by the collector, 2 freed
    at new Doc (/packages/doc/doc.js:100:3)
    at main.mjs:12:3
  fix: call .free() on the Doc made at main.mjs:12

Rust closures that are alive: 4
  4 of 5 made at main.mjs:12

JavaScript values held by Rust (instance 1, externref table): 20 string, 9 Map

not observed: 1 class of instance 1, wasm-bindgen 0.2.87: doc

beyond the limit: the stacks of 1 object (they are counted)
";
    // Where no module could be followed there is nothing else.
    assert_eq!(text(&report(None, objects()), TextOptions::default()), expected);
    let both = text(&report(Some("app.wasm"), objects()), TextOptions::default());
    assert!(both.starts_with(&format!("{expected}\nBLIND: ")), "{both}");
    assert!(both.contains("SUMMARY seepage: blind"), "{both}");
}

#[test]
fn many_places_are_cut_and_counted() {
    let groups = (0..30).map(|_| group()).collect();
    let objects = Objects { groups, ..Objects::default() };
    let text = text(&report(None, objects), TextOptions::default());
    assert_eq!(text.matches("never freed: 7 of 12 Doc").count(), 20);
    assert!(text.ends_with("\n… and 10 more places\n"), "{text}");
    // What is to be done once is said once.
    assert_eq!(text.matches("  fix: call .free() on the Doc").count(), 1);
    assert_eq!(text.matches("  fix: as above\n").count(), 19);
}

#[test]
fn names_write_to_no_terminal_and_counts_do_not_overflow() {
    let evil = "\u{1b}[31mDoc\u{202e}".to_string();
    let mut objects = objects();
    for group in &mut objects.groups {
        (group.class, group.glue_name) = (evil.clone(), Some(evil.clone()));
        (group.held, group.lost, group.created) = (u64::MAX, u64::MAX, u64::MAX);
        (group.fix, group.note) = (Some(evil.clone()), Some(evil.clone()));
        for frame in group.stack.iter_mut().chain(&mut group.at) {
            (frame.name, frame.file) = (Some(evil.clone()), evil.clone());
        }
    }
    objects.values[0].by_type = [(evil.clone(), 1)].into();
    objects.values[0].place = evil.clone();
    objects.unseen[0].bindgen = Some(evil.clone());
    objects.unseen[0].classes = vec![evil; 20];
    objects.groups.push(objects.groups[0].clone());
    let options = TextOptions { unicode: false, ..TextOptions::default() };
    let text = text(&report(None, objects), options);
    let safe = |character: char| character == '\n' || (' '..='~').contains(&character);
    assert!(text.chars().all(safe), "{text}");
}

#[test]
fn json_reads_back() {
    let report = report(Some("app.wasm"), objects());
    let mut json = String::new();
    let format = formats::find("json").expect("there is JSON");
    (format.render)(&report, &Options::default(), &mut json);
    assert_eq!(Report::from_json(&json), Ok(report));
}
