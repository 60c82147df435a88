//! The ways into a person's account through login providers.

use std::collections::BTreeSet;

use firn_catalog::account::{
    AccountError, AlterOrganizationNetworks, Identity, LinkedLogin, MAX_LINKED_LOGINS, Person,
};
use firn_catalog::ids::LinkedLoginId;
use firn_catalog::networks;

use super::providers::{identity, invite, log_in, provided_by, settings};
use super::{World, person};

const UNKNOWN: AccountError = AccountError::NotFound { what: "linked login" };

async fn logins(world: &World, of: &Person) -> Vec<LinkedLogin> {
    let logins = world.catalog.linked_logins(&person(of, None)).await;
    logins.unwrap()
}

async fn unlink(world: &World, who: &Person, id: LinkedLoginId) -> Result<(), AccountError> {
    let outcome = world.catalog.unlink_login(&person(who, None), id, false).await;
    outcome.map(|unlinked| assert_eq!(unlinked.id, id))
}

pub async fn linked_logins_are_listed_and_taken_back_by_their_person_alone(world: &World) {
    let (owner, session, organization, provider) = provided_by(world).await;
    let (eve, _) = world.somebody("eve@y.org").await;
    assert_eq!(logins(world, &owner).await, []);
    for subject in ["first@x.org", "second@x.org"] {
        log_in(world, &provider, &identity(subject, Some(&session)))
            .await
            .unwrap();
        world.pass(std::time::Duration::from_secs(1));
    }
    let linked = "SELECT count(*) FROM account_audit WHERE action = 'link_login'";
    assert_eq!(world.number(linked).await, 2);
    let listed = logins(world, &owner).await;
    let places: Vec<_> = listed
        .iter()
        .map(|one| (one.provider, &*one.provider_name, one.organization))
        .collect();
    assert_eq!(places, vec![(provider.id, "Provider", organization); 2]);
    assert!(listed[0].linked_at < listed[1].linked_at);
    assert_eq!(listed[0].organization_title, "of owner@x.org");
    let ids: BTreeSet<_> = listed.iter().map(|one| one.id).collect();
    assert_eq!(ids.len(), 2, "two subjects of one provider are two logins");
    assert_eq!(logins(world, &eve).await, []);
    assert_eq!(unlink(world, &eve, listed[0].id).await, Err(UNKNOWN));
    let rehearsed = world
        .catalog
        .unlink_login(&person(&owner, None), listed[0].id, true)
        .await;
    assert_eq!(rehearsed, Ok(listed[0].clone()));
    assert_eq!(logins(world, &owner).await, listed, "a rehearsal keeps nothing");
    unlink(world, &owner, listed[0].id).await.unwrap();
    assert_eq!(logins(world, &owner).await, listed[1..]);
    assert_eq!(unlink(world, &owner, listed[0].id).await, Err(UNKNOWN));
    let told = "SELECT count(*) FROM account_audit WHERE action = 'unlink_login' AND decision = 'allowed'";
    assert_eq!(world.number(told).await, 1);
    let of_eve = format!(
        "SELECT count(*) FROM account_audit WHERE action = 'unlink_login' AND organization <> '{organization}'"
    );
    assert_eq!(world.number(of_eve.leak()).await, 0);
    let taken_back = log_in(world, &provider, &identity("first@x.org", None)).await;
    assert!(
        matches!(taken_back, Err(AccountError::Protected { .. })),
        "{taken_back:?}"
    );
    let kept = log_in(world, &provider, &identity("second@x.org", None)).await;
    assert_eq!(kept.unwrap().id, owner.id);
    // Whoever knows a password needs no provider.
    unlink(world, &owner, listed[1].id).await.unwrap();
    assert_eq!(logins(world, &owner).await, []);
}

pub async fn the_last_way_to_log_in_stays(world: &World) {
    let (owner, _, organization, provider) = provided_by(world).await;
    invite(world, &owner, "newcomer@x.org").await;
    let newcomer = log_in(world, &provider, &identity("newcomer@x.org", None))
        .await
        .unwrap();
    let only = logins(world, &newcomer).await;
    assert_eq!(only.len(), 1);
    let refused = unlink(world, &newcomer, only[0].id).await;
    assert!(
        matches!(refused, Err(AccountError::Protected { .. })),
        "{refused:?}"
    );
    assert_eq!(logins(world, &newcomer).await, only);
    // A link of an organization that it has left is no way in.
    let (other_owner, other_session) = world.somebody("owner@y.org").await;
    let elsewhere = world.organization(&other_owner).await;
    let other = world
        .catalog
        .create_login_provider(
            &person(&other_owner, None),
            elsewhere,
            &settings("https://one"),
            false,
        )
        .await
        .unwrap();
    log_in(world, &other, &identity("any@y.org", Some(&other_session)))
        .await
        .unwrap();
    assert_eq!(logins(world, &other_owner).await.len(), 1);
    assert_eq!(unlink(world, &newcomer, only[0].id).await, refused);
    world
        .catalog
        .remove_member(&person(&owner, None), organization, newcomer.id, false)
        .await
        .unwrap();
    assert_eq!(logins(world, &newcomer).await, []);
    assert_eq!(unlink(world, &newcomer, only[0].id).await, Err(UNKNOWN));
}

pub async fn of_two_last_links_that_are_taken_back_at_once_one_stays(world: &World) {
    let (owner, _, _, provider) = provided_by(world).await;
    invite(world, &owner, "newcomer@x.org").await;
    let session = world.new_session();
    let first = identity("newcomer@x.org", None);
    let (newcomer, session) = world
        .catalog
        .log_in_through(&super::stranger(), &provider, &first, &session)
        .await
        .unwrap();
    log_in(world, &provider, &identity("second@x.org", Some(&session)))
        .await
        .unwrap();
    let both = logins(world, &newcomer).await;
    assert_eq!(both.len(), 2);
    let (one, other) = tokio::join!(
        unlink(world, &newcomer, both[0].id),
        unlink(world, &newcomer, both[1].id)
    );
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    assert_eq!(logins(world, &newcomer).await.len(), 1);
}

pub async fn a_login_of_an_organization_that_is_not_reached_from_there_is_not_listed(world: &World) {
    let (owner, session, organization, provider) = provided_by(world).await;
    log_in(world, &provider, &identity("owner@x.org", Some(&session)))
        .await
        .unwrap();
    let change = AlterOrganizationNetworks {
        organization,
        networks: networks::parse(&["198.51.100.0/24"]).unwrap(),
        expected: None,
        force: true,
    };
    let inside = firn_catalog::commands::Actor {
        address: Some([198, 51, 100, 1].into()),
        ..person(&owner, None)
    };
    world
        .catalog
        .alter_organization_networks(&inside, &change, false)
        .await
        .unwrap();
    assert_eq!(logins(world, &owner).await, [], "from another address");
    let listed = world.catalog.linked_logins(&inside).await.unwrap();
    assert_eq!(listed.len(), 1);
}

pub async fn a_person_has_only_so_many_links(world: &World) {
    let (_, session, _, provider) = provided_by(world).await;
    let one = |number: i64| Identity {
        subject: format!("subject {number}"),
        ..identity("owner@x.org", Some(&session))
    };
    for number in 0..MAX_LINKED_LOGINS {
        log_in(world, &provider, &one(number)).await.unwrap();
    }
    let surplus = log_in(world, &provider, &one(MAX_LINKED_LOGINS)).await;
    assert!(
        matches!(surplus, Err(AccountError::LimitExceeded { .. })),
        "{surplus:?}"
    );
    log_in(world, &provider, &one(0)).await.unwrap();
}
