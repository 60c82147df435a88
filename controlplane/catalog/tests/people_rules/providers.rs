//! Login providers: who sets them, and whom they let in.

use firn_catalog::access::Role;
use firn_catalog::account::{
    AccountError, Identity, Linking, LoginProvider, LoginProviderSettings, MAX_LOGIN_PROVIDERS, Person,
    Sealed, Session,
};
use firn_catalog::ids::{LoginProviderId, OrganizationId};

use super::{World, hash, person, stranger};

pub(super) fn settings(issuer: &str) -> LoginProviderSettings {
    LoginProviderSettings {
        name: "Provider".into(),
        issuer: issuer.into(),
        client_id: "client".into(),
        client_secret: Some(Sealed("sealed".into())),
        allowed_domains: vec!["x.org".into()],
    }
}

pub(super) fn identity(email: &str, linking: Option<&Session>) -> Identity {
    Identity {
        subject: format!("subject of {email}"),
        email: email.into(),
        name: "Somebody".into(),
        linking: linking.map(|session| Linking {
            person: session.person,
            session: session.id,
        }),
    }
}

pub(super) async fn log_in(
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

/// Invites an address into the organization of an owner.
pub(super) async fn invite(world: &World, owner: &Person, email: &str) {
    let organization = world.organization(owner).await;
    let new = world.invitation(organization, email, Role::Developer);
    world
        .catalog
        .create_invitation(&person(owner, None), &new, false)
        .await
        .unwrap();
}

/// An owner, its organization, and a provider of that.
async fn provided(world: &World) -> (Person, OrganizationId, LoginProvider) {
    let (owner, _, organization, provider) = provided_by(world).await;
    (owner, organization, provider)
}

/// The same with the owner's session.
pub(super) async fn provided_by(world: &World) -> (Person, Session, OrganizationId, LoginProvider) {
    let (owner, session) = world.somebody("owner@x.org").await;
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
    (owner, session, organization, provider)
}

pub async fn login_providers_are_the_business_of_who_manages_the_organization(world: &World) {
    let (owner, organization, provider) = provided(world).await;
    let (eve, _) = world.somebody("eve@y.org").await;
    invite(world, &owner, "viewer@x.org").await;
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
    let (owner, session, organization, provider) = provided_by(world).await;
    let (_, eves) = world.somebody("eve@y.org").await;
    let known = identity("newcomer@x.org", None);
    invite(world, &owner, "newcomer@x.org").await;
    let newcomer = log_in(world, &provider, &known).await.unwrap();
    assert!(!newcomer.has_password);
    assert_eq!(newcomer.verified_at, None, "a provider's word is no proof");
    assert_eq!(world.organization(&newcomer).await, organization);
    let viewers = "SELECT count(*) FROM account_bindings WHERE role = 'viewer'";
    assert_eq!(world.number(viewers).await, 1);
    let invitations = "SELECT count(*) FROM account_invitations";
    assert_eq!(world.number(invitations).await, 0, "it is used up");
    assert_eq!(log_in(world, &provider, &known).await.unwrap().id, newcomer.id);
    let own = log_in(world, &provider, &identity("owner@x.org", None)).await;
    assert!(matches!(own, Err(AccountError::Exists { .. })), "{own:?}");
    let foreign = log_in(world, &provider, &identity("any@y.org", Some(&eves))).await;
    assert!(
        matches!(foreign, Err(AccountError::Protected { .. })),
        "not a member: {foreign:?}"
    );
    let linked = identity("other@x.org", Some(&session));
    assert_eq!(log_in(world, &provider, &linked).await.unwrap().id, owner.id);
    let stolen = Identity {
        linking: linked.linking,
        ..known
    };
    let stolen = log_in(world, &provider, &stolen).await;
    assert!(
        matches!(stolen, Err(AccountError::Protected { .. })),
        "{stolen:?}"
    );
    let later = Identity {
        linking: None,
        ..linked
    };
    assert_eq!(log_in(world, &provider, &later).await.unwrap().id, owner.id);
}

pub async fn a_provider_knows_nothing_of_addresses_that_are_not_invited(world: &World) {
    let (owner, _, provider) = provided(world).await;
    world.somebody("eve@y.org").await;
    let people = "SELECT count(*) FROM account_people";
    let known = log_in(world, &provider, &identity("eve@y.org", None)).await;
    let other = log_in(world, &provider, &identity("nobody@y.org", None)).await;
    assert!(
        matches!(&known, Err(AccountError::Protected { reason }) if reason.contains("invitation")),
        "{known:?}"
    );
    assert_eq!(known, other);
    assert_eq!(world.number(people).await, 2, "it has made nobody");
    invite(world, &owner, "eve@y.org").await;
    let invited = log_in(world, &provider, &identity("eve@y.org", None)).await;
    assert!(matches!(invited, Err(AccountError::Exists { .. })), "{invited:?}");
}

pub async fn who_proves_an_address_by_mail_has_it_whatever_a_provider_said(world: &World) {
    let (owner, _, provider) = provided(world).await;
    invite(world, &owner, "victim@y.org").await;
    let claimed = identity("victim@y.org", None);
    let squatter = log_in(world, &provider, &claimed).await.unwrap();
    assert_eq!(world.number("SELECT count(*) FROM account_sessions").await, 2);
    let (victim, _) = world.somebody("victim@y.org").await;
    assert_eq!(victim.id, squatter.id);
    assert!(victim.verified_at.is_some() && victim.has_password);
    let sessions = "SELECT count(*) FROM account_sessions";
    assert_eq!(
        world.number(sessions).await,
        2,
        "the owner's, and the one of the proof"
    );
    let again = log_in(world, &provider, &claimed).await;
    assert!(matches!(again, Err(AccountError::Exists { .. })), "{again:?}");
}

pub async fn a_link_needs_the_login_that_asked_for_it_and_ends_with_the_password(world: &World) {
    let (owner, session, _, provider) = provided_by(world).await;
    let actor = person(&owner, Some(session.id));
    let linked = identity("owner@x.org", Some(&session));
    log_in(world, &provider, &linked).await.unwrap();
    let login = world.catalog.me(&actor).await.unwrap();
    world
        .catalog
        .change_password(&actor, &login, &hash("new"), Some(session.id))
        .await
        .unwrap();
    let unlinked = log_in(world, &provider, &identity("owner@x.org", None)).await;
    assert!(
        matches!(unlinked, Err(AccountError::Exists { .. })),
        "{unlinked:?}"
    );
    world
        .catalog
        .revoke_session(&actor, session.id, false)
        .await
        .unwrap();
    let late = log_in(world, &provider, &linked).await;
    assert_eq!(late, Err(AccountError::Gone { what: "session" }));
}

pub async fn a_link_ends_with_membership_provider_and_issuer(world: &World) {
    let (owner, organization, provider) = provided(world).await;
    let (actor, place) = (person(&owner, None), (organization, provider.id));
    let known = identity("newcomer@x.org", None);
    for email in ["newcomer@x.org", "second@x.org", "third@x.org"] {
        invite(world, &owner, email).await;
    }
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
        matches!(expelled, Err(AccountError::Protected { .. })),
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
