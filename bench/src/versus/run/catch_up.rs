//! Reading a log from its start, as fast as it comes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::{Measured, Times, create, producing};
use crate::load::{Consume, Gauge, Pace, Reading, Window, sleep_until};
use crate::subject::{Flags, Subject, own_cpu_seconds};
use crate::versus::case::Sending;
use crate::versus::results::Metric;

const TOPIC: &str = "catch-up";
/// What is read again and again; it fits into the page cache of both.
const BYTES: f64 = 1.5e9;
const SENDING: Sending = Sending {
    batch: 64 << 10,
    value: 1024,
    partitions: 8,
    connections: 4,
    pace: Pace::FullSpeed { in_flight: 5 },
};
/// What makes the hot tier forget at once what is in objects.
const COLD_ONLY: Flags = &["--hot-memory-bytes", "1MiB", "--hot-disk-bytes", "1MiB"];
/// Bytes of records that were read out of objects, and in all.
const FROM_OBJECTS: &str = "firn_log_read_bytes_total{tier=\"cold\"}";
const READ: &str = "firn_log_read_bytes_total";
const PATIENCE: Duration = Duration::from_secs(120);

/// Writes the log unless this broker has it already, and reads it.
pub fn run(
    subject: Subject,
    readers: usize,
    cold: bool,
    times: &Times,
) -> anyhow::Result<(Subject, Measured)> {
    let topic = if cold { "catch-up-cold" } else { TOPIC };
    let written = create(&subject.address, topic, SENDING.partitions).is_err();
    if !written {
        write(&subject, topic)?;
    }
    let subject = if cold && !written {
        subject.restart(COLD_ONLY)?
    } else {
        subject
    };
    let consume = Consume {
        address: subject.address.clone(),
        topic: topic.to_owned(),
        partitions: SENDING.partitions,
        consumers: readers,
        records: producing(&subject, topic, &SENDING).batch.records,
        reading: Reading::Again,
        rate: None,
    };
    let mut measured = Measured::default();
    if cold {
        expect_objects(&subject, &consume)?;
    } else if !written {
        let first = read_once(&consume)?;
        measured.figures.insert(Metric::FetchedFirst, first);
    }
    subject.process().reset_peak()?;
    let window = Window::soon(times.warm_up, times.measured);
    let gauge = Arc::new(Gauge::default());
    let counting = Arc::clone(&gauge);
    let reading = std::thread::spawn(move || consume.run(window, &counting));
    let sample = || -> anyhow::Result<_> {
        let cpu = (subject.process().cpu_seconds()?, own_cpu_seconds()?);
        Ok((Instant::now(), gauge.counted(), cpu))
    };
    sleep_until(window.opens);
    let (began, before, cpu_before) = sample()?;
    sleep_until(window.closes);
    let (ended, after, cpu_after) = sample()?;
    reading.join().ok().context("a reading thread panicked")??;
    let bytes = after.since(before).bytes as f64;
    let seconds = (ended - began).as_secs_f64();
    measured.figures.extend([
        (Metric::Fetched, bytes / 1e6 / seconds),
        (Metric::CpuPerGb, (cpu_after.0 - cpu_before.0) * 1e9 / bytes),
        (
            Metric::GeneratorCpuPerGb,
            (cpu_after.1 - cpu_before.1) * 1e9 / bytes,
        ),
        (Metric::PeakMemory, subject.process().peak_mib()?),
    ]);
    Ok((subject, measured))
}

/// Produces [`BYTES`] to the topic.
fn write(subject: &Subject, topic: &str) -> anyhow::Result<()> {
    let load = producing(subject, topic, &SENDING);
    let gauge = Arc::new(Gauge::default());
    while (gauge.counted().bytes as f64) < BYTES {
        load.run(Window::soon(Duration::ZERO, Duration::from_secs(1)), &gauge)?;
    }
    Ok(())
}

/// Reads until each consumer could have had everything once, so that what is measured after it is not the first read. Gives MB/s in
/// the first second.
fn read_once(consume: &Consume) -> anyhow::Result<f64> {
    let mut first = None;
    for seconds in 1..=8 {
        let gauge = Arc::new(Gauge::default());
        consume.run(Window::soon(Duration::ZERO, Duration::from_secs(seconds)), &gauge)?;
        let bytes = gauge.counted().bytes as f64;
        let first = *first.get_or_insert(bytes / 1e6);
        if bytes >= BYTES * consume.consumers as f64 {
            return Ok(first);
        }
    }
    bail!("no consumer reads {BYTES} bytes within eight seconds")
}

/// Reads until everything comes out of objects: what the last process had not offloaded
/// is drained into them meanwhile.
fn expect_objects(subject: &Subject, consume: &Consume) -> anyhow::Result<()> {
    let read = || subject.metrics([FROM_OBJECTS, READ]);
    let began = Instant::now();
    let mut before = read()?;
    while began.elapsed() < PATIENCE {
        let window = Window::soon(Duration::ZERO, Duration::from_secs(1));
        consume.run(window, &Arc::new(Gauge::default()))?;
        let after = read()?;
        let [cold, all] = [0, 1].map(|at| after[at] - before[at]);
        if cold > 0.0 && cold >= all {
            return Ok(());
        }
        before = after;
    }
    bail!("after two minutes some records are still read from the write-ahead log")
}
