//! Requests of administration.

use kafka_protocol::messages::alter_configs_request as alter_configs;
use kafka_protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::describe_producers_request as describe_producers;
use kafka_protocol::messages::describe_topic_partitions_request as topic_partitions;
use kafka_protocol::messages::incremental_alter_configs_request as incremental;
use kafka_protocol::messages::{
    AlterConfigsRequest, CreatePartitionsRequest, CreateTopicsRequest, DeleteRecordsRequest,
    DeleteTopicsRequest, DescribeClusterRequest, DescribeConfigsRequest, DescribeLogDirsRequest,
    DescribeProducersRequest, DescribeTopicPartitionsRequest, IncrementalAlterConfigsRequest,
    ListConfigResourcesRequest,
};

use super::Kind::{Array, Fixeds, Indexes, NullableStruct, String, Strings};
use super::{BOOL, I8, I16, I32, I64, Schema, Shape, UUID, all, costly, shape, since, until};

static REPLICA_ASSIGNMENT: Shape = shape::<CreatableReplicaAssignment>(&[all(I32), all(Fixeds(4))]);
static TOPIC_CONFIG: Shape = shape::<CreatableTopicConfig>(&[all(String), all(String)]);
static CREATABLE_TOPIC: Shape = costly::<CreatableTopic>(
    300,
    &[
        all(String),
        all(I32),
        all(I16),
        all(Array(&REPLICA_ASSIGNMENT)),
        all(Array(&TOPIC_CONFIG)),
    ],
);

pub(crate) static CREATE_TOPICS: Schema = Schema {
    flexible_from: 5,
    root: &shape::<CreateTopicsRequest>(&[all(Array(&CREATABLE_TOPIC)), all(I32), all(BOOL)]),
};

static DELETED_TOPIC: Shape = costly::<DeleteTopicState>(170, &[all(String), all(UUID)]);

pub(crate) static DELETE_TOPICS: Schema = Schema {
    flexible_from: 4,
    root: &shape::<DeleteTopicsRequest>(&[since(6, Array(&DELETED_TOPIC)), until(5, Strings(200)), all(I32)]),
};

static PARTITIONS_ASSIGNMENT: Shape = shape::<CreatePartitionsAssignment>(&[all(Fixeds(4))]);
static PARTITIONS_TOPIC: Shape =
    costly::<CreatePartitionsTopic>(260, &[all(String), all(I32), all(Array(&PARTITIONS_ASSIGNMENT))]);

pub(crate) static CREATE_PARTITIONS: Schema = Schema {
    flexible_from: 2,
    root: &shape::<CreatePartitionsRequest>(&[all(Array(&PARTITIONS_TOPIC)), all(I32), all(BOOL)]),
};

static DELETED_PARTITION: Shape = costly::<DeleteRecordsPartition>(50, &[all(I32), all(I64)]);
static DELETED_RECORDS: Shape = shape::<DeleteRecordsTopic>(&[all(String), all(Array(&DELETED_PARTITION))]);

pub(crate) static DELETE_RECORDS: Schema = Schema {
    flexible_from: 2,
    root: &shape::<DeleteRecordsRequest>(&[all(Array(&DELETED_RECORDS)), all(I32)]),
};

static DESCRIBED_RESOURCE: Shape =
    costly::<DescribeConfigsResource>(220, &[all(I8), all(String), all(Strings(0))]);

pub(crate) static DESCRIBE_CONFIGS: Schema = Schema {
    flexible_from: 4,
    root: &shape::<DescribeConfigsRequest>(&[
        all(Array(&DESCRIBED_RESOURCE)),
        since(1, BOOL),
        since(3, BOOL),
    ]),
};

static INCREMENTAL_CONFIG: Shape =
    costly::<incremental::AlterableConfig>(160, &[all(String), all(I8), all(String)]);
static INCREMENTAL_RESOURCE: Shape = costly::<incremental::AlterConfigsResource>(
    260,
    &[all(I8), all(String), all(Array(&INCREMENTAL_CONFIG))],
);

pub(crate) static INCREMENTAL_ALTER_CONFIGS: Schema = Schema {
    flexible_from: 1,
    root: &shape::<IncrementalAlterConfigsRequest>(&[all(Array(&INCREMENTAL_RESOURCE)), all(BOOL)]),
};

static ALTERED_CONFIG: Shape = costly::<alter_configs::AlterableConfig>(160, &[all(String), all(String)]);
static ALTERED_RESOURCE: Shape =
    costly::<alter_configs::AlterConfigsResource>(260, &[all(I8), all(String), all(Array(&ALTERED_CONFIG))]);

pub(crate) static ALTER_CONFIGS: Schema = Schema {
    flexible_from: 2,
    root: &shape::<AlterConfigsRequest>(&[all(Array(&ALTERED_RESOURCE)), all(BOOL)]),
};

pub(crate) static DESCRIBE_CLUSTER: Schema = Schema {
    flexible_from: 0,
    root: &shape::<DescribeClusterRequest>(&[all(BOOL), since(1, I8), since(2, BOOL)]),
};

static DESCRIBED_TOPIC: Shape = costly::<topic_partitions::TopicRequest>(320, &[all(String)]);
static PARTITION_CURSOR: Shape = shape::<topic_partitions::Cursor>(&[all(String), all(I32)]);

pub(crate) static DESCRIBE_TOPIC_PARTITIONS: Schema = Schema {
    flexible_from: 0,
    root: &shape::<DescribeTopicPartitionsRequest>(&[
        all(Array(&DESCRIBED_TOPIC)),
        all(I32),
        all(NullableStruct(&PARTITION_CURSOR)),
    ]),
};

static LOG_DIR_TOPIC: Shape = shape::<DescribableLogDirTopic>(&[all(String), all(Indexes(40))]);

pub(crate) static DESCRIBE_LOG_DIRS: Schema = Schema {
    flexible_from: 2,
    root: &shape::<DescribeLogDirsRequest>(&[all(Array(&LOG_DIR_TOPIC))]),
};

static PRODUCERS_TOPIC: Shape = shape::<describe_producers::TopicRequest>(&[all(String), all(Indexes(100))]);

pub(crate) static DESCRIBE_PRODUCERS: Schema = Schema {
    flexible_from: 0,
    root: &shape::<DescribeProducersRequest>(&[all(Array(&PRODUCERS_TOPIC))]),
};

pub(crate) static LIST_CONFIG_RESOURCES: Schema = Schema {
    flexible_from: 0,
    root: &shape::<ListConfigResourcesRequest>(&[since(1, Fixeds(1))]),
};
