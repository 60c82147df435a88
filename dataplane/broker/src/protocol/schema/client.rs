//! Requests of producers and consumers.

use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic, ReplicaState};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::{
    ApiVersionsRequest, FetchRequest, InitProducerIdRequest, ListOffsetsRequest, MetadataRequest,
    OffsetForLeaderEpochRequest,
};

use super::Kind::{Array, Indexes, String, Struct};
use super::{
    BOOL, I8, I16, I32, I64, Schema, Shape, UUID, all, between, costly, shape, since, tagged, until,
};

pub(crate) static API_VERSIONS: Schema = Schema {
    flexible_from: 3,
    root: &shape::<ApiVersionsRequest>(&[since(3, String), since(3, String)]),
};

static METADATA_TOPIC: Shape = costly::<MetadataRequestTopic>(220, &[since(10, UUID), all(String)]);

pub(crate) static METADATA: Schema = Schema {
    flexible_from: 9,
    root: &shape::<MetadataRequest>(&[
        all(Array(&METADATA_TOPIC)),
        since(4, BOOL),
        between(8, 10, BOOL),
        since(8, BOOL),
    ]),
};

static FETCH_PARTITION: Shape = costly::<FetchPartition>(
    900,
    &[
        all(I32),
        since(9, I32),
        all(I64),
        since(12, I32),
        since(5, I64),
        all(I32),
        tagged(0, 17, UUID),
        tagged(1, 18, I64),
    ],
);
static FETCH_TOPIC: Shape =
    shape::<FetchTopic>(&[until(12, String), since(13, UUID), all(Array(&FETCH_PARTITION))]);
static FORGOTTEN_TOPIC: Shape =
    shape::<ForgottenTopic>(&[until(12, String), since(13, UUID), all(Indexes(40))]);
static REPLICA_STATE: Shape = shape::<ReplicaState>(&[all(I32), all(I64)]);

pub(crate) static FETCH: Schema = Schema {
    flexible_from: 12,
    root: &shape::<FetchRequest>(&[
        until(14, I32),
        all(I32),
        all(I32),
        all(I32),
        all(I8),
        since(7, I32),
        since(7, I32),
        all(Array(&FETCH_TOPIC)),
        since(7, Array(&FORGOTTEN_TOPIC)),
        since(11, String),
        tagged(0, 12, String),
        tagged(1, 15, Struct(&REPLICA_STATE)),
    ]),
};

static LIST_OFFSETS_PARTITION: Shape =
    costly::<ListOffsetsPartition>(90, &[all(I32), since(4, I32), all(I64)]);
static LIST_OFFSETS_TOPIC: Shape =
    shape::<ListOffsetsTopic>(&[all(String), all(Array(&LIST_OFFSETS_PARTITION))]);

pub(crate) static LIST_OFFSETS: Schema = Schema {
    flexible_from: 6,
    root: &shape::<ListOffsetsRequest>(&[
        all(I32),
        since(2, I8),
        all(Array(&LIST_OFFSETS_TOPIC)),
        since(10, I32),
    ]),
};

pub(crate) static INIT_PRODUCER_ID: Schema = Schema {
    flexible_from: 2,
    root: &shape::<InitProducerIdRequest>(&[all(String), all(I32), since(3, I64), since(3, I16)]),
};

static EPOCH_PARTITION: Shape = costly::<OffsetForLeaderPartition>(60, &[all(I32), since(2, I32), all(I32)]);
static EPOCH_TOPIC: Shape = shape::<OffsetForLeaderTopic>(&[all(String), all(Array(&EPOCH_PARTITION))]);

pub(crate) static OFFSET_FOR_LEADER_EPOCH: Schema = Schema {
    flexible_from: 4,
    root: &shape::<OffsetForLeaderEpochRequest>(&[since(3, I32), all(Array(&EPOCH_TOPIC))]),
};
