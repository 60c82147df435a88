//! Cold records: `seg/` and `mux/` objects, and all that makes, reads, merges and deletes them.
//!
//! | module | what is in it |
//! |---|---|
//! | [`format`] | byte layout: index at the front, batches behind it, everything under a checksum |
//! | [`tier`] | which objects hold which offsets, in memory; loading, refreshing, publishing |
//! | [`read`] | reads from any offset, and the search by time |
//! | [`offload`] | slots of a write-ahead log into objects: checkpoint and drain |
//! | [`merge`] | many small objects into few large ones |
//! | [`retention`] | how far a log start may rise, and which objects nobody needs any more |
//! | [`gc`] | deleting objects whose rows say so |
//!
//! Order is everything here. An object is registered before it is uploaded, uploaded before a transaction names it,
//! named before it is read; marked in a transaction, left alone for a grace period, deleted, and only then forgotten.
//! So whatever is cut off in between leaves a row that garbage collection finds, and no LIST is needed. What is alive
//! is told by rows, never by file names, and a missing object is believed only after the rows were read again.

mod budget;
mod cache;
mod extents;
mod fetch;
pub mod format;
pub mod gc;
pub mod merge;
pub mod offload;
pub mod read;
pub mod retention;
mod settings;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod tier;
mod uploads;

use firn_catalog::cell::{CatalogError, ObjectKind};
use firn_catalog::ids::{ObjectId, Offset, PartitionId};
use object_store::path::Path;

pub use settings::{ColdSettings, GcSettings, MergeSettings, OffloadSettings, ReadSettings};
pub use tier::{ColdTail, ColdTier};

/// Why cold records cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ColdError {
    /// The store did not answer, or not in time. Try again.
    #[error("the object store did not answer: {0}")]
    Unavailable(String),
    /// The catalog did not do what was asked; it says whether to try again.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Retention has taken the offset away in the meantime: look at the log start again.
    #[error("offset {from} of partition {partition} was deleted by retention")]
    Trimmed {
        /// Whose log.
        partition: PartitionId,
        /// What was asked for.
        from: Offset,
    },
    /// An alarm: records are missing between two objects, or before the first. The partition must stop.
    #[error(
        "the cold log of partition {partition} has a gap: offset {expected} is missing, {found} comes next"
    )]
    Gap {
        /// Whose log.
        partition: PartitionId,
        /// The offset that should be there.
        expected: Offset,
        /// The next one that is.
        found: Offset,
    },
    /// An alarm: two objects, or an object and a slot, claim the same offsets. The partition must stop.
    #[error("the cold log of partition {partition} overlaps: after offset {expected} comes {found}")]
    Overlap {
        /// Whose log.
        partition: PartitionId,
        /// Where the earlier extent ends.
        expected: Offset,
        /// Where the later one begins, before that.
        found: Offset,
    },
    /// An alarm: the catalog names the object, and the store has not what was written.
    #[error("object {object} is lost or damaged, and the catalog still names it: {reason}")]
    Lost {
        /// Which object.
        object: ObjectId,
        /// What was found instead.
        reason: String,
    },
    /// The object was written by a newer version of Firn.
    #[error("object {object}: {error}")]
    NewerFormat {
        /// Which object.
        object: ObjectId,
        /// Its version and ours.
        error: format::FormatError,
    },
}

impl ColdError {
    /// Whether it says that a successor has taken over from this process, which must end.
    pub fn is_fenced(&self) -> bool {
        matches!(self, Self::Catalog(error) if error.is_fenced())
    }

    /// Whether trying again can help. All others are for an operator, and stop the partition.
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Trimmed { .. } => true,
            Self::Catalog(error) => match error {
                CatalogError::Unavailable(_) => true,
                CatalogError::NotOpen(_)
                | CatalogError::NotOwner(_)
                | CatalogError::WrongState { .. }
                | CatalogError::ObjectNotRegistered(_)
                | CatalogError::NewerFormat { .. }
                | CatalogError::Corrupt(_) => false,
            },
            Self::Gap { .. } | Self::Overlap { .. } | Self::Lost { .. } | Self::NewerFormat { .. } => false,
        }
    }
}

/// The name of an object in the store.
pub fn object_path(kind: ObjectKind, id: ObjectId) -> Path {
    let folder = match kind {
        ObjectKind::Segment => "seg",
        ObjectKind::Mux => "mux",
        ObjectKind::RecoveryIndex => return crate::takeover::object_path(id),
    };
    // Random ids: their own first digits spread the names over the store's partitions.
    Path::from(format!("{folder}/{:02x}/{id}", id.0 >> 120))
}
