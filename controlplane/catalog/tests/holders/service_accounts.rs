//! Service accounts, their roles, and signing keys.

use firn_catalog::access::{Role, Scope};
use firn_catalog::account::service_accounts::{FirstRole, ServiceAccountUpdate};
use firn_catalog::account::{AccountError, SigningKey};
use firn_catalog::commands::{Actor, CredentialId};
use firn_catalog::ids::ServiceAccountId;
use firn_catalog::image::Image;
use firn_runtime::Timestamp;

use super::{MINUTE, Tenant};
use crate::cell::Cell;

fn no_account() -> AccountError {
    AccountError::NotFound {
        what: "service account",
    }
}

pub async fn a_service_account_begins_with_a_role_and_a_name_of_its_own(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let other = tenant.other().await;
    let catalog = &tenant.catalog;
    let create = async |actor: &_, name: &str, role| {
        let new = tenant.new_account(name, role);
        catalog
            .create_service_account(actor, new, false)
            .await
            .map(|_| ())
    };
    let role = |role, scope| Some(FirstRole { scope, role });
    let (project, cluster) = (Scope::Project(tenant.project), Scope::Cluster(tenant.cluster));
    create(&tenant.owner, "a", role(Role::Developer, project))
        .await
        .unwrap();
    create(&tenant.owner, "b", role(Role::Viewer, cluster))
        .await
        .unwrap();
    create(&tenant.owner, "c", None).await.unwrap();
    let taken = create(&tenant.owner, "a", None).await;
    assert!(matches!(taken, Err(AccountError::Exists { .. })));
    for (foreign, name) in [
        (Scope::Cluster(other.cluster), "d"),
        (Scope::Project(other.project), "e"),
    ] {
        let refused = create(&tenant.owner, name, role(Role::Viewer, foreign)).await;
        assert!(
            matches!(refused, Err(AccountError::Invalid { .. })),
            "{refused:?}"
        );
    }
    let everywhere = Scope::Organization(tenant.organization);
    let refused = create(&tenant.owner, "f", role(Role::Viewer, everywhere)).await;
    assert!(matches!(refused, Err(AccountError::Invalid { .. })));
    let admin = tenant.person(0x31, "admin").await;
    let refused = create(&admin, "g", role(Role::Owner, project)).await;
    assert_eq!(
        refused,
        Err(AccountError::Forbidden),
        "who makes no owners makes none this way"
    );
    create(&admin, "g", role(Role::Admin, project)).await.unwrap();
    let developer = tenant.person(0x32, "developer").await;
    assert_eq!(create(&developer, "h", None).await, Err(AccountError::Forbidden));
    let no_project = Err(AccountError::NotFound { what: "project" });
    assert_eq!(create(&other.owner, "h", None).await, no_project);
    for name in ["", " a", "a\nb", &"x".repeat(101)] {
        let refused = create(&tenant.owner, name, None).await;
        assert!(
            matches!(refused, Err(AccountError::Invalid { pointer: "/name", .. })),
            "{name:?}"
        );
    }
    require_listed(&tenant, &other, &developer).await;
}

/// The project's own people see the accounts a, b, c and g, and nobody else does.
async fn require_listed(tenant: &Tenant, other: &Tenant, developer: &Actor) {
    let catalog = &tenant.catalog;
    let listed = catalog
        .service_accounts(developer, tenant.project, None, 10)
        .await
        .unwrap();
    let mut names: Vec<_> = listed.iter().map(|account| account.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["a", "b", "c", "g"]);
    let page = catalog
        .service_accounts(developer, tenant.project, Some(listed[1].id), 1)
        .await;
    assert_eq!(page.unwrap(), listed[2..3]);
    let foreign = catalog
        .service_accounts(&other.owner, tenant.project, None, 10)
        .await;
    assert_eq!(foreign, Err(AccountError::NotFound { what: "project" }));
    for id in [listed[0].id, ServiceAccountId(5)] {
        assert_eq!(catalog.service_account(&other.owner, id).await, Err(no_account()));
    }
    let bindings = "SELECT COUNT(*) FROM account_bindings WHERE principal_kind = 'service_account'";
    assert_eq!(tenant.number(bindings).await, 3);
}

pub async fn an_update_of_a_service_account_names_the_version_that_it_changes(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let catalog = &tenant.catalog;
    let account = tenant.account("a", Role::Developer).await;
    tenant.account("b", Role::Developer).await;
    let update = async |name: Option<&str>, description: Option<&str>, expected| {
        let update = ServiceAccountUpdate {
            name: name.map(str::to_owned),
            description: description.map(str::to_owned),
        };
        catalog
            .update_service_account(&tenant.owner, account.id, update, expected, false)
            .await
    };
    let renamed = update(Some("c"), None, Some(1)).await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.version), ("c", 2));
    let stale = update(Some("d"), None, Some(1)).await;
    assert_eq!(stale, Err(AccountError::VersionMismatch { current: 2 }));
    let same = update(Some("c"), Some(""), None).await.unwrap();
    assert_eq!(same.version, 2);
    let described = update(None, Some("two\nlines"), None).await.unwrap();
    assert_eq!(
        (described.description.as_str(), described.version),
        ("two\nlines", 3)
    );
    assert!(matches!(
        update(Some("b"), None, None).await,
        Err(AccountError::Exists { .. })
    ));
    let stale = catalog
        .delete_service_account(&tenant.owner, account.id, Some(1), false)
        .await;
    assert_eq!(stale, Err(AccountError::VersionMismatch { current: 3 }));
}

fn roles(image: &Image, id: CredentialId) -> Vec<Role> {
    image.credential(id).unwrap().user.roles.iter().collect()
}

pub async fn roles_that_change_are_in_force_where_credentials_are(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let catalog = &tenant.catalog;
    let account = tenant.account("app", Role::Developer).await;
    let elsewhere = tenant.make_cluster("elsewhere").await;
    let here = CredentialId::ApiKey(tenant.key(8, account.id, Some(tenant.cluster)).await.id);
    let there = CredentialId::ApiKey(tenant.key(9, account.id, Some(elsewhere)).await.id);
    let password = tenant.scram(&tenant.new_scram(account.id, None), "one").await;
    let password = CredentialId::Scram(password.id);
    assert_eq!(catalog.refresh_service_account(account.id).await, Ok(None));
    let cluster = ("cluster", tenant.cluster.to_string());
    tenant
        .bind(
            ("service_account", account.id.to_string()),
            0x51,
            "operator",
            cluster,
        )
        .await;
    assert!(
        catalog
            .refresh_service_account(account.id)
            .await
            .unwrap()
            .is_some()
    );
    let image = tenant.image().await;
    for id in [here, password] {
        assert_eq!(roles(&image, id), [Role::Operator, Role::Developer]);
    }
    assert_eq!(roles(&image, there), [Role::Developer]);
    // Who changes a binding notes it; if the process ends then, the reconciler goes on.
    tenant
        .execute(format!(
            "DELETE FROM account_bindings WHERE principal = '{}'",
            account.id
        ))
        .await;
    tenant
        .execute(format!(
            "UPDATE account_service_accounts SET roles_changed_at = 1800000000000 WHERE id = '{}'",
            account.id
        ))
        .await;
    assert_eq!(
        catalog.reconcile_credentials().await.unwrap().refreshed,
        0,
        "it is somebody's turn"
    );
    tenant.clock.forward(MINUTE);
    assert_eq!(catalog.reconcile_credentials().await.unwrap().refreshed, 1);
    let image = tenant.image().await;
    for id in [here, there, password] {
        assert_eq!(roles(&image, id), []);
    }
    assert_eq!(catalog.reconcile_credentials().await.unwrap().refreshed, 0);
}

pub async fn a_deleted_service_account_leaves_its_audit_trail_and_nothing_else(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let catalog = &tenant.catalog;
    let account = tenant.account("app", Role::Developer).await;
    let key = tenant.key(8, account.id, Some(tenant.cluster)).await;
    let rest = tenant.key(9, account.id, None).await;
    let password = tenant.scram(&tenant.new_scram(account.id, None), "one").await;
    let boss = tenant.account("boss", Role::Owner).await;
    let admin = tenant.person(0x31, "admin").await;
    let refused = catalog.delete_service_account(&admin, boss.id, None, false).await;
    assert_eq!(refused, Err(AccountError::Forbidden));
    let deleted = catalog
        .delete_service_account(&admin, account.id, None, false)
        .await
        .unwrap();
    assert!(deleted.sequence.is_some());
    let image = tenant.image().await;
    assert!(image.api_key(key.id).is_none());
    assert!(image.credential(CredentialId::Scram(password.id)).is_none());
    assert!(catalog.api_key_in_force(rest.id).await.unwrap().is_none());
    assert_eq!(
        catalog.service_account(&admin, account.id).await,
        Err(no_account())
    );
    let again = catalog
        .delete_service_account(&admin, account.id, None, false)
        .await;
    assert_eq!(again, Err(no_account()));
    // Its name is free at once.
    tenant.account("app", Role::Developer).await;
    let id = account.id;
    let left = format!("SELECT COUNT(*) FROM account_bindings WHERE principal = '{id}'");
    assert_eq!(tenant.number(&left).await, 0);
    let rows = format!("SELECT COUNT(*) FROM account_service_accounts WHERE id = '{id}'");
    catalog.reconcile_credentials().await.unwrap();
    assert_eq!(tenant.number(&rows).await, 1);
    tenant.clock.forward(11 * MINUTE);
    catalog.reconcile_credentials().await.unwrap();
    assert_eq!(tenant.number(&rows).await, 0);
    assert_eq!(tenant.number("SELECT COUNT(*) FROM account_api_keys").await, 0);
    let audited = format!(
        "SELECT COUNT(*) FROM account_audit WHERE resource = '{}' AND decision = 'allowed'",
        id.public()
    );
    assert_eq!(tenant.number(&audited).await, 2, "made and deleted");
}

pub async fn a_rehearsal_keeps_nothing(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let (catalog, owner) = (&tenant.catalog, &tenant.owner);
    let account = tenant.account("app", Role::Developer).await;
    let key = tenant.key(8, account.id, Some(tenant.cluster)).await;
    let password = tenant.scram(&tenant.new_scram(account.id, None), "one").await;
    let audited = "SELECT COUNT(*) FROM account_audit";
    let before = (
        tenant.number(audited).await,
        tenant.number("SELECT head FROM cell_feed_head").await,
    );
    let new = tenant.new_account("other", None);
    catalog.create_service_account(owner, new, true).await.unwrap();
    let taken = tenant.new_account("app", None);
    assert!(catalog.create_service_account(owner, taken, true).await.is_err());
    let new = tenant.new_key(9, account.id, Some(tenant.cluster));
    let made = catalog.create_api_key(owner, new, true).await.unwrap();
    assert_eq!(made.sequence, None);
    let new = tenant.new_scram(account.id, None);
    let made = catalog
        .create_scram_credential(owner, &new, "two", &tenant.secrets, true)
        .await
        .unwrap();
    assert_eq!(made.sequence, None);
    let update = ServiceAccountUpdate {
        name: Some("renamed".to_owned()),
        description: None,
    };
    catalog
        .update_service_account(owner, account.id, update, None, true)
        .await
        .unwrap();
    catalog.revoke_api_key(owner, key.id, true).await.unwrap();
    catalog
        .revoke_scram_credential(owner, tenant.cluster, password.id, true)
        .await
        .unwrap();
    catalog
        .delete_service_account(owner, account.id, None, true)
        .await
        .unwrap();
    let after = (
        tenant.number(audited).await,
        tenant.number("SELECT head FROM cell_feed_head").await,
    );
    assert_eq!(after, before);
    assert_eq!(
        catalog.service_account(owner, account.id).await,
        Ok(account.clone())
    );
    assert!(catalog.api_key_in_force(key.id).await.unwrap().is_some());
    let of = tenant
        .catalog
        .service_accounts(owner, tenant.project, None, 10)
        .await;
    assert_eq!(of.unwrap(), [account]);
}

pub async fn the_last_use_is_noted_to_the_minute(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let catalog = &tenant.catalog;
    let account = tenant.account("app", Role::Developer).await;
    let key = tenant.key(8, account.id, Some(tenant.cluster)).await;
    let scram = tenant.scram(&tenant.new_scram(account.id, None), "one").await;
    let (by_key, by_password) = (CredentialId::ApiKey(key.id), CredentialId::Scram(scram.id));
    let at = Timestamp(1_800_000_100_000);
    let later = |ms| Timestamp(at.0 + ms);
    let used = async || {
        let key = catalog.api_key(&tenant.owner, key.id).await.unwrap();
        let scram = catalog
            .scram_credential(&tenant.owner, tenant.cluster, scram.id)
            .await
            .unwrap();
        (key.last_used_at, scram.last_used_at)
    };
    assert_eq!(used().await, (None, None));
    let note = async |uses: &[_]| catalog.note_credential_use(uses).await.unwrap();
    note(&[(by_key, later(-5)), (by_password, at), (by_key, at)]).await;
    assert_eq!(used().await, (Some(at), Some(at)));
    note(&[(by_key, later(59_999)), (by_password, later(60_000))]).await;
    assert_eq!(used().await, (Some(at), Some(later(60_000))));
    note(&[(by_password, later(30_000))]).await;
    assert_eq!(
        used().await,
        (Some(at), Some(later(60_000))),
        "it does not go back"
    );
    note(&[]).await;
}

pub async fn signing_keys_are_ordered_and_old_ones_are_forgotten(cell: &Cell) {
    let tenant = Tenant::new(cell).await;
    let catalog = &tenant.catalog;
    let key = |id: &str, signs_from| SigningKey {
        id: id.to_owned(),
        public_key: format!("public {id}"),
        private_key: format!("sealed {id}"),
        created_at: Timestamp(1),
        signs_from: Timestamp(signs_from),
    };
    let ids = |keys: Vec<SigningKey>| keys.into_iter().map(|key| key.id).collect::<Vec<_>>();
    let add =
        async |new: SigningKey, over| ids(catalog.add_signing_key(&new, Timestamp(over)).await.unwrap());
    assert_eq!(add(key("a", 100), 0).await, ["a"]);
    assert_eq!(add(key("b", 200), 0).await, ["b", "a"]);
    assert_eq!(add(key("x", 200), 0).await, ["b", "a"], "two processes make one");
    assert_eq!(
        add(key("c", 300), 200).await,
        ["c", "b", "a"],
        "a signed until just then"
    );
    assert_eq!(add(key("d", 400), 201).await, ["d", "c", "b"]);
    let kept = catalog.signing_keys().await.unwrap();
    assert_eq!(kept[2], key("b", 200));
    assert!(!format!("{kept:?}").contains("sealed"));
}
