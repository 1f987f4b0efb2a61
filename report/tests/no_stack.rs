//! What has no stack: calls of the host, which are known to have none, and what nobody knows.

use seepage_analysis::{Config, Session};
use seepage_report::{
    Context, Options, Report, assemble, formats,
    schema::{self, Count, GrowthShare},
};
use seepage_trace::{Message, ModuleInfo};

fn context(known: bool, allocator: &[&str]) -> schema::Context {
    let (some, none) = (Count { blocks: 2, bytes: 64 }, Count { blocks: 0, bytes: 0 });
    schema::Context {
        module: 0,
        frames: Vec::new(),
        known,
        truncated: false,
        allocator: allocator.iter().map(|&name| name.into()).collect(),
        allocated: some,
        live: some,
        peak: some,
        temporary: none,
        failed: 0,
        mean_lifetime: None,
        growth: None,
        suppressed_by: None,
    }
}

/// The text of a report with these contexts, whose memory grew for what is free now and in advance.
fn text(contexts: Vec<schema::Context>) -> String {
    let mut session = Session::new(Config::default());
    session.feed(&Message::Module(ModuleInfo { name: "app.wasm".into(), ..Default::default() }));
    let mut report: Report = assemble(&session.finish(), &Context::new("0.0.0"));
    report.contexts = contexts;
    report.totals.allocated = Count { blocks: 4, bytes: 128 };
    report.memory.final_pages = 2;
    report.memory.growth.bytes = 131_072;
    let share = |what: &str| GrowthShare {
        what: what.into(),
        bytes: 65_536,
        finding: None,
        frames: Vec::new(),
    };
    report.memory.growth_shares = vec![share("free"), share("policy")];
    let mut out = String::new();
    let format = formats::find("text").expect("there is text");
    (format.render)(&report, &Options::default(), &mut out);
    out
}

#[test]
fn calls_of_the_host_are_its_own() {
    let text = text(vec![context(true, &["malloc"]), context(true, &["malloc", "calloc"])]);
    assert!(text.contains("\n    by the host, which called malloc\n"), "{text}");
    assert!(text.contains("\n    by the host, which called it directly\n"), "{text}");
    assert!(!text.contains("its stack is not known"), "{text}");
    assert!(text.contains("free now, grown for: the host, which called it directly\n"), "{text}");
    assert!(text.contains("in advance: the host, which called it directly\n"), "{text}");
}

#[test]
fn what_is_not_known_is_said_to_be_nobodys() {
    let text = text(vec![context(true, &["malloc"]), context(false, &["malloc"])]);
    assert!(text.contains("\n    by the host, which called malloc\n"), "{text}");
    assert!(text.contains("\n    (its stack is not known)\n"), "{text}");
    assert!(text.contains("free now, grown for: nobody knows what\n"), "{text}");
    assert!(text.contains("  in advance\n"), "{text}");
}
