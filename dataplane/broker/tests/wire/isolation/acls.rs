//! Bindings of one cluster and users of another: they neither help nor harm, are not seen and cannot be deleted.

use firn_catalog::acl::{Acl, Effect, Operation, PatternType, ResourceType};
use firn_catalog::commands::CreateAcls;
use kafka_protocol::messages as m;

use super::bench;
use super::tenants::Tenant;
use crate::support::Bench;
use crate::support::client::{batch, text};
use firn_catalog::access::Role;

const ANY: i8 = 1;

fn everything(resource_type: ResourceType, principal: &str, permission: Effect) -> Acl {
    let named = match resource_type {
        ResourceType::Cluster => "kafka-cluster",
        _ => "*",
    };
    Acl {
        resource_type,
        pattern_type: PatternType::Literal,
        resource_name: named.to_owned(),
        principal: principal.to_owned(),
        host: "*".to_owned(),
        operation: Operation::All,
        permission,
    }
}

/// Bindings for everything there is, for everybody.
fn for_everybody(permission: Effect) -> Vec<Acl> {
    let kinds = ResourceType::ALL
        .iter()
        .filter(|kind| **kind != ResourceType::User);
    kinds
        .map(|kind| everything(*kind, "User:*", permission))
        .collect()
}

/// A binding that lets a principal read a topic.
pub fn reading(topic: &str, principal: &str) -> Acl {
    Acl {
        resource_name: topic.to_owned(),
        operation: Operation::Read,
        ..everything(ResourceType::Topic, principal, Effect::Allow)
    }
}

pub async fn bind(bench: &Bench, tenant: &Tenant, acls: Vec<Acl>) {
    let command = CreateAcls {
        cluster: tenant.cluster,
        acls,
        validate_only: false,
    };
    let made = bench.catalog.create_acls(tenant.admin(), command).await.unwrap();
    bench.images.wait_for(made.sequence.unwrap()).await;
}

pub fn all_bindings() -> m::DescribeAclsRequest {
    m::DescribeAclsRequest::default()
        .with_resource_type_filter(ANY)
        .with_resource_name_filter(None)
        .with_pattern_type_filter(ANY)
        .with_principal_filter(None)
        .with_host_filter(None)
        .with_operation(ANY)
        .with_permission_type(ANY)
}

fn no_conditions() -> m::DeleteAclsRequest {
    let filter = m::delete_acls_request::DeleteAclsFilter::default()
        .with_resource_type_filter(ANY)
        .with_resource_name_filter(None)
        .with_pattern_type_filter(ANY)
        .with_principal_filter(None)
        .with_host_filter(None)
        .with_operation(ANY)
        .with_permission_type(ANY);
    m::DeleteAclsRequest::default().with_filters(vec![filter])
}

#[tokio::test]
async fn bindings_of_another_cluster_neither_help_nor_harm() {
    let bench = bench().await;
    let (a, b) = (
        Tenant::new(&bench, "tenant-a").await,
        Tenant::new(&bench, "tenant-b").await,
    );
    for tenant in [&a, &b] {
        tenant
            .client(&bench, Role::Admin)
            .await
            .create_topic("t", 1)
            .await;
    }
    bind(&bench, &a, for_everybody(Effect::Allow)).await;
    let mut allowed = a.client_without_role(&bench).await;
    let mut stranger = b.client_without_role(&bench).await;
    assert_eq!(allowed.produce("t", 0, batch(&["a"])).await.0, 0);
    assert_eq!(stranger.produce("t", 0, batch(&["a"])).await.0, 29);
    bind(&bench, &b, for_everybody(Effect::Allow)).await;
    bind(&bench, &a, for_everybody(Effect::Deny)).await;
    assert_eq!(allowed.produce("t", 0, batch(&["a"])).await.0, 29);
    assert_eq!(stranger.produce("t", 0, batch(&["a"])).await.0, 0);
    let mut developer = b.client(&bench, Role::Developer).await;
    assert_eq!(developer.produce("t", 0, batch(&["a"])).await.0, 0);
    bench.stop().await;
}

#[tokio::test]
async fn bindings_of_another_cluster_are_neither_seen_nor_deleted() {
    let bench = bench().await;
    let (a, b) = (
        Tenant::new(&bench, "tenant-a").await,
        Tenant::new(&bench, "tenant-b").await,
    );
    bind(&bench, &a, for_everybody(Effect::Allow)).await;
    let mut of_b = b.client(&bench, Role::Admin).await;
    assert_eq!(of_b.call(3, &all_bindings()).await.resources, []);
    let gone = of_b.call(3, &no_conditions()).await;
    assert_eq!(gone.filter_results[0].error_code, 0);
    assert_eq!(gone.filter_results[0].matching_acls, []);
    let mut of_a = a.client(&bench, Role::Admin).await;
    let seen = of_a.call(3, &all_bindings()).await.resources;
    assert_eq!(seen.len(), for_everybody(Effect::Allow).len());
    // The same binding in both is two: deleting one leaves the other.
    bind(&bench, &b, for_everybody(Effect::Allow)).await;
    let gone = of_b.call(3, &no_conditions()).await;
    assert_eq!(gone.filter_results[0].matching_acls.len(), seen.len());
    assert_eq!(of_a.call(3, &all_bindings()).await.resources, seen);
    bench.stop().await;
}

#[tokio::test]
async fn who_may_not_see_bindings_learns_nothing_of_them() {
    let bench = bench().await;
    let tenant = Tenant::new(&bench, "tenant-a").await;
    bind(
        &bench,
        &tenant,
        vec![everything(ResourceType::Topic, "User:x", Effect::Allow)],
    )
    .await;
    let mut client = tenant.client_without_role(&bench).await;
    let told = client.call(3, &all_bindings()).await;
    assert_eq!((told.error_code, told.resources), (31, Vec::new()));
    let told = client.call(3, &no_conditions()).await;
    assert_eq!(told.filter_results[0].error_code, 31);
    assert_eq!(told.filter_results[0].matching_acls, []);
    let creation = m::create_acls_request::AclCreation::default()
        .with_resource_type(2)
        .with_resource_name(text("t"))
        .with_principal(text("User:x"))
        .with_host(text("*"))
        .with_operation(3)
        .with_permission_type(3);
    let request = m::CreateAclsRequest::default().with_creations(vec![creation]);
    assert_eq!(client.call(3, &request).await.results[0].error_code, 31);
    // A viewer sees them, and changes none.
    let mut viewer = tenant.client(&bench, Role::Viewer).await;
    assert_eq!(viewer.call(3, &all_bindings()).await.resources.len(), 1);
    assert_eq!(
        viewer.call(3, &no_conditions()).await.filter_results[0].error_code,
        31
    );
    assert_eq!(viewer.call(3, &request).await.results[0].error_code, 31);
    bench.stop().await;
}
