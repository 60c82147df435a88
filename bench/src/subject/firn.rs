//! Firn: `firn dev`, as it comes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};

use super::process::Process;
use super::{Flags, Started, s3};

/// Starts `firn` on `data` with ports of its choice and waits for its ready line.
pub(super) fn start(
    firn: &Path,
    data: &Path,
    flags: Flags,
    s3: Option<&s3::Server>,
) -> anyhow::Result<Started> {
    let mut command = Command::new(firn);
    command
        .args([
            "dev",
            "--kafka",
            "127.0.0.1:0",
            "--http",
            "127.0.0.1:0",
            "--data-dir",
        ])
        .arg(data)
        .args(flags)
        .env("FIRN_LOG_LEVEL", "warn");
    if let Some(server) = s3 {
        command.args(["--wal", "object"]).envs(server.environment());
        command.args(["--store", &server.url()]);
    }
    ready("firn", &mut command)
}

/// Starts a program that says in its first line where it serves.
pub(super) fn ready(name: &str, command: &mut Command) -> anyhow::Result<Started> {
    let started = Instant::now();
    let mut process = Process::spawn(name, command.stdout(Stdio::piped()))?;
    let stdout = process.child().stdout.take();
    let stdout = stdout.context("the child's standard output is piped")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let ready_after = started.elapsed();
    let word = |prefix: &str| {
        let mut words = line.split_whitespace();
        words
            .find_map(|word| word.strip_prefix(prefix))
            .map(str::to_owned)
    };
    let Some(address) = word("kafka=") else {
        bail!("{name} ended without a ready line; it printed {line:?}");
    };
    Ok(Started {
        process,
        address,
        http: word("http=http://"),
        ready_after,
    })
}

/// What each of these metrics says at `http`: a sample with its labels, or a name, whose samples are summed.
pub(super) fn metrics<const N: usize>(http: &str, names: [&str; N]) -> anyhow::Result<[f64; N]> {
    let mut stream = TcpStream::connect(http)?;
    write!(
        stream,
        "GET /metrics HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n\r\n"
    )?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    if !page.starts_with("HTTP/1.1 200 ") {
        bail!("/metrics answered {:?}", page.lines().next());
    }
    let mut sums = [0.0; N];
    for line in page.lines() {
        let Some((sample, value)) = line.rsplit_once(' ') else {
            continue;
        };
        let name = sample.split('{').next();
        let asked = |wanted: &&str| sample == *wanted || name == Some(wanted);
        if let Some(at) = names.iter().position(asked) {
            sums[at] += value.parse::<f64>()?;
        }
    }
    Ok(sums)
}
