//! One connection: requests are split off the buffer they came in, checked, and handed to the log; answers leave in order.

use std::collections::VecDeque;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::Topics;
use super::answers;
use super::log::Log;
use crate::wire;

/// Room that is asked of a buffer for more of the next request.
const ROOM: usize = 256 << 10;
/// Buffers that a connection keeps, to use them again once the log is done with them.
const BUFFERS: usize = 4;
/// The largest request that is believed.
const MOST: usize = 16 << 20;
/// Where a batch has its checksum, its last offset delta, and what the checksum covers.
const CHECKSUM: std::ops::Range<usize> = 17..21;
const LAST_OFFSET_DELTA: std::ops::Range<usize> = 23..27;

/// An answer, and what it waits for.
struct Waiting {
    answer: Vec<u8>,
    durable: Option<oneshot::Receiver<()>>,
}

/// Serves until the client goes.
pub(super) async fn serve(mut stream: TcpStream, topics: Arc<Topics>, log: Log) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let (mut incoming, mut outgoing) = stream.split();
    let mut buffers = Buffers::default();
    let mut waiting: VecDeque<Waiting> = VecDeque::new();
    let mut out = Vec::new();
    loop {
        tokio::select! {
            biased;
            done = durable(&mut waiting), if !waiting.is_empty() => {
                done?;
                ready(&mut waiting, &mut out);
                outgoing.write_all(&out).await?;
                out.clear();
            }
            read = incoming.read_buf(buffers.room()) => {
                if read? == 0 {
                    return Ok(());
                }
                while let Some(frame) = buffers.frame()? {
                    waiting.push_back(take(frame, &topics, &log)?);
                }
            }
        }
    }
}

/// Waits until the first answer may leave.
async fn durable(waiting: &mut VecDeque<Waiting>) -> anyhow::Result<()> {
    let first = waiting.front_mut().context("there is an answer")?;
    if let Some(durable) = first.durable.as_mut() {
        durable.await.context("the log's thread has ended")?;
        first.durable = None;
    }
    Ok(())
}

/// Moves the answers that may leave.
fn ready(waiting: &mut VecDeque<Waiting>, out: &mut Vec<u8>) {
    while let Some(first) = waiting.front_mut() {
        if let Some(durable) = first.durable.as_mut()
            && durable.try_recv().is_err()
        {
            return;
        }
        out.extend_from_slice(&first.answer);
        waiting.pop_front();
    }
}

/// Does a request, up to what the log has to do.
fn take(mut frame: BytesMut, topics: &Topics, log: &Log) -> anyhow::Result<Waiting> {
    let (api, correlation, fields) = answers::header(&frame)?;
    if api.0 != wire::PRODUCE_API {
        return Ok(Waiting {
            answer: answers::other(api, correlation, fields, topics)?,
            durable: None,
        });
    }
    let produce = answers::produce(fields, frame.len())?;
    let ends = topics.get(produce.topic).context("an unknown topic")?;
    let end = ends.get(usize::try_from(produce.partition)?);
    let end = end.context("an unknown partition")?;
    let batch = &frame[produce.batch_at..];
    ensure!(batch.len() > LAST_OFFSET_DELTA.end, "a batch is cut off");
    let claimed = u32::from_be_bytes(batch[CHECKSUM].try_into()?);
    if crc32c::crc32c(&batch[CHECKSUM.end..]) != claimed {
        bail!("a batch has a wrong checksum");
    }
    let last = i32::from_be_bytes(batch[LAST_OFFSET_DELTA].try_into()?);
    let (topic, partition, at) = (produce.topic.to_owned(), produce.partition, produce.batch_at);
    let mut batch = frame.split_off(at);
    let mut end = end.lock();
    batch[..8].copy_from_slice(&end.to_be_bytes());
    let answer = answers::produced(correlation, &topic, partition, *end);
    *end += i64::from(last) + 1;
    Ok(Waiting {
        answer,
        durable: Some(log.append(batch.freeze())?),
    })
}

/// Buffers that requests are received into.
#[derive(Default)]
struct Buffers {
    current: BytesMut,
    others: VecDeque<BytesMut>,
}

impl Buffers {
    /// The current buffer with room for more: another one, if the log still has most of this one.
    fn room(&mut self) -> &mut BytesMut {
        let claimed = claimed(&self.current).map_or(0, |length| length + 4);
        let missing = claimed.saturating_sub(self.current.len()).max(1);
        if self.current.capacity() - self.current.len() < missing && !self.current.try_reclaim(missing) {
            let wanted = ROOM.max(claimed);
            let free = self.others.iter_mut().position(|other| other.try_reclaim(wanted));
            let mut next = match free.and_then(|at| self.others.remove(at)) {
                Some(free) => free,
                None => BytesMut::with_capacity(4 * wanted),
            };
            next.extend_from_slice(&self.current);
            self.current.clear();
            let last = std::mem::replace(&mut self.current, next);
            if self.others.len() < BUFFERS {
                self.others.push_back(last);
            }
        }
        &mut self.current
    }

    /// The next whole request, without its length.
    fn frame(&mut self) -> anyhow::Result<Option<BytesMut>> {
        let Some(length) = claimed(&self.current) else {
            return Ok(None);
        };
        ensure!(length <= MOST, "a request claims {length} bytes");
        if self.current.len() < 4 + length {
            return Ok(None);
        }
        let mut frame = self.current.split_to(4 + length);
        Ok(Some(frame.split_off(4)))
    }
}

/// The length of the request at the start of a buffer.
fn claimed(buffer: &BytesMut) -> Option<usize> {
    let prefix = buffer.first_chunk::<4>()?;
    Some(usize::try_from(i32::from_be_bytes(*prefix)).unwrap_or(usize::MAX))
}
