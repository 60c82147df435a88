//! Leaving.

use std::sync::Arc;

use super::{ClassicGroup, Turn, What};
use crate::api::{GroupError, MemberRef};

impl ClassicGroup {
    /// Takes a member out: one by its id, or a static one by its static id alone, as an administrator does (KIP-345).
    pub(crate) fn leave(&mut self, turn: &mut Turn<'_>, member: &MemberRef) -> Result<(), GroupError> {
        let id = match &member.instance {
            None if self.unpend(turn, &member.id) => {
                self.after_removal(turn);
                return Ok(());
            }
            None => self.validate(member)?,
            Some(instance) if member.id.is_empty() => {
                let known = self.members.of_instance(instance);
                known.cloned().ok_or(GroupError::UnknownMember)?
            }
            Some(_) => self.validate(member)?,
        };
        self.remove(turn, &id);
        self.after_removal(turn);
        Ok(())
    }

    /// Whether the id was given out and not yet used; it is not any more.
    pub(super) fn unpend(&mut self, turn: &mut Turn<'_>, id: &Arc<str>) -> bool {
        let Some(mut alarm) = self.pending.remove(id) else {
            return false;
        };
        turn.cancel(&mut alarm, || What::Pending(Arc::clone(id)));
        true
    }
}
