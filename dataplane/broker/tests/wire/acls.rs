//! CreateAcls, DescribeAcls and DeleteAcls: each entry for itself, and in force with the answer.

use firn_catalog::access::Role;
use kafka_protocol::messages as m;
use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use kafka_protocol::messages::describe_acls_response::DescribeAclsResource;

use crate::isolation::acls::all_bindings;
use crate::isolation::tenants::Tenant;
use crate::support::client::{Client, batch, text};
use crate::support::samples::acls::{ALLOW, ANY, LITERAL, READ, TOPIC};
use crate::support::{Bench, Setup};

const MATCH: i8 = 2;
const PREFIXED: i8 = 4;
const WRITE: i8 = 4;
const DENY: i8 = 2;
const GROUP: i8 = 3;
const CLUSTER: i8 = 4;
const DELEGATION_TOKEN: i8 = 6;

fn creation(name: &str) -> AclCreation {
    AclCreation::default()
        .with_resource_type(TOPIC)
        .with_resource_name(text(name))
        .with_resource_pattern_type(LITERAL)
        .with_principal(text("User:alice"))
        .with_host(text("*"))
        .with_operation(READ)
        .with_permission_type(ALLOW)
}

fn any() -> DeleteAclsFilter {
    DeleteAclsFilter::default()
        .with_resource_type_filter(ANY)
        .with_resource_name_filter(None)
        .with_pattern_type_filter(ANY)
        .with_principal_filter(None)
        .with_host_filter(None)
        .with_operation(ANY)
        .with_permission_type(ANY)
}

async fn create(client: &mut Client, creations: Vec<AclCreation>) -> Vec<i16> {
    let request = m::CreateAclsRequest::default().with_creations(creations);
    let results = client.call(3, &request).await.results;
    for result in &results {
        assert_eq!(result.error_code == 0, result.error_message.is_none());
    }
    results.iter().map(|result| result.error_code).collect()
}

/// Resource type, name, pattern type, and the number of bindings.
fn told(resources: &[DescribeAclsResource]) -> Vec<(i8, String, i8, usize)> {
    let tell = |resource: &DescribeAclsResource| {
        let name = resource.resource_name.to_string();
        (
            resource.resource_type,
            name,
            resource.pattern_type,
            resource.acls.len(),
        )
    };
    resources.iter().map(tell).collect()
}

#[tokio::test]
async fn each_binding_is_made_or_refused_for_itself() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    let wrong = [
        creation("t").with_resource_type(0),
        creation("t").with_resource_type(ANY),
        creation("t").with_resource_type(DELEGATION_TOKEN),
        creation("t").with_resource_type(99),
        creation("t").with_resource_pattern_type(ANY),
        creation("t").with_resource_pattern_type(MATCH),
        creation("t").with_operation(0),
        creation("t").with_operation(ANY),
        creation("t").with_permission_type(ANY),
        creation(""),
        creation("not-the-cluster").with_resource_type(CLUSTER),
        creation("t").with_principal(text("alice")),
        creation("t").with_host(text("nowhere")),
    ];
    let mut creations = vec![creation("first")];
    creations.extend(wrong.clone());
    creations.push(creation("last"));
    let mut expected = vec![0];
    expected.extend(wrong.iter().map(|_| 42));
    expected.push(0);
    assert_eq!(create(&mut client, creations).await, expected);
    assert_eq!(
        create(&mut client, vec![creation("first")]).await,
        [0],
        "it is there already"
    );
    let described = client.call(3, &all_bindings()).await;
    let bound = |name: &str| (TOPIC, name.to_owned(), LITERAL, 1);
    assert_eq!(told(&described.resources), [bound("first"), bound("last")]);
    let many = (0..1001).map(|number| creation(&number.to_string())).collect();
    assert!(create(&mut client, many).await.iter().all(|code| *code == 44));
    bench.stop().await;
}

#[tokio::test]
async fn filters_find_what_kafkas_do() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    let bindings = vec![
        creation("orders"),
        creation("orders").with_operation(WRITE),
        creation("orders")
            .with_principal(text("User:bob"))
            .with_permission_type(DENY),
        creation("ord").with_resource_pattern_type(PREFIXED),
        creation("*").with_host(text("10.0.0.1")),
        creation("readers").with_resource_type(GROUP),
    ];
    assert_eq!(create(&mut client, bindings).await, [0; 6]);
    let named = |pattern| {
        all_bindings()
            .with_resource_type_filter(TOPIC)
            .with_resource_name_filter(Some(text("orders")))
            .with_pattern_type_filter(pattern)
    };
    let topic = |name: &str, pattern, count| (TOPIC, name.to_owned(), pattern, count);
    let alices = all_bindings().with_principal_filter(Some(text("User:alice")));
    let cases = [
        (named(LITERAL), vec![topic("orders", LITERAL, 3)]),
        (named(ANY), vec![topic("orders", LITERAL, 3)]),
        (named(PREFIXED), vec![]),
        (
            named(MATCH),
            vec![
                topic("*", LITERAL, 1),
                topic("orders", LITERAL, 3),
                topic("ord", PREFIXED, 1),
            ],
        ),
        (alices.with_operation(WRITE), vec![topic("orders", LITERAL, 1)]),
        (
            all_bindings().with_permission_type(DENY),
            vec![topic("orders", LITERAL, 1)],
        ),
        (
            all_bindings().with_host_filter(Some(text("::ffff:10.0.0.1"))),
            vec![topic("*", LITERAL, 1)],
        ),
        (all_bindings().with_resource_type_filter(DELEGATION_TOKEN), vec![]),
    ];
    for version in 1..=3 {
        for (request, expected) in &cases {
            let answer = client.call(version, request).await;
            assert_eq!((answer.error_code, &answer.error_message), (0, &None));
            assert_eq!(&told(&answer.resources), expected, "{request:?}");
        }
    }
    let refused = client.call(3, &all_bindings().with_operation(99)).await;
    assert_eq!((refused.error_code, refused.resources), (42, vec![]));
    bench.stop().await;
}

#[tokio::test]
async fn each_filter_tells_what_it_deleted() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    assert_eq!(
        create(&mut client, vec![creation("a"), creation("b"), creation("c")]).await,
        [0; 3]
    );
    let of = |name: &str| any().with_resource_name_filter(Some(text(name)));
    let filters = vec![of("a"), any().with_operation(99), of("absent"), of("b")];
    let request = m::DeleteAclsRequest::default().with_filters(filters);
    let results = client.call(3, &request).await.filter_results;
    let told: Vec<_> = results
        .iter()
        .map(|result| {
            let names = result
                .matching_acls
                .iter()
                .map(|acl| acl.resource_name.to_string());
            (result.error_code, names.collect::<Vec<_>>().join(" "))
        })
        .collect();
    let told: Vec<_> = told.iter().map(|(code, names)| (*code, names.as_str())).collect();
    assert_eq!(told, [(0, "a"), (42, ""), (0, ""), (0, "b")]);
    let left = client.call(3, &all_bindings()).await;
    assert_eq!(left.resources.len(), 1);
    bench.stop().await;
}

#[tokio::test]
async fn a_binding_is_in_force_and_out_of_force_when_the_answer_comes() {
    let bench = Bench::with(Setup {
        named: true,
        ..Setup::default()
    })
    .await;
    let tenant = Tenant::new(&bench, "tenant").await;
    let mut admin = tenant.client(&bench, Role::Admin).await;
    admin.create_topic("t", 1).await;
    let mut user = tenant.client_without_role(&bench).await;
    let write = creation("t").with_operation(WRITE).with_principal(text("User:*"));
    let delete = m::DeleteAclsRequest::default().with_filters(vec![any()]);
    for _ in 0..5 {
        assert_eq!(create(&mut admin, vec![write.clone()]).await, [0]);
        assert_eq!(user.produce("t", 0, batch(&["a"])).await.0, 0);
        admin.call(3, &delete).await;
        assert_eq!(user.produce("t", 0, batch(&["a"])).await.0, 29);
    }
    bench.stop().await;
}
