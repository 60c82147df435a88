//! What happened, line by line, folded into one number: two runs of one seed must agree on it.

use std::collections::VecDeque;
use std::fmt;

use parking_lot::Mutex;
use tokio::time::Instant;

/// How many of the last lines are kept for a report.
const KEPT: usize = 400;

/// The record of a run.
pub struct Trace {
    start: Instant,
    /// Print each line as it comes.
    loud: bool,
    inner: Mutex<Inner>,
}

struct Inner {
    hash: u64,
    lines: u64,
    last: VecDeque<String>,
}

impl Trace {
    /// An empty trace that begins now.
    pub fn new(loud: bool) -> Self {
        let inner = Inner {
            hash: 0xcbf2_9ce4_8422_2325,
            lines: 0,
            last: VecDeque::new(),
        };
        Self {
            start: Instant::now(),
            loud,
            inner: Mutex::new(inner),
        }
    }

    /// Adds a line.
    #[allow(clippy::print_stderr, reason = "a replay is asked to tell everything")]
    pub fn line(&self, what: fmt::Arguments<'_>) {
        let line = format!("{:>9.3} {what}", self.start.elapsed().as_secs_f64());
        if self.loud {
            eprintln!("{line}");
        }
        let mut inner = self.inner.lock();
        for byte in line.bytes() {
            inner.hash = (inner.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        inner.lines += 1;
        if inner.last.len() == KEPT {
            inner.last.pop_front();
        }
        inner.last.push_back(line);
    }

    /// The number that stands for all lines so far, and how many there are.
    pub fn digest(&self) -> (u64, u64) {
        let inner = self.inner.lock();
        (inner.hash, inner.lines)
    }

    /// The last lines.
    pub fn tail(&self) -> Vec<String> {
        self.inner.lock().last.iter().cloned().collect()
    }
}
