//! What Firn takes that does nothing: memory, time to start, time to start after it was killed.

mod figure;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;

use crate::load::{Client, Gauge, Pace, Produce, Window};
use crate::subject::{Flags, Kind, Places, Subject};
use crate::wire::{self, Batch};
use figure::Figure;

const TOPIC: &str = "bench";
/// What keeps all records in the write-ahead log.
const KEEP: Flags = &["--offload-interval", "1h", "--offload-bytes", "8GiB"];
const STARTS: usize = 5;

/// Measures all of it and prints a table.
pub fn run(places: &Places, rounds: usize, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "{}", Figure::heading())?;
    writeln!(out, "{}", idle(places)?)?;
    writeln!(out, "{}", start(places)?)?;
    writeln!(out, "{}", recover(places, rounds)?)?;
    Ok(())
}

/// Resident memory five seconds after the ready line.
fn idle(places: &Places) -> anyhow::Result<Figure> {
    let firn = Subject::start(Kind::Firn, &[], places)?;
    std::thread::sleep(Duration::from_secs(5));
    let resident = firn.process().resident_mib()?;
    firn.stop()?;
    Ok(Figure::new("idle memory", "MiB", vec![resident]).target("<= 64"))
}

/// Ready after a clean stop, with 1,000 partitions that hold records.
fn start(places: &Places) -> anyhow::Result<Figure> {
    const PARTITIONS: i32 = 1_000;
    let mut firn = Subject::start(Kind::Firn, &[], places)?;
    let mut client = Client::connect(&firn.address)?;
    create(&mut client, PARTITIONS)?;
    let batch = Batch::new(10, 1024);
    for partition in 0..PARTITIONS {
        let head = wire::produce_head(TOPIC, partition, batch.bytes.len());
        client.send([&head[..], &batch.bytes])?;
        wire::produce_outcome(client.answer()?)?;
    }
    drop(client);
    let mut seconds = Vec::new();
    for _ in 0..STARTS {
        firn = firn.restart(&[])?;
        seconds.push(firn.ready_after.as_secs_f64());
    }
    firn.stop()?;
    let name = "ready after a clean stop, 1,000 partitions";
    Ok(Figure::new(name, "s", seconds).target("<= 1"))
}

/// Ready after kill -9 with 1 GB in the write-ahead log.
fn recover(places: &Places, rounds: usize) -> anyhow::Result<Figure> {
    let mut seconds = Vec::new();
    for _ in 0..rounds {
        let firn = Subject::start(Kind::Firn, KEEP, places)?;
        create(&mut Client::connect(&firn.address)?, 8)?;
        let load = Produce {
            address: firn.address.clone(),
            topic: TOPIC.to_owned(),
            partitions: 8,
            connections: 4,
            batch: Batch::of_size(64 << 10, 1024),
            pace: Pace::FullSpeed { in_flight: 5 },
        };
        let gauge = Arc::new(Gauge::default());
        while gauge.counted().bytes < 1_000_000_000 {
            load.run(Window::soon(Duration::ZERO, Duration::from_millis(200)), &gauge)?;
        }
        expect_unsettled(&firn)?;
        let firn = firn.restart_after_kill(&[])?;
        seconds.push(firn.ready_after.as_secs_f64());
        firn.stop()?;
    }
    let name = "ready after kill -9 with 1 GB not offloaded";
    Ok(Figure::new(name, "s", seconds).target("<= 3"))
}

fn create(client: &mut Client, partitions: i32) -> anyhow::Result<()> {
    let request = wire::create_topics(&[TOPIC.to_owned()], partitions);
    wire::created(client.ask(&request)?)
}

/// Fails if anything has been offloaded. Many small slots are offloaded whatever their bytes are.
fn expect_unsettled(firn: &Subject) -> anyhow::Result<()> {
    let names = ["firn_wal_slots_total", "firn_cold_offloaded_bytes_total"];
    let [slots, offloaded] = firn.metrics(names)?;
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
