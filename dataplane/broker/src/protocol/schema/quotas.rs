//! Requests about client quotas.

use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use kafka_protocol::messages::{AlterClientQuotasRequest, DescribeClientQuotasRequest};

use super::Kind::{Array, String};
use super::{BOOL, F64, I8, Schema, Shape, all, costly, shape};

static COMPONENT: Shape = shape::<ComponentData>(&[all(String), all(I8), all(String)]);

pub(crate) static DESCRIBE_CLIENT_QUOTAS: Schema = Schema {
    flexible_from: 1,
    root: &shape::<DescribeClientQuotasRequest>(&[all(Array(&COMPONENT)), all(BOOL)]),
};

static PART: Shape = costly::<EntityData>(150, &[all(String), all(String)]);
static OP: Shape = costly::<OpData>(60, &[all(String), all(F64), all(BOOL)]);
static ENTRY: Shape = costly::<EntryData>(300, &[all(Array(&PART)), all(Array(&OP))]);

pub(crate) static ALTER_CLIENT_QUOTAS: Schema = Schema {
    flexible_from: 1,
    root: &shape::<AlterClientQuotasRequest>(&[all(Array(&ENTRY)), all(BOOL)]),
};
