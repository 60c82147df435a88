//! Pools of certificate authorities: whose clients a cluster trusts.

use std::sync::Arc;

use firn_catalog::access::{Role, RoleSet};
use firn_catalog::commands::{Actor, CommandError, Principal, PutCaPool, RemoveCaPool, User};
use firn_catalog::ids::{CaPoolId, ClusterId};
use firn_catalog::image::ImageFollower;
use firn_catalog::trust::{CaPool, MAX_CA_POOLS};
use rcgen::{IsCa, KeyPair, KeyUsagePurpose, PKCS_ED25519, date_time_ymd};

use super::number;
use crate::cell::{Cell, Sql};
use crate::certificates::{Authority, pool, self_signed};

fn new(cluster: ClusterId, name: &str, authorities: &[&Authority]) -> PutCaPool {
    let body = pool(authorities);
    PutCaPool {
        cluster,
        id: None,
        name: Some(name.to_owned()),
        certificates: Some(body.certificates),
        revocation_lists: Some(body.revocation_lists),
        mapping: Some(body.mapping),
        expected: None,
        validate_only: false,
    }
}

/// A change of nothing.
fn change(pool: &CaPool) -> PutCaPool {
    PutCaPool {
        cluster: pool.cluster,
        id: Some(pool.id),
        name: None,
        certificates: None,
        revocation_lists: None,
        mapping: None,
        expected: Some(pool.version),
        validate_only: false,
    }
}

async fn put(sql: &Sql, command: PutCaPool) -> Result<CaPool, CommandError> {
    let put = sql.catalog.put_ca_pool(&sql.actor, command).await;
    put.map(|committed| committed.value)
}

pub async fn a_pool_is_made_changed_and_removed_and_each_is_told_with_what_it_was(cell: &Cell) {
    let sql = cell.sql();
    let (old, next) = (Authority::new("old"), Authority::new("next"));
    let mut command = new(sql.cluster, "devices", &[&old]);
    command.validate_only = true;
    let tried = sql
        .catalog
        .put_ca_pool(&sql.actor, command.clone())
        .await
        .unwrap();
    assert_eq!(tried.sequence, None);
    command.validate_only = false;
    let with_text = format!("whose it is\n{}and more\n", old.pem());
    command.certificates = Some(vec![with_text.clone()]);
    let made = put(sql, command).await.unwrap();
    assert_eq!((made.version, made.body.certificates.len()), (1, 1));
    assert!(
        !made.body.certificates[0].contains("whose"),
        "only the certificate is kept"
    );

    let rotated = PutCaPool {
        certificates: Some(vec![old.pem(), next.pem()]),
        ..change(&made)
    };
    let changed = put(sql, rotated.clone()).await.unwrap();
    assert_eq!((changed.version, &*changed.name), (2, "devices"));
    assert_eq!(changed.body.mapping, made.body.mapping);
    let current = changed.version;
    assert_eq!(
        put(sql, rotated).await,
        Err(CommandError::VersionMismatch { current })
    );
    assert_eq!(
        put(sql, change(&changed)).await.unwrap().version,
        2,
        "nothing changed"
    );

    let follower = ImageFollower::start(Arc::clone(&sql.catalog)).await.unwrap();
    let image = follower.image();
    let access = image.access(sql.cluster).unwrap();
    assert_eq!(access.ca_pool(made.id).unwrap().as_ref(), &changed);
    assert_eq!(access.ca_pool(made.id).unwrap().body.authorities().count(), 2);
    assert!(access.client_trust().is_some());

    let remove = |expected| RemoveCaPool {
        cluster: sql.cluster,
        id: made.id,
        expected,
        validate_only: false,
    };
    let stale = sql.catalog.remove_ca_pool(&sql.actor, remove(Some(1))).await;
    assert_eq!(stale.unwrap_err(), CommandError::VersionMismatch { current });
    let removed = sql
        .catalog
        .remove_ca_pool(&sql.actor, remove(None))
        .await
        .unwrap();
    follower.wait_for(removed.sequence.unwrap()).await;
    let left = follower.image().access(sql.cluster).cloned().unwrap();
    assert!(left.client_trust().is_none());
    let again = sql.catalog.remove_ca_pool(&sql.actor, remove(None)).await;
    assert_eq!(again.unwrap_err(), CommandError::UnknownTrust { what: "CA pool" });
    let told = "SELECT count(*) FROM cell_audit WHERE resource_kind = 'ca_pool' AND detail LIKE '%\"before\"%' \
                AND detail LIKE '%CN=old%' AND detail NOT LIKE '%BEGIN%'";
    assert_eq!(number(sql, told).await, 3);
}

pub async fn a_pool_that_does_not_do_is_refused_where_it_is_wrong(cell: &Cell) {
    let sql = cell.sql();
    let authority = Authority::new("authority");
    let pem = |label: &str, der: &[u8]| {
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    };
    let expired = Authority::with("expired", |p| p.not_after = date_time_ymd(2021, 1, 1)).pem();
    let may_not_sign = Authority::with("a", |p| p.key_usages = vec![KeyUsagePurpose::CrlSign]).pem();
    let no_authority = Authority::with("a", |p| p.is_ca = IsCa::ExplicitNoCa).pem();
    let both = format!("{}{}", authority.pem(), authority.pem());
    let key = KeyPair::generate().unwrap().serialize_pem();
    let with_key = format!("{}{key}", authority.pem());
    let with = |certificates: Vec<String>| PutCaPool {
        certificates: Some(certificates),
        ..new(sql.cluster, "pool", &[])
    };
    let listed = |list: String| PutCaPool {
        revocation_lists: Some(vec![list]),
        ..new(sql.cluster, "pool", &[&authority])
    };
    let named = |name: &str| new(sql.cluster, name, &[&authority]);
    let mapped = |rules: &str| {
        let mut command = named("pool");
        command.mapping.as_mut().unwrap().rules = rules.to_owned();
        command
    };
    for (command, at, why) in [
        (with(vec![]), "/certificates", "one at least"),
        (with(vec![authority.pem(); 11]), "/certificates", "more than 10"),
        (with(vec![authority.pem(); 2]), "/certificates/1", "twice"),
        (with(vec!["no PEM".to_owned()]), "/certificates/0", "not PEM"),
        (
            with(vec![pem("CERTIFICATE", b"\x30\x00")]),
            "/certificates/0",
            "not an X.509",
        ),
        (with(vec![both]), "/certificates/0", "more than one"),
        (with(vec![with_key]), "/certificates/0", "private key"),
        (with(vec![authority.pem(), expired]), "/certificates/1", "expired"),
        (with(vec![no_authority]), "/certificates/0", "basicConstraints"),
        (with(vec![may_not_sign]), "/certificates/0", "keyCertSign"),
        (
            with(vec![pem("CERTIFICATE", &self_signed("a"))]),
            "/certificates/0",
            "basicConstraints",
        ),
        (with(vec!["x".repeat(65_537)]), "/certificates/0", "longer"),
        (with(vec!["x".repeat(65_000); 5]), "/certificates", "together"),
        (listed(authority.pem()), "/revocation_lists/0", "not PEM"),
        (
            listed(Authority::new("authority").revoking(&[1])),
            "/revocation_lists/0",
            "has signed it",
        ),
        (named("a\nb"), "/name", "control"),
        (named(&"n".repeat(101)), "/name", "longer"),
        (mapped("RULE:(/a/"), "/mapping/rules", "unclosed"),
    ] {
        match put(sql, command).await {
            Err(CommandError::InvalidTrust { pointer, reason }) => {
                assert_eq!(pointer, at, "{reason}");
                assert!(reason.contains(why), "{at}: {reason}");
            }
            other => panic!("{at} {why}: {other:?}"),
        }
    }
}

pub async fn revocation_lists_are_told_with_what_they_hold(cell: &Cell) {
    let sql = cell.sql();
    let authority = Authority::new("authority");
    let ed25519 = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let good = Authority::with_key("ed25519", ed25519, |_| {});
    let mut command = new(sql.cluster, "pool", &[&authority, &good]);
    command.revocation_lists = Some(vec![authority.revoking(&[1, 2, 3]), good.revoking(&[])]);
    let facts = put(sql, command).await.unwrap().body.facts().unwrap();
    let counts: Vec<_> = facts.revocation_lists.iter().map(|list| list.count).collect();
    assert_eq!(counts, [3, 0]);
}

pub async fn an_authority_is_in_one_pool_and_there_are_so_many_pools(cell: &Cell) {
    let sql = cell.sql();
    let authority = Authority::new("authority");
    put(sql, new(sql.cluster, "one", &[&authority])).await.unwrap();
    let again = put(
        sql,
        new(sql.cluster, "two", &[&Authority::new("other"), &authority]),
    )
    .await;
    assert!(matches!(again, Err(CommandError::TrustExists { name, .. }) if name == "one"));
    let named = put(sql, new(sql.cluster, "one", &[&Authority::new("other")])).await;
    assert!(matches!(named, Err(CommandError::TrustExists { name, .. }) if name == "one"));
    for number in 1..MAX_CA_POOLS {
        let same_name = Authority::new("authority");
        put(sql, new(sql.cluster, &number.to_string(), &[&same_name]))
            .await
            .unwrap();
    }
    let full = put(sql, new(sql.cluster, "more", &[&Authority::new("more")])).await;
    assert!(matches!(
        full,
        Err(CommandError::LimitExceeded {
            limit: MAX_CA_POOLS,
            ..
        })
    ));
}

pub async fn pools_are_changed_by_those_who_say_whom_the_cluster_trusts_alone(cell: &Cell) {
    let sql = cell.sql();
    let authority = Authority::new("authority");
    let made = put(sql, new(sql.cluster, "pool", &[&authority])).await.unwrap();
    for role in [Role::Viewer, Role::Developer, Role::Operator, Role::Billing] {
        let user = User {
            cluster: sql.cluster,
            name: "somebody".into(),
            roles: RoleSet::NONE.with(role),
        };
        let actor = Actor::process(Principal::User(user.into()), "test");
        let refused = sql.catalog.put_ca_pool(&actor, change(&made)).await;
        assert_eq!(refused.unwrap_err(), CommandError::NotAuthorized, "{role:?}");
        let remove = RemoveCaPool {
            cluster: sql.cluster,
            id: made.id,
            expected: None,
            validate_only: false,
        };
        let refused = sql.catalog.remove_ca_pool(&actor, remove).await;
        assert_eq!(refused.unwrap_err(), CommandError::NotAuthorized, "{role:?}");
    }
    let absent = PutCaPool {
        id: Some(CaPoolId(7)),
        ..change(&made)
    };
    assert_eq!(
        put(sql, absent).await,
        Err(CommandError::UnknownTrust { what: "CA pool" })
    );
    let elsewhere = new(ClusterId(7), "pool", &[&authority]);
    assert_eq!(put(sql, elsewhere).await, Err(CommandError::NotAuthorized));
}
