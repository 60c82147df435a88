//! Precedence, sharing and rules, case by case.

use std::collections::BTreeMap;

use super::*;

fn name(name: &str) -> Named<String> {
    Named::Name(name.to_owned())
}

/// The eight levels for the client `app` of `alice`, the closest first, with who shares each.
fn levels() -> [(QuotaEntity, Bucket<'static>); 8] {
    let pair = Bucket::UserClient("alice", "app");
    [
        (QuotaEntity::UserClient(name("alice"), name("app")), pair),
        (QuotaEntity::UserClient(name("alice"), Named::Default), pair),
        (QuotaEntity::User(name("alice")), Bucket::User("alice")),
        (QuotaEntity::UserClient(Named::Default, name("app")), pair),
        (QuotaEntity::UserClient(Named::Default, Named::Default), pair),
        (QuotaEntity::User(Named::Default), Bucket::User("alice")),
        (QuotaEntity::Client(name("app")), Bucket::Client("app")),
        (QuotaEntity::Client(Named::Default), Bucket::Client("app")),
    ]
}

fn quotas_of(entities: impl IntoIterator<Item = (QuotaEntity, f64)>) -> ClusterQuotas {
    let mut quotas = ClusterQuotas::default();
    for (entity, value) in entities {
        quotas.put(entity, BTreeMap::from([(QuotaKey::ProducerByteRate, value)]));
    }
    quotas
}

/// All 256 sets of levels: the closest one that is there counts.
#[test]
fn the_closest_of_the_eight_levels_counts() {
    let levels = levels();
    for set in 0_u32..256 {
        let there = |level: usize| set & (1 << level) != 0;
        let quotas = quotas_of(
            (0_u32..8)
                .filter(|level| there(*level as usize))
                .map(|level| (levels[level as usize].0.clone(), f64::from(level) + 1.0)),
        );
        let applied = quotas.of("alice", "app", QuotaKey::ProducerByteRate);
        match (0_u32..8).find(|level| there(*level as usize)) {
            None => assert_eq!(applied, None, "{set:08b}"),
            Some(level) => {
                let (entity, bucket) = &levels[level as usize];
                let expected = Applied {
                    value: f64::from(level) + 1.0,
                    entity,
                    bucket: *bucket,
                };
                assert_eq!(applied, Some(expected), "{set:08b}");
            }
        }
        assert_eq!(quotas.of("alice", "app", QuotaKey::ConsumerByteRate), None);
    }
}

#[test]
fn each_key_is_looked_up_by_itself() {
    let mut quotas = ClusterQuotas::default();
    let closest = QuotaEntity::UserClient(name("alice"), name("app"));
    quotas.put(closest, BTreeMap::from([(QuotaKey::ConsumerByteRate, 5.0)]));
    let default = QuotaEntity::Client(Named::Default);
    let values = BTreeMap::from([
        (QuotaKey::ProducerByteRate, 7.0),
        (QuotaKey::ConsumerByteRate, 9.0),
    ]);
    quotas.put(default, values);
    let value = |key| quotas.of("alice", "app", key).map(|applied| applied.value);
    assert_eq!(value(QuotaKey::ProducerByteRate), Some(7.0));
    assert_eq!(value(QuotaKey::ConsumerByteRate), Some(5.0));
    assert_eq!(value(QuotaKey::RequestPercentage), None);
}

#[test]
fn others_are_not_touched_by_a_quota_that_names_somebody() {
    let named = levels().into_iter().filter(|(entity, _)| {
        !matches!(
            entity,
            QuotaEntity::User(Named::Default)
                | QuotaEntity::Client(Named::Default)
                | QuotaEntity::UserClient(Named::Default, Named::Default)
        )
    });
    let quotas = quotas_of(named.map(|(entity, _)| (entity, 1.0)));
    assert_eq!(quotas.of("bob", "other", QuotaKey::ProducerByteRate), None);
    assert!(quotas.of("alice", "other", QuotaKey::ProducerByteRate).is_some());
    assert!(quotas.of("bob", "app", QuotaKey::ProducerByteRate).is_some());
    // Names that look like the word for the default are names.
    let odd = quotas_of([(QuotaEntity::User(name("<default>")), 1.0)]);
    assert_eq!(odd.of("bob", "", QuotaKey::ProducerByteRate), None);
}

#[test]
fn a_default_is_no_common_pool() {
    let quotas = quotas_of([(QuotaEntity::User(Named::Default), 1.0)]);
    let bucket = |user| {
        let applied = quotas.of(user, "app", QuotaKey::ProducerByteRate);
        applied.map(|applied| applied.bucket.to_entity())
    };
    assert_eq!(bucket("alice"), Some(QuotaEntity::User(name("alice"))));
    assert_eq!(bucket("bob"), Some(QuotaEntity::User(name("bob"))));
}

#[test]
fn a_changed_state_is_asked_anew() {
    let mut quotas = quotas_of([(QuotaEntity::User(name("alice")), 1.0)]);
    let asked = |quotas: &ClusterQuotas| {
        let applied = quotas.of("alice", "", QuotaKey::ProducerByteRate);
        applied.map(|applied| applied.value)
    };
    assert_eq!(asked(&quotas), Some(1.0));
    let before = quotas.clone();
    let entity = QuotaEntity::User(name("alice"));
    quotas.put(
        entity.clone(),
        BTreeMap::from([(QuotaKey::ProducerByteRate, 2.0)]),
    );
    assert_eq!((asked(&before), asked(&quotas)), (Some(1.0), Some(2.0)));
    quotas.put(entity, BTreeMap::new());
    assert_eq!((asked(&quotas), quotas.is_empty()), (None, true));
}

#[test]
fn addresses_have_their_own_or_the_default() {
    let mut quotas = ClusterQuotas::default();
    let rate = |value| BTreeMap::from([(QuotaKey::ConnectionCreationRate, value)]);
    let own: IpAddr = "10.0.0.1".parse().unwrap();
    quotas.put(QuotaEntity::Ip(Named::Name(own)), rate(5.0));
    let value = |quotas: &ClusterQuotas, address: &str| {
        let applied = quotas.of_address(address.parse().unwrap());
        applied.map(|applied| (applied.value, applied.bucket.to_entity()))
    };
    let bucket = QuotaEntity::Ip(Named::Name(own));
    assert_eq!(value(&quotas, "10.0.0.1"), Some((5.0, bucket.clone())));
    assert_eq!(value(&quotas, "::ffff:10.0.0.1"), Some((5.0, bucket)));
    assert_eq!(value(&quotas, "10.0.0.2"), None);
    quotas.put(QuotaEntity::Ip(Named::Default), rate(9.0));
    let other = QuotaEntity::Ip(Named::Name("10.0.0.2".parse().unwrap()));
    assert_eq!(value(&quotas, "10.0.0.2"), Some((9.0, other)));
}

#[test]
fn an_entity_is_written_in_one_way() {
    let text = |entity: QuotaEntity| serde_json::to_string(&entity.canonical()).unwrap();
    let pair = QuotaEntity::UserClient(name("a\"b"), Named::Default);
    assert_eq!(
        text(pair.clone()),
        r#"{"user_client":[{"name":"a\"b"},"default"]}"#
    );
    assert_eq!(text(QuotaEntity::User(Named::Default)), r#"{"user":"default"}"#);
    let mapped = QuotaEntity::Ip(Named::Name("::ffff:10.0.0.1".parse().unwrap()));
    let plain = QuotaEntity::Ip(Named::Name("10.0.0.1".parse().unwrap()));
    assert_eq!(text(mapped.clone()), r#"{"ip":{"name":"10.0.0.1"}}"#);
    assert_eq!(mapped.id(), plain.id());
    assert_ne!(pair.id(), plain.id());
    // Part of the REST API's addresses: it stays.
    let id = QuotaEntity::User(Named::Default).id();
    assert_eq!(id.public(), "qta_fxyuofyvgpx4gideefqfxjcj46");
}

#[test]
fn names_keys_and_values_that_cannot_be_are_refused() {
    let long = "é".repeat(128);
    for bad in ["", "a\0", "a\nb", long.as_str()] {
        for entity in [
            QuotaEntity::User(name(bad)),
            QuotaEntity::Client(name(bad)),
            QuotaEntity::UserClient(name("a"), name(bad)),
            QuotaEntity::UserClient(name(bad), Named::Default),
        ] {
            check_entity(&entity).unwrap_err();
        }
    }
    let user = QuotaEntity::User(name("Zoë <default>"));
    check_entity(&user).unwrap();
    check_entity(&QuotaEntity::Client(name(&"x".repeat(MAX_NAME_BYTES)))).unwrap();
    let address = QuotaEntity::Ip(Named::Default);
    for key in QuotaKey::ALL {
        assert_eq!(QuotaKey::of_name(key.name()), Some(key));
        let of_addresses = key == QuotaKey::ConnectionCreationRate;
        assert_eq!(check_value(&user, key, 10.0).is_ok(), !of_addresses, "{key}");
        assert_eq!(check_value(&address, key, 10.0).is_ok(), of_addresses, "{key}");
        let entity = if of_addresses { &address } else { &user };
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            check_value(entity, key, bad).unwrap_err();
        }
        let fraction = matches!(
            key,
            QuotaKey::RequestPercentage | QuotaKey::ControllerMutationRate
        );
        assert_eq!(check_value(entity, key, 0.5).is_ok(), fraction, "{key}");
    }
    check_value(&address, QuotaKey::ConnectionCreationRate, 3e9).unwrap_err();
}
