//! The cases, each with the figures that it gives.

use std::time::{Duration, Instant};

use anyhow::bail;
use hdrhistogram::Histogram;

use crate::broker::Broker;
use crate::figure::Figure;
use crate::{Options, connection, requests};

const RECORDS: i32 = 63;
const VALUE: usize = 1024;
const TOPIC: &str = "bench";

fn data_directory(options: &Options) -> anyhow::Result<tempfile::TempDir> {
    Ok(tempfile::Builder::new()
        .prefix("firn-bench-")
        .tempdir_in(&options.scratch)?)
}

/// Resident memory five seconds after the ready line.
pub async fn idle(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let data = data_directory(options)?;
    let broker = Broker::start(&options.firn, data.path(), &[])?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let resident = broker.memory_mib("VmRSS")?;
    broker.stop()?;
    Ok(vec![
        Figure::new("idle memory", "MiB", vec![resident]).target("<= 64"),
    ])
}

/// Ready after a clean stop, with 1,000 partitions that hold records.
pub async fn start(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let data = data_directory(options)?;
    let broker = Broker::start(&options.firn, data.path(), &[])?;
    connection::create_topic(&broker.kafka, TOPIC, 1_000).await?;
    let batch = requests::batch(10, VALUE);
    let frames = (0..1_000)
        .map(|partition| requests::produce(TOPIC, partition, &batch))
        .collect();
    connection::produce(broker.kafka.clone(), frames, 1_000, 16).await?;
    broker.stop()?;
    let mut seconds = Vec::new();
    for _ in 0..5 {
        let broker = Broker::start(&options.firn, data.path(), &[])?;
        seconds.push(broker.ready_after.as_secs_f64());
        broker.stop()?;
    }
    let name = "ready after a clean stop, 1,000 partitions";
    Ok(vec![Figure::new(name, "s", seconds).target("<= 1")])
}

/// Ready after kill -9 with 1 GB in the write-ahead log.
pub async fn recover(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let keep = ["--offload-interval", "1h", "--offload-bytes", "8GiB"];
    let mut seconds = Vec::new();
    for _ in 0..options.rounds {
        let data = data_directory(options)?;
        let broker = Broker::start(&options.firn, data.path(), &keep)?;
        connection::create_topic(&broker.kafka, TOPIC, 8).await?;
        load(&broker, options, 1.0).await?;
        expect_unsettled(&broker)?;
        broker.kill()?;
        let broker = Broker::start(&options.firn, data.path(), &[])?;
        seconds.push(broker.ready_after.as_secs_f64());
        broker.stop()?;
    }
    let name = "ready after kill -9 with 1 GB not offloaded";
    Ok(vec![Figure::new(name, "s", seconds).target("<= 3")])
}

/// Fails if anything has been offloaded. Many small slots are offloaded whatever their bytes are.
fn expect_unsettled(broker: &Broker) -> anyhow::Result<()> {
    let names = ["firn_wal_slots_total", "firn_cold_offloaded_bytes_total"];
    let [slots, offloaded] = broker.metrics(names)?;
    if slots == 0.0 {
        bail!("{} counts nothing after a load: it has another name", names[0]);
    }
    if offloaded > 0.0 {
        bail!(
            "{offloaded} bytes were offloaded before the kill, of {slots} slots: the figure would be of less than 1 GB"
        );
    }
    Ok(())
}

/// Produce as fast as it goes, in rounds.
pub async fn produce(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let (mut speeds, mut cpu, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    let mut latencies = Histogram::<u64>::new(3)?;
    for _ in 0..options.rounds {
        let data = data_directory(options)?;
        let broker = Broker::start(&options.firn, data.path(), &[])?;
        connection::create_topic(&broker.kafka, TOPIC, 8).await?;
        load(&broker, options, 0.25).await?;
        let measured = load(&broker, options, options.gigabytes).await?;
        speeds.push(measured.bytes / 1e6 / measured.wall.as_secs_f64());
        cpu.push(measured.cpu_seconds / (measured.bytes / 1e9));
        memory.push(broker.memory_mib("VmHWM")?);
        latencies.add(&measured.latencies)?;
        broker.stop()?;
    }
    let percentile =
        |p: f64| f64::from(u32::try_from(latencies.value_at_quantile(p)).unwrap_or(u32::MAX)) / 1e3;
    let load = format!(
        "{} connections, {} in flight",
        options.connections, options.in_flight
    );
    Ok(vec![
        Figure::new(format!("produce 64 KiB, fdatasync: {load}"), "MB/s", speeds).target(">= 200"),
        Figure::new("  broker CPU", "cpu-s/GB", cpu),
        Figure::new("  answer after, p50 of all", "ms", vec![percentile(0.5)]),
        Figure::new("  answer after, p99 of all", "ms", vec![percentile(0.99)]),
        Figure::new("  peak memory", "MiB", memory),
    ])
}

struct Measured {
    bytes: f64,
    wall: Duration,
    cpu_seconds: f64,
    latencies: Histogram<u64>,
}

/// Produces `gigabytes` to 8 partitions over all connections.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures real time and spawns its own tasks"
)]
async fn load(broker: &Broker, options: &Options, gigabytes: f64) -> anyhow::Result<Measured> {
    let batch = requests::batch(RECORDS, VALUE);
    let per_connection =
        ((gigabytes * 1e9 / batch.len() as f64) / options.connections as f64).ceil() as usize;
    let cpu_before = broker.cpu_seconds()?;
    let started = Instant::now();
    let mut running = Vec::new();
    for connection in 0..options.connections {
        let partition = i32::try_from(connection % 8)?;
        let frames = vec![requests::produce(TOPIC, partition, &batch)];
        let address = broker.kafka.clone();
        running.push(tokio::spawn(connection::produce(
            address,
            frames,
            per_connection,
            options.in_flight,
        )));
    }
    let mut latencies = Histogram::new(3)?;
    for task in running {
        latencies.add(task.await??)?;
    }
    Ok(Measured {
        bytes: (per_connection * options.connections * batch.len()) as f64,
        wall: started.elapsed(),
        cpu_seconds: broker.cpu_seconds()? - cpu_before,
        latencies,
    })
}
