//! SCRAM users that Kafka's tools make.

use firn_catalog::access::Role;
use firn_catalog::commands::{Actor, AlterScramUser, CommandError, CommandError as Refused, Principal};
use firn_catalog::credential::{ScramName, SealedVerifier};
use firn_catalog::ids::ClusterId;
use firn_runtime::SystemRandom;
use firn_secrets::scram::{Mechanism, verifier};

use super::Tenant;
use crate::cell::Cell;

fn sealed(
    tenant: &Tenant,
    cluster: ClusterId,
    name: &str,
    mechanism: Mechanism,
    iterations: u32,
) -> SealedVerifier {
    let verifier = verifier(mechanism, "pencil", b"some salt", iterations);
    let name = ScramName {
        cluster,
        username: name,
    };
    SealedVerifier::seal(&verifier, name, mechanism, &tenant.secrets, &SystemRandom)
}

fn upsert(tenant: &Tenant, cluster: ClusterId, name: &str, mechanism: Mechanism) -> AlterScramUser {
    AlterScramUser {
        cluster,
        name: name.to_owned(),
        upserts: vec![(mechanism, sealed(tenant, cluster, name, mechanism, 4096))],
        deletions: Vec::new(),
        validate_only: false,
    }
}

fn delete(cluster: ClusterId, name: &str, mechanism: Mechanism) -> AlterScramUser {
    AlterScramUser {
        cluster,
        name: name.to_owned(),
        upserts: Vec::new(),
        deletions: vec![mechanism],
        validate_only: false,
    }
}

/// Whom the broker of a cluster in dev lets do everything there.
fn dev(cluster: ClusterId) -> Actor {
    Actor::process(Principal::Dev { cluster }, "kafka")
}

pub async fn a_user_of_kafkas_tools_has_no_role_and_is_found_in_its_cluster_alone(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let (cluster, actor) = (tenant.cluster, dev(tenant.cluster));
    let command = upsert(&tenant, cluster, "alice", Mechanism::Sha256);
    let first = tenant
        .catalog
        .alter_scram_user(&actor, command.clone())
        .await
        .unwrap();
    let again = tenant.catalog.alter_scram_user(&actor, command).await.unwrap();
    assert_eq!((again.value, again.sequence), (first.value.clone(), None));
    let other = upsert(&tenant, cluster, "alice", Mechanism::Sha512);
    let both = tenant.catalog.alter_scram_user(&actor, other).await.unwrap();
    assert_eq!(both.value.id, first.value.id, "one user, one credential");
    let image = tenant.image().await;
    let found = image.scram_user(Some(cluster), "alice").all();
    assert_eq!(found.len(), 1);
    let user = &found[0].user;
    assert_eq!((&*user.name, user.cluster), ("alice", cluster));
    assert!(user.roles.is_empty());
    for mechanism in Mechanism::ALL {
        let expected = verifier(mechanism, "pencil", b"some salt", 4096);
        assert!(found[0].verifier(mechanism, &tenant.secrets) == Some(expected));
    }
    assert!(image.scram_user(None, "alice").all().is_empty());
    let elsewhere = tenant.make_cluster("elsewhere").await;
    assert!(image.scram_user(Some(elsewhere), "alice").all().is_empty());
    let names: Vec<_> = image
        .scram_users_of(cluster)
        .map(|(name, _)| name.to_string())
        .collect();
    assert_eq!(names, ["alice"]);
}

pub async fn a_user_goes_with_its_last_mechanism(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let (cluster, actor, catalog) = (tenant.cluster, dev(tenant.cluster), &tenant.catalog);
    for mechanism in Mechanism::ALL {
        let command = upsert(&tenant, cluster, "alice", mechanism);
        catalog.alter_scram_user(&actor, command).await.unwrap();
    }
    let id = tenant.image().await.scram_user(Some(cluster), "alice").all()[0].id;
    let first = delete(cluster, "alice", Mechanism::Sha256);
    catalog.alter_scram_user(&actor, first.clone()).await.unwrap();
    let twice = catalog.alter_scram_user(&actor, first).await;
    assert_eq!(twice, Err(CommandError::UnknownCredential));
    assert!(tenant.image().await.credential(id).is_some());
    let last = delete(cluster, "alice", Mechanism::Sha512);
    catalog.alter_scram_user(&actor, last.clone()).await.unwrap();
    let image = tenant.image().await;
    assert!(image.credential(id).is_none() && image.scram_user(Some(cluster), "alice").all().is_empty());
    let absent = catalog.alter_scram_user(&actor, last).await;
    assert_eq!(absent, Err(CommandError::UnknownCredential));
    assert_eq!(tenant.number("SELECT COUNT(*) FROM cell_credentials").await, 0);
}

pub async fn all_changes_of_a_user_are_made_or_none(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let (cluster, actor, catalog) = (tenant.cluster, dev(tenant.cluster), &tenant.catalog);
    let both = |name: &str| AlterScramUser {
        deletions: vec![Mechanism::Sha512],
        ..upsert(&tenant, cluster, name, Mechanism::Sha256)
    };
    // There is nothing to delete: what was to be put beside it is not there either.
    let absent = catalog.alter_scram_user(&actor, both("alice")).await;
    assert_eq!(absent, Err(CommandError::UnknownCredential));
    assert_eq!(tenant.number("SELECT COUNT(*) FROM cell_credentials").await, 0);
    let first = upsert(&tenant, cluster, "alice", Mechanism::Sha512);
    let first = catalog.alter_scram_user(&actor, first).await.unwrap().value;
    let head = tenant.number("SELECT head FROM cell_feed_head").await;
    let validated = AlterScramUser {
        validate_only: true,
        ..both("alice")
    };
    catalog.alter_scram_user(&actor, validated).await.unwrap();
    assert_eq!(tenant.number("SELECT head FROM cell_feed_head").await, head);
    let swapped = catalog.alter_scram_user(&actor, both("alice")).await.unwrap();
    assert_eq!(swapped.value.id, first.id);
    let one = tenant.number("SELECT head FROM cell_feed_head").await;
    assert_eq!(one, head + 1, "one change in the feed");
    let image = tenant.image().await;
    let user = &image.scram_user(Some(cluster), "alice").all()[0];
    let has = Mechanism::ALL.map(|mechanism| (mechanism, user.sealed_verifier(mechanism).is_some()));
    let expected = Mechanism::ALL.map(|mechanism| (mechanism, mechanism == Mechanism::Sha256));
    assert_eq!(has, expected);
    let mut twice = both("alice");
    twice.deletions = vec![Mechanism::Sha256];
    let mut none = both("alice");
    (none.upserts, none.deletions) = (Vec::new(), Vec::new());
    for wrong in [twice, none] {
        let refused = catalog.alter_scram_user(&actor, wrong).await;
        assert!(
            matches!(refused, Err(Refused::UnacceptableCredential { .. })),
            "{refused:?}"
        );
    }
}

pub async fn what_a_user_may_not_be_is_refused_and_a_validation_changes_nothing(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let (cluster, actor, catalog) = (tenant.cluster, dev(tenant.cluster), &tenant.catalog);
    let before = tenant.number("SELECT head FROM cell_feed_head").await;
    let generated = format!("usr_{}", "a".repeat(26));
    let posing = format!("sa_{}", "a".repeat(26));
    for name in ["", "a\nb", &"x".repeat(256), "ANONYMOUS", &generated, &posing] {
        let command = upsert(&tenant, cluster, name, Mechanism::Sha256);
        let refused = catalog.alter_scram_user(&actor, command).await;
        assert!(
            matches!(refused, Err(Refused::InvalidUserName { .. })),
            "{name}: {refused:?}"
        );
    }
    let command = delete(cluster, "a\0b", Mechanism::Sha256);
    let refused = catalog.alter_scram_user(&actor, command).await;
    assert!(
        matches!(refused, Err(Refused::InvalidUserName { .. })),
        "{refused:?}"
    );
    for iterations in [1, 4095, 16385] {
        let mut command = upsert(&tenant, cluster, "alice", Mechanism::Sha256);
        command.upserts[0].1 = sealed(&tenant, cluster, "alice", Mechanism::Sha256, iterations);
        let refused = catalog.alter_scram_user(&actor, command).await;
        assert!(
            matches!(refused, Err(Refused::UnacceptableCredential { .. })),
            "{refused:?}"
        );
    }
    let command = AlterScramUser {
        validate_only: true,
        ..upsert(&tenant, cluster, "alice", Mechanism::Sha256)
    };
    let validated = catalog.alter_scram_user(&actor, command).await.unwrap();
    assert_eq!(validated.sequence, None);
    let stranger = dev(ClusterId(5));
    let command = upsert(&tenant, cluster, "alice", Mechanism::Sha256);
    let refused = catalog.alter_scram_user(&stranger, command).await;
    assert_eq!(refused.map(|_| ()), Err(CommandError::NotAuthorized));
    let refused = catalog
        .alter_scram_user(&stranger, delete(cluster, "alice", Mechanism::Sha256))
        .await;
    assert_eq!(refused, Err(CommandError::NotAuthorized));
    assert_eq!(tenant.number("SELECT head FROM cell_feed_head").await, before);
    assert_eq!(tenant.number("SELECT COUNT(*) FROM cell_credentials").await, 0);
}

pub async fn users_of_a_service_account_are_left_alone_by_kafkas_commands(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let (cluster, actor, catalog) = (tenant.cluster, dev(tenant.cluster), &tenant.catalog);
    let account = tenant.account("app", Role::Developer).await;
    tenant
        .scram(&tenant.new_scram(account.id, Some("app")), "one")
        .await;
    let before = tenant
        .image()
        .await
        .scram_user(Some(cluster), "app")
        .all()
        .to_vec();
    let owned = CommandError::OwnedByServiceAccount {
        name: "app".to_owned(),
        account: account.id,
    };
    let command = upsert(&tenant, cluster, "app", Mechanism::Sha256);
    assert_eq!(
        catalog.alter_scram_user(&actor, command).await,
        Err(owned.clone())
    );
    let command = delete(cluster, "app", Mechanism::Sha256);
    assert_eq!(catalog.alter_scram_user(&actor, command).await, Err(owned));
    assert_eq!(
        tenant.image().await.scram_user(Some(cluster), "app").all(),
        before
    );
    // And the other way round: a service account takes no name of theirs.
    let command = upsert(&tenant, cluster, "tool", Mechanism::Sha256);
    catalog.alter_scram_user(&actor, command).await.unwrap();
    let new = tenant.new_scram(account.id, Some("tool"));
    let refused = catalog
        .create_scram_credential(&tenant.owner, &new, "two", &tenant.secrets, false)
        .await;
    assert!(refused.is_err());
}

pub async fn names_of_two_clusters_do_not_meet(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let other = tenant.other().await;
    let (here, there) = (tenant.cluster, other.cluster);
    let catalog = &tenant.catalog;
    for cluster in [here, there] {
        let command = upsert(&tenant, cluster, "alice", Mechanism::Sha256);
        catalog.alter_scram_user(&dev(cluster), command).await.unwrap();
    }
    let image = tenant.image().await;
    let [mine, theirs] = [here, there].map(|cluster| image.scram_user(Some(cluster), "alice").all().to_vec());
    assert_eq!((mine.len(), theirs.len()), (1, 1));
    assert_ne!(mine[0].id, theirs[0].id);
    let command = delete(there, "alice", Mechanism::Sha256);
    let refused = catalog.alter_scram_user(&dev(here), command.clone()).await;
    assert_eq!(refused, Err(CommandError::NotAuthorized));
    catalog.alter_scram_user(&dev(there), command).await.unwrap();
    let image = tenant.image().await;
    assert_eq!(image.scram_user(Some(here), "alice").all(), mine);
    assert!(image.scram_user(Some(there), "alice").all().is_empty());
}
