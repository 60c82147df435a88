//! ACLs as bodies show them.

use firn_catalog::acl::{Acl, Effect, Operation, PatternType, ResourceType, StoredAcl, WILDCARD};
use firn_catalog::ids::ClusterId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rules::Moment;

/// A binding: whether a principal, from a host, may do something to the resources that a pattern names.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Acl)]
pub(in crate::routes) struct AclBody {
    /// The id, made of all that it says.
    #[schema(pattern = "^acl_[a-h][a-z2-7]{25}$")]
    id: String,
    /// The cluster.
    #[schema(pattern = "^clu_[a-h][a-z2-7]{25}$")]
    cluster: String,
    #[serde(flatten)]
    binding: Binding,
    /// When it was made.
    created_at: Moment,
}

/// What a binding says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AclBinding)]
pub(in crate::routes) struct Binding {
    /// The kind of resource.
    #[schema(value_type = String, pattern = "^(topic|group|cluster|transactional_id|user)$")]
    resource_type: ResourceType,
    /// How the name stands for resources.
    #[schema(value_type = String, pattern = "^(literal|prefixed)$")]
    pattern_type: PatternType,
    /// The resource's name, or how it begins, or `*`.
    #[schema(min_length = 1, max_length = 1024)]
    resource_name: String,
    /// For whom: `User:` and a name, or `User:*`.
    #[schema(pattern = "^User:.+$", max_length = 1029)]
    principal: String,
    /// From where: an IP address, or `*`.
    #[schema(min_length = 1, max_length = 45)]
    host: String,
    /// What.
    #[schema(value_type = String, pattern = "^[a-z_]+$")]
    operation: Operation,
    /// Whether it is allowed or denied.
    #[schema(value_type = String, pattern = "^(allow|deny)$")]
    permission: Effect,
}

impl From<Acl> for Binding {
    fn from(acl: Acl) -> Self {
        Self {
            resource_type: acl.resource_type,
            pattern_type: acl.pattern_type,
            resource_name: acl.resource_name,
            principal: acl.principal,
            host: acl.host,
            operation: acl.operation,
            permission: acl.permission,
        }
    }
}

impl AclBody {
    pub(in crate::routes) fn of(cluster: ClusterId, stored: &StoredAcl) -> Self {
        Self {
            id: stored.id.public(),
            cluster: cluster.public(),
            binding: stored.acl.clone().into(),
            created_at: Moment(stored.created_at),
        }
    }
}

fn literal() -> PatternType {
    PatternType::Literal
}

fn everywhere() -> String {
    WILDCARD.to_owned()
}

/// A binding to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAcl)]
pub(in crate::routes) struct NewAclBody {
    /// The kind of resource.
    #[schema(value_type = String, pattern = "^(topic|group|cluster|transactional_id|user)$")]
    resource_type: ResourceType,
    /// How the name stands for resources: `literal`, or `prefixed`; left out: literal. A cluster is always named by a literal.
    #[serde(default = "literal")]
    #[schema(value_type = String, required = false, pattern = "^(literal|prefixed)$")]
    pattern_type: PatternType,
    /// The resource's name, or how it begins; the literal `*` is every resource of the kind. A cluster is named `kafka-cluster`.
    #[schema(min_length = 1, max_length = 1024)]
    resource_name: String,
    /// For whom: `User:` and a name, or `User:*`.
    #[schema(pattern = "^User:.+$", max_length = 1029)]
    principal: String,
    /// From where: an IP address, or `*` for everywhere; left out: everywhere.
    #[serde(default = "everywhere")]
    #[schema(required = false, min_length = 1, max_length = 45)]
    host: String,
    /// What: `all`, or what Kafka's ACLs know for the kind of resource.
    #[schema(value_type = String, pattern = "^[a-z_]+$")]
    operation: Operation,
    /// Whether it is allowed or denied.
    #[schema(value_type = String, pattern = "^(allow|deny)$")]
    permission: Effect,
}

impl From<NewAclBody> for Acl {
    fn from(body: NewAclBody) -> Self {
        Self {
            resource_type: body.resource_type,
            pattern_type: body.pattern_type,
            resource_name: body.resource_name,
            principal: body.principal,
            host: body.host,
            operation: body.operation,
            permission: body.permission,
        }
    }
}
