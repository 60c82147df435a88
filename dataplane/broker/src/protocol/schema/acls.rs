//! Requests about ACLs.

use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use kafka_protocol::messages::{CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest};

use super::Kind::{Array, String};
use super::{I8, Schema, Shape, all, costly, shape};

pub(crate) static DESCRIBE_ACLS: Schema = Schema {
    flexible_from: 2,
    root: &shape::<DescribeAclsRequest>(&[
        all(I8),
        all(String),
        all(I8),
        all(String),
        all(String),
        all(I8),
        all(I8),
    ]),
};

static CREATION: Shape = costly::<AclCreation>(
    800,
    &[
        all(I8),
        all(String),
        all(I8),
        all(String),
        all(String),
        all(I8),
        all(I8),
    ],
);

pub(crate) static CREATE_ACLS: Schema = Schema {
    flexible_from: 2,
    root: &shape::<CreateAclsRequest>(&[all(Array(&CREATION))]),
};

static FILTER: Shape = costly::<DeleteAclsFilter>(
    800,
    &[
        all(I8),
        all(String),
        all(I8),
        all(String),
        all(String),
        all(I8),
        all(I8),
    ],
);

pub(crate) static DELETE_ACLS: Schema = Schema {
    flexible_from: 2,
    root: &shape::<DeleteAclsRequest>(&[all(Array(&FILTER))]),
};
