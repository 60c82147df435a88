//! FindCoordinator 1, JoinGroup 3, SyncGroup 2, Heartbeat 2, LeaveGroup 2, OffsetCommit 5.

use anyhow::{bail, ensure};
use bytes::BufMut;

use super::{Fields, frame, put_string};

const OFFSET_COMMIT: (i16, i16) = (8, 5);
const FIND_COORDINATOR: (i16, i16) = (10, 1);
const JOIN_GROUP: (i16, i16) = (11, 3);
const HEARTBEAT: (i16, i16) = (12, 2);
const LEAVE_GROUP: (i16, i16) = (13, 2);
const SYNC_GROUP: (i16, i16) = (14, 2);
const SESSION_MS: i32 = 60_000;
const REBALANCE_MS: i32 = 120_000;
/// What a member says: a subscription of version 0 to no topic.
const METADATA: [u8; 10] = [0; 10];
/// What it gets: as many bytes as a few partitions take.
const ASSIGNMENT: [u8; 64] = [0; 64];
/// Members are joining: join too.
const REBALANCE_IN_PROGRESS: i16 = 27;

/// A member's part in a generation.
#[derive(Clone, Debug)]
pub struct Member {
    /// The group.
    pub group: String,
    /// Its id.
    pub id: String,
    /// The generation.
    pub generation: i32,
    /// All members, if this one leads.
    pub members: Vec<String>,
}

/// Asks who coordinates a group.
pub fn find_coordinator(group: &str) -> Vec<u8> {
    let (api, version) = FIND_COORDINATOR;
    frame(api, version, 0, |body| {
        put_string(body, group);
        body.put_i8(0);
    })
}

/// Whether somebody coordinates the group.
pub fn coordinated(answer: &[u8]) -> anyhow::Result<bool> {
    let mut fields = Fields::of(answer)?;
    fields.i32()?;
    Ok(fields.i16()? == 0)
}

/// Joins a group; `id` is empty for a new member.
pub fn join(group: &str, id: &str) -> Vec<u8> {
    let (api, version) = JOIN_GROUP;
    frame(api, version, 0, |body| {
        put_string(body, group);
        body.put_i32(SESSION_MS);
        body.put_i32(REBALANCE_MS);
        put_string(body, id);
        put_string(body, "consumer");
        body.put_i32(1);
        put_string(body, "range");
        put_bytes(body, &METADATA);
    })
}

/// What a member joined; none while the coordinator reads its groups.
pub fn joined(group: &str, answer: &[u8]) -> anyhow::Result<Option<Member>> {
    /// COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR.
    const LATER: [i16; 3] = [14, 15, 16];
    let mut fields = Fields::of(answer)?;
    fields.i32()?;
    let code = fields.i16()?;
    if LATER.contains(&code) {
        return Ok(None);
    }
    ensure!(code == 0, "JoinGroup answered error {code}");
    let generation = fields.i32()?;
    fields.short()?;
    fields.short()?;
    let id = text(&mut fields)?;
    let mut members = Vec::new();
    for _ in 0..fields.count()? {
        members.push(text(&mut fields)?);
        fields.long()?;
    }
    Ok(Some(Member {
        group: group.to_owned(),
        id,
        generation,
        members,
    }))
}

impl Member {
    /// Asks for its assignment; as the leader it brings everybody's.
    pub fn sync(&self) -> Vec<u8> {
        let (api, version) = SYNC_GROUP;
        frame(api, version, 0, |body| {
            self.put(body);
            body.put_i32(i32::try_from(self.members.len()).expect("a group has a few thousand members"));
            for member in &self.members {
                put_string(body, member);
                put_bytes(body, &ASSIGNMENT);
            }
        })
    }

    /// Says that it is alive.
    pub fn heartbeat(&self) -> Vec<u8> {
        let (api, version) = HEARTBEAT;
        frame(api, version, 0, |body| self.put(body))
    }

    /// Leaves.
    pub fn leave(&self) -> Vec<u8> {
        let (api, version) = LEAVE_GROUP;
        frame(api, version, 0, |body| {
            put_string(body, &self.group);
            put_string(body, &self.id);
        })
    }

    /// Commits an offset of one partition.
    pub fn commit(&self, topic: &str, offset: i64) -> Vec<u8> {
        let (api, version) = OFFSET_COMMIT;
        frame(api, version, 0, |body| {
            self.put(body);
            body.put_i32(1);
            put_string(body, topic);
            body.put_i32(1);
            body.put_i32(0);
            body.put_i64(offset);
            put_string(body, "");
        })
    }

    fn put(&self, body: &mut Vec<u8>) {
        put_string(body, &self.group);
        body.put_i32(self.generation);
        put_string(body, &self.id);
    }
}

/// Whether SyncGroup, LeaveGroup or a heartbeat went well; the latter says otherwise during a rebalance.
pub fn settled(answer: &[u8]) -> anyhow::Result<bool> {
    let mut fields = Fields::of(answer)?;
    fields.i32()?;
    match fields.i16()? {
        0 => Ok(true),
        REBALANCE_IN_PROGRESS => Ok(false),
        code => bail!("a request of a group's member answered error {code}"),
    }
}

/// Whether a commit is there to stay.
pub fn committed(answer: &[u8]) -> anyhow::Result<()> {
    let mut fields = Fields::of(answer)?;
    fields.i32()?;
    fields.count()?;
    fields.short()?;
    fields.count()?;
    fields.i32()?;
    let code = fields.i16()?;
    ensure!(code == 0, "OffsetCommit answered error {code}");
    Ok(())
}

fn text(fields: &mut Fields<'_>) -> anyhow::Result<String> {
    Ok(std::str::from_utf8(fields.short()?)?.to_owned())
}

fn put_bytes(body: &mut Vec<u8>, bytes: &[u8]) {
    body.put_i32(i32::try_from(bytes.len()).expect("what members say is short"));
    body.put_slice(bytes);
}
