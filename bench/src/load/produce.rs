//! Produce, acks=all: as fast as the broker answers, or at a given rate.
//!
//! At a rate the load is open: every request has a time at which it is to be sent, whatever became of those before it, and
//! its latency counts from then. A broker that stalls for a second has made all requests of that second late.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::client::Client;
use super::gauge::{Gauge, Latencies};
use super::window::{Window, sleep_until};
use crate::wire::{Batch, produce_head, produce_outcome};

/// How fast requests are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As many as are answered, with so many unanswered on each connection.
    FullSpeed {
        /// Requests in flight on each connection.
        in_flight: usize,
    },
    /// So many bytes of batches in a second, over all connections.
    Rate {
        /// Bytes in a second.
        bytes: f64,
    },
}

/// Produces to the partitions 0 to `partitions` of one topic, one batch in a request.
#[derive(Clone, Debug)]
pub struct Produce {
    /// Where the broker is.
    pub address: String,
    /// The topic.
    pub topic: String,
    /// Its partitions. Each connection takes its share of them in turn; with fewer partitions than connections they share.
    pub partitions: i32,
    /// How many connections there are.
    pub connections: usize,
    /// What is sent, again and again.
    pub batch: Batch,
    /// How fast.
    pub pace: Pace,
}

/// When each batch was to be sent, for whoever reads it.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    start: Instant,
    /// Between two requests of one connection.
    interval: Duration,
    connections: u32,
    partitions: u32,
}

impl Schedule {
    /// When request `number` of `connection` is due. The connections take turns within an interval.
    fn due(&self, connection: u32, number: u64) -> Instant {
        let whole = self.interval.as_secs_f64();
        let turn = whole * f64::from(connection) / f64::from(self.connections);
        self.start + Duration::from_secs_f64(turn + whole * number as f64)
    }

    /// When batch `number` of `partition` is due; only where each partition has one connection.
    pub fn due_in_partition(&self, partition: u32, number: u64) -> Instant {
        let connection = partition % self.connections;
        let of_connection = u64::from((self.partitions - connection).div_ceil(self.connections));
        self.due(
            connection,
            number * of_connection + u64::from(partition / self.connections),
        )
    }
}

impl Produce {
    /// When the requests are due; none at full speed.
    pub fn schedule(&self, window: &Window) -> Option<Schedule> {
        let Pace::Rate { bytes } = self.pace else {
            return None;
        };
        let requests = bytes / self.batch.bytes.len() as f64;
        Some(Schedule {
            start: window.start,
            interval: Duration::from_secs_f64(self.connections as f64 / requests),
            connections: u32::try_from(self.connections).ok()?,
            partitions: u32::try_from(self.partitions).ok()?,
        })
    }

    /// Runs the load until the window closes and everything is answered; latencies are of the requests that the window measures:
    /// from the time they were due at a rate, from sending at full speed.
    pub fn run(&self, window: Window, gauge: &Arc<Gauge>) -> anyhow::Result<Latencies> {
        let mut all = Latencies::new();
        let threads = (0..self.connections).map(|number| {
            let (load, gauge) = (self.clone(), Arc::clone(gauge));
            let client = Client::connect(&self.address)?;
            let heads = self.heads(number)?;
            let run = move || match load.schedule(&window) {
                None => load.full_speed(client, &heads, window, &gauge),
                Some(schedule) => load.at_rate(client, &heads, number, schedule, window, &gauge),
            };
            Ok(std::thread::spawn(run))
        });
        let threads: Vec<_> = threads.collect::<anyhow::Result<_>>()?;
        for thread in threads {
            let latencies = thread.join().ok().context("a producing thread panicked")??;
            all.add(&latencies);
        }
        Ok(all)
    }

    /// What stands before the batch in each request of a connection, in turn.
    fn heads(&self, connection: usize) -> anyhow::Result<Vec<Vec<u8>>> {
        let partitions = usize::try_from(self.partitions)?;
        let step = self.connections.min(partitions);
        let own = (connection % step..partitions).step_by(step);
        own.map(|partition| {
            let partition = i32::try_from(partition)?;
            Ok(produce_head(&self.topic, partition, self.batch.bytes.len()))
        })
        .collect()
    }

    fn full_speed(
        &self,
        mut client: Client,
        heads: &[Vec<u8>],
        window: Window,
        gauge: &Gauge,
    ) -> anyhow::Result<Latencies> {
        let Pace::FullSpeed { in_flight: most } = self.pace else {
            return Ok(Latencies::new());
        };
        let bytes = self.batch.bytes.len() as u64;
        let mut latencies = Latencies::new();
        let mut sent_at = std::collections::VecDeque::with_capacity(most);
        let mut turn = heads.iter().cycle();
        sleep_until(window.start);
        loop {
            let free = if window.is_over() { 0 } else { most - sent_at.len() };
            if free > 0 {
                let now = Instant::now();
                sent_at.extend(std::iter::repeat_n(now, free));
                let heads = turn.by_ref().take(free);
                client.send(heads.flat_map(|head| [&head[..], &self.batch.bytes]))?;
            }
            if sent_at.is_empty() {
                return Ok(latencies);
            }
            let mut answer = Some(client.answer()?);
            while let Some(taken) = answer {
                produce_outcome(taken)?;
                let sent = sent_at.pop_front().context("an answer that nobody asked for")?;
                gauge.add(bytes);
                if window.measures(sent) {
                    latencies.record(sent.elapsed());
                }
                answer = client.arrived()?;
            }
        }
    }

    fn at_rate(
        &self,
        mut client: Client,
        heads: &[Vec<u8>],
        connection: usize,
        schedule: Schedule,
        window: Window,
        gauge: &Gauge,
    ) -> anyhow::Result<Latencies> {
        let connection = u32::try_from(connection)?;
        let mut sender = client.sender()?;
        let requests = (0..).take_while(|number| schedule.due(connection, *number) < window.closes);
        let requests = requests.count() as u64;
        std::thread::scope(|scope| {
            let sending = scope.spawn(|| {
                for (number, head) in (0..requests).zip(heads.iter().cycle()) {
                    sleep_until(schedule.due(connection, number));
                    sender.send([&head[..], &self.batch.bytes])?;
                }
                anyhow::Ok(())
            });
            let mut latencies = Latencies::new();
            for number in 0..requests {
                produce_outcome(client.answer()?)?;
                gauge.add(self.batch.bytes.len() as u64);
                let due = schedule.due(connection, number);
                if window.measures(due) {
                    latencies.record(due.elapsed());
                }
            }
            sending.join().ok().context("a sending thread panicked")??;
            Ok(latencies)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn produce(partitions: i32, connections: usize) -> Produce {
        Produce {
            address: String::new(),
            topic: "t".to_owned(),
            partitions,
            connections,
            batch: Batch::new(1, 100),
            pace: Pace::Rate { bytes: 1e6 },
        }
    }

    #[test]
    fn every_partition_belongs_to_one_connection_or_several_share_it() {
        let shared = produce(1, 4);
        assert!((0..4).all(|connection| shared.heads(connection).unwrap().len() == 1));
        let spread = produce(8, 3);
        let sizes: Vec<_> = (0..3).map(|c| spread.heads(c).unwrap().len()).collect();
        assert_eq!(sizes, [3, 3, 2]);
    }

    #[test]
    fn a_batch_is_due_when_its_request_is() {
        let load = produce(8, 3);
        let window = Window::soon(Duration::ZERO, Duration::from_secs(1));
        let schedule = load.schedule(&window).unwrap();
        // Connection 1 has the partitions 1, 4, 7: its request 5 is the second batch of partition 7.
        assert_eq!(schedule.due_in_partition(7, 1), schedule.due(1, 5));
        // Connection 2 has only 2 and 5.
        assert_eq!(schedule.due_in_partition(2, 2), schedule.due(2, 4));
        assert!(schedule.due(0, 1) > schedule.due(2, 0));
    }
}
