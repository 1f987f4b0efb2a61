//! Published modules that nobody here wrote: each runs, instrumented, exactly as the original does,
//! over both transports, and its heap adds up. `cargo xtask corpus` fetches them.

mod support;

use libtest_mimic::{Arguments, Failed, Trial};
use seepage_analysis::{Outcome, Verdict};
use seepage_instrumenter::{Config, TransportKind, instrument};
use std::fs;
use support::{
    host::{Script, plain, traced},
    root,
};

const PAGE: u64 = 65_536;
/// Larger modules are run over the ring only: it is their compilation that takes the time.
const LARGE: u64 = 4 << 20;

/// Programs that may lose blocks: of these nobody here knows whether they do.
const LEAKY: [&str; 1] = ["ruby"];

fn main() {
    read_inputs();
    let table = fs::read_to_string(root().join("tests/corpus.tsv")).expect("it is committed");
    let lines = table.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let trials: Vec<Trial> = lines
        .map(|line| {
            let columns: Vec<String> = line.split('\t').map(str::to_owned).collect();
            Trial::test(columns[0].clone(), move || check(&columns))
        })
        .collect();
    assert!(trials.len() >= 10, "the table is not what it was");
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Reads everything that the modules will: the first reading of a file since it was written changes
/// the time of its last access, which a guest can see and keep in its memory.
fn read_inputs() {
    let folder = root().join("tests/corpus");
    for entry in fs::read_dir(&folder).expect("the folder is committed") {
        let path = entry.expect("the folder can be listed").path();
        fs::read(&path).expect("the file can be read");
    }
}

fn check(columns: &[String]) -> Result<(), Failed> {
    let [name, _, _, _, _, _, args, calls, stdin, exit, expected, ..] = columns else {
        return Err("too few columns".into());
    };
    let path = root().join(format!(".cache/corpus/{name}.wasm"));
    let wasm = fs::read(&path)
        .map_err(|error| format!("{}: {error}; run `cargo xtask corpus` first", path.display()))?;
    let script = Script {
        args: [name.clone()].into_iter().chain(split(args)).collect(),
        dir: Some(root().join("tests/corpus")),
        stdin: match stdin.as_str() {
            "-" => Vec::new(),
            file => fs::read(root().join("tests/corpus").join(file))?,
        },
        calls: split(calls).map(|call| parse_call(&call)).collect::<Result<_, _>>()?,
    };

    let original = plain(&wasm, &script);
    let answer = original.answers.last().cloned().unwrap_or_default();
    if calls == "-" {
        if !original.stdout.contains(expected.as_str()) {
            return Err(format!("the original is not as recorded: {original:?}").into());
        }
        let returned = answer == "[]" && exit == "0";
        if !returned && answer != format!("exit {exit}") {
            return Err(format!("the original ended otherwise: {answer}").into());
        }
    } else if expected != "-" && answer != format!("[I32({expected})]") {
        return Err(format!("the original answered {answer}, not {expected}").into());
    }

    let transports: &[TransportKind] = match wasm.len() as u64 {
        ..LARGE => &[TransportKind::Ring, TransportKind::Call],
        _ => &[TransportKind::Ring],
    };
    for &transport in transports {
        let config = Config { module_name: name.clone(), transport, ..Config::default() };
        let instrumented = instrument(&wasm, &config)?;
        let (seen, outcome) = traced(&instrumented.wasm, &script);
        if seen != original {
            return Err(format!("{transport:?}: {seen:?}\nis not\n{original:?}").into());
        }
        adds_up(&outcome)?;
    }
    Ok(())
}

/// Programs that people use neither misuse their heap nor, the short time that they run here, lose
/// any of it: a finding would be a wrong accusation.
fn adds_up(outcome: &Outcome) -> Result<(), Failed> {
    let totals = &outcome.profile.totals;
    if totals.allocated.blocks != totals.freed.blocks + totals.live.blocks {
        return Err(format!("the blocks do not add up: {totals:?}").into());
    }
    let profile = &outcome.profile;
    let [first, last] = [profile.initial_pages, profile.final_pages].map(|pages| pages * PAGE);
    let account = profile.account.as_ref().map(|account| account.total());
    let shares: u64 = profile.growth_shares.iter().map(|share| share.bytes).sum();
    if account != Some(last) || [profile.growth.total(), shares] != [last - first; 2] {
        return Err(format!("the memory does not add up: {profile:?}").into());
    }
    if profile.growth.unexplained * 100 > last - first {
        return Err(format!("growth that nothing explains: {:?}", profile.growth).into());
    }
    if outcome.heap_errors() > 0 {
        return Err(format!("heap errors where there are none: {:?}", outcome.anomalies).into());
    }
    let verdict = outcome.verdict();
    if verdict == Verdict::Leak && !LEAKY.contains(&&*outcome.modules[0].name) {
        return Err(format!("it is said to leak: {:?}", outcome.reasons()).into());
    }
    if outcome.saw_allocator() && totals.allocated.blocks == 0 {
        return Err("an allocator was found, and not one block seen".into());
    }
    if !outcome.saw_allocator() {
        return Err("no allocator was found".into());
    }
    Ok(())
}

fn split(text: &str) -> impl Iterator<Item = String> {
    text.split(" | ").filter(|part| *part != "-").map(str::to_owned)
}

fn parse_call(call: &str) -> Result<(String, Vec<i32>), Failed> {
    let mut words = call.split(' ');
    let name = words.next().unwrap_or_default().to_owned();
    Ok((name, words.map(str::parse).collect::<Result<_, _>>()?))
}
