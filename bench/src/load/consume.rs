//! Consumers that read all partitions of a topic, without a group.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::client::Client;
use super::gauge::{Gauge, Latencies};
use super::produce::Schedule;
use super::window::{Window, sleep_until};
use crate::wire::{FetchAnswer, FetchRequest, MAX_BYTES, walk};

/// How long a tail is followed after the load, for what is late.
const LATENESS: Duration = Duration::from_secs(1);

/// What a consumer does at the end of the log.
#[derive(Clone, Copy, Debug)]
pub enum Reading {
    /// It waits for more: a tail. With the producers' schedule it tells how long after its due time each batch came.
    Tail(Option<Schedule>),
    /// It begins again: a catch-up that does not end.
    Again,
}

/// Consumers of one topic, each of which reads all of it from offset 0.
#[derive(Clone, Debug)]
pub struct Consume {
    /// Where the broker is.
    pub address: String,
    /// The topic.
    pub topic: String,
    /// Its partitions.
    pub partitions: i32,
    /// How many consumers there are, with a connection each.
    pub consumers: usize,
    /// Records in each batch.
    pub records: u32,
    /// What they do at the end.
    pub reading: Reading,
    /// Bytes that each of them reads in a second at most; unset: as many as it gets.
    pub rate: Option<f64>,
}

impl Consume {
    /// Reads until the window closes. Latencies: of a tail with a schedule, per batch.
    pub fn run(&self, window: Window, gauge: &Arc<Gauge>) -> anyhow::Result<Latencies> {
        let threads = (0..self.consumers).map(|_| {
            let (load, gauge) = (self.clone(), Arc::clone(gauge));
            let client = Client::connect(&self.address)?;
            Ok(std::thread::spawn(move || load.consume(client, window, &gauge)))
        });
        let threads: Vec<_> = threads.collect::<anyhow::Result<_>>()?;
        let mut all = Latencies::new();
        for thread in threads {
            all.add(&thread.join().ok().context("a consuming thread panicked")??);
        }
        Ok(all)
    }

    fn consume(&self, mut client: Client, window: Window, gauge: &Gauge) -> anyhow::Result<Latencies> {
        let mut latencies = Latencies::new();
        let mut positions: Vec<(i32, i64)> = (0..self.partitions).map(|index| (index, 0)).collect();
        let mut due = window.start;
        let max_bytes = match self.rate {
            // No more than a quarter of a second's, or one answer would be worth many seconds.
            Some(rate) => MAX_BYTES.min((rate / 4.0) as i32),
            None => MAX_BYTES,
        };
        sleep_until(window.start);
        let until = match self.reading {
            Reading::Tail(Some(_)) => window.closes + LATENESS,
            Reading::Tail(None) | Reading::Again => window.closes,
        };
        while Instant::now() < until {
            let request = FetchRequest {
                topic: &self.topic,
                positions: &positions,
                max_bytes,
            };
            let request = request.encode();
            let answer = client.ask(&request)?;
            let mut fetched = 0;
            FetchAnswer::read(answer, |partition| {
                let index = usize::try_from(partition.partition)?;
                let (_, position) = positions.get_mut(index).context("an unknown partition")?;
                fetched += self.take(&partition, position, window, &mut latencies)?;
                Ok(())
            })?;
            gauge.add(fetched as u64);
            if let Some(rate) = self.rate {
                due += Duration::from_secs_f64(fetched as f64 / rate);
                sleep_until(due.min(until));
            }
        }
        Ok(latencies)
    }

    /// Takes the batches of one partition in; returns their bytes.
    fn take(
        &self,
        answer: &FetchAnswer<'_>,
        position: &mut i64,
        window: Window,
        latencies: &mut Latencies,
    ) -> anyhow::Result<usize> {
        let now = Instant::now();
        let mut bytes = 0;
        for span in walk(answer.records) {
            ensure!(
                span.first <= *position,
                "partition {} jumps from offset {position} to {}",
                answer.partition,
                span.first
            );
            bytes += span.bytes;
            *position = span.end;
            if let Reading::Tail(Some(schedule)) = self.reading {
                let number = u64::try_from(span.first)? / u64::from(self.records);
                let due = schedule.due_in_partition(u32::try_from(answer.partition)?, number);
                if window.measures(due) {
                    latencies.record(now.saturating_duration_since(due));
                }
            }
        }
        if matches!(self.reading, Reading::Again) && *position >= answer.high_watermark {
            *position = 0;
        }
        Ok(bytes)
    }
}
