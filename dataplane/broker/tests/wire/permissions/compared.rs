//! The table of permissions against Apache Kafka itself: a broker of that name is asked what the matrix and the special requests ask,
//! byte for byte, and must say what the table says; what it says to the special requests is printed. `make compare-permissions` starts one.

#![allow(clippy::print_stdout, reason = "what Kafka says otherwise is printed")]

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use firn_broker::permissions::{CHECKS, Check};
use firn_catalog::acl::{Acl, PatternType};
use futures::FutureExt;
use kafka_protocol::messages as m;
use kafka_protocol::messages::ApiKey;
use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::conditions;
use super::matrix::{self, Broker, Matrix};
use super::user::{allow, denies};
use crate::answers::{self, Told};
use crate::support::client::{Client, batch, text, topic_name};
use crate::support::samples::groups::GROUP;
use crate::support::samples::{self, Sample, Subject};

/// Where Kafka is. Its users are `admin`, a super user, and `nobody`; their passwords are their names.
const ADDRESS: &str = "FIRN_COMPARE_KAFKA";
/// Any, in the filters of ACLs.
const ANY: i8 = 1;
/// Kafka's controller has an authorizer of its own, which follows the broker's by moments and cannot be asked how far it is.
const CONTROLLER_FOLLOWS: Duration = Duration::from_millis(30);
/// How often it is asked the same before its answer counts.
const MOST_TIMES: u32 = 100;

struct Kafka {
    admin: Client,
    client: Client,
}

async fn login(user: &str) -> Client {
    let address = std::env::var(ADDRESS).expect("make compare-permissions says where Kafka is");
    let mut tried = tokio::time::interval(Duration::from_millis(200));
    let address = address.parse().unwrap();
    while tokio::net::TcpStream::connect(address).await.is_err() {
        tried.tick().await;
    }
    let mut client = Client::connect(address).await;
    let handshake = m::SaslHandshakeRequest::default().with_mechanism(text("PLAIN"));
    assert_eq!(client.call(1, &handshake).await.error_code, 0);
    let message = format!("\0{user}\0{user}").into_bytes();
    let request = m::SaslAuthenticateRequest::default().with_auth_bytes(message.into());
    assert_eq!(client.call(2, &request).await.error_code, 0);
    client
}

fn creation(acl: &Acl) -> AclCreation {
    AclCreation::default()
        .with_resource_type(acl.resource_type.number())
        .with_resource_name(text(&acl.resource_name))
        .with_resource_pattern_type(acl.pattern_type.number())
        .with_principal(text(&acl.principal))
        .with_host(text(&acl.host))
        .with_operation(acl.operation.number())
        .with_permission_type(acl.permission.number())
}

impl Kafka {
    /// How many bindings the broker goes by.
    async fn bindings(&mut self) -> usize {
        let all = m::DescribeAclsRequest::default()
            .with_resource_type_filter(ANY)
            .with_resource_name_filter(None)
            .with_principal_filter(None)
            .with_host_filter(None)
            .with_pattern_type_filter(ANY)
            .with_operation(ANY)
            .with_permission_type(ANY);
        let resources = self.admin.call(3, &all).await.resources;
        resources.iter().map(|resource| resource.acls.len()).sum()
    }

    async fn topic(&mut self) -> Option<Uuid> {
        let topic = m::metadata_request::MetadataRequestTopic::default().with_name(Some(topic_name("t")));
        let request = m::MetadataRequest::default().with_topics(Some(vec![topic]));
        let topic = self.admin.call(12, &request).await.topics.remove(0);
        (topic.error_code == 0).then_some(topic.topic_id)
    }

    /// Makes what is gone of what samples are about; the topic's id.
    async fn furnish(&mut self) -> Uuid {
        loop {
            let Some(id) = self.topic().await else {
                let topic = m::create_topics_request::CreatableTopic::default()
                    .with_name(topic_name("t"))
                    .with_num_partitions(1)
                    .with_replication_factor(1);
                let request = m::CreateTopicsRequest::default()
                    .with_topics(vec![topic])
                    .with_timeout_ms(10_000);
                self.admin.call(7, &request).await;
                let mut code = self.admin.produce("t", 0, batch(&["a"])).await.0;
                while code != 0 {
                    println!("the topic is not there yet: {code}");
                    tokio::time::sleep(CONTROLLER_FOLLOWS).await;
                    code = self.admin.produce("t", 0, batch(&["a"])).await.0;
                }
                continue;
            };
            let mut codes = Vec::new();
            for group in [GROUP, "t"] {
                codes.push(self.admin.commit(group, "t", 1).await);
            }
            if codes == [0, 0] && self.topic().await == Some(id) {
                return id;
            }
            println!("groups are not there yet: {codes:?}");
            tokio::time::sleep(CONTROLLER_FOLLOWS).await;
        }
    }
}

impl Broker for Kafka {
    async fn bind(&mut self, acls: &[Acl]) {
        let everything = DeleteAclsFilter::default()
            .with_resource_type_filter(ANY)
            .with_resource_name_filter(None)
            .with_principal_filter(None)
            .with_host_filter(None)
            .with_pattern_type_filter(ANY)
            .with_operation(ANY)
            .with_permission_type(ANY);
        let request = m::DeleteAclsRequest::default().with_filters(vec![everything]);
        assert_eq!(self.admin.call(3, &request).await.filter_results[0].error_code, 0);
        while self.bindings().await != 0 {
            tokio::task::yield_now().await;
        }
        let mut wanted: Vec<AclCreation> = acls.iter().map(creation).collect();
        let mut kept = Vec::new();
        wanted.retain(|one| {
            !kept.contains(one) && {
                kept.push(one.clone());
                true
            }
        });
        let count = wanted.len();
        if count > 0 {
            let request = m::CreateAclsRequest::default().with_creations(wanted);
            let made = self.admin.call(3, &request).await.results;
            assert!(made.iter().all(|one| one.error_code == 0), "{made:?}");
        }
        while self.bindings().await != count {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(CONTROLLER_FOLLOWS).await;
    }

    async fn ask(&mut self, api: ApiKey, version: i16, by_id: bool) -> (Sample, Vec<Told>) {
        let id = self.furnish().await;
        let subject = Subject {
            by_id,
            ..Subject::once("t", id)
        };
        let mut samples = samples::all(&subject).into_iter();
        let sample = samples.find(|sample| sample.key == api && sample.version == version);
        let sample = sample.expect("there is a sample of all that is served");
        self.client.stream.write_all(&sample.frame).await.unwrap();
        let told = answers::told(&sample, self.client.frame().await.expect("an answer"));
        (sample, told)
    }

    async fn follows(&mut self, times: u32) -> bool {
        tokio::time::sleep(CONTROLLER_FOLLOWS).await;
        times < MOST_TIMES
    }
}

/// What Kafka serves of what is served here.
async fn both(admin: &mut Client) -> Vec<(ApiKey, Vec<i16>)> {
    let told = admin.call(0, &m::ApiVersionsRequest::default()).await;
    let samples = samples::all(&Subject::once("t", Uuid::nil()));
    let mut served: Vec<(ApiKey, Vec<i16>)> = Vec::new();
    for sample in &samples {
        let theirs = told.api_keys.iter().find(|api| api.api_key == sample.key as i16);
        match theirs {
            Some(api) if (api.min_version..=api.max_version).contains(&sample.version) => {}
            _ => {
                println!("Kafka does not serve {:?} {}", sample.key, sample.version);
                continue;
            }
        }
        match served.last_mut() {
            Some((key, versions))
                if *key == sample.key
                    && matrix::whens(*key, versions[0]) == matrix::whens(*key, sample.version) =>
            {
                versions.push(sample.version);
            }
            _ => served.push((sample.key, vec![sample.version])),
        }
    }
    served
}

/// The codes of what transactions and replicas ask, which are answered otherwise here even when they are allowed.
async fn codes(client: &mut Client, check: &Check) -> Option<i16> {
    let id = || Some(text(conditions::TRANSACTIONAL_ID).into());
    Some(match (check.api, check.when) {
        (ApiKey::Produce, "in a transaction") => {
            let request = crate::support::client::produce("t", 0, conditions::in_a_transaction(), -1);
            let request = request.with_transactional_id(id());
            crate::support::client::produced(&client.call(9, &request).await).0
        }
        (ApiKey::Fetch, "as a replica") => {
            let request = conditions::fetch_of_a_replica();
            client.call(12, &request).await.responses[0].partitions[0].error_code
        }
        (ApiKey::FindCoordinator, "of transactional ids") => {
            let request = m::FindCoordinatorRequest::default()
                .with_key_type(1)
                .with_coordinator_keys(vec![text(conditions::TRANSACTIONAL_ID)]);
            client.call(4, &request).await.coordinators[0].error_code
        }
        (ApiKey::InitProducerId, "with a transactional id") => {
            let request = m::InitProducerIdRequest::default()
                .with_transactional_id(id())
                .with_transaction_timeout_ms(1000)
                .with_producer_id((-1).into())
                .with_producer_epoch(-1);
            client.call(4, &request).await.error_code
        }
        (ApiKey::CreateTopics, "configs in the answer") => {
            let topic = m::create_topics_request::CreatableTopic::default()
                .with_name(topic_name("another"))
                .with_num_partitions(1)
                .with_replication_factor(1);
            let request = m::CreateTopicsRequest::default()
                .with_topics(vec![topic])
                .with_validate_only(true);
            client.call(7, &request).await.topics[0].topic_config_error_code
        }
        _ => return None,
    })
}

/// What Kafka says with the bindings of now.
async fn says(kafka: &mut Kafka, check: &Check, new: &str) -> String {
    kafka.furnish().await;
    if let Some(code) = codes(&mut kafka.client, check).await {
        return format!("code {code}");
    }
    let allowed = AssertUnwindSafe(conditions::allowed(&mut kafka.client, check, new));
    match allowed.catch_unwind().await {
        Ok(true) => "allowed".to_owned(),
        Ok(false) => "denied".to_owned(),
        Err(panic) => format!("another answer: {:?}", panic.downcast_ref::<String>()),
    }
}

async fn special(kafka: &mut Kafka) {
    for check in CHECKS.iter().filter(|check| !check.any_of.is_empty()) {
        let coded = ["with a transactional id", "configs in the answer"].contains(&check.when);
        if !coded && conditions::ORDINARY.contains(&check.when) {
            continue;
        }
        for (operation, resource) in check.any_of {
            let creates = check.when == "topics that are to be created";
            let new = format!("new-{resource:?}");
            let named = match check.when {
                _ if creates => new.as_str(),
                "configs in the answer" => "another",
                _ => conditions::name(*resource),
            };
            let mut acls = conditions::besides(check, &new);
            if check.api == ApiKey::CreateTopics {
                acls.push(allow(firn_catalog::acl::Operation::Create, *resource, named));
            }
            kafka.bind(&acls).await;
            let without = says(kafka, check, &new).await;
            acls.push(allow(*operation, *resource, named));
            kafka.bind(&acls).await;
            let with = says(kafka, check, &new).await;
            acls.push(denies(allow(*operation, *resource, named)));
            kafka.bind(&acls).await;
            let denied = says(kafka, check, &new).await;
            println!(
                "{:?} {} ({operation:?} {resource:?}; {:?}): without {without}, with {with}, denied on top {denied}",
                check.api, check.when, check.denied
            );
        }
    }
}

/// What is not there, to somebody without rights and to somebody who may see it.
async fn absent(kafka: &mut Kafka) {
    kafka.furnish().await;
    for acls in [
        vec![],
        vec![Acl {
            pattern_type: PatternType::Literal,
            ..allow(
                firn_catalog::acl::Operation::Describe,
                firn_broker::permissions::Resource::Topic,
                "*",
            )
        }],
    ] {
        kafka.bind(&acls).await;
        println!("with {} bindings, of a topic that is not there:", acls.len());
        for sample in samples::all(&Subject::once("absent", Uuid::from_u128(7 << 64 | 9))) {
            let last = match sample.key {
                ApiKey::DeleteTopics => 5..=6,
                ApiKey::CreatePartitions => 3..=3,
                ApiKey::AlterConfigs => 2..=2,
                ApiKey::IncrementalAlterConfigs => 1..=1,
                ApiKey::DescribeConfigs => 4..=4,
                ApiKey::Metadata => 9..=12,
                ApiKey::Fetch => 12..=13,
                ApiKey::DeleteRecords | ApiKey::ListOffsets => 2..=2,
                _ => continue,
            };
            if last.contains(&sample.version) {
                kafka.client.stream.write_all(&sample.frame).await.unwrap();
                let told = answers::told(&sample, kafka.client.frame().await.expect("an answer"));
                println!("  {:?} {}: {told:?}", sample.key, sample.version);
            }
        }
    }
}

#[tokio::test]
#[ignore = "asks Apache Kafka: make compare-permissions"]
async fn apache_kafka_asks_what_the_table_says() {
    let (admin, client) = (login("admin").await, login("nobody").await);
    let mut kafka = Kafka { admin, client };
    // The topic of offsets is made when somebody looks for a coordinator first.
    let look = m::FindCoordinatorRequest::default().with_coordinator_keys(vec![text(GROUP)]);
    kafka.admin.call(4, &look).await;
    let all = both(&mut kafka.admin).await;
    special(&mut kafka).await;
    absent(&mut kafka).await;
    let mut matrix = Matrix::new(kafka);
    for (api, versions) in all {
        matrix.api(api, &versions).await;
    }
    println!("{} requests asked", matrix.asked);
    assert!(
        matrix.wrong.is_empty(),
        "answered otherwise than the table says:\n{}",
        matrix.wrong.join("\n")
    );
}
