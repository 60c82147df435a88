//! Every served API and version against the table of what it asks: allowed with exactly the bindings that it needs, to somebody
//! without any role; denied without one of them; denied with a binding that denies on top.

use firn_broker::permissions::{CHECKS, Check, Outcome, Resource};
use firn_catalog::acl::{Acl, Operation};
use kafka_protocol::messages::{ApiKey, ApiVersionsRequest};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::user::{Bound, allow, denies, implies};
use crate::answers::{self, Told};
use crate::isolation::needs;
use crate::support::client::{Client, batch};
use crate::support::samples::groups::GROUP;
use crate::support::samples::{self, Sample, Subject};
use crate::support::{Bench, Setup};

const DENIALS: [i16; 4] = [29, 30, 31, 53];

/// Whether a sample of this version is about what a check is about.
fn applies(check: &Check, version: i16) -> bool {
    match (check.api, check.when) {
        (_, "" | "named topics" | "of topics" | "without a transactional id")
        | (ApiKey::FindCoordinator, "of groups") => true,
        // From version 6 on a topic may be named by its id, too.
        (ApiKey::DeleteTopics, "by name") => true,
        (_, "from version 3") => version >= 3,
        (_, "up to version 2") => version <= 2,
        _ => false,
    }
}

/// The checks that a sample must pass.
fn checks(api: ApiKey, version: i16) -> Vec<&'static Check> {
    let of_api = CHECKS.iter().filter(|check| check.api == api);
    of_api.filter(|check| applies(check, version)).collect()
}

/// The bindings that allow an operation on what samples are about.
fn on(operation: Operation, resource: Resource) -> Vec<Acl> {
    match resource {
        Resource::Group => vec![allow(operation, resource, GROUP), allow(operation, resource, "t")],
        _ => vec![allow(operation, resource, "t")],
    }
}

/// One way to pass all checks: for each the operation and the resource that pass it.
type Way = Vec<(Operation, Resource)>;

/// Every way to pass these checks.
fn ways(checks: &[&Check]) -> Vec<Way> {
    let mut ways: Vec<Way> = vec![Vec::new()];
    for check in checks.iter().filter(|check| !check.any_of.is_empty()) {
        let longer = |way: &Way| {
            let more = check.any_of.iter();
            more.map(|step| way.iter().copied().chain([*step]).collect::<Way>())
                .collect::<Vec<_>>()
        };
        ways = ways.iter().flat_map(longer).collect();
    }
    ways
}

/// Who is asked, and goes by bindings.
pub(super) trait Broker {
    /// Leaves these bindings and no others.
    async fn bind(&mut self, acls: &[Acl]);

    /// Asks as somebody without any role for what is there.
    async fn ask(&mut self, api: ApiKey, version: i16, by_id: bool) -> (Sample, Vec<Told>);

    /// Whether it may have gone by bindings of before, after so many answers, and is to be asked once more.
    async fn follows(&mut self, _times: u32) -> bool {
        false
    }
}

struct Firn<'a> {
    bench: &'a Bench,
    bound: Bound,
    admin: Client,
    client: Client,
}

/// What of the table is to be seen at a broker.
pub(super) struct Matrix<B> {
    broker: B,
    pub(super) wrong: Vec<String>,
    pub(super) asked: usize,
}

impl Firn<'_> {
    /// Makes what is gone of what samples are about; the topic's id.
    async fn furnish(&mut self) -> Uuid {
        let there = |bench: &Bench, bound: &Bound| {
            let image = bench.images.image();
            image
                .topic_by_name(bound.cluster(), "t")
                .map(|topic| Uuid::from_u128(topic.id.0))
        };
        loop {
            if there(self.bench, &self.bound).is_none() {
                self.admin.create_topic("t", 1).await;
                assert_eq!(self.admin.produce("t", 0, batch(&["a"])).await.0, 0);
            }
            let mut codes = Vec::new();
            for group in [GROUP, "t"] {
                codes.push(self.admin.commit(group, "t", 1).await);
            }
            match (&codes[..], there(self.bench, &self.bound)) {
                ([0, 0], Some(id)) => return id,
                // It was deleted, and this broker learns of it just now.
                ([.., 0 | 3], _) => tokio::task::yield_now().await,
                _ => panic!("{codes:?}"),
            }
        }
    }
}

impl Broker for Firn<'_> {
    async fn bind(&mut self, acls: &[Acl]) {
        self.bound.bind(self.bench, acls).await;
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
}

impl<B: Broker> Matrix<B> {
    pub(super) fn new(broker: B) -> Self {
        Self {
            broker,
            wrong: Vec::new(),
            asked: 0,
        }
    }

    async fn ask(&mut self, api: ApiKey, version: i16, by_id: bool) -> (Sample, Vec<Told>) {
        self.asked += 1;
        self.broker.ask(api, version, by_id).await
    }

    /// What is told, if it is not right and the broker will not say otherwise by and by.
    async fn wrongly_told(
        &mut self,
        (api, version, by_id): (ApiKey, i16, bool),
        right: impl Fn(&Sample, &[Told]) -> bool,
    ) -> Option<Vec<Told>> {
        let mut times = 0;
        loop {
            let (sample, told) = self.ask(api, version, by_id).await;
            if right(&sample, &told) {
                return None;
            }
            times += 1;
            if !self.broker.follows(times).await {
                return Some(told);
            }
        }
    }

    async fn expect_allowed(&mut self, api: ApiKey, versions: &[i16], what: &str) {
        let right = |sample: &Sample, told: &[Told]| {
            let denied = told.iter().any(|(_, code)| DENIALS.contains(code));
            !denied && !needs::hides(sample, told)
        };
        for version in versions {
            for by_id in [false, true] {
                if let Some(told) = self.wrongly_told((api, *version, by_id), right).await {
                    self.wrong
                        .push(format!("{api:?} {version} by_id={by_id} with {what}: {told:?}"));
                }
            }
        }
    }

    async fn expect_denied(&mut self, check: &Check, versions: &[i16], what: &str) {
        let right = |sample: &Sample, told: &[Told]| {
            let codes = told.iter().map(|(_, code)| *code);
            let denied: Vec<i16> = codes.filter(|code| DENIALS.contains(code)).collect();
            match check.denied {
                Outcome::Error(error) => {
                    !denied.is_empty() && denied.iter().all(|code| *code == error.code())
                }
                Outcome::LeftOut => denied.is_empty() && needs::hides(sample, told),
            }
        };
        for version in versions {
            for by_id in [false, true] {
                if check.when == "by name" && by_id && *version >= 6 {
                    continue;
                }
                let api = check.api;
                if let Some(told) = self.wrongly_told((api, *version, by_id), right).await {
                    self.wrong.push(format!(
                        "{api:?} {version} by_id={by_id} {what}: {told:?}, not {:?}",
                        check.denied
                    ));
                }
            }
        }
    }

    /// An API in the versions that have the same checks.
    pub(super) async fn api(&mut self, api: ApiKey, versions: &[i16]) {
        let checks = checks(api, versions[0]);
        for way in ways(&checks) {
            let granted = |step: &(Operation, Resource)| on(step.0, step.1);
            let all: Vec<Acl> = way.iter().flat_map(granted).collect();
            self.broker.bind(&all).await;
            self.expect_allowed(api, versions, &format!("{way:?}")).await;
            for check in checks.iter().filter(|check| !check.any_of.is_empty()) {
                let passes = |step: &&(Operation, Resource)| {
                    check
                        .any_of
                        .iter()
                        .any(|wanted| step.1 == wanted.1 && implies(step.0, wanted.0))
                };
                let rest: Vec<Acl> = way
                    .iter()
                    .filter(|step| !passes(step))
                    .flat_map(granted)
                    .collect();
                self.broker.bind(&rest).await;
                let lacking = format!("with {way:?} without {:?}", check.any_of);
                self.expect_denied(check, versions, &lacking).await;
                let mut denied = all.clone();
                for (operation, resource) in check.any_of {
                    denied.extend(on(*operation, *resource).into_iter().map(denies));
                }
                self.broker.bind(&denied).await;
                let besides = format!("with {way:?} and denied {:?}", check.any_of);
                self.expect_denied(check, versions, &besides).await;
            }
        }
    }
}

/// What a sample of this version is about.
pub(super) fn whens(key: ApiKey, version: i16) -> Vec<&'static str> {
    let whens = checks(key, version).into_iter().map(|check| check.when);
    whens.collect()
}

/// The served versions of APIs that name resources, those with the same checks together.
async fn served(client: &mut Client) -> Vec<(ApiKey, Vec<i16>)> {
    let told = client.call(0, &ApiVersionsRequest::default()).await;
    let mut served = Vec::new();
    for api in &told.api_keys {
        let key = ApiKey::try_from(api.api_key).unwrap();
        if samples::OF_CONNECTIONS.contains(&key) {
            continue;
        }
        // Produce 0-2 are advertised and refused.
        let first = if key == ApiKey::Produce {
            3
        } else {
            api.min_version
        };
        let versions: Vec<i16> = (first..=api.max_version).collect();
        for chunk in versions.chunk_by(|one, next| whens(key, *one) == whens(key, *next)) {
            served.push((key, chunk.to_vec()));
        }
    }
    served
}

#[tokio::test]
async fn every_api_needs_exactly_the_bindings_that_the_table_says() {
    let bench = Bench::with(Setup {
        kafka: vec![("auto.create.topics.enable", "false")],
        named: true,
        ..Setup::default()
    })
    .await;
    let bound = Bound::new(&bench).await;
    let mut admin = bound.admin(&bench).await;
    bench.coordinators_by(&mut admin).await;
    let client = bound.client(&bench).await;
    let all = served(&mut admin).await;
    let mut matrix = Matrix::new(Firn {
        bench: &bench,
        bound,
        admin,
        client,
    });
    for (api, versions) in all {
        matrix.api(api, &versions).await;
    }
    println!("{} requests asked", matrix.asked);
    assert!(matrix.wrong.is_empty(), "{}", matrix.wrong.join("\n"));
    bench.stop().await;
}
