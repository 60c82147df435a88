//! A child process, what it costs, and what the machine took away.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

/// `_SC_CLK_TCK`, which is 100 on every Linux that this runs on.
const TICKS_PER_SECOND: f64 = 100.0;
/// What resets the peak of resident memory, written to `clear_refs` (proc(5)).
const RESET_PEAK: &str = "5";

/// A child process; killed when dropped.
pub struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts `command`.
    pub fn spawn(name: &str, command: &mut Command) -> anyhow::Result<Self> {
        let child = command.spawn().with_context(|| {
            let program = command.get_program().to_string_lossy().into_owned();
            format!("cannot start {program}: the make target installs and builds what it needs")
        })?;
        Ok(Self {
            child,
            name: name.to_owned(),
        })
    }

    /// The child itself.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// User and system CPU seconds of all its threads so far.
    pub fn cpu_seconds(&self) -> anyhow::Result<f64> {
        cpu_seconds(&self.child.id().to_string())
    }

    /// Resident memory now, in MiB.
    pub fn resident_mib(&self) -> anyhow::Result<f64> {
        self.memory_mib("VmRSS:")
    }

    /// The most resident memory since the start or the last [`Process::reset_peak`], in MiB.
    pub fn peak_mib(&self) -> anyhow::Result<f64> {
        self.memory_mib("VmHWM:")
    }

    /// Begins a new peak at the resident memory of now.
    pub fn reset_peak(&self) -> anyhow::Result<()> {
        let path = self.proc("clear_refs");
        std::fs::write(&path, RESET_PEAK).with_context(|| format!("cannot write {}", path.display()))
    }

    /// A file of `/proc/PID`.
    fn proc(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.child.id()))
    }

    fn memory_mib(&self, key: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(self.proc("status"))?;
        let value = status.lines().find_map(|line| line.strip_prefix(key));
        let kib = value.with_context(|| format!("{} has no {key}", self.name))?;
        Ok(kib.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
    }

    /// Fails if the process has ended.
    pub fn expect_alive(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} ended with {status}", self.name),
        }
    }

    /// Ends it with SIGTERM and waits for it.
    pub fn stop(mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id())?;
        kill_process(Pid::from_raw(pid).context("a process id is not 0")?, Signal::TERM)?;
        let status = self.child.wait()?;
        // A JVM that handles SIGTERM ends with 128 + 15; the floor does not handle it.
        if status.success() || status.code() == Some(143) || status.signal() == Some(Signal::TERM.as_raw()) {
            Ok(())
        } else {
            bail!("{} ended with {status}", self.name)
        }
    }

    /// Ends it with SIGKILL.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU seconds of the load generator so far.
pub fn own_cpu_seconds() -> anyhow::Result<f64> {
    cpu_seconds("self")
}

fn cpu_seconds(process: &str) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, after_name) = stat.rsplit_once(')').context("stat has a name in parentheses")?;
    // Fields 14 and 15 of proc(5); the name is field 2.
    let mut times = after_name.split_whitespace().skip(11);
    let mut ticks = || {
        times
            .next()
            .context("stat has utime and stime")?
            .parse::<f64>()
            .context("a number")
    };
    Ok((ticks()? + ticks()?) / TICKS_PER_SECOND)
}

/// Processor time that the machine's host took away since a moment.
pub struct Steal {
    began: Instant,
    stolen: f64,
}

impl Steal {
    /// From now on.
    pub fn begin() -> anyhow::Result<Self> {
        Ok(Self {
            began: Instant::now(),
            stolen: stolen_seconds()?,
        })
    }

    /// The share of all processors' time, 0 to 1.
    pub fn share(&self) -> anyhow::Result<f64> {
        let processors = std::thread::available_parallelism()?.get() as f64;
        let elapsed: Duration = self.began.elapsed();
        Ok((stolen_seconds()? - self.stolen) / (elapsed.as_secs_f64() * processors).max(0.01))
    }
}

fn stolen_seconds() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let all = stat
        .lines()
        .next()
        .context("/proc/stat has a line for all processors")?;
    // cpu user nice system idle iowait irq softirq steal: proc(5).
    let steal = all.split_whitespace().nth(8).context("/proc/stat has no steal")?;
    Ok(steal.parse::<f64>()? / TICKS_PER_SECOND)
}
