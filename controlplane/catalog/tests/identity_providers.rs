//! Runs the rules of identity providers on SQLite and PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

#[macro_use]
mod cell;
mod postgres;

mod on {
    on_both! {
        trusted:
        providers_are_made_changed_and_removed_by_version,
        names_and_issuers_are_unique_in_a_cluster_and_there_are_only_so_many,
        a_rehearsal_keeps_nothing_and_a_stranger_may_nothing,
        an_image_that_was_folded_has_the_providers_that_are_loaded,
    }
}

mod trusted {
    use std::sync::Arc;

    use firn_catalog::access::{Role, RoleSet};
    use firn_catalog::commands::{
        Actor, CommandError, MAX_IDENTITY_PROVIDERS, Principal, PutIdentityProvider, RemoveIdentityProvider,
        User,
    };
    use firn_catalog::ids::{ClusterId, IdentityProviderId};
    use firn_catalog::image::ImageFollower;
    use firn_catalog::trust::IdentityProviderBody;

    use crate::cell::{Cell, Sql};

    fn new(sql: &Sql, name: &str) -> PutIdentityProvider {
        PutIdentityProvider {
            cluster: sql.cluster,
            id: None,
            name: name.to_owned(),
            body: IdentityProviderBody {
                issuer: format!("https://{name}.example.com"),
                jwks_url: None,
                audiences: vec!["kafka".to_owned()],
                principal_claim: "sub".to_owned(),
                mapping_rules: "DEFAULT".to_owned(),
                clock_skew_seconds: 30,
            },
            expected: None,
            validate_only: false,
        }
    }

    fn removal(sql: &Sql, id: IdentityProviderId) -> RemoveIdentityProvider {
        RemoveIdentityProvider {
            cluster: sql.cluster,
            id,
            expected: None,
            validate_only: false,
        }
    }

    fn is_unknown<T: std::fmt::Debug>(outcome: &Result<T, CommandError>) -> bool {
        matches!(outcome, Err(CommandError::UnknownTrust { .. }))
    }

    pub async fn providers_are_made_changed_and_removed_by_version(cell: &Cell) {
        let sql = cell.sql();
        let (catalog, actor) = (&sql.catalog, &sql.actor);
        let made = catalog
            .put_identity_provider(actor, new(sql, "one"))
            .await
            .unwrap();
        assert!(made.sequence.is_some() && made.value.version == 1);
        let mut change = new(sql, "one");
        change.id = Some(made.value.id);
        change.expected = Some(1);
        let same = catalog
            .put_identity_provider(actor, change.clone())
            .await
            .unwrap();
        assert_eq!((same.sequence, same.value.version), (None, 1));
        change.body.audiences.push("streams".to_owned());
        let changed = catalog
            .put_identity_provider(actor, change.clone())
            .await
            .unwrap()
            .value;
        assert_eq!((changed.version, changed.created_at), (2, made.value.created_at));
        change.name = "other".to_owned();
        let late = catalog.put_identity_provider(actor, change.clone()).await;
        assert_eq!(late, Err(CommandError::VersionMismatch { current: 2 }));
        change.id = Some(IdentityProviderId(77));
        assert!(is_unknown(&catalog.put_identity_provider(actor, change).await));
        let mut remove = removal(sql, changed.id);
        remove.expected = Some(1);
        let late = catalog.remove_identity_provider(actor, remove.clone()).await;
        assert_eq!(late, Err(CommandError::VersionMismatch { current: 2 }));
        remove.expected = Some(2);
        let removed = catalog
            .remove_identity_provider(actor, remove.clone())
            .await
            .unwrap();
        assert_eq!(removed.value, changed);
        assert!(is_unknown(&catalog.remove_identity_provider(actor, remove).await));
    }

    pub async fn names_and_issuers_are_unique_in_a_cluster_and_there_are_only_so_many(cell: &Cell) {
        let sql = cell.sql();
        let (catalog, actor) = (&sql.catalog, &sql.actor);
        for number in 0..MAX_IDENTITY_PROVIDERS {
            let command = new(sql, &format!("p{number}"));
            let made = catalog.put_identity_provider(actor, command).await;
            assert!(made.is_ok(), "{number}: {made:?}");
        }
        let another = catalog.put_identity_provider(actor, new(sql, "last")).await;
        assert!(
            matches!(another, Err(CommandError::LimitExceeded { .. })),
            "{another:?}"
        );
        let same_name = PutIdentityProvider {
            name: "p1".to_owned(),
            ..new(sql, "x")
        };
        let same_issuer = PutIdentityProvider {
            name: "x".to_owned(),
            ..new(sql, "p1")
        };
        for command in [same_name, same_issuer] {
            let taken = catalog.put_identity_provider(actor, command).await;
            assert!(
                matches!(taken, Err(CommandError::TrustExists { .. })),
                "{taken:?}"
            );
        }
    }

    pub async fn a_rehearsal_keeps_nothing_and_a_stranger_may_nothing(cell: &Cell) {
        let sql = cell.sql();
        let (catalog, actor) = (&sql.catalog, &sql.actor);
        let mut rehearsed = new(sql, "one");
        rehearsed.validate_only = true;
        let tried = catalog.put_identity_provider(actor, rehearsed).await.unwrap();
        assert!(tried.sequence.is_none());
        let gone = catalog
            .remove_identity_provider(actor, removal(sql, tried.value.id))
            .await;
        assert!(is_unknown(&gone));
        let made = catalog
            .put_identity_provider(actor, new(sql, "one"))
            .await
            .unwrap();
        let user = |cluster, role| {
            let user = User {
                cluster,
                name: "somebody".into(),
                roles: RoleSet::NONE.with(role),
            };
            Actor::process(Principal::User(user.into()), "test")
        };
        for stranger in [
            user(sql.cluster, Role::Operator),
            user(ClusterId(77), Role::Owner),
        ] {
            let refused = catalog.put_identity_provider(&stranger, new(sql, "two")).await;
            assert_eq!(refused.err(), Some(CommandError::NotAuthorized));
            let refused = catalog
                .remove_identity_provider(&stranger, removal(sql, made.value.id))
                .await;
            assert_eq!(refused.err(), Some(CommandError::NotAuthorized));
        }
        let admin = user(sql.cluster, Role::Admin);
        let removed = catalog
            .remove_identity_provider(&admin, removal(sql, made.value.id))
            .await;
        assert!(removed.is_ok());
    }

    pub async fn an_image_that_was_folded_has_the_providers_that_are_loaded(cell: &Cell) {
        let sql = cell.sql();
        let (catalog, actor) = (&sql.catalog, &sql.actor);
        let follower = ImageFollower::start(Arc::clone(catalog)).await.unwrap();
        let made = catalog
            .put_identity_provider(actor, new(sql, "one"))
            .await
            .unwrap();
        let gone = catalog
            .put_identity_provider(actor, new(sql, "two"))
            .await
            .unwrap();
        let before = follower.wait_for(gone.sequence.unwrap()).await.logins_changed();
        let removed = catalog
            .remove_identity_provider(actor, removal(sql, gone.value.id))
            .await
            .unwrap();
        let folded = follower.wait_for(removed.sequence.unwrap()).await;
        assert!(folded.logins_changed() > before, "logins are looked at again");
        let loaded = ImageFollower::start(Arc::clone(catalog)).await.unwrap().image();
        for image in [&folded, &loaded] {
            let access = image.access(sql.cluster).unwrap();
            let all: Vec<_> = access
                .identity_providers()
                .map(|one| one.as_ref().clone())
                .collect();
            assert_eq!(all, std::slice::from_ref(&made.value));
        }
    }
}
