//! A broker process under measurement.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

/// A running `firn dev`; killed when dropped.
pub struct Broker {
    child: Child,
    /// Where it serves Kafka.
    pub kafka: String,
    /// From the start of the process to its ready line.
    pub ready_after: Duration,
}

impl Broker {
    /// Starts `firn dev` on `data` with ports of its choice and waits for its ready line.
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
    pub fn start(firn: &Path, data: &Path, extra: &[&str]) -> anyhow::Result<Self> {
        let started = Instant::now();
        let mut child = Command::new(firn)
            .args([
                "dev",
                "--kafka",
                "127.0.0.1:0",
                "--http",
                "127.0.0.1:0",
                "--data-dir",
            ])
            .arg(data)
            .args(extra)
            .env("FIRN_LOG_LEVEL", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| {
                format!(
                    "cannot start {}: run `make bench`, which builds it",
                    firn.display()
                )
            })?;
        let stdout = child
            .stdout
            .take()
            .context("the child's standard output is piped")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let ready_after = started.elapsed();
        let kafka = line
            .split_whitespace()
            .find_map(|word| word.strip_prefix("kafka="));
        let Some(kafka) = kafka.map(str::to_owned) else {
            let _ = child.kill();
            bail!("firn ended without a ready line; it printed {line:?}");
        };
        Ok(Self {
            child,
            kafka,
            ready_after,
        })
    }

    /// User and system CPU seconds so far.
    pub fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let after_name = stat.rsplit_once(')').context("stat has a name in parentheses")?.1;
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
        // Fields 14 and 15 of proc(5), in ticks of 1/100 s.
        Ok((ticks(11).context("utime")? + ticks(12).context("stime")?) / 100.0)
    }

    /// A memory figure of `/proc/PID/status`, in MiB: `VmRSS` or `VmHWM`.
    pub fn memory_mib(&self, key: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        let kib: f64 = line
            .context("no such key")?
            .trim()
            .trim_end_matches(" kB")
            .parse()?;
        Ok(kib / 1024.0)
    }

    /// Ends it with SIGTERM and waits for it.
    pub fn stop(mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id())?;
        kill_process(Pid::from_raw(pid).context("a process id is not 0")?, Signal::TERM)?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("firn ended with {status}");
        }
        Ok(())
    }

    /// Ends it with SIGKILL.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
