//! A fence: what a successor puts into the first absent slot, so that nothing after it can ever be acknowledged.

use bytes::{BufMut, Bytes, BytesMut};
use firn_catalog::ids::{IncarnationId, Slot};

use super::fields::Fields;
use super::{CHECKSUM_AT, FENCE_MAGIC, FORMAT_VERSION, FormatError, checksum};

/// The end of a dead incarnation's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fence {
    /// Who put it there.
    pub sealer: IncarnationId,
    /// Whose log it ends.
    pub dead: IncarnationId,
    /// The slot it occupies: the first that does not count.
    pub slot: Slot,
}

impl Fence {
    /// Bytes of a fence.
    pub const SIZE: usize = 56;

    /// The bytes to put into the slot.
    pub fn encode(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(Self::SIZE);
        bytes.put_slice(&FENCE_MAGIC);
        bytes.put_u32(FORMAT_VERSION);
        bytes.put_u32(0);
        bytes.put_u128(self.sealer.0);
        bytes.put_u128(self.dead.0);
        bytes.put_u64(self.slot.0);
        let sum = checksum(&bytes);
        bytes[CHECKSUM_AT].copy_from_slice(&sum.to_be_bytes());
        bytes.freeze()
    }

    /// `bytes` holds at least [`Self::SIZE`], with magic and version already checked.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let bytes = &bytes[..Self::SIZE];
        let mut fields = Fields::new(&bytes[CHECKSUM_AT.start..]);
        if fields.u32()? != checksum(bytes) {
            return Err(FormatError::Checksum("fence"));
        }
        Ok(Self {
            sealer: IncarnationId(fields.u128()?),
            dead: IncarnationId(fields.u128()?),
            slot: Slot(fields.u64()?),
        })
    }
}
