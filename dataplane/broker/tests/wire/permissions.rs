//! What those are told who may do some things and not others.

mod bypasses;
mod compared;
mod conditions;
mod matrix;
pub mod user;

use std::sync::Arc;

use firn_broker::Seams;
use firn_broker::seams::Authorizer;
use firn_catalog::acl::{Asked, Operation, ResourceName};
use firn_catalog::image::Image;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{InitProducerIdRequest, MetadataRequest};

use crate::support::client::topic_name;
use crate::support::{Bench, Setup};

/// What is allowed.
pub type Rule = fn(Operation, ResourceName<'_>) -> bool;

struct Allowing(Rule);

impl Authorizer for Allowing {
    fn allows(&self, _image: &Image, asked: &Asked<'_>) -> bool {
        (self.0)(asked.operation, asked.resource)
    }
}

/// A broker whose clients may do what the rule allows.
pub async fn bench(allows: Rule) -> Bench {
    let seams = Seams {
        authorizer: Arc::new(Allowing(allows)),
        ..Seams::default()
    };
    Bench::with(Setup {
        seams,
        ..Setup::default()
    })
    .await
}

#[tokio::test]
async fn a_topic_that_one_may_not_create_is_denied_where_it_would_be_created() {
    let bench = bench(|operation, resource| match operation {
        Operation::Create => resource == ResourceName::Topic("mine"),
        _ => true,
    })
    .await;
    let mut client = bench.client().await;
    let named = |name| MetadataRequestTopic::default().with_name(Some(topic_name(name)));
    let ask = |creation| {
        MetadataRequest::default()
            .with_topics(Some(vec![named("theirs"), named("mine")]))
            .with_allow_auto_topic_creation(creation)
    };
    for (creation, errors) in [(false, [3, 3]), (true, [29, 3])] {
        let response = client.call(9, &ask(creation)).await;
        let told: Vec<_> = response.topics.iter().map(|topic| topic.error_code).collect();
        assert_eq!(told, errors);
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_topic_that_one_may_not_see_is_denied_by_its_id_and_without_its_name() {
    let bench = bench(|operation, _| operation != Operation::Describe).await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    let id = uuid::Uuid::from_u128(bench.topic("t").0);
    let asked = MetadataRequestTopic::default().with_name(None).with_topic_id(id);
    let request = MetadataRequest::default().with_topics(Some(vec![asked]));
    let response = client.call(12, &request).await;
    let topic = &response.topics[0];
    assert_eq!((topic.error_code, &topic.name, topic.topic_id), (29, &None, id));
    bench.stop().await;
}

#[tokio::test]
async fn who_may_write_anywhere_may_write_with_a_producer_id() {
    let idempotent = |operation, resource: ResourceName<'_>| {
        operation == Operation::IdempotentWrite && resource == ResourceName::Cluster
    };
    let writer = |operation, resource: ResourceName<'_>| {
        operation == Operation::Write && resource == ResourceName::AnyTopic
    };
    let reader = |operation, _: ResourceName<'_>| operation == Operation::Read;
    let cases: [(Rule, i16); 3] = [(idempotent, 0), (writer, 0), (reader, 31)];
    for (allows, error) in cases {
        let bench = bench(allows).await;
        let request = InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_producer_id((-1).into())
            .with_producer_epoch(-1);
        let response = bench.client().await.call(4, &request).await;
        assert_eq!(response.error_code, error);
        bench.stop().await;
    }
}
