//! Compares what seepage finds in published modules with what is known of them, module by module:
//! tests/discovery.tsv. A package is fetched, checked and deleted; small modules are kept.

use crate::measure::{Measured, measured};
use crate::packages;
use crate::tools::{cache, command, root, run};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const TABLE: &str = "tests/discovery.tsv";

/// Modules up to this size stay in the cache for the next time: less than half a gigabyte.
const KEPT: u64 = 4 << 20;

/// One line of the table.
struct Entry {
    registry: String,
    package: String,
    version: String,
    path: String,
    digest: String,
    bytes: u64,
    malloc: BTreeSet<u64>,
    free: BTreeSet<u64>,
    realloc: BTreeSet<u64>,
    /// Something else than the structure of the code says that these are right.
    is_confirmed: bool,
}

impl Entry {
    fn parse(line: &str) -> Result<Entry> {
        let columns: Vec<&str> = line.split('\t').collect();
        let [registry, package, version, path, digest, bytes, _, _, malloc, free, realloc, by] =
            columns[..]
        else {
            bail!("{TABLE}: not twelve columns: {line}");
        };
        let functions = |list: &str| -> Result<BTreeSet<u64>> {
            let numbers = list.split(',').filter(|number| *number != "-");
            numbers.map(|number| number.parse().context(line.to_owned())).collect()
        };
        Ok(Entry {
            registry: registry.into(),
            package: package.into(),
            version: version.into(),
            path: path.into(),
            digest: digest.into(),
            bytes: bytes.parse().context(line.to_owned())?,
            malloc: functions(malloc)?,
            free: functions(free)?,
            realloc: functions(realloc)?,
            is_confirmed: by != "-",
        })
    }

    fn megabytes(&self) -> f64 {
        self.bytes as f64 / 1e6
    }
}

/// How a module came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// The functions are those of the table.
    Agreed,
    /// Nothing is hooked, though the table has an allocator.
    Abstained,
    /// What is hooked is not what the table has.
    Other,
    /// The table has no allocator, and nothing is hooked.
    Nothing,
    /// The table has no allocator, and one was found.
    Found,
    /// It cannot be inspected.
    Refused,
}

struct Row {
    outcome: Outcome,
    /// Of what is hooked for a `realloc`, whether it is the table's.
    realloc: Option<bool>,
    verdict: String,
    inspect: Measured,
    instrument: Measured,
}

pub fn check(max_megabytes: Option<f64>) -> Result<()> {
    run(command("cargo").args(["build", "--release", "--quiet"]))?;
    let table = std::fs::read_to_string(root().join(TABLE)).context(TABLE)?;
    let lines = table.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut entries = lines.map(Entry::parse).collect::<Result<Vec<_>>>()?;
    entries.retain(|entry| max_megabytes.is_none_or(|most| entry.megabytes() <= most));
    ensure!(!entries.is_empty(), "no module is that small");

    // A package with several modules is fetched once.
    let mut packages: BTreeMap<(&str, &str, &str), Vec<&Entry>> = BTreeMap::new();
    for entry in &entries {
        let package = (&*entry.registry, &*entry.package, &*entry.version);
        packages.entry(package).or_default().push(entry);
    }
    println!(
        "{:<44} {:>7} {:<10} {:<9} {:>7} {:>7} {:>7} {:>7}  instrumented",
        "package", "MB", "verdict", "outcome", "s/MB", "B/B", "s/MB", "B/B"
    );
    let mut rows = Vec::new();
    for ((registry, package, version), entries) in packages {
        let folder = cache("discovery")?.join("unpacked");
        let missing = entries.iter().any(|entry| !kept(entry).is_ok_and(|path| path.exists()));
        if missing && let Err(error) = packages::unpack(registry, package, version, &folder) {
            println!("{package:<44} cannot be fetched: {}", one_line(&format!("{error:#}")));
        }
        for entry in entries {
            match module(entry, &folder) {
                Ok(file) => {
                    let row = judge(entry, &file)?;
                    print(entry, &row);
                    rows.push((entry, row));
                    if entry.bytes > KEPT {
                        std::fs::remove_file(file)?;
                    }
                }
                Err(error) => println!("{package:<44} {}: {error:#}", entry.path),
            }
        }
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
    }
    summary(&rows, entries.len())
}

fn kept(entry: &Entry) -> Result<PathBuf> {
    Ok(cache("discovery")?.join(format!("{}.wasm", entry.digest)))
}

fn module(entry: &Entry, folder: &Path) -> Result<PathBuf> {
    let file = kept(entry)?;
    if !file.exists() {
        packages::find(folder, &entry.path, &entry.digest, &file)?;
    }
    ensure!(packages::sha256(&file)?.starts_with(&entry.digest), "the cached copy is damaged");
    Ok(file)
}

fn judge(entry: &Entry, module: &Path) -> Result<Row> {
    let folder = cache("discovery")?;
    let seepage = root().join("target/release/seepage");
    let (answer, output) = (folder.join("inspection.json"), folder.join("instrumented.wasm"));
    let inspect = measured(
        command(&seepage).args(["inspect", "--format", "json"]).arg(module),
        &answer,
        &folder,
    )?;
    let mut instrument = command(&seepage);
    instrument.args(["instrument", "--no-probe", "--output"]).arg(&output).arg(module);
    let instrument = measured(&mut instrument, &folder.join("stdout"), &folder)?;
    std::fs::remove_file(&output).ok();
    if !inspect.succeeded {
        let outcome = Outcome::Refused;
        return Ok(Row { outcome, realloc: None, verdict: "-".into(), inspect, instrument });
    }
    let inspection: Value = serde_json::from_str(&std::fs::read_to_string(&answer)?)?;
    let hooks = |role: &str| -> BTreeSet<u64> {
        let hooks = inspection["allocators"].as_array().into_iter().flatten();
        let hooks = hooks.filter(|hook| hook["role"] == role);
        hooks.filter_map(|hook| hook["function"].as_u64()).collect()
    };
    let (malloc, free, realloc) = (hooks("malloc"), hooks("free"), hooks("realloc"));
    let is_right = |known: &BTreeSet<u64>, found: &BTreeSet<u64>| {
        known.is_empty() || known.intersection(found).next().is_some()
    };
    let is_recorded = !entry.malloc.is_empty() || !entry.free.is_empty();
    let is_hooked = inspection["allocators"].as_array().is_some_and(|list| !list.is_empty());
    let outcome = match (is_recorded, is_hooked) {
        (false, false) => Outcome::Nothing,
        (false, true) => Outcome::Found,
        (true, false) => Outcome::Abstained,
        (true, true) if is_right(&entry.malloc, &malloc) && is_right(&entry.free, &free) => {
            Outcome::Agreed
        }
        (true, true) => Outcome::Other,
    };
    let verdict = inspection["verdict"].as_str().unwrap_or_default().to_owned();
    let realloc = (!entry.realloc.is_empty() && !realloc.is_empty())
        .then(|| is_right(&entry.realloc, &realloc));
    Ok(Row { outcome, realloc, verdict, inspect, instrument })
}

fn print(entry: &Entry, row: &Row) {
    let per = |measured: &Measured| {
        (measured.seconds / entry.megabytes(), measured.peak as f64 / entry.bytes as f64)
    };
    let (inspect, instrument) = (per(&row.inspect), per(&row.instrument));
    let outcome = match (row.outcome, entry.is_confirmed) {
        (Outcome::Agreed, _) => "agreed",
        (Outcome::Abstained, _) => "abstained",
        (Outcome::Other, true) => "WRONG",
        (Outcome::Other, false) => "differs",
        (Outcome::Nothing, _) => "-",
        (Outcome::Found, _) => "found",
        (Outcome::Refused, _) => "refused",
    };
    println!(
        "{:<44} {:>7.3} {:<10} {outcome:<9} {:>7.2} {:>7.0} {:>7.2} {:>7.0}  {}",
        format!("{} {}", entry.package, entry.digest),
        entry.megabytes(),
        row.verdict,
        inspect.0,
        inspect.1,
        instrument.0,
        instrument.1,
        match (row.instrument.succeeded, row.realloc) {
            (true, Some(false)) => "yes, with another realloc".into(),
            (true, _) => "yes".into(),
            (false, _) => reason(&row.instrument.complaint),
        }
    );
}

fn summary(rows: &[(&Entry, Row)], wanted: usize) -> Result<()> {
    let count = |is_counted: &dyn Fn(&Entry, &Row) -> bool| {
        rows.iter().filter(|(entry, row)| is_counted(entry, row)).count()
    };
    let outcome = |outcome: Outcome, is_confirmed: bool| {
        count(&|entry, row| row.outcome == outcome && entry.is_confirmed == is_confirmed)
    };
    let confirmed = count(&|entry, _| entry.is_confirmed);
    let agreed = outcome(Outcome::Agreed, true);
    let wrong = count(&|entry, row| {
        entry.is_confirmed && row.outcome == Outcome::Other && row.verdict == "confirmed"
    });
    println!("\n{} of {wanted} modules", rows.len());
    println!(
        "confirmed allocators: {confirmed}; agreed {agreed} ({:.1} %), abstained {}, other {}, \
         refused {}; confirmed verdicts that are wrong: {wrong}",
        agreed as f64 * 100.0 / confirmed.max(1) as f64,
        outcome(Outcome::Abstained, true),
        outcome(Outcome::Other, true),
        outcome(Outcome::Refused, true),
    );
    println!(
        "the others: agreed {}, abstained {}, differs {}, nothing known and found {}, nothing {}, \
         refused {}",
        outcome(Outcome::Agreed, false),
        outcome(Outcome::Abstained, false),
        outcome(Outcome::Other, false),
        outcome(Outcome::Found, false),
        outcome(Outcome::Nothing, false),
        outcome(Outcome::Refused, false),
    );
    println!(
        "realloc: {} as in the table, {} another, {} not found",
        count(&|_, row| row.realloc == Some(true)),
        count(&|_, row| row.realloc == Some(false)),
        count(&|entry, row| !entry.realloc.is_empty() && row.realloc.is_none()),
    );
    let mut refusals: BTreeMap<String, usize> = BTreeMap::new();
    for (_, row) in rows.iter().filter(|(_, row)| !row.instrument.succeeded) {
        *refusals.entry(reason(&row.instrument.complaint)).or_default() += 1;
    }
    println!("instrumented: {}", count(&|_, row| row.instrument.succeeded));
    for (reason, count) in refusals {
        println!("refused: {count}: {reason}");
    }
    // Of small modules, the time to start would be all of it.
    let large =
        rows.iter().filter(|(entry, row)| entry.bytes > 1 << 20 && row.instrument.succeeded);
    let (mut bytes, mut seconds, mut most) = (0.0, 0.0, 0.0f64);
    for (entry, row) in large {
        bytes += entry.bytes as f64;
        seconds += row.instrument.seconds;
        most = most.max(row.instrument.peak as f64 / entry.bytes as f64);
    }
    println!(
        "instrumenting, modules over 1 MiB: {:.1} MB/s, at most {most:.0} bytes of memory a byte",
        bytes / 1e6 / f64::max(seconds, 1e-9)
    );
    ensure!(wrong == 0, "{wrong} confirmed verdicts are wrong");
    Ok(())
}

/// A complaint without the file's name, so that equal reasons are counted together.
fn reason(complaint: &str) -> String {
    let text = complaint.split("`: ").nth(1).unwrap_or(complaint);
    one_line(text.split(" (at offset").next().unwrap_or(text))
}

fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(140).collect()
}
