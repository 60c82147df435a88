//! Connections that do nothing.

use std::time::Duration;

use super::Measured;
use crate::load::open_idle;
use crate::subject::Subject;
use crate::versus::results::Metric;

/// Opens connections to a broker that has done nothing yet, and tells what each cost it.
pub fn run(subject: Subject, count: usize) -> anyhow::Result<(Subject, Measured)> {
    let subject = subject.restart(&[])?;
    let process = subject.process();
    process.reset_peak()?;
    let (memory, cpu) = (process.resident_mib()?, process.cpu_seconds()?);
    let (open, _) = open_idle(&subject.address, count)?;
    let cpu = process.cpu_seconds()? - cpu;
    std::thread::sleep(Duration::from_secs(1));
    let grown = process.resident_mib()? - memory;
    let mut measured = Measured::default();
    measured.figures.extend([
        (Metric::CpuPerConnection, cpu * 1e6 / open.len() as f64),
        (Metric::MemoryPerConnection, grown * 1024.0 / open.len() as f64),
        (Metric::PeakMemory, process.peak_mib()?),
    ]);
    drop(open);
    Ok((subject, measured))
}
