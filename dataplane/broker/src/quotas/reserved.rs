//! What a Fetch request may read, held for it while it reads, so that others that read meanwhile do not count on it too.

use std::sync::Arc;

use super::book::Book;
use super::bucket::{Bucket, Nanos};
use super::memo::Known;

/// What a Fetch request may read, taken from the buckets until it is dropped.
pub struct Reserved {
    bytes: usize,
    book: Option<Arc<Book>>,
    bucket: Option<Arc<Bucket>>,
}

impl std::fmt::Debug for Reserved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reserved")
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if let Some(book) = &self.book {
            book.egress.give_back(self.bytes);
        }
        if let Some(bucket) = &self.bucket {
            bucket.give_back(self.bytes as f64);
        }
    }
}

impl Reserved {
    /// Takes so much.
    pub(super) fn of(known: &Known, bytes: usize, now: Nanos) -> Self {
        let limited = known.book.egress.reserve(bytes, now);
        let bucket = known.consuming.as_ref().map(|held| {
            held.bucket.take(bytes as f64, held.rate, now);
            Arc::clone(&held.bucket)
        });
        Self {
            bytes,
            book: limited.then(|| Arc::clone(&known.book)),
            bucket,
        }
    }
}
