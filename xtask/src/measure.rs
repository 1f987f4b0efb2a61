//! Runs a program to its end, and measures what it took.

use anyhow::{Context, Result};
use std::{
    fs::File,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Longer than this nothing may take.
const LIMIT: Duration = Duration::from_secs(300);

/// How a program ended.
pub struct Measured {
    pub succeeded: bool,
    /// The first line that it wrote to standard error.
    pub complaint: String,
    pub seconds: f64,
    /// The most memory that it had, in bytes; 0 where the system does not say.
    pub peak: u64,
}

/// Runs a program with its output in files below `folder`.
pub fn measured(command: &mut Command, output: &Path, folder: &Path) -> Result<Measured> {
    let errors = folder.join("stderr");
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(File::create(output)?)
        .stderr(File::create(&errors)?)
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let mut peak = 0;
    let status = loop {
        // The mark goes with the process, so it is read until shortly before the end.
        peak = peak.max(high_water(child.id()));
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if start.elapsed() > LIMIT {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(3));
    };
    let seconds = start.elapsed().as_secs_f64();
    let text = std::fs::read_to_string(&errors).unwrap_or_default();
    let complaint = match status {
        None => format!("it took more than {} s", LIMIT.as_secs()),
        Some(_) => text.lines().next().unwrap_or_default().to_owned(),
    };
    let succeeded = status.is_some_and(|status| status.success());
    Ok(Measured { succeeded, complaint, seconds, peak })
}

fn high_water(process: u32) -> u64 {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{process}/status")) else { return 0 };
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kilobytes.and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) * 1024
}
