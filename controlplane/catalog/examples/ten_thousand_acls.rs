//! What a check costs in a cluster with 10,000 ACLs, of which 1,000 are prefixes: makes them in a SQLite catalog and prints the times.
//!
//! `cargo run -p firn-catalog --example ten_thousand_acls`

#![allow(clippy::unwrap_used, reason = "an example may panic")]
#![allow(
    clippy::disallowed_methods,
    reason = "it measures, so it takes the real clock"
)]
#![allow(clippy::print_stdout, reason = "it prints what it measures")]

use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use firn_catalog::Catalog;
use firn_catalog::access::RoleSet;
use firn_catalog::acl::{Acl, Asked, Effect, Operation, PatternType, ResourceName, ResourceType};
use firn_catalog::commands::{Actor, CreateAcls, Principal, User};
use firn_catalog::ids::ClusterId;
use firn_catalog::image::{Image, ImageFollower};
use firn_runtime::Env;

const LITERALS: usize = 9_000;
const PREFIXES: usize = 1_000;
/// Prefixes that each begin with the one before.
const DEEP: usize = 200;
const ROUNDS: u32 = 200_000;

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("catalog.db").display());
    let catalog = Catalog::open(&url, Env::system()).await.unwrap();
    let follower = ImageFollower::start(catalog.clone()).await.unwrap();
    let cluster = catalog.ensure_dev().await.unwrap().cluster;
    let actor = Actor::process(Principal::Dev { cluster }, "example");
    for shared in [true, false] {
        let acls = acls(shared);
        println!(
            "{} ACLs, {PREFIXES} of them prefixes, {}:",
            acls.len(),
            match shared {
                true => "all of one principal",
                false => "of a hundred principals",
            }
        );
        let begin = Instant::now();
        let mut last = None;
        for part in acls.chunks(1_000) {
            let command = CreateAcls {
                cluster,
                acls: part.to_vec(),
                validate_only: false,
            };
            let made = catalog.create_acls(&actor, command).await.unwrap();
            assert!(made.value.iter().all(Result::is_ok));
            last = made.sequence.or(last);
        }
        println!("  made in {:.1?}", begin.elapsed());
        let image = follower.wait_for(last.unwrap()).await;
        measure(&image, cluster);
        let all = Default::default();
        let deletion = firn_catalog::commands::DeleteAcls {
            cluster,
            filters: vec![all],
            validate_only: false,
        };
        let begin = Instant::now();
        let gone = catalog.delete_acls(&actor, deletion).await.unwrap();
        println!("  deleted in {:.1?}", begin.elapsed());
        follower.wait_for(gone.sequence.unwrap()).await;
    }
}

fn acls(shared: bool) -> Vec<Acl> {
    let acl = |place: usize, pattern_type, resource_name: String| Acl {
        resource_type: ResourceType::Topic,
        pattern_type,
        resource_name,
        principal: match shared {
            true => "User:app-0".to_owned(),
            false => format!("User:app-{}", place % 100),
        },
        host: match place % 10 {
            9 => format!("10.0.{}.{}", place / 250 % 250, place % 250),
            _ => "*".to_owned(),
        },
        operation: match place % 2 {
            0 => Operation::Read,
            _ => Operation::Write,
        },
        permission: Effect::Allow,
    };
    let mut acls = Vec::new();
    for place in 0..LITERALS {
        acls.push(acl(place, PatternType::Literal, format!("topic-{place}")));
    }
    for place in 0..PREFIXES - DEEP {
        acls.push(acl(place, PatternType::Prefixed, format!("team-{place}.")));
    }
    for depth in 1..=DEEP {
        let mut deep = acl(0, PatternType::Prefixed, "d".repeat(depth));
        // Only the shortest is about reading, so that one asks all the way up.
        deep.operation = match depth {
            1 => Operation::Read,
            _ => Operation::Write,
        };
        acls.push(deep);
    }
    acls
}

fn measure(image: &Image, cluster: ClusterId) {
    let principal = Principal::User(Arc::new(User {
        cluster,
        name: "app-0".into(),
        roles: RoleSet::NONE,
    }));
    let host: Option<IpAddr> = Some([10, 1, 2, 3].into());
    let ask = |operation, name: &str| {
        let decision = image.decide(black_box(&Asked {
            principal: &principal,
            host,
            operation,
            cluster,
            resource: ResourceName::Topic(name),
        }));
        decision.allows()
    };
    let begin = Instant::now();
    ask(Operation::Read, "topic-0");
    println!("  the first check, which compiles: {:.1?}", begin.elapsed());
    let deep = "d".repeat(DEEP);
    let questions = [
        ("a literal that allows", Operation::Read, "topic-200", true),
        (
            "a literal that allows something else",
            Operation::Write,
            "topic-200",
            false,
        ),
        ("a prefix that allows", Operation::Read, "team-200.orders", true),
        ("no pattern at all", Operation::Read, "zebra", false),
        ("between prefixes", Operation::Read, "team-200", false),
        (
            "200 prefixes deep, the last allows",
            Operation::Read,
            deep.as_str(),
            true,
        ),
        (
            "200 prefixes deep, none allows",
            Operation::Delete,
            deep.as_str(),
            false,
        ),
    ];
    for (what, operation, name, allowed) in questions {
        assert_eq!(ask(operation, name), allowed, "{what}");
        let begin = Instant::now();
        for _ in 0..ROUNDS {
            black_box(ask(operation, black_box(name)));
        }
        let each = begin.elapsed().as_nanos() / u128::from(ROUNDS);
        println!("  {what}: {each} ns");
    }
}
