//! A write-ahead log whose puts can be held back, so that requests stay in flight for as long as a test wants.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use firn_catalog::cell::WalLocation;
use firn_catalog::ids::{IncarnationId, Slot};
use firn_log::wal::{ObjectLog, PutOutcome, WalError, WriteAheadLog};
use object_store::ObjectStore;
use tokio::sync::watch;

pub struct GatedWal {
    inner: ObjectLog,
    open: watch::Sender<bool>,
}

impl GatedWal {
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self {
            inner: ObjectLog::new(store),
            open: watch::Sender::new(true),
        }
    }

    /// Nothing becomes durable from here on.
    pub fn hold(&self) {
        self.open.send_replace(false);
    }

    /// What was held back goes on.
    pub fn release(&self) {
        self.open.send_replace(true);
    }
}

#[async_trait]
impl WriteAheadLog for GatedWal {
    fn location(&self) -> WalLocation {
        self.inner.location()
    }

    async fn put_if_absent(
        &self,
        incarnation: IncarnationId,
        slot: Slot,
        pieces: Vec<Bytes>,
    ) -> Result<PutOutcome, WalError> {
        self.open.subscribe().wait_for(|open| *open).await.unwrap();
        self.inner.put_if_absent(incarnation, slot, pieces).await
    }

    async fn get(&self, incarnation: IncarnationId, slot: Slot) -> Result<Option<Bytes>, WalError> {
        self.inner.get(incarnation, slot).await
    }

    async fn get_front(&self, incarnation: IncarnationId, slot: Slot) -> Result<Option<Bytes>, WalError> {
        self.inner.get_front(incarnation, slot).await
    }

    async fn get_range(
        &self,
        incarnation: IncarnationId,
        slot: Slot,
        range: Range<u64>,
    ) -> Result<Option<Bytes>, WalError> {
        self.inner.get_range(incarnation, slot, range).await
    }

    async fn delete(&self, incarnation: IncarnationId, slots: Range<Slot>) -> Result<(), WalError> {
        self.inner.delete(incarnation, slots).await
    }

    fn is_local(&self) -> bool {
        self.inner.is_local()
    }
}
