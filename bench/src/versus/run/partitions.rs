//! Very many partitions.

use std::time::{Duration, Instant};

use super::{Measured, create, served};
use crate::load::{Client, Latencies};
use crate::subject::Subject;
use crate::versus::results::Metric;
use crate::wire::{self, Batch};

const ASKED: usize = 50;

/// Creates topics, asks for them, and restarts with them.
pub fn run(subject: Subject, topics: usize, each: i32) -> anyhow::Result<(Subject, Measured)> {
    let names: Vec<String> = (0..topics).map(|number| format!("many-{number}")).collect();
    let mut measured = Measured::default();
    let mut figure = |metric: Metric, value: f64| measured.figures.insert(metric, value);
    let began = Instant::now();
    // One request for each topic, as tools send them.
    names
        .iter()
        .try_for_each(|name| create(&subject.address, name, each))?;
    figure(Metric::Create, began.elapsed().as_secs_f64());
    std::thread::sleep(Duration::from_secs(2));
    figure(Metric::Memory, subject.process().resident_mib()?);
    let mut client = Client::connect(&subject.address)?;
    let mut latencies = Latencies::new();
    for _ in 0..ASKED {
        let asked = Instant::now();
        client.ask(&wire::metadata())?;
        latencies.record(asked.elapsed());
    }
    figure(
        Metric::MetadataP50,
        latencies.0.value_at_quantile(0.5) as f64 / 1e3,
    );
    drop(client);

    let subject = subject.restart(&[])?;
    let answering = Instant::now();
    let mut client = Client::connect(&subject.address)?;
    names
        .iter()
        .try_for_each(|name| served(&mut client, name, each))?;
    let batch = Batch::new(1, 100);
    let head = wire::produce_head(names.last().map_or("", |name| name), each - 1, batch.bytes.len());
    client.send([&head[..], &batch.bytes])?;
    wire::produce_outcome(client.answer()?)?;
    figure(
        Metric::Start,
        (subject.ready_after + answering.elapsed()).as_secs_f64(),
    );
    figure(Metric::PeakMemory, subject.process().peak_mib()?);
    Ok((subject, measured))
}
