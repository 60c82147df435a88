//! What is asked of groups.

use std::sync::Arc;

use firn_catalog::ids::PartitionId;
use firn_runtime::Timestamp;

use super::{Group, Output, Shard, Token};
use crate::api::{
    Answer, Commit, CommittedOffset, GroupError, GroupKey, GroupState, Join, MemberRef, NotJoined, Request,
};
use crate::record::{Key, Record};

impl Shard {
    pub(super) fn ask(
        &mut self,
        token: Token,
        key: GroupKey,
        request: Request,
        now: Timestamp,
        output: &mut Output,
    ) {
        let answer = match request {
            Request::Join(join) => return self.join(token, key, *join, now, output),
            Request::Sync(sync) => {
                let Some(known) = self.known(&key).filter(|key| !key.name.is_empty()) else {
                    let answer = Answer::Sync(Err(absent(&key)));
                    return output.answers.push((token, answer));
                };
                self.with_group(&known, now, output, |group, turn| {
                    group.classic.sync(turn, token, sync);
                });
                return;
            }
            Request::Heartbeat { member, generation } => {
                let beat = self.with_member_group(&key, now, output, |group, turn| {
                    group.classic.heartbeat(turn, &member, generation)
                });
                Answer::Heartbeat(beat.and_then(|beat| beat))
            }
            Request::Leave(members) => Answer::Leave(self.leave(&key, &members, now, output)),
            Request::Commit(commit) => Answer::Commit(self.commit(key, commit, now, output)),
            Request::Offsets(partitions) => Answer::Offsets(self.offsets(&key, partitions)),
            Request::DeleteOffsets { partitions } => {
                Answer::DeleteOffsets(self.delete_offsets(&key, &partitions, output))
            }
            Request::Delete => Answer::Delete(self.delete(&key, output)),
            Request::Describe => {
                let group = self.groups.get(&key).ok_or(GroupError::GroupNotFound);
                Answer::Describe(group.map(|group| group.classic.describe()))
            }
        };
        output.answers.push((token, answer));
    }

    fn join(&mut self, token: Token, key: GroupKey, join: Join, now: Timestamp, output: &mut Output) {
        let refused = self.join_refused(&key, &join);
        let known = match refused {
            Some(error) => Err(error),
            None => self.known_or_new(key, now).ok_or(GroupError::TooManyGroups),
        };
        match known {
            Ok(known) => {
                self.with_group(&known, now, output, |group, turn| {
                    group.classic.join(turn, token, join);
                });
            }
            Err(error) => {
                let member = join.member.id;
                let answer = Answer::Join(Err(NotJoined { error, member }));
                output.answers.push((token, answer));
            }
        }
    }

    fn join_refused(&self, key: &GroupKey, join: &Join) -> Option<GroupError> {
        let sessions = self.settings.min_session..=self.settings.max_session;
        if key.name.is_empty() {
            Some(GroupError::InvalidGroup)
        } else if !sessions.contains(&join.session_timeout) {
            Some(GroupError::InvalidSessionTimeout)
        } else if join.protocol_type.is_empty() || join.protocols.is_empty() {
            Some(GroupError::InconsistentProtocol)
        } else if !join.member.id.is_empty() && !self.groups.contains_key(key) {
            Some(GroupError::UnknownMember)
        } else {
            None
        }
    }

    /// Work with a group for one of its members, who knows nothing better if there is no such group.
    fn with_member_group<T>(
        &mut self,
        key: &GroupKey,
        now: Timestamp,
        output: &mut Output,
        work: impl FnOnce(&mut Group, &mut crate::classic::Turn<'_>) -> T,
    ) -> Result<T, GroupError> {
        let known = self.known(key).filter(|key| !key.name.is_empty());
        let known = known.ok_or_else(|| absent(key))?;
        self.with_group(&known, now, output, work)
            .ok_or(GroupError::UnknownMember)
    }

    fn leave(
        &mut self,
        key: &GroupKey,
        members: &[MemberRef],
        now: Timestamp,
        output: &mut Output,
    ) -> Result<Vec<Result<(), GroupError>>, GroupError> {
        self.with_member_group(key, now, output, |group, turn| {
            members
                .iter()
                .map(|member| group.classic.leave(turn, member))
                .collect()
        })
    }

    fn commit(
        &mut self,
        key: GroupKey,
        commit: Commit,
        now: Timestamp,
        output: &mut Output,
    ) -> Result<Vec<Result<(), GroupError>>, GroupError> {
        // A consumer that is a member of nothing may commit to a group that is not there.
        let known = match self.known(&key) {
            Some(known) => known,
            None if commit.generation < 0 => self.known_or_new(key, now).ok_or(GroupError::TooManyGroups)?,
            None => return Err(GroupError::IllegalGeneration),
        };
        let most = self.settings.max_metadata;
        let mut records = Vec::new();
        let committed = self.with_group(&known, now, output, |group, turn| {
            group
                .classic
                .may_commit(turn, &commit.member, commit.generation)?;
            let expires_at = commit.retention.map(|after| {
                let after = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
                Timestamp(now.0.saturating_add(after))
            });
            let each = commit.offsets.into_iter().map(|(partition, new)| {
                if new.metadata.len() > most {
                    return Err(GroupError::MetadataTooLarge);
                }
                let offset = CommittedOffset {
                    offset: new.offset,
                    leader_epoch: new.leader_epoch,
                    metadata: new.metadata,
                    committed_at: now,
                    expires_at,
                };
                records.push(Record {
                    key: Key::Offset((*known).clone(), partition).encode(),
                    value: Some(offset.encode()),
                });
                group.offsets.put(partition, offset);
                Ok(())
            });
            Ok(each.collect())
        });
        output.records.append(&mut records);
        committed.unwrap_or(Err(GroupError::UnknownMember))
    }

    fn offsets(
        &self,
        key: &GroupKey,
        partitions: Option<Vec<PartitionId>>,
    ) -> Vec<(PartitionId, CommittedOffset)> {
        let Some(group) = self.groups.get(key) else {
            return Vec::new();
        };
        match partitions {
            None => {
                let all = group.offsets.all();
                all.map(|(partition, offset)| (*partition, offset.clone()))
                    .collect()
            }
            Some(asked) => {
                let found = |partition| Some((partition, group.offsets.get(&partition)?.clone()));
                asked.into_iter().filter_map(found).collect()
            }
        }
    }

    fn delete_offsets(
        &mut self,
        key: &GroupKey,
        partitions: &[(PartitionId, Arc<str>)],
        output: &mut Output,
    ) -> Result<Vec<Result<(), GroupError>>, GroupError> {
        let known = self.known(key).ok_or(GroupError::GroupNotFound)?;
        let group = self.groups.get_mut(&known).ok_or(GroupError::GroupNotFound)?;
        let subscribed = match group.classic.state() {
            GroupState::Empty => None,
            _ => Some(group.classic.subscribed().ok_or(GroupError::NonEmptyGroup)?),
        };
        let each = partitions.iter().map(|(partition, topic)| {
            if subscribed.as_ref().is_some_and(|topics| topics.contains(topic)) {
                return Err(GroupError::Subscribed);
            }
            if group.offsets.remove(partition) {
                output.records.push(Record {
                    key: Key::Offset((*known).clone(), *partition).encode(),
                    value: None,
                });
            }
            Ok(())
        });
        let each = each.collect();
        if group.is_nothing() {
            self.forget(&known);
        }
        Ok(each)
    }

    fn delete(&mut self, key: &GroupKey, output: &mut Output) -> Result<(), GroupError> {
        let known = self.known(key).ok_or(GroupError::GroupNotFound)?;
        let group = self.groups.get(&known).ok_or(GroupError::GroupNotFound)?;
        // Whoever was given an id, and has not come with it yet, joins a new group of this name.
        if group.classic.state() != GroupState::Empty {
            return Err(GroupError::NonEmptyGroup);
        }
        group.tombstones(&known, &mut output.records);
        self.forget(&known);
        Ok(())
    }
}

/// What a member is told of a group that is not there.
fn absent(key: &GroupKey) -> GroupError {
    if key.name.is_empty() {
        GroupError::InvalidGroup
    } else {
        GroupError::UnknownMember
    }
}
