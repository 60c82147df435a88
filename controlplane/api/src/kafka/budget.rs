//! How many bytes of fetched records are in memory at once, of all requests together: one batch may have 100 MiB, and it comes whole.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::KafkaError;

/// The bytes of all of them. The largest answer has room in it.
const MOST: usize = 256 << 20;
/// How long an answer waits until others have gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is left.
#[derive(Clone)]
pub(super) struct Budget(Arc<Semaphore>);

impl Budget {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }

    /// Waits for room for so many bytes.
    pub(super) async fn take(&self, bytes: usize) -> Result<Grant, KafkaError> {
        let bytes = u32::try_from(bytes).map_err(|_| KafkaError::NoRoom)?;
        let taking = Arc::clone(&self.0).acquire_many_owned(bytes);
        match tokio::time::timeout(PATIENCE, taking).await {
            Ok(Ok(permit)) => Ok(Grant { _permit: permit }),
            Ok(Err(_)) | Err(_) => Err(KafkaError::NoRoom),
        }
    }
}

/// Room for an answer.
pub(super) struct Grant {
    _permit: OwnedSemaphorePermit,
}

impl Grant {
    /// The answer, which has its room until the last part of it is dropped.
    pub(super) fn of(self, answer: BytesMut) -> Bytes {
        Bytes::from_owner(Held { answer, _grant: self })
    }
}

struct Held {
    answer: BytesMut,
    _grant: Grant,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: usize = 100 << 20;

    #[tokio::test(start_paused = true)]
    async fn all_answers_together_have_so_much_room_and_no_more() {
        let budget = Budget::new();
        let held = [
            budget.take(LARGE).await.unwrap(),
            budget.take(LARGE).await.unwrap(),
        ];
        assert!(matches!(budget.take(LARGE).await, Err(KafkaError::NoRoom)));
        let small = budget.take(50 << 20).await;
        assert!(small.is_ok(), "what fits is not kept waiting");
        drop(held);
        assert!(budget.take(LARGE).await.is_ok());
        assert!(matches!(budget.take(MOST + 1).await, Err(KafkaError::NoRoom)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_has_its_room_until_the_last_part_of_it_is_dropped() {
        let budget = Budget::new();
        let grant = budget.take(MOST).await.unwrap();
        let answer = grant.of(BytesMut::from(&b"abc"[..]));
        let part = answer.slice(1..2);
        drop(answer);
        assert_eq!(&part[..], b"b");
        assert!(matches!(budget.take(1).await, Err(KafkaError::NoRoom)));
        let (next, ()) = tokio::join!(budget.take(1), async { drop(part) });
        assert!(next.is_ok());
    }
}
