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

use log::Log;

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
    let log = Log::start(data)?;
    let topics = Arc::new(Topics::default());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        writeln!(out, "ready kafka={}", listener.local_addr()?)?;
        out.flush()?;
        loop {
            let (stream, _) = listener.accept().await?;
            let served = connection::serve(stream, Arc::clone(&topics), log.clone());
            drop(tokio::spawn(async move {
                if let Err(error) = served.await {
                    eprintln!("a connection to the floor ended: {error:#}");
                }
            }));
        }
    })
}
