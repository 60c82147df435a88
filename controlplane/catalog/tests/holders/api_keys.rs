//! API keys.

use std::time::Duration;

use firn_catalog::access::Role;
use firn_catalog::account::AccountError;
use firn_catalog::account::api_keys::{KeyDigest, KeysOf};
use firn_catalog::commands::CredentialId;
use firn_catalog::credential::Proof;
use firn_catalog::ids::{ApiKeyId, ServiceAccountId};

use super::{MINUTE, Tenant};
use crate::cell::Cell;

fn no_key() -> AccountError {
    AccountError::NotFound { what: "API key" }
}

pub async fn a_key_is_in_force_in_both_stores_until_it_is_revoked(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let catalog = &tenant.catalog;
    let account = tenant.account("app", Role::Developer).await;
    let new = tenant.new_key(8, account.id, Some(tenant.cluster));
    let made = catalog
        .create_api_key(&tenant.owner, new.clone(), false)
        .await
        .unwrap();
    assert!(made.sequence.is_some());
    let key = made.value;
    let held = catalog.api_key_in_force(key.id).await.unwrap().unwrap();
    assert_eq!(
        (&held.key, &held.digest, held.organization),
        (&key, &new.digest, tenant.organization)
    );
    let image = tenant.image().await;
    let found = image.api_key(key.id).unwrap();
    assert_eq!(
        (found.cluster, found.service_account),
        (tenant.cluster, Some(account.id))
    );
    assert_eq!(
        (&*found.username, &*found.user.name),
        (&*key.id.public(), &*account.id.public())
    );
    assert_eq!(found.user.roles.iter().collect::<Vec<_>>(), [Role::Developer]);
    let digest = new.digest.0.clone();
    assert!(found.proof == Proof::ApiKey { digest });
    assert_eq!(catalog.api_key(&tenant.owner, key.id).await, Ok(key.clone()));
    let revoked = catalog
        .revoke_api_key(&tenant.owner, key.id, false)
        .await
        .unwrap();
    assert!(revoked.sequence.is_some());
    assert!(catalog.api_key_in_force(key.id).await.unwrap().is_none());
    assert!(tenant.image().await.api_key(key.id).is_none());
    assert_eq!(catalog.api_key(&tenant.owner, key.id).await, Err(no_key()));
    assert_eq!(
        catalog.revoke_api_key(&tenant.owner, key.id, false).await,
        Err(no_key())
    );
    assert_eq!(
        tenant
            .number("SELECT COUNT(*) FROM account_api_keys WHERE digest <> ''")
            .await,
        0
    );
    // The row goes later, when nothing can be at work any more that read it before.
    assert_eq!(tenant.number("SELECT COUNT(*) FROM account_api_keys").await, 1);
    tenant.clock.forward(11 * MINUTE);
    catalog.reconcile_credentials().await.unwrap();
    assert_eq!(tenant.number("SELECT COUNT(*) FROM account_api_keys").await, 0);
}

pub async fn two_keys_for_a_cluster_are_active_and_a_third_is_refused(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let catalog = &tenant.catalog;
    let account = tenant.account("app", Role::Developer).await;
    let elsewhere = tenant.make_cluster("elsewhere").await;
    let create = async |new| {
        catalog
            .create_api_key(&tenant.owner, new, false)
            .await
            .map(|_| ())
    };
    let mut ids = 1..;
    let mut number = move || ids.next().unwrap();
    for cluster in [None, Some(tenant.cluster), Some(elsewhere)] {
        let first = tenant.key(number(), account.id, cluster).await;
        let now = firn_runtime::Clock::now(&*tenant.clock);
        let mut second = tenant.new_key(number(), account.id, cluster);
        second.expires_at = Some(now.plus(Duration::from_secs(60)));
        create(second).await.unwrap();
        let third = create(tenant.new_key(number(), account.id, cluster)).await;
        assert!(
            matches!(third, Err(AccountError::LimitExceeded { limit: 2, .. })),
            "{third:?}"
        );
        tenant.clock.forward(MINUTE);
        create(tenant.new_key(number(), account.id, cluster))
            .await
            .unwrap();
        assert!(
            create(tenant.new_key(number(), account.id, cluster))
                .await
                .is_err()
        );
        catalog
            .revoke_api_key(&tenant.owner, first.id, false)
            .await
            .unwrap();
        create(tenant.new_key(number(), account.id, cluster))
            .await
            .unwrap();
    }
    let of = KeysOf::ServiceAccount(account.id);
    let all = catalog
        .api_keys(&tenant.owner, of, None, None, 100)
        .await
        .unwrap();
    assert_eq!(all.len(), 9, "of each three two are active and one has expired");
    let some = catalog
        .api_keys(&tenant.owner, of, Some(elsewhere), None, 100)
        .await
        .unwrap();
    assert_eq!(some.len(), 3);
    let of = KeysOf::Project(tenant.project);
    let page = catalog
        .api_keys(&tenant.owner, of, None, Some(all[3].id), 2)
        .await
        .unwrap();
    assert_eq!(page, all[4..6]);
}

pub async fn a_key_ends_when_it_expires(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let catalog = &tenant.catalog;
    let account = tenant.account("app", Role::Developer).await;
    let now = firn_runtime::Clock::now(&*tenant.clock);
    let mut new = tenant.new_key(8, account.id, Some(tenant.cluster));
    new.expires_at = Some(now);
    let refused = catalog.create_api_key(&tenant.owner, new.clone(), false).await;
    assert!(matches!(
        refused,
        Err(AccountError::Invalid {
            pointer: "/expires_at",
            ..
        })
    ));
    new.expires_at = Some(now.plus(Duration::from_secs(60)));
    let key = catalog
        .create_api_key(&tenant.owner, new, false)
        .await
        .unwrap()
        .value;
    let image = tenant.image().await;
    let credential = image.api_key(key.id).unwrap();
    assert!(credential.is_live(now));
    assert!(catalog.api_key_in_force(key.id).await.unwrap().is_some());
    tenant.clock.forward(MINUTE);
    assert!(!credential.is_live(firn_runtime::Clock::now(&*tenant.clock)));
    assert!(catalog.api_key_in_force(key.id).await.unwrap().is_none());
    // It is still to be seen for a week, and then the cell forgets it.
    assert!(catalog.api_key(&tenant.owner, key.id).await.is_ok());
    assert_eq!(catalog.reconcile_credentials().await.unwrap().expired, 0);
    tenant.clock.forward(8 * 24 * 60 * MINUTE);
    assert_eq!(catalog.reconcile_credentials().await.unwrap().expired, 1);
    assert!(tenant.image().await.api_key(key.id).is_none());
}

pub async fn a_crash_between_the_stores_is_finished_for_keys(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let catalog = &tenant.catalog;
    let account = tenant.account("app", Role::Developer).await;
    let (lost, left) = (ApiKeyId(8), ApiKeyId(9));
    tenant.key(lost.0, account.id, Some(tenant.cluster)).await;
    tenant.key(left.0, account.id, Some(tenant.cluster)).await;
    // As if the process had ended after the account store had taken each: one that was made, one that was revoked.
    tenant
        .execute(format!("DELETE FROM cell_credentials WHERE id = '{lost}'"))
        .await;
    tenant
        .execute(format!(
            "UPDATE account_api_keys SET applied = 0 WHERE id = '{lost}'"
        ))
        .await;
    tenant
        .execute(format!(
            "UPDATE account_api_keys SET applied = 0, revoked_at = 1800000000000, digest = '' WHERE id = '{left}'"
        ))
        .await;
    let image = tenant.image().await;
    assert!(image.api_key(lost).is_none() && image.api_key(left).is_some());
    assert_eq!(catalog.reconcile_credentials().await.unwrap().keys, 2);
    let image = tenant.image().await;
    assert!(image.api_key(lost).is_some() && image.api_key(left).is_none());
    let again = catalog.reconcile_credentials().await.unwrap();
    assert_eq!((again.keys, again.failed), (0, 0));
    // What a request that was slow brought to the cell after all is found when the row goes.
    tenant.key(10, account.id, Some(tenant.cluster)).await;
    tenant
        .execute(
            "UPDATE account_api_keys SET revoked_at = 1800000000000, digest = '' WHERE id LIKE '%a'"
                .to_owned(),
        )
        .await;
    assert!(
        tenant
            .image()
            .await
            .credential(CredentialId::ApiKey(ApiKeyId(10)))
            .is_some()
    );
    tenant.clock.forward(11 * MINUTE);
    catalog.reconcile_credentials().await.unwrap();
    assert!(
        tenant
            .image()
            .await
            .credential(CredentialId::ApiKey(ApiKeyId(10)))
            .is_none()
    );
    assert_eq!(tenant.number("SELECT COUNT(*) FROM account_api_keys").await, 1);
}

/// Has every key revoked, with nothing to drop, just when its credential is put into the cell.
async fn revoke_while_put(tenant: &Tenant) {
    let revoke =
        "UPDATE account_api_keys SET revoked_at = 1800000000000, digest = '', applied = 1 WHERE id = NEW.id";
    if tenant.url.starts_with("postgres") {
        let function = format!(
            "CREATE FUNCTION revoke() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {revoke}; RETURN NEW; END $$"
        );
        tenant.execute(function).await;
        let trigger =
            "CREATE TRIGGER revoke AFTER INSERT ON cell_credentials FOR EACH ROW EXECUTE FUNCTION revoke()";
        tenant.execute(trigger).await;
    } else {
        let trigger = format!("CREATE TRIGGER revoke AFTER INSERT ON cell_credentials BEGIN {revoke}; END");
        tenant.execute(trigger).await;
    }
}

pub async fn a_key_that_is_revoked_while_it_is_put_into_its_cell_is_taken_from_there(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let account = tenant.account("app", Role::Developer).await;
    revoke_while_put(&tenant).await;
    let key = tenant.key(8, account.id, Some(tenant.cluster)).await;
    assert!(tenant.catalog.api_key_in_force(key.id).await.unwrap().is_none());
    assert!(tenant.image().await.api_key(key.id).is_none());
    assert_eq!(tenant.number("SELECT COUNT(*) FROM cell_credentials").await, 0);
}

pub async fn nobody_issues_a_key_that_can_do_more_than_they_can(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let other = tenant.other().await;
    let catalog = &tenant.catalog;
    let account = tenant.account("app", Role::Developer).await;
    let boss = tenant.account("boss", Role::Owner).await;
    let admin = tenant.person(0x31, "admin").await;
    let developer = tenant.person(0x32, "developer").await;
    // An admin of the project alone, and a service account that can do things in all of the organization.
    let project = ("project", tenant.project.to_string());
    tenant
        .bind(("person", format!("{:032x}", 0x33)), 0x33, "admin", project)
        .await;
    let local = firn_catalog::commands::Actor::process(
        firn_catalog::commands::Principal::Person(firn_catalog::ids::PersonId(0x33)),
        "a request",
    );
    let wide = tenant.account("wide", Role::Viewer).await;
    let everywhere = ("organization", tenant.organization.to_string());
    tenant
        .bind(
            ("service_account", wide.id.to_string()),
            0x34,
            "operator",
            everywhere,
        )
        .await;
    let mut ids = 1..;
    let mut attempt = async |actor: &_, account: ServiceAccountId| {
        let new = tenant.new_key(ids.next().unwrap(), account, None);
        catalog.create_api_key(actor, new, false).await.map(|_| ())
    };
    assert_eq!(
        attempt(&developer, account.id).await,
        Err(AccountError::Forbidden)
    );
    assert_eq!(attempt(&admin, account.id).await, Ok(()));
    assert_eq!(attempt(&admin, boss.id).await, Err(AccountError::Forbidden));
    assert_eq!(attempt(&tenant.owner, boss.id).await, Ok(()));
    assert_eq!(attempt(&local, account.id).await, Ok(()));
    assert_eq!(attempt(&local, wide.id).await, Err(AccountError::Forbidden));
    assert_eq!(attempt(&admin, wide.id).await, Ok(()));
    let no_account = Err(AccountError::NotFound {
        what: "service account",
    });
    assert_eq!(attempt(&other.owner, account.id).await, no_account);
    assert_eq!(attempt(&other.owner, ServiceAccountId(5)).await, no_account);
    let made = catalog
        .api_keys(&tenant.owner, KeysOf::ServiceAccount(account.id), None, None, 1)
        .await
        .unwrap();
    for id in [made[0].id, ApiKeyId(0xdead)] {
        assert_eq!(catalog.api_key(&other.owner, id).await, Err(no_key()));
        assert_eq!(
            catalog.revoke_api_key(&other.owner, id, false).await,
            Err(no_key())
        );
    }
    assert_eq!(
        catalog.revoke_api_key(&developer, made[0].id, false).await,
        Err(AccountError::Forbidden)
    );
    let foreign = tenant.new_key(0x99, account.id, Some(other.cluster));
    let refused = catalog.create_api_key(&tenant.owner, foreign, false).await;
    assert_eq!(refused, Err(AccountError::NotFound { what: "cluster" }));
    assert!(!format!("{:?}", KeyDigest("secret".to_owned())).contains("secret"));
}
