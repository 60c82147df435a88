//! Login providers: who sets them, and whom they let in.

use firn_catalog::account::{
    AccountError, Identity, LoginProvider, LoginProviderSettings, MAX_LOGIN_PROVIDERS, Person, Sealed,
};
use firn_catalog::ids::{LoginProviderId, OrganizationId};

use super::{World, person, stranger};

fn settings(issuer: &str) -> LoginProviderSettings {
    LoginProviderSettings {
        name: "Provider".into(),
        issuer: issuer.into(),
        client_id: "client".into(),
        client_secret: Some(Sealed("sealed".into())),
        allowed_domains: vec!["x.org".into()],
    }
}

fn identity(email: &str, linking: Option<&Person>) -> Identity {
    Identity {
        subject: format!("subject of {email}"),
        email: email.into(),
        name: "Somebody".into(),
        linking: linking.map(|person| person.id),
    }
}

async fn log_in(
    world: &World,
    provider: &LoginProvider,
    identity: &Identity,
) -> Result<Person, AccountError> {
    let session = world.new_session();
    let outcome = world
        .catalog
        .log_in_through(&stranger(), provider, identity, &session)
        .await;
    if outcome.is_ok() {
        assert!(world.is_live(&session).await);
    }
    outcome.map(|(person, _)| person)
}

/// An owner, its organization, and a provider of that.
async fn provided(world: &World) -> (Person, OrganizationId, LoginProvider) {
    let (owner, _) = world.somebody("owner@x.org").await;
    let organization = world.organization(&owner).await;
    let provider = world
        .catalog
        .create_login_provider(
            &person(&owner, None),
            organization,
            &settings("https://one"),
            false,
        )
        .await
        .unwrap();
    (owner, organization, provider)
}

pub async fn login_providers_are_the_business_of_who_manages_the_organization(world: &World) {
    let (owner, organization, provider) = provided(world).await;
    let (eve, _) = world.somebody("eve@y.org").await;
    let viewer = log_in(world, &provider, &identity("viewer@x.org", None))
        .await
        .unwrap();
    let absent = AccountError::NotFound { what: "organization" };
    let catalog = &world.catalog;
    for (who, refusal) in [(&eve, absent), (&viewer, AccountError::Forbidden)] {
        let actor = person(who, None);
        let place = (organization, provider.id);
        let other = settings("https://two");
        let made = catalog
            .create_login_provider(&actor, organization, &other, false)
            .await;
        assert_eq!(made, Err(refusal.clone()));
        let changed = catalog
            .update_login_provider(&actor, place, &other, None, false)
            .await;
        assert_eq!(changed, Err(refusal.clone()));
        let deleted = catalog.delete_login_provider(&actor, place, None, false).await;
        assert_eq!(deleted, Err(refusal.clone()));
        assert_eq!(catalog.login_providers(&actor, organization).await, Err(refusal));
    }
    let actor = person(&owner, None);
    for _ in 1..MAX_LOGIN_PROVIDERS {
        catalog
            .create_login_provider(&actor, organization, &settings("https://more"), false)
            .await
            .unwrap();
    }
    let surplus = catalog
        .create_login_provider(&actor, organization, &settings("https://more"), false)
        .await;
    assert!(matches!(surplus, Err(AccountError::LimitExceeded { .. })));
    let all = catalog.login_providers(&actor, organization).await.unwrap();
    assert_eq!(all.len(), 10);
    let theirs = world.organization(&eve).await;
    let elsewhere = catalog
        .delete_login_provider(&person(&eve, None), (theirs, provider.id), None, false)
        .await;
    let unknown = AccountError::NotFound {
        what: "login provider",
    };
    assert_eq!(
        elsewhere,
        Err(unknown.clone()),
        "not by way of another organization"
    );
    let absent = catalog.login_provider(LoginProviderId(1)).await;
    assert_eq!(absent, Err(unknown));
}

pub async fn a_provider_brings_a_viewer_and_never_takes_an_account_over(world: &World) {
    let (owner, organization, provider) = provided(world).await;
    let (eve, _) = world.somebody("eve@y.org").await;
    let known = identity("newcomer@x.org", None);
    let newcomer = log_in(world, &provider, &known).await.unwrap();
    assert!(newcomer.verified_at.is_some() && !newcomer.has_password);
    assert_eq!(world.organization(&newcomer).await, organization);
    let viewers = "SELECT count(*) FROM account_bindings WHERE role = 'viewer'";
    assert_eq!(world.number(viewers).await, 1);
    assert_eq!(log_in(world, &provider, &known).await.unwrap().id, newcomer.id);
    for email in ["owner@x.org", "eve@y.org"] {
        let taken = log_in(world, &provider, &identity(email, None)).await;
        assert!(matches!(taken, Err(AccountError::Exists { .. })), "{taken:?}");
    }
    let foreign = log_in(world, &provider, &identity("any@y.org", Some(&eve))).await;
    assert!(
        matches!(foreign, Err(AccountError::Protected { .. })),
        "not a member: {foreign:?}"
    );
    let linked = identity("other@x.org", Some(&owner));
    assert_eq!(log_in(world, &provider, &linked).await.unwrap().id, owner.id);
    let later = Identity {
        linking: None,
        ..linked
    };
    assert_eq!(log_in(world, &provider, &later).await.unwrap().id, owner.id);
    let stolen = Identity {
        linking: Some(owner.id),
        ..known
    };
    let stolen = log_in(world, &provider, &stolen).await;
    assert!(
        matches!(stolen, Err(AccountError::Protected { .. })),
        "{stolen:?}"
    );
}

pub async fn a_link_ends_with_membership_provider_and_issuer(world: &World) {
    let (owner, organization, provider) = provided(world).await;
    let (actor, place) = (person(&owner, None), (organization, provider.id));
    let known = identity("newcomer@x.org", None);
    log_in(world, &provider, &known).await.unwrap();
    let catalog = &world.catalog;
    let keeping = LoginProviderSettings {
        client_secret: None,
        ..settings("https://one")
    };
    let kept = catalog
        .update_login_provider(&actor, place, &keeping, Some(1), false)
        .await
        .unwrap();
    assert_eq!(
        kept.settings.client_secret,
        Some(Sealed("sealed".into())),
        "as before"
    );
    log_in(world, &kept, &known).await.unwrap();
    let moved = LoginProviderSettings {
        client_secret: None,
        ..settings("https://two")
    };
    let leaking = catalog
        .update_login_provider(&actor, place, &moved, None, false)
        .await;
    assert!(matches!(
        leaking,
        Err(AccountError::Invalid {
            pointer: "/client_secret",
            ..
        })
    ));
    let moved = catalog
        .update_login_provider(&actor, place, &settings("https://two"), None, false)
        .await
        .unwrap();
    let again = log_in(world, &moved, &known).await;
    assert!(matches!(again, Err(AccountError::Exists { .. })), "{again:?}");
    let begun_before = log_in(world, &provider, &known).await;
    assert!(matches!(begun_before, Err(AccountError::NotFound { .. })));
    let stale = catalog.delete_login_provider(&actor, place, Some(1), false).await;
    assert_eq!(stale, Err(AccountError::VersionMismatch { current: 3 }));
    let other = log_in(world, &moved, &identity("second@x.org", None))
        .await
        .unwrap();
    catalog
        .remove_member(&actor, organization, other.id, false)
        .await
        .unwrap();
    let expelled = log_in(world, &moved, &identity("second@x.org", None)).await;
    assert!(
        matches!(expelled, Err(AccountError::Exists { .. })),
        "{expelled:?}"
    );
    catalog
        .delete_login_provider(&actor, place, None, false)
        .await
        .unwrap();
    assert_eq!(world.number("SELECT count(*) FROM account_identities").await, 0);
    let after = log_in(world, &moved, &identity("third@x.org", None)).await;
    assert!(matches!(after, Err(AccountError::NotFound { .. })));
}
