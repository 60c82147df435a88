//! A producer's connection: requests arrive in the order in which they were sent, answers when their slots count.
//!
//! A client that gives up leaves its requests on the way: the broker still carries them out, as a real one would.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use firn_catalog::ids::PartitionId;
use firn_log::partition::AppendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use crate::checker::Checker;
use crate::process::Process;
use crate::record::RecordId;

/// What a client learns of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is in the log, from this offset on, for good.
    Acknowledged(i64),
    /// The broker refused it. Nothing was appended.
    Refused(Refusal),
}

/// Why a batch was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another broker leads, or this one has stopped: connect again.
    NotLeader,
    /// The sequence is not the next one, or older than what the broker remembers.
    Sequence(String),
    /// The partition is damaged.
    Stopped(String),
    /// Something else.
    Other(String),
}

/// A batch on its way.
pub struct Sent {
    /// Where it goes.
    pub partition: PartitionId,
    /// The first of its records.
    pub first: RecordId,
    /// How many records there are.
    pub count: u32,
    /// Its bytes.
    pub batch: BytesMut,
}

struct Request {
    sent: Sent,
    delay: Duration,
    answer: oneshot::Sender<Answer>,
}

/// A connection to one process.
pub struct Connection {
    /// To whom.
    pub process: Arc<Process>,
    requests: mpsc::UnboundedSender<Request>,
}

impl Connection {
    /// Connects to `process`. What it acknowledges, `checker` is told, whether the client still listens or not.
    pub fn open(process: Arc<Process>, checker: Arc<Checker>) -> Self {
        let (requests, received) = mpsc::unbounded_channel();
        process.spawn(serve(Arc::clone(&process), checker, received));
        Self { process, requests }
    }

    /// Sends a batch, which arrives `delay` after the one before it; whoever holds the answer may drop it.
    pub fn send(&self, sent: Sent, delay: Duration) -> oneshot::Receiver<Answer> {
        let (answer, received) = oneshot::channel();
        // A process that is gone drops the request, and with it the answer.
        let _ = self.requests.send(Request { sent, delay, answer });
        received
    }
}

async fn serve(process: Arc<Process>, checker: Arc<Checker>, mut requests: mpsc::UnboundedReceiver<Request>) {
    while let Some(Request { sent, delay, answer }) = requests.recv().await {
        sleep(delay).await;
        process.link.pass().await;
        let Some(log) = process.log() else { return };
        log.room().await;
        let Sent {
            partition,
            first,
            count,
            batch,
        } = sent;
        let appended = match log.partition(partition) {
            Some(open) => open
                .append(batch, process.env.now())
                .map_err(|error| refusal(&error)),
            None => Err(Refusal::NotLeader),
        };
        let (answering, checker) = (Arc::clone(&process), Arc::clone(&checker));
        process.spawn(async move {
            let told = match appended {
                Err(refusal) => Answer::Refused(refusal),
                Ok(appended) => {
                    if let Some(slot) = appended.slot
                        && log.wait(slot).await.is_err()
                    {
                        // Whether it is in the log is unknown: no answer.
                        return;
                    }
                    answering.link.pass().await;
                    checker.acknowledged(answering.generation, partition, appended.first.0, first, count);
                    Answer::Acknowledged(appended.first.0)
                }
            };
            answering.link.pass().await;
            // The client may have given up.
            let _ = answer.send(told);
        });
    }
}

fn refusal(error: &AppendError) -> Refusal {
    match error {
        AppendError::NotLeader | AppendError::Halted => Refusal::NotLeader,
        AppendError::Sequence(error) => Refusal::Sequence(error.to_string()),
        AppendError::Stopped(why) => Refusal::Stopped(why.clone()),
        AppendError::Batch(_) | AppendError::NoSpace => Refusal::Other(error.to_string()),
    }
}
