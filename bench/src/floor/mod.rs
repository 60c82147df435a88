//! The floor: what a broker of equal durability costs at the least, in the same session and under the same load.
//!
//! A tokio program that receives requests, checks each batch's CRC32C, writes its base offset in place, and answers once a
//! group of requests is on disk after `fdatasync`. It validates nothing else, reads nothing back, keeps no index, fences
//! nobody, and what it has written it writes over: it is no broker. A line that it does not reach either is out of reach on this
//! machine.

mod answers;
mod connection;
mod log;

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::net::TcpListener;

use log::{FILE, Log};

/// Topics with the next offset of each of their partitions.
#[derive(Default)]
struct Topics(Mutex<HashMap<String, Arc<[Mutex<i64>]>>>);

impl Topics {
    fn create(&self, name: &str, partitions: usize) {
        let ends = (0..partitions).map(|_| Mutex::new(0)).collect();
        self.0.lock().insert(name.to_owned(), ends);
    }

    fn get(&self, name: &str) -> Option<Arc<[Mutex<i64>]>> {
        self.0.lock().get(name).cloned()
    }

    /// Names and numbers of partitions.
    fn all(&self) -> Vec<(String, usize)> {
        let topics = self.0.lock();
        topics
            .iter()
            .map(|(name, ends)| (name.clone(), ends.len()))
            .collect()
    }
}

/// Serves on a free port of the loopback, with its log in `data`, until the process is ended; says where on `out`.
pub fn serve(data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let log = Log::start(data, FILE)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        writeln!(out, "ready kafka={}", listener.local_addr()?)?;
        out.flush()?;
        accept(listener, log).await
    })
}

async fn accept(listener: TcpListener, log: Log) -> anyhow::Result<()> {
    let topics = Arc::new(Topics::default());
    loop {
        let (stream, _) = listener.accept().await?;
        let served = connection::serve(stream, Arc::clone(&topics), log.clone());
        drop(tokio::spawn(async move {
            if let Err(error) = served.await {
                complain("a connection", &error);
            }
        }));
    }
}

#[expect(clippy::print_stderr, reason = "whoever measures sees it")]
fn complain(what: &str, error: &anyhow::Error) {
    eprintln!("the floor: {what} ended: {error:#}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Client;
    use crate::wire::{self, Batch, Fields};

    /// A floor on a thread of its own, and a client of it.
    fn client() -> Client {
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let data = tempfile::tempdir().unwrap();
            let log = Log::start(data.path(), 8 << 20).unwrap();
            // Its files are open, and this thread has no end: they go with the process.
            drop(data);
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                sender.send(listener.local_addr().unwrap()).unwrap();
                accept(listener, log).await.unwrap();
            });
        });
        let address = receiver.recv().unwrap().to_string();
        Client::connect(&address).unwrap()
    }

    fn base_offset(answer: &[u8]) -> i64 {
        wire::produce_outcome(answer).unwrap();
        let mut fields = Fields::of(answer).unwrap();
        fields.count().unwrap();
        fields.short().unwrap();
        fields.count().unwrap();
        fields.i32().unwrap();
        fields.i16().unwrap();
        (i64::from(fields.i32().unwrap()) << 32) | i64::from(fields.i32().unwrap())
    }

    #[test]
    fn it_answers_the_load_generator_and_counts_offsets() {
        let mut client = client();
        let topics = ["t".to_owned()];
        wire::created(client.ask(&wire::create_topics(&topics, 3)).unwrap()).unwrap();
        let led = wire::led_partitions(client.ask(&wire::metadata()).unwrap(), "t");
        assert_eq!(led.unwrap(), 3);
        let served = wire::served_partitions(client.ask(&wire::list_offsets("t", 3)).unwrap());
        assert_eq!(served.unwrap(), 3);
        let batch = Batch::of_size(300_000, 1024);
        let head = wire::produce_head("t", 2, batch.bytes.len());
        let request = [&head[..], &batch.bytes];
        client.send((0..20).flat_map(|_| request)).unwrap();
        for number in 0..20 {
            let answer = client.answer().unwrap();
            assert_eq!(base_offset(answer), number * i64::from(batch.records));
        }
    }

    #[test]
    fn a_batch_that_was_changed_is_not_taken() {
        let mut client = client();
        client.ask(&wire::create_topics(&["t".to_owned()], 1)).unwrap();
        let batch = Batch::new(3, 100);
        let mut bytes = batch.bytes.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        let head = wire::produce_head("t", 0, bytes.len());
        client.send([&head[..], &bytes]).unwrap();
        assert!(client.answer().is_err());
    }
}
