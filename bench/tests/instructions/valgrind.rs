//! Runs this program again, under callgrind.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::counts::Counts;
use crate::paths::TIMES;

/// The function whose instructions count, with all that it calls.
const FUNCTION: &str = "instructions::paths::counted";
/// With more room in its first cache the allocator never comes to where its work depends on what was freed before.
const TUNABLES: &str = "glibc.malloc.tcache_count=2000";

/// Counts all paths. What callgrind knows of each path is left in this folder, which is emptied, in a file of its name.
pub fn count(folder: &Path) -> Result<Counts, String> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let parts = folder.join("part");
    let ran = run(&parts)?;
    if !ran.status.success() {
        return Err(format!(
            "under valgrind the paths ended with {}: see above",
            ran.status
        ));
    }
    let mut counts = Vec::new();
    for (name, number) in String::from_utf8_lossy(&ran.stdout).lines().zip(1..) {
        let (part, kept) = (parts.with_extension(number.to_string()), folder.join(name));
        let text = fs::read_to_string(&part).map_err(|error| format!("{}: {error}", part.display()))?;
        let sum = sum(&text).ok_or_else(|| format!("{} holds no sum", part.display()))?;
        fs::rename(&part, kept).map_err(|error| format!("{}: {error}", part.display()))?;
        counts.push((name.to_owned(), sum / TIMES as u64));
    }
    Ok(Counts(counts))
}

/// Callgrind writes to `parts` with `.1`, `.2` and so on, each time that the function returns.
fn run(parts: &Path) -> Result<Output, String> {
    let program = std::env::current_exe().map_err(|error| format!("this program's own path: {error}"))?;
    Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind"])
        .arg(format!("--toggle-collect={FUNCTION}"))
        .arg(format!("--dump-after={FUNCTION}"))
        .arg(format!("--callgrind-out-file={}", parts.display()))
        .arg(program)
        .arg(crate::RUN)
        .env_clear()
        .env("GLIBC_TUNABLES", TUNABLES)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => "valgrind is missing: `scripts/need valgrind` installs it".to_owned(),
            _ => format!("valgrind does not start: {error}"),
        })
}

/// The sum that callgrind writes at the end of a part.
fn sum(part: &str) -> Option<u64> {
    let sum = part.lines().find_map(|line| line.strip_prefix("totals: "))?;
    sum.parse().ok().filter(|sum| *sum > 0)
}
