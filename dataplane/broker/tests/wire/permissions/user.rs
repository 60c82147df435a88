//! Somebody without any role, who may do what bindings say.

use firn_broker::permissions::Resource;
use firn_catalog::access::Role;
use firn_catalog::acl::{
    Acl, AclFilter, CLUSTER_NAME, Effect, Operation, PatternType, ResourceType, WILDCARD,
};
use firn_catalog::commands::{CreateAcls, DeleteAcls};
use firn_catalog::ids::ClusterId;

use crate::isolation::tenants::Tenant;
use crate::support::Bench;
use crate::support::client::Client;

/// A cluster, and its bindings for everybody in it.
pub struct Bound {
    tenant: Tenant,
}

/// A binding that allows everybody something on a resource of this name.
pub fn allow(operation: Operation, resource: Resource, name: &str) -> Acl {
    let (resource_type, name) = match resource {
        Resource::Cluster => (ResourceType::Cluster, CLUSTER_NAME),
        Resource::Topic | Resource::AnyTopic => (ResourceType::Topic, name),
        Resource::Group => (ResourceType::Group, name),
        Resource::TransactionalId => (ResourceType::TransactionalId, name),
    };
    Acl {
        resource_type,
        pattern_type: PatternType::Literal,
        resource_name: name.to_owned(),
        principal: "User:*".to_owned(),
        host: WILDCARD.to_owned(),
        // Nobody is allowed to delete in a cluster but by everything.
        operation: match (operation, resource_type) {
            (Operation::Delete, ResourceType::Cluster) => Operation::All,
            _ => operation,
        },
        permission: Effect::Allow,
    }
}

/// The same, denying.
pub fn denies(acl: Acl) -> Acl {
    Acl {
        permission: Effect::Deny,
        ..acl
    }
}

/// Whether who is allowed one operation is allowed the other.
pub fn implies(allowed: Operation, other: Operation) -> bool {
    use Operation as Op;
    allowed == other
        || match other {
            Op::Describe => matches!(allowed, Op::Read | Op::Write | Op::Delete | Op::Alter),
            Op::DescribeConfigs => allowed == Op::AlterConfigs,
            _ => false,
        }
}

impl Bound {
    pub async fn new(bench: &Bench) -> Self {
        Self {
            tenant: Tenant::new(bench, "bound").await,
        }
    }

    pub fn cluster(&self) -> ClusterId {
        self.tenant.cluster
    }

    /// A connection of somebody who may do everything.
    pub async fn admin(&self, bench: &Bench) -> Client {
        self.tenant.client(bench, Role::Admin).await
    }

    /// A connection of somebody without any role.
    pub async fn client(&self, bench: &Bench) -> Client {
        self.tenant.client_without_role(bench).await
    }

    /// Leaves these bindings and no others.
    pub async fn bind(&self, bench: &Bench, acls: &[Acl]) {
        let everything = DeleteAcls {
            cluster: self.tenant.cluster,
            filters: vec![AclFilter::default()],
            validate_only: false,
        };
        let admin = self.tenant.admin();
        let gone = bench.catalog.delete_acls(admin, everything).await.unwrap();
        let command = CreateAcls {
            cluster: self.tenant.cluster,
            acls: acls.to_vec(),
            validate_only: false,
        };
        let made = bench.catalog.create_acls(admin, command).await.unwrap();
        for acl in &made.value {
            acl.as_ref().unwrap();
        }
        if let Some(sequence) = made.sequence.or(gone.sequence) {
            bench.images.wait_for(sequence).await;
        }
    }
}
