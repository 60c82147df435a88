//! Organizations, projects, roles, invitations, the audit trail and idempotency keys.

use std::time::Duration;

use firn_catalog::access::{Role, Scope};
use firn_catalog::account::{
    Accepting, AccountError, BindingFilter, CLAIM_HOLDS, Claim, Holder, NewInvitation, Person,
};
use firn_catalog::audit::{AuditFilter, Trail};
use firn_catalog::commands::Actor;
use firn_catalog::ids::{ClusterId, OrganizationId};
use futures::future::join_all;

use super::{DAY, World, person, stranger};

impl World {
    /// A second person with this role in all of the organization.
    pub async fn colleague(
        &self,
        owner: &Actor,
        organization: OrganizationId,
        email: &str,
        role: Role,
    ) -> Person {
        let (colleague, _) = self.somebody(email).await;
        let new = self.invitation(organization, email, role);
        self.catalog.create_invitation(owner, &new, false).await.unwrap();
        let known = Accepting::Known(colleague.id);
        let actor = person(&colleague, None);
        self.catalog
            .accept_invitation(&actor, &new.token, &known, false)
            .await
            .unwrap();
        colleague
    }

    pub fn invitation(&self, organization: OrganizationId, email: &str, role: Role) -> NewInvitation {
        NewInvitation {
            organization,
            email: email.into(),
            role,
            token: format!("invitation {}", self.next()),
            expires_at: self.now().plus(7 * DAY),
        }
    }
}

pub async fn of_many_claims_of_a_key_one_is_the_first(world: &World) {
    let catalog = &world.catalog;
    let claims = join_all((0..50).map(|_| catalog.claim_key("key", "body"))).await;
    let first: Vec<_> = claims
        .into_iter()
        .filter_map(|claim| match claim.unwrap() {
            Claim::First(id) => Some(id),
            Claim::InFlight => None,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(first.len(), 1);
    assert_eq!(catalog.claim_key("key", "other").await.unwrap(), Claim::OtherBody);
    catalog.store_answer("key", &first[0], "answer").await.unwrap();
    let answered = Claim::Answered("answer".into());
    assert_eq!(catalog.claim_key("key", "body").await.unwrap(), answered);
    world.pass(DAY);
    assert_eq!(
        catalog.claim_key("key", "body").await.unwrap(),
        answered,
        "a day is not over yet"
    );
    world.pass(Duration::from_millis(1));
    assert!(matches!(
        catalog.claim_key("key", "other").await.unwrap(),
        Claim::First(_)
    ));
}

pub async fn a_claim_without_an_answer_ends_and_its_holder_stores_nothing_any_more(world: &World) {
    let catalog = &world.catalog;
    let Claim::First(lost) = catalog.claim_key("key", "body").await.unwrap() else {
        panic!("nobody else has it");
    };
    world.pass(CLAIM_HOLDS);
    assert_eq!(catalog.claim_key("key", "body").await.unwrap(), Claim::InFlight);
    world.pass(Duration::from_millis(1));
    let Claim::First(next) = catalog.claim_key("key", "body").await.unwrap() else {
        panic!("the first claim has ended");
    };
    catalog.store_answer("key", &lost, "late").await.unwrap();
    catalog.release_key("key", &lost).await.unwrap();
    assert_eq!(catalog.claim_key("key", "body").await.unwrap(), Claim::InFlight);
    catalog.release_key("key", &next).await.unwrap();
    assert!(matches!(
        catalog.claim_key("key", "body").await.unwrap(),
        Claim::First(_)
    ));
}

pub async fn of_two_owners_who_leave_at_once_one_stays(world: &World) {
    let (ada, _) = world.somebody("ada@x.org").await;
    let (organization, owner) = (world.organization(&ada).await, person(&ada, None));
    let bob = world
        .colleague(&owner, organization, "bob@x.org", Role::Owner)
        .await;
    let other = person(&bob, None);
    let leave = |actor, who: &Person| world.catalog.remove_member(actor, organization, who.id, false);
    let (one, two) = futures::join!(leave(&owner, &ada), leave(&other, &bob));
    assert_eq!(one.is_ok(), two.is_err(), "{one:?} {two:?}");
    let refused = one.err().or(two.err());
    assert!(
        matches!(refused, Some(AccountError::Protected { .. })),
        "{refused:?}"
    );
    let owners = "SELECT COUNT(*) FROM account_bindings WHERE role = 'owner' AND organization = \
                  (SELECT organization FROM account_audit WHERE action = 'remove_member')";
    assert_eq!(world.number(owners).await, 1);
}

pub async fn of_many_projects_of_one_name_one_is_made(world: &World) {
    let (ada, _) = world.somebody("ada@x.org").await;
    let (organization, owner) = (world.organization(&ada).await, person(&ada, None));
    let make = || {
        world
            .catalog
            .create_project(&owner, organization, "payments", false)
    };
    let made = join_all((0..10).map(|_| make())).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1, "{made:?}");
    let taken = |made: &Result<_, AccountError>| matches!(made, Ok(_) | Err(AccountError::Exists { .. }));
    assert!(made.iter().all(taken), "{made:?}");
    assert_eq!(
        world
            .number("SELECT COUNT(*) FROM account_projects WHERE name = 'payments'")
            .await,
        1
    );
}

pub async fn the_audit_trail_is_numbered_without_gaps_denials_included(world: &World) {
    let (ada, _) = world.somebody("ada@x.org").await;
    let (organization, owner) = (world.organization(&ada).await, person(&ada, None));
    let vic = world
        .colleague(&owner, organization, "vic@x.org", Role::Viewer)
        .await;
    let viewer = person(&vic, None);
    let names: Vec<_> = (0..8).map(|number| format!("p{number}")).collect();
    let writes = names.iter().map(|name| {
        let actor = if name < &"p4".to_owned() { &owner } else { &viewer };
        world.catalog.create_project(actor, organization, name, false)
    });
    let outcomes = join_all(writes).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 4);
    let rehearsed = world
        .catalog
        .create_project(&owner, organization, "dry", true)
        .await;
    assert_eq!(rehearsed.unwrap().name, "dry");
    let all = AuditFilter::default();
    let rows = world
        .catalog
        .audit_trail(&owner, Trail::Organization(organization), &all, 100)
        .await
        .unwrap();
    let sequences: Vec<_> = rows.iter().rev().filter_map(|row| row.position).collect();
    assert_eq!(
        sequences,
        (1..=i64::try_from(rows.len()).unwrap()).collect::<Vec<_>>()
    );
    let made: Vec<_> = rows.iter().filter(|row| row.action == "create_project").collect();
    assert_eq!(made.len(), 8);
    assert_eq!(made.iter().filter(|row| !row.allowed).count(), 4);
    let of_viewer = AuditFilter {
        principal: Some(viewer.principal.to_string()),
        action: Some("create_project".into()),
        ..all
    };
    let denied = world
        .catalog
        .audit_trail(&owner, Trail::Organization(organization), &of_viewer, 100)
        .await
        .unwrap();
    assert!(denied.len() == 4 && denied.iter().all(|row| !row.allowed && row.address.is_some()));
}

pub async fn an_invitation_is_good_for_its_days_and_rehearsed_ones_for_nothing(world: &World) {
    let (ada, _) = world.somebody("ada@x.org").await;
    let (bob, _) = world.somebody("bob@x.org").await;
    let (organization, owner) = (world.organization(&ada).await, person(&ada, None));
    let gone = AccountError::Gone { what: "invitation" };
    let (known, actor) = (Accepting::Known(bob.id), person(&bob, None));
    let dry = world.invitation(organization, "bob@x.org", Role::Viewer);
    world.catalog.create_invitation(&owner, &dry, true).await.unwrap();
    let accept = |token: String| {
        let (catalog, known, actor) = (&world.catalog, &known, &actor);
        async move { catalog.accept_invitation(actor, &token, known, false).await }
    };
    assert_eq!(accept(dry.token).await, Err(gone.clone()));
    let late = world.invitation(organization, "bob@x.org", Role::Viewer);
    world
        .catalog
        .create_invitation(&owner, &late, false)
        .await
        .unwrap();
    world.pass(7 * DAY);
    assert_eq!(accept(late.token).await, Err(gone.clone()));
    let good = world.invitation(organization, "bob@x.org", Role::Developer);
    world
        .catalog
        .create_invitation(&owner, &good, false)
        .await
        .unwrap();
    world.pass(6 * DAY);
    let tries = join_all((0..5).map(|_| accept(good.token.clone()))).await;
    assert_eq!(
        tries.iter().filter(|joined| joined.is_ok()).count(),
        1,
        "{tries:?}"
    );
    let filter = BindingFilter {
        holder: Some(Holder::Person(bob.id)),
        ..BindingFilter::default()
    };
    let bindings = world
        .catalog
        .role_bindings(&owner, organization, filter, 10)
        .await;
    let bindings = bindings.unwrap();
    assert_eq!((bindings.len(), bindings[0].role), (1, Role::Developer));
    assert_eq!(bindings[0].scope, Scope::Organization(organization));
}

pub async fn an_invitation_is_worth_what_its_inviter_may_do(world: &World) {
    let (ada, _) = world.somebody("ada@x.org").await;
    let (organization, owner) = (world.organization(&ada).await, person(&ada, None));
    let eve = world
        .colleague(&owner, organization, "eve@x.org", Role::Owner)
        .await;
    let (bob, _) = world.somebody("bob@x.org").await;
    let new = world.invitation(organization, "bob@x.org", Role::Owner);
    let inviter = person(&eve, None);
    world
        .catalog
        .create_invitation(&inviter, &new, false)
        .await
        .unwrap();
    world
        .catalog
        .remove_member(&owner, organization, eve.id, false)
        .await
        .unwrap();
    let (known, actor) = (Accepting::Known(bob.id), person(&bob, None));
    let accepted = world
        .catalog
        .accept_invitation(&actor, &new.token, &known, false)
        .await;
    assert_eq!(accepted, Err(AccountError::Gone { what: "invitation" }));
    let members = "SELECT count(*) FROM account_audit WHERE action = 'join_organization'";
    assert_eq!(world.number(members).await, 1, "only Eve has ever joined");
}

pub async fn a_denied_name_with_control_characters_is_audited(world: &World) {
    let (ada, _) = world.somebody("ada@x.org").await;
    let (organization, owner) = (world.organization(&ada).await, person(&ada, None));
    let vic = world
        .colleague(&owner, organization, "vic@x.org", Role::Viewer)
        .await;
    let denied = world
        .catalog
        .create_project(&person(&vic, None), organization, "a\0b", false)
        .await;
    assert_eq!(denied, Err(AccountError::Forbidden));
    let told = "SELECT count(*) FROM account_audit WHERE decision = 'denied'";
    assert_eq!(world.number(told).await, 1);
}

pub async fn an_organization_has_only_so_many_rows_of_denials_a_minute(world: &World) {
    let (ada, _) = world.somebody("ada@x.org").await;
    let (organization, owner) = (world.organization(&ada).await, person(&ada, None));
    let vic = world
        .colleague(&owner, organization, "vic@x.org", Role::Viewer)
        .await;
    let vic = person(&vic, None);
    for number in 0..105 {
        let name = format!("p{number}");
        let denied = world
            .catalog
            .create_project(&vic, organization, &name, false)
            .await;
        assert_eq!(denied, Err(AccountError::Forbidden));
    }
    let told = "SELECT count(*) FROM account_audit WHERE decision = 'denied'";
    assert_eq!(world.number(told).await, 100);
}

pub async fn a_foreign_cluster_and_one_that_is_not_there_are_the_same(world: &World) {
    let (ada, _) = world.somebody("ada@x.org").await;
    let dev = world.catalog.ensure_dev().await.unwrap().cluster;
    let actor = person(&ada, None);
    let missing = AccountError::NotFound { what: "cluster" };
    for cluster in [dev, ClusterId(7)] {
        let user = world.catalog.user_in_cluster(&actor, cluster).await;
        assert_eq!(user, Err(missing.clone()));
    }
    let nobody = world.catalog.user_in_cluster(&stranger(), dev).await;
    assert_eq!(nobody, Err(missing));
}
