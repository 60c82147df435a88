//! Producing, alone or with consumers, measured over the load's window.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use anyhow::Context;

use super::{Measured, Times, create, producing};
use crate::load::{Consume, Counted, Gauge, Latencies, Pace, Reading, Window, sleep_until};
use crate::subject::{Subject, own_cpu_seconds};
use crate::versus::case::Sending;
use crate::versus::results::{Curve, Metric, points};

type Thread = JoinHandle<anyhow::Result<Latencies>>;

/// What is read at both ends of the window.
struct Sample {
    at: Instant,
    produced: Counted,
    fetched: Counted,
    broker: f64,
    generator: f64,
}

/// Everything that counts while a load runs.
#[derive(Clone, Default)]
struct Gauges {
    produced: Arc<Gauge>,
    fetched: Arc<Gauge>,
}

impl Gauges {
    fn sample(&self, subject: &Subject) -> anyhow::Result<Sample> {
        Ok(Sample {
            at: Instant::now(),
            produced: self.produced.counted(),
            fetched: self.fetched.counted(),
            broker: subject.process().cpu_seconds()?,
            generator: own_cpu_seconds()?,
        })
    }
}

/// Produces to a new topic of this name while `tails` consumers keep up and `catch_up` others read it again and again.
pub fn run(
    subject: &Subject,
    topic: &str,
    sending: &Sending,
    tails: usize,
    catch_up: usize,
    times: &Times,
) -> anyhow::Result<Measured> {
    create(&subject.address, topic, sending.partitions)?;
    subject.process().reset_peak()?;
    let load = producing(subject, topic, sending);
    let window = Window::soon(times.warm_up, times.measured);
    let schedule = load.schedule(&window);
    let consume = |consumers: usize, reading: Reading| Consume {
        address: subject.address.clone(),
        topic: topic.to_owned(),
        partitions: sending.partitions,
        consumers,
        records: load.batch.records,
        reading,
        rate: None,
    };
    let gauges = Gauges::default();
    let reading = [(tails, Reading::Tail(schedule)), (catch_up, Reading::Again)];
    let reading = reading.into_iter().filter(|(consumers, _)| *consumers > 0);
    let consumers: Vec<Thread> = reading
        .map(|(consumers, reading)| {
            let (consume, gauge) = (consume(consumers, reading), Arc::clone(&gauges.fetched));
            std::thread::spawn(move || consume.run(window, &gauge))
        })
        .collect();
    let (producer, gauge) = (load.clone(), Arc::clone(&gauges.produced));
    let producer: Thread = std::thread::spawn(move || producer.run(window, &gauge));

    sleep_until(window.opens);
    let first = gauges.sample(subject)?;
    sleep_until(window.closes);
    let last = gauges.sample(subject)?;
    let acknowledged = finish(producer)?;
    let mut delivered = Latencies::new();
    for consumer in consumers {
        delivered.add(&finish(consumer)?);
    }
    let mut measured = figures(&first, &last);
    measured
        .figures
        .insert(Metric::PeakMemory, subject.process().peak_mib()?);
    if matches!(sending.pace, Pace::Rate { .. }) {
        curve(
            &mut measured,
            Curve::Acknowledged,
            &acknowledged,
            [Metric::AckP50, Metric::AckP99],
        );
        let metrics = [Metric::DeliveryP50, Metric::DeliveryP99];
        curve(&mut measured, Curve::Delivered, &delivered, metrics);
    }
    Ok(measured)
}

fn finish(thread: Thread) -> anyhow::Result<Latencies> {
    thread.join().ok().context("a thread of the load panicked")?
}

fn figures(first: &Sample, last: &Sample) -> Measured {
    let seconds = (last.at - first.at).as_secs_f64();
    let (produced, fetched) = (
        last.produced.since(first.produced),
        last.fetched.since(first.fetched),
    );
    let moved = (produced.bytes + fetched.bytes) as f64 / 1e9;
    let broker = last.broker - first.broker;
    let mut measured = Measured::default();
    let mut figure = |metric: Metric, value: f64| {
        if value.is_finite() {
            measured.figures.insert(metric, value);
        }
    };
    figure(Metric::Produced, produced.bytes as f64 / 1e6 / seconds);
    if fetched.bytes > 0 {
        figure(Metric::Fetched, fetched.bytes as f64 / 1e6 / seconds);
    } else {
        figure(Metric::Requests, produced.requests as f64 / seconds);
        figure(Metric::CpuPerRequest, broker * 1e6 / produced.requests as f64);
    }
    figure(Metric::CpuPerGb, broker / moved);
    figure(
        Metric::GeneratorCpuPerGb,
        (last.generator - first.generator) / moved,
    );
    measured
}

fn curve(measured: &mut Measured, curve: Curve, latencies: &Latencies, [p50, p99]: [Metric; 2]) {
    if latencies.0.is_empty() {
        return;
    }
    measured.curves.insert(curve, points(latencies));
    for (metric, quantile) in [(p50, 0.5), (p99, 0.99)] {
        let micros = latencies.0.value_at_quantile(quantile);
        measured.figures.insert(metric, micros as f64 / 1e3);
    }
}
