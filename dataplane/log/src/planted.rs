//! Mistakes that the simulation plants to see its checker catch them. Never compiled into the binary: only
//! `firn-simulation` turns the feature `planted` on.
//!
//! The mistake belongs to the thread, since a simulation runs on one: tests may run side by side.

use std::cell::Cell;

/// A mistake, each known to lose, duplicate or leave behind what it must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mistake {
    /// A slot counts as soon as it is durable, though an earlier one is not.
    AckBeforeEarlier,
    /// A duplicate is answered at once, though its original does not count yet.
    AnswerDuplicateEarly,
    /// After a put that was not answered, the slot number is used for other bytes.
    ReuseSlotNumber,
    /// Slots are deleted before the checkpoint that names their objects has committed.
    FreeBeforeCheckpoint,
    /// "Already exists" is taken for success without reading what is there.
    ExistsIsSuccess,
    /// The fence is deleted with the slots of a drained log.
    DeleteFence,
    /// Retention by size counts what is cold among what is local, too.
    CountTwice,
    /// What the owner of a drained log left behind is not deleted.
    LeaveSlots,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::AckBeforeEarlier,
        Self::AnswerDuplicateEarly,
        Self::ReuseSlotNumber,
        Self::FreeBeforeCheckpoint,
        Self::ExistsIsSuccess,
        Self::DeleteFence,
        Self::CountTwice,
        Self::LeaveSlots,
    ];
}

thread_local! {
    static PLANTED: Cell<Option<Mistake>> = const { Cell::new(None) };
}

/// Plants a mistake in this thread, or takes it away.
pub fn plant(mistake: Option<Mistake>) {
    PLANTED.set(mistake);
}

/// Whether `mistake` is planted in this thread.
pub fn is(mistake: Mistake) -> bool {
    PLANTED.get() == Some(mistake)
}
