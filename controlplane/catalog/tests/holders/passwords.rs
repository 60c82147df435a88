//! SCRAM credentials of service accounts.

use std::time::Duration;

use firn_catalog::access::Role;
use firn_catalog::account::AccountError;
use firn_catalog::account::scram_credentials::ScramFilter;
use firn_catalog::commands::{Actor, CommandError, CredentialId, Principal, PutCredential};
use firn_catalog::credential::{ScramName, generated_username};
use firn_catalog::ids::{ClusterId, ScramCredentialId, ServiceAccountId};
use firn_catalog::image::{Image, ImageFollower};
use firn_runtime::Timestamp;
use firn_secrets::scram::{Mechanism, verifier};

use super::{MINUTE, Tenant};
use crate::cell::Cell;

/// Whether one of a user's live credentials takes the password, by both mechanisms.
fn takes(tenant: &Tenant, image: &Image, cluster: Option<ClusterId>, name: &str, password: &str) -> bool {
    let now = firn_runtime::Clock::now(&*tenant.clock);
    let mut live = image.scram_user(cluster, name).live(now);
    live.any(|one| {
        Mechanism::ALL.into_iter().all(|mechanism| {
            let kept = one.verifier(mechanism, &tenant.secrets).unwrap();
            verifier(mechanism, password, &kept.salt, kept.iterations) == kept
        })
    })
}

pub async fn two_passwords_of_a_user_overlap_and_a_third_is_refused(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let (catalog, cluster) = (&tenant.catalog, Some(tenant.cluster));
    let account = tenant.account("app", Role::Developer).await;
    let new = tenant.new_scram(account.id, Some("app"));
    let first = tenant.scram(&new, "one").await;
    let second = tenant.scram(&new, "two").await;
    assert_eq!((first.username.as_str(), first.generated), ("app", false));
    assert_eq!(first.mechanisms, Mechanism::ALL);
    let image = tenant.image().await;
    assert!(takes(&tenant, &image, cluster, "app", "one") && takes(&tenant, &image, cluster, "app", "two"));
    assert!(!takes(&tenant, &image, cluster, "app", "three"));
    let both = image.scram_user(cluster, "app").all();
    for mechanism in Mechanism::ALL {
        let [one, two] = [0, 1].map(|place: usize| both[place].sealed_verifier(mechanism).unwrap());
        assert!(one.shares_salt_with(two), "a client is told one salt");
    }
    let third = catalog
        .create_scram_credential(&tenant.owner, &new, "three", &tenant.secrets, false)
        .await;
    let full = CommandError::LimitExceeded {
        which: "live credentials of one user name",
        limit: 2,
    };
    assert_eq!(third, Err(AccountError::Command(full)));
    let revoked = catalog
        .revoke_scram_credential(&tenant.owner, tenant.cluster, first.id, false)
        .await;
    assert!(revoked.unwrap().sequence.is_some());
    let image = tenant.image().await;
    assert!(image.credential(CredentialId::Scram(first.id)).is_none());
    assert!(!takes(&tenant, &image, cluster, "app", "one") && takes(&tenant, &image, cluster, "app", "two"));
    tenant.scram(&new, "three").await;
    let image = tenant.image().await;
    assert!(takes(&tenant, &image, cluster, "app", "two") && takes(&tenant, &image, cluster, "app", "three"));
    let gone = catalog
        .revoke_scram_credential(&tenant.owner, tenant.cluster, first.id, false)
        .await;
    let what = "SCRAM credential";
    assert_eq!(gone, Err(AccountError::NotFound { what }));
    assert_eq!(second.service_account, Some(account.id));
}

pub async fn an_expired_password_makes_room_for_another(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let cluster = Some(tenant.cluster);
    let account = tenant.account("app", Role::Developer).await;
    let now = firn_runtime::Clock::now(&*tenant.clock);
    let mut new = tenant.new_scram(account.id, Some("app"));
    new.expires_at = Some(now.plus(Duration::from_secs(60)));
    let first = tenant.scram(&new, "one").await;
    new.expires_at = None;
    tenant.scram(&new, "two").await;
    let image = tenant.image().await;
    assert!(takes(&tenant, &image, cluster, "app", "one"));
    tenant.clock.forward(MINUTE);
    assert!(
        !takes(&tenant, &image, cluster, "app", "one"),
        "the image need not change"
    );
    assert!(takes(&tenant, &image, cluster, "app", "two"));
    tenant.scram(&new, "three").await;
    let image = tenant.image().await;
    assert!(image.credential(CredentialId::Scram(first.id)).is_none());
    assert!(takes(&tenant, &image, cluster, "app", "three"));
    let mut past = tenant.new_scram(account.id, None);
    past.expires_at = Some(Timestamp(now.0));
    let refused = tenant
        .catalog
        .create_scram_credential(&tenant.owner, &past, "x", &tenant.secrets, false)
        .await;
    assert!(matches!(
        refused,
        Err(AccountError::Invalid {
            pointer: "/expires_at",
            ..
        })
    ));
}

pub async fn a_generated_name_is_found_without_its_cluster_and_is_in_one_cluster_only(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let other = tenant.other().await;
    let account = tenant.account("app", Role::Developer).await;
    let made = tenant.scram(&tenant.new_scram(account.id, None), "one").await;
    let name = made.username.as_str();
    assert!(
        made.generated && name.starts_with("usr_") && name.len() == 30,
        "{name}"
    );
    let image = tenant.image().await;
    assert!(takes(&tenant, &image, None, name, "one"));
    assert!(takes(&tenant, &image, Some(tenant.cluster), name, "one"));
    assert!(image.scram_user(Some(other.cluster), name).all().is_empty());
    // A second password of the generated name is one of a generated name.
    let rotated = tenant
        .scram(&tenant.new_scram(account.id, Some(name)), "two")
        .await;
    assert!(rotated.generated);
    let image = tenant.image().await;
    assert!(takes(&tenant, &image, None, name, "one") && takes(&tenant, &image, None, name, "two"));
    // Another cluster cannot have it, by whatever way.
    let theirs = other.account("app", Role::Developer).await;
    let refused = tenant
        .catalog
        .create_scram_credential(
            &other.owner,
            &other.new_scram(theirs.id, Some(name)),
            "x",
            &tenant.secrets,
            false,
        )
        .await;
    assert!(matches!(
        refused,
        Err(AccountError::Invalid {
            pointer: "/username",
            ..
        })
    ));
    let actor = Actor::process(
        Principal::Dev {
            cluster: other.cluster,
        },
        "test",
    );
    let mut forged = image.scram_user(None, name).all()[0].as_ref().clone();
    forged.id = CredentialId::Scram(ScramCredentialId(77));
    forged.cluster = other.cluster;
    let command = PutCredential {
        credential: forged,
        validate_only: false,
    };
    let refused = tenant.catalog.put_credential(&actor, command).await;
    assert!(
        matches!(refused, Err(CommandError::InvalidUserName { .. })),
        "{refused:?}"
    );
    assert_ne!(generated_username(1), generated_username(2));
}

pub async fn a_password_opens_only_for_the_name_that_it_was_made_for(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let account = tenant.account("app", Role::Developer).await;
    tenant
        .scram(&tenant.new_scram(account.id, Some("app")), "one")
        .await;
    let image = tenant.image().await;
    let found = &image.scram_user(Some(tenant.cluster), "app").all()[0];
    let sealed = found.sealed_verifier(Mechanism::Sha256).unwrap();
    let opens = |cluster, username, mechanism| {
        let name = ScramName { cluster, username };
        sealed.open(name, mechanism, &tenant.secrets).is_some()
    };
    assert!(opens(tenant.cluster, "app", Mechanism::Sha256));
    assert!(!opens(tenant.cluster, "app", Mechanism::Sha512));
    assert!(!opens(tenant.cluster, "apq", Mechanism::Sha256));
    assert!(!opens(ClusterId(9), "app", Mechanism::Sha256));
    let shown = format!("{found:?} {sealed:?}");
    assert!(
        !shown.contains("sealed: ") && shown.contains("Scram(..)"),
        "{shown}"
    );
}

pub async fn who_may_not_manage_credentials_makes_none_and_foreign_is_as_absent(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let other = tenant.other().await;
    let catalog = &tenant.catalog;
    let account = tenant.account("app", Role::Developer).await;
    let theirs = other.account("app", Role::Developer).await;
    let made = tenant.scram(&tenant.new_scram(account.id, None), "one").await;
    let developer = tenant.person(0x31, "developer").await;
    let new = tenant.new_scram(account.id, None);
    let create = async |actor: &Actor, new| {
        let created = catalog
            .create_scram_credential(actor, new, "x", &tenant.secrets, false)
            .await;
        created.map(|_| ()).unwrap_err()
    };
    assert_eq!(create(&developer, &new).await, AccountError::Forbidden);
    let refused = catalog
        .revoke_scram_credential(&developer, tenant.cluster, made.id, false)
        .await;
    assert_eq!(refused, Err(AccountError::Forbidden));
    let denied = "SELECT COUNT(*) FROM account_audit WHERE decision = 'denied'";
    assert_eq!(tenant.number(denied).await, 2);
    let no_cluster = AccountError::NotFound { what: "cluster" };
    let no_account = AccountError::NotFound {
        what: "service account",
    };
    assert_eq!(create(&other.owner, &new).await, no_cluster);
    let absent = tenant.new_scram(ServiceAccountId(5), None);
    let foreign = tenant.new_scram(theirs.id, None);
    assert_eq!(create(&tenant.owner, &absent).await, no_account);
    assert_eq!(create(&tenant.owner, &foreign).await, no_account);
    let seen = catalog
        .scram_credential(&other.owner, tenant.cluster, made.id)
        .await;
    assert_eq!(seen, Err(no_cluster.clone()));
    let listed = catalog
        .scram_credentials(&other.owner, tenant.cluster, &ScramFilter::default(), None, 10)
        .await;
    assert_eq!(listed, Err(no_cluster));
    let misplaced = catalog
        .scram_credential(&other.owner, other.cluster, made.id)
        .await;
    let what = "SCRAM credential";
    assert_eq!(misplaced, Err(AccountError::NotFound { what }));
    let viewer = tenant.person(0x32, "viewer").await;
    let filter = ScramFilter {
        service_account: Some(account.id),
        username: Some(made.username.clone()),
    };
    let listed = catalog
        .scram_credentials(&viewer, tenant.cluster, &filter, None, 10)
        .await;
    assert_eq!(listed.unwrap(), [made]);
}

pub async fn an_image_that_was_folded_has_the_credentials_that_are_loaded(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let follower = ImageFollower::start(std::sync::Arc::clone(&tenant.catalog))
        .await
        .unwrap();
    let account = tenant.account("app", Role::Developer).await;
    let kept = tenant
        .scram(&tenant.new_scram(account.id, Some("app")), "one")
        .await;
    let gone = tenant
        .scram(&tenant.new_scram(account.id, Some("app")), "two")
        .await;
    tenant.scram(&tenant.new_scram(account.id, None), "three").await;
    tenant.key(8, account.id, Some(tenant.cluster)).await;
    let removed = tenant
        .catalog
        .revoke_scram_credential(&tenant.owner, tenant.cluster, gone.id, false)
        .await;
    let folded = follower.wait_for(removed.unwrap().sequence.unwrap()).await;
    let loaded = tenant.image().await;
    let all = |image: &Image| image.credentials_of(tenant.cluster).cloned().collect::<Vec<_>>();
    assert_eq!(all(&folded), all(&loaded));
    assert_eq!(all(&folded).len(), 3);
    let names = |image: &Image| {
        let users = image.scram_users_of(tenant.cluster);
        users
            .map(|(name, user)| (name.to_string(), user.all().to_vec()))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&folded), names(&loaded));
    assert_eq!(folded.scram_user(Some(tenant.cluster), "app").all().len(), 1);
    assert!(folded.credential(CredentialId::Scram(kept.id)).is_some());
}

pub async fn credentials_go_with_their_cluster(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let follower = ImageFollower::start(std::sync::Arc::clone(&tenant.catalog))
        .await
        .unwrap();
    let account = tenant.account("app", Role::Developer).await;
    let scram = tenant.scram(&tenant.new_scram(account.id, None), "one").await;
    let key = tenant.key(8, account.id, Some(tenant.cluster)).await;
    let rest = tenant.key(9, account.id, None).await;
    let catalog = &tenant.catalog;
    catalog
        .delete_cluster(&tenant.owner, tenant.cluster, Duration::ZERO, None, false)
        .await
        .unwrap();
    tenant.clock.forward(1);
    assert_eq!(catalog.reconcile_clusters().await.unwrap().purged, 1);
    let head = tenant.number("SELECT head FROM cell_feed_head").await;
    let image = follower.wait_for(firn_catalog::ids::FeedSequence(head)).await;
    assert!(image.credential(CredentialId::Scram(scram.id)).is_none());
    assert!(image.api_key(key.id).is_none() && image.scram_user(None, &scram.username).all().is_empty());
    assert_eq!(tenant.number("SELECT COUNT(*) FROM cell_credentials").await, 0);
    assert!(catalog.api_key_in_force(key.id).await.unwrap().is_none());
    assert!(catalog.api_key_in_force(rest.id).await.unwrap().is_some());
}
