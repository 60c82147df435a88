//! Requests of and about consumer groups.

use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, FindCoordinatorRequest, HeartbeatRequest, JoinGroupRequest,
    LeaveGroupRequest, ListGroupsRequest, OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest,
    SyncGroupRequest,
};

use super::Kind::{Array, Bytes, Indexes, String, Strings};
use super::{BOOL, I8, I32, I64, Schema, Shape, all, costly, shape, since, until};

/// Of a message whose versions all have classic lengths.
const NEVER: i16 = i16::MAX;

pub(crate) static FIND_COORDINATOR: Schema = Schema {
    flexible_from: 3,
    root: &shape::<FindCoordinatorRequest>(&[until(3, String), since(1, I8), since(4, Strings(220))]),
};

static JOIN_PROTOCOL: Shape = costly::<JoinGroupRequestProtocol>(140, &[all(String), all(Bytes)]);

pub(crate) static JOIN_GROUP: Schema = Schema {
    flexible_from: 6,
    root: &shape::<JoinGroupRequest>(&[
        all(String),
        all(I32),
        since(1, I32),
        all(String),
        since(5, String),
        all(String),
        all(Array(&JOIN_PROTOCOL)),
        since(8, String),
    ]),
};

static SYNC_ASSIGNMENT: Shape = costly::<SyncGroupRequestAssignment>(140, &[all(String), all(Bytes)]);

pub(crate) static SYNC_GROUP: Schema = Schema {
    flexible_from: 4,
    root: &shape::<SyncGroupRequest>(&[
        all(String),
        all(I32),
        all(String),
        since(3, String),
        since(5, String),
        since(5, String),
        all(Array(&SYNC_ASSIGNMENT)),
    ]),
};

pub(crate) static HEARTBEAT: Schema = Schema {
    flexible_from: 4,
    root: &shape::<HeartbeatRequest>(&[all(String), all(I32), all(String), since(3, String)]),
};

static LEAVING_MEMBER: Shape = costly::<MemberIdentity>(90, &[all(String), all(String), since(5, String)]);

pub(crate) static LEAVE_GROUP: Schema = Schema {
    flexible_from: 4,
    root: &shape::<LeaveGroupRequest>(&[all(String), until(2, String), since(3, Array(&LEAVING_MEMBER))]),
};

static COMMITTED_PARTITION: Shape =
    costly::<OffsetCommitRequestPartition>(530, &[all(I32), all(I64), since(6, I32), all(String)]);
static COMMITTED_TOPIC: Shape =
    costly::<OffsetCommitRequestTopic>(120, &[all(String), all(Array(&COMMITTED_PARTITION))]);

pub(crate) static OFFSET_COMMIT: Schema = Schema {
    flexible_from: 8,
    root: &shape::<OffsetCommitRequest>(&[
        all(String),
        all(I32),
        all(String),
        since(7, String),
        until(4, I64),
        all(Array(&COMMITTED_TOPIC)),
    ]),
};

static FETCHED_TOPIC: Shape = costly::<OffsetFetchRequestTopic>(260, &[all(String), all(Indexes(140))]);
static FETCHED_TOPICS: Shape = costly::<OffsetFetchRequestTopics>(140, &[all(String), all(Indexes(110))]);
static FETCHED_GROUP: Shape = costly::<OffsetFetchRequestGroup>(
    160,
    &[
        all(String),
        since(9, String),
        since(9, I32),
        all(Array(&FETCHED_TOPICS)),
    ],
);

pub(crate) static OFFSET_FETCH: Schema = Schema {
    flexible_from: 6,
    root: &shape::<OffsetFetchRequest>(&[
        until(7, String),
        until(7, Array(&FETCHED_TOPIC)),
        since(8, Array(&FETCHED_GROUP)),
        since(7, BOOL),
    ]),
};

static FORGOTTEN_PARTITION: Shape = costly::<OffsetDeleteRequestPartition>(155, &[all(I32)]);
static FORGOTTEN_OFFSETS: Shape =
    costly::<OffsetDeleteRequestTopic>(80, &[all(String), all(Array(&FORGOTTEN_PARTITION))]);

pub(crate) static OFFSET_DELETE: Schema = Schema {
    flexible_from: NEVER,
    root: &shape::<OffsetDeleteRequest>(&[all(String), all(Array(&FORGOTTEN_OFFSETS))]),
};

pub(crate) static LIST_GROUPS: Schema = Schema {
    flexible_from: 3,
    root: &shape::<ListGroupsRequest>(&[since(4, Strings(0)), since(5, Strings(0))]),
};

pub(crate) static DESCRIBE_GROUPS: Schema = Schema {
    flexible_from: 5,
    root: &shape::<DescribeGroupsRequest>(&[all(Strings(250)), since(3, BOOL)]),
};

pub(crate) static DELETE_GROUPS: Schema = Schema {
    flexible_from: 2,
    root: &shape::<DeleteGroupsRequest>(&[all(Strings(80))]),
};
