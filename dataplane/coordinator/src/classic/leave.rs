//! Leaving.

use super::{ClassicGroup, Turn};
use crate::api::{GroupError, MemberRef};

impl ClassicGroup {
    /// Takes a member out: one by its id, or a static one by its static id alone, as an administrator does (KIP-345).
    pub(crate) fn leave(&mut self, turn: &mut Turn<'_>, member: &MemberRef) -> Result<(), GroupError> {
        let id = match &member.instance {
            None if self.pending.remove(&member.id).is_some() => {
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
}
