//! Golden tests of the rewriting: each `tests/instrument/*.wat` and what becomes of it.
//!
//! Drop a file in to add one; `UPDATE_EXPECT=1 cargo test --test instrument` writes what is
//! expected. A first comment `;; config: …` sets options: `call`, `no-context`, `alloc-fn=NAME=ROLE`,
//! `mark-export=NAME`, `fill=BYTE,BYTE`.

use libtest_mimic::{Arguments, Failed, Trial};
use seepage_instrumenter::{Config, Contexts, TransportKind, instrument};
use std::{fs, path::Path};

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/instrument");
    let mut trials = Vec::new();
    for entry in fs::read_dir(&folder).expect("the folder is part of the checkout") {
        let path = entry.expect("the folder can be listed").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".wat") && !name.ends_with(".out.wat") {
            trials.push(Trial::test(name, move || golden(&path)));
        }
    }
    trials.sort_by(|a, b| a.name().cmp(b.name()));
    assert!(trials.len() > 15, "the golden files are not where they should be");
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn golden(path: &Path) -> Result<(), Failed> {
    let text = fs::read_to_string(path)?;
    let config = config(&text)?;
    let instrumented = instrument(&wat::parse_str(&text)?, &config)?;
    wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all())
        .validate_all(&instrumented.wasm)?;
    let mut printed = String::new();
    let inspection = &instrumented.inspection;
    for hook in &inspection.allocators {
        let (role, calls) = (hook.role.name(), hook.calls);
        printed += &format!(
            ";; {role}({}) is {}, {}, {calls} calls\n",
            hook.parameters, hook.name, hook.how
        );
    }
    for spot in &inspection.blind_spots {
        printed += &format!(";; blind: {spot}\n");
    }
    for said in &inspection.annotations {
        printed += &format!(";; {} is {}, {}\n", said.role.name(), said.name, said.how);
    }
    for site in &instrumented.table.sites {
        let frames = instrumented.table.frames(u32::MAX, Some(site.offset));
        let names: Vec<_> = frames.iter().map(|frame| &*frame.function).collect();
        let recursive = if site.recursive { ", recursive" } else { "" };
        printed += &format!(";; site in {}{recursive}\n", names.join(" < "));
    }
    printed += &wasmprinter::print_bytes(without_customs(&instrumented.wasm)?)?;
    printed.push('\n');
    expect_test::expect_file![path.with_extension("out.wat")].assert_eq(&printed);
    Ok(())
}

fn config(text: &str) -> Result<Config, Failed> {
    let mut config = Config { module_name: "golden".into(), ..Config::default() };
    let Some(options) = text.lines().next().and_then(|line| line.strip_prefix(";; config: "))
    else {
        return Ok(config);
    };
    for option in options.split(' ') {
        match option.split_once('=') {
            None if option == "call" => config.transport = TransportKind::Call,
            None if option == "no-context" => config.contexts = Contexts::Off,
            Some(("alloc-fn", what)) => config.alloc_fns.push(what.parse()?),
            Some(("mark-export", name)) => config.mark_exports.push(name.into()),
            Some(("fill", bytes)) => config.fill = Some(bytes.parse()?),
            _ => return Err(format!("unknown option {option}").into()),
        }
    }
    Ok(config)
}

/// The module without custom sections other than the names: their offsets would make every golden
/// file change with each other one.
fn without_customs(wasm: &[u8]) -> Result<Vec<u8>, Failed> {
    let mut out = wasm[..8].to_vec();
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        if let wasmparser::Payload::CustomSection(section) = &payload
            && section.name() != "name"
        {
            continue;
        }
        if let Some((id, range)) = payload.as_section() {
            out.push(id);
            let mut length = range.len();
            while length >= 0x80 {
                out.push(length as u8 | 0x80);
                length >>= 7;
            }
            out.push(length as u8);
            out.extend(&wasm[range]);
        }
    }
    Ok(out)
}
