//! The write-ahead log in the object store: one object per register, created with a condition.
//!
//! `wal/{hash}/{incarnation}/{slot:020}`; the hash spreads incarnations over the store's key ranges. `object_store` turns every
//! 409 of S3 into `AlreadyExists`, among them the conflict of two puts of which neither may have won, and
//! does not retry it. So "already exists" is believed only once the object has been seen.

use std::error::Error as _;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use firn_catalog::cell::WalLocation;
use firn_catalog::ids::{IncarnationId, Slot};
use futures::{StreamExt, stream};
use object_store::path::Path;
use object_store::{
    Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload,
};
use tokio::time::Instant;

use super::slot::front_length;
use super::{PutOutcome, WalError, WriteAheadLog};
use crate::metrics;

/// Bytes of the first read of a front; most indexes are smaller.
const FRONT_GUESS: u64 = 64 * 1024;

/// A write-ahead log whose registers are objects.
#[derive(Clone, Debug)]
pub struct ObjectLog {
    store: Arc<dyn ObjectStore>,
}

impl ObjectLog {
    /// The log in `store`, which must honour conditional puts ([`crate::store::probe`]).
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store }
    }

    /// The key of a register.
    pub fn path(incarnation: IncarnationId, slot: Slot) -> Path {
        let hash = crc32c::crc32c(&incarnation.0.to_be_bytes()) >> 16;
        Path::from(format!("wal/{hash:04x}/{incarnation}/{:020}", slot.0))
    }

    /// The bytes of `range`, fewer if the object ends before.
    async fn read(&self, path: &Path, range: Option<Range<u64>>) -> Result<Option<Bytes>, WalError> {
        let options = GetOptions {
            range: range.map(GetRange::Bounded),
            ..GetOptions::default()
        };
        let result = match self.store.get_opts(path, options).await {
            Ok(result) => result.bytes().await,
            Err(error) => Err(error),
        };
        match result {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn size(&self, path: &Path) -> Result<Option<u64>, WalError> {
        match self.store.head(path).await {
            Ok(found) => Ok(Some(found.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(unavailable(&error)),
        }
    }
}

#[async_trait]
impl WriteAheadLog for ObjectLog {
    fn location(&self) -> WalLocation {
        WalLocation::Object
    }

    async fn put_if_absent(
        &self,
        incarnation: IncarnationId,
        slot: Slot,
        pieces: Vec<Bytes>,
    ) -> Result<PutOutcome, WalError> {
        let path = Self::path(incarnation, slot);
        let payload = PutPayload::from_iter(pieces);
        let bytes = payload.content_length();
        let options = PutOptions {
            mode: PutMode::Create,
            ..PutOptions::default()
        };
        let started = Instant::now();
        match self.store.put_opts(&path, payload, options).await {
            Ok(_) => {
                metrics::slot_written("object", bytes, started.elapsed());
                Ok(PutOutcome::Written)
            }
            Err(Error::AlreadyExists { .. }) => match self.size(&path).await? {
                Some(_) => Ok(PutOutcome::Exists),
                None => Err(WalError::Unavailable(format!(
                    "{path}: a conflict, but nothing is there"
                ))),
            },
            Err(error) if is_no_space(&error) => Err(WalError::NoSpace(error.to_string())),
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn get(&self, incarnation: IncarnationId, slot: Slot) -> Result<Option<Bytes>, WalError> {
        self.read(&Self::path(incarnation, slot), None).await
    }

    async fn get_front(&self, incarnation: IncarnationId, slot: Slot) -> Result<Option<Bytes>, WalError> {
        let path = Self::path(incarnation, slot);
        let Some(front) = self.read(&path, Some(0..FRONT_GUESS)).await? else {
            return Ok(None);
        };
        match front_length(&front) {
            Ok(length) if length > front.len() as u64 => self.read(&path, Some(0..length)).await,
            // Whoever parses it says what is wrong with it.
            Ok(_) | Err(_) => Ok(Some(front)),
        }
    }

    async fn get_range(
        &self,
        incarnation: IncarnationId,
        slot: Slot,
        range: Range<u64>,
    ) -> Result<Option<Bytes>, WalError> {
        let path = Self::path(incarnation, slot);
        let shorter = || WalError::Corrupt(format!("{path} is shorter than {} bytes", range.end));
        if range.is_empty() {
            return Ok(self.size(&path).await?.map(|_| Bytes::new()));
        }
        match self.read(&path, Some(range.clone())).await {
            Ok(Some(bytes)) if bytes.len() as u64 == range.end - range.start => Ok(Some(bytes)),
            Ok(Some(_)) => Err(shorter()),
            Ok(None) => Ok(None),
            // A range wholly past the end is an error that stores word in their own ways.
            Err(error) => match self.size(&path).await? {
                None => Ok(None),
                Some(size) if size < range.end => Err(shorter()),
                Some(_) => Err(error),
            },
        }
    }

    async fn delete(&self, incarnation: IncarnationId, slots: Range<Slot>) -> Result<(), WalError> {
        let paths = stream::iter(
            (slots.start.0..slots.end.0).map(move |slot| Ok(Self::path(incarnation, Slot(slot)))),
        );
        let mut results = self.store.delete_stream(paths.boxed());
        let mut failed = None;
        while let Some(result) = results.next().await {
            match result {
                Ok(_) | Err(Error::NotFound { .. }) => {}
                Err(error) => failed = Some(unavailable(&error)),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn is_local(&self) -> bool {
        false
    }
}

fn unavailable(error: &Error) -> WalError {
    WalError::Unavailable(error.to_string())
}

/// Whether a local store failed for want of room.
fn is_no_space(error: &Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.downcast_ref::<io::Error>().is_some_and(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            )
        }) {
            return true;
        }
        source = cause.source();
    }
    false
}
