//! A broker process under measurement.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
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
    /// Where it serves HTTP.
    http: String,
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
        let word = |prefix: &str| {
            let mut words = line.split_whitespace();
            words
                .find_map(|word| word.strip_prefix(prefix))
                .map(str::to_owned)
        };
        let (Some(kafka), Some(http)) = (word("kafka="), word("http=http://")) else {
            let _ = child.kill();
            bail!("firn ended without a ready line; it printed {line:?}");
        };
        Ok(Self {
            child,
            kafka,
            http,
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

    /// What each of these metrics says, summed over its labels; 0 if it has not counted anything yet.
    pub fn metrics<const N: usize>(&self, names: [&str; N]) -> anyhow::Result<[f64; N]> {
        let mut stream = TcpStream::connect(&self.http)?;
        write!(
            stream,
            "GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.http
        )?;
        let mut page = String::new();
        stream.read_to_string(&mut page)?;
        if !page.starts_with("HTTP/1.1 200 ") {
            bail!("/metrics answered {:?}", page.lines().next());
        }
        let mut sums = [0.0; N];
        for line in page.lines() {
            let name = line.split([' ', '{']).next();
            if let Some(at) = names.iter().position(|wanted| name == Some(wanted)) {
                let value = line.rsplit(' ').next().context("a sample has a value")?;
                sums[at] += value.parse::<f64>()?;
            }
        }
        Ok(sums)
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
