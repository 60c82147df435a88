//! A connection that keeps a number of requests in flight.

use std::collections::VecDeque;
use std::time::Instant;

use anyhow::{Context, bail};
use bytes::BytesMut;
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::requests::{self, CORRELATION_ID_AT};

/// The error code of a Produce v7 answer lies behind correlation id, one topic with its name, and one partition.
fn produce_error(answer: &[u8]) -> anyhow::Result<i16> {
    let name_length = answer.get(8..10).context("an answer names its topic")?;
    let at = 10 + usize::from(u16::from_be_bytes([name_length[0], name_length[1]])) + 4 + 4;
    let code = answer.get(at..at + 2).context("an answer has an error code")?;
    Ok(i16::from_be_bytes([code[0], code[1]]))
}

async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    let length = usize::try_from(stream.read_i32().await?)?;
    buffer.resize(length, 0);
    stream.read_exact(buffer).await?;
    Ok(())
}

/// Creates a topic and checks the answer.
pub async fn create_topic(address: &str, name: &str, partitions: i32) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream
        .write_all(&requests::create_topic(name, partitions))
        .await?;
    let mut answer = Vec::new();
    read_answer(&mut stream, &mut answer).await?;
    // Correlation id, throttle time, topic count, name, error code.
    let at = 4 + 4 + 4 + 2 + name.len();
    let code = answer.get(at..at + 2).context("a short answer to CreateTopics")?;
    match i16::from_be_bytes([code[0], code[1]]) {
        0 => Ok(()),
        code => bail!("CreateTopics answered error {code}"),
    }
}

/// Sends `count` requests, taking them from `frames` in turn, never more than `in_flight` unanswered; returns the
/// latencies in microseconds, from the moment a request was written.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub async fn produce(
    address: String,
    mut frames: Vec<BytesMut>,
    count: usize,
    in_flight: usize,
) -> anyhow::Result<Histogram<u64>> {
    let mut stream = TcpStream::connect(&address).await?;
    stream.set_nodelay(true)?;
    let mut latencies = Histogram::new(3)?;
    let mut sent_at = VecDeque::with_capacity(in_flight);
    let mut answer = Vec::new();
    let turn = frames.len();
    let mut sent = 0;
    for answered in 0..count {
        while sent < count && sent - answered < in_flight {
            let frame = &mut frames[sent % turn];
            let id = i32::try_from(sent & 0x7fff_ffff)?.to_be_bytes();
            frame[CORRELATION_ID_AT..CORRELATION_ID_AT + 4].copy_from_slice(&id);
            sent_at.push_back(Instant::now());
            stream.write_all(frame).await?;
            sent += 1;
        }
        read_answer(&mut stream, &mut answer).await?;
        let code = produce_error(&answer)?;
        if code != 0 {
            bail!("Produce answered error {code}");
        }
        let since = sent_at
            .pop_front()
            .context("every answer has a request")?
            .elapsed();
        latencies.record(u64::try_from(since.as_micros())?.max(1))?;
    }
    Ok(latencies)
}
