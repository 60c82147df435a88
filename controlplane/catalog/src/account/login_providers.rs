//! Identity providers through which people of an organization log in (OpenID Connect).
//!
//! Whoever manages an organization chooses its provider. What a provider's word is worth is in `identities`.

use std::fmt;

use firn_runtime::Timestamp;
use serde_json::{Value, json};
use sqlx::any::AnyRow;

use super::organizations::require_version;
use super::{AccountError, Denied};
use crate::access::{Permission, Scope};
use crate::audit::changes;
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::Actor;
use crate::ids::{LoginProviderId, OrganizationId};
use crate::sql::{self, Tx, TxError, args, id_at, json_at, number_at, text_at, transaction};

/// How many providers an organization has at most.
pub const MAX_LOGIN_PROVIDERS: i64 = 10;

/// A secret that is sealed under the master key. Its debug form says nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub String);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(..)")
    }
}

/// What its organization says about a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginProviderSettings {
    /// The name that people see.
    pub name: String,
    /// The issuer, exactly as its tokens name it.
    pub issuer: String,
    /// The service's id at the provider.
    pub client_id: String,
    /// The service's secret at the provider; `None` in a change: as before.
    pub client_secret: Option<Sealed>,
    /// The domains of the addresses that it speaks for; empty: any that the provider has verified.
    pub allowed_domains: Vec<String>,
}

/// An identity provider of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginProvider {
    /// Its id.
    pub id: LoginProviderId,
    /// Whose.
    pub organization: OrganizationId,
    /// What the organization says about it.
    pub settings: LoginProviderSettings,
    /// When it was added.
    pub created_at: Timestamp,
    /// Counts changes.
    pub version: i64,
}

const COLUMNS: &str =
    "id, organization, name, issuer, client_id, client_secret, allowed_domains, created_at, version";

fn provider_at(row: &AnyRow) -> Result<LoginProvider, CatalogError> {
    Ok(LoginProvider {
        id: id_at(row, 0)?,
        organization: id_at(row, 1)?,
        settings: LoginProviderSettings {
            name: text_at(row, 2)?,
            issuer: text_at(row, 3)?,
            client_id: text_at(row, 4)?,
            client_secret: Some(Sealed(text_at(row, 5)?)),
            allowed_domains: json_at(row, 6)?,
        },
        created_at: Timestamp(number_at(row, 7)?),
        version: number_at(row, 8)?,
    })
}

/// The organization of a provider has not been deleted.
const LIVE: &str =
    "EXISTS (SELECT 1 FROM account_organizations o WHERE o.id = organization AND o.deleted_at IS NULL)";

pub(super) const UNKNOWN: AccountError = AccountError::NotFound {
    what: "login provider",
};

impl Tx {
    pub(super) async fn login_provider(
        &mut self,
        organization: OrganizationId,
        id: LoginProviderId,
    ) -> Result<LoginProvider, TxError<AccountError>> {
        let select = format!(
            "SELECT {COLUMNS} FROM account_login_providers WHERE id = $1 AND organization = $2 AND {LIVE} FOR UPDATE"
        );
        match self.row(&select, args![id, organization]).await? {
            Some(row) => Ok(provider_at(&row)?),
            None => Err(UNKNOWN.into()),
        }
    }
}

/// What the audit trail says of a provider's settings.
fn told(settings: &LoginProviderSettings) -> Value {
    json!({
        "name": settings.name,
        "issuer": settings.issuer,
        "client_id": settings.client_id,
        "allowed_domains": settings.allowed_domains,
    })
}

impl Catalog {
    /// Adds a provider. Its settings must have a secret.
    pub async fn create_login_provider(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        settings: &LoginProviderSettings,
        rehearsal: bool,
    ) -> Result<LoginProvider, AccountError> {
        let provider = LoginProvider {
            id: LoginProviderId(self.env().random_u128()),
            organization,
            settings: settings.clone(),
            created_at: self.env().now(),
            version: 1,
        };
        let outcome = transaction!(self.store(), write, |tx| async {
            insert_provider(&mut tx, actor, &provider).await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(())
        }
        .await);
        let denied = Denied {
            scope: Scope::Organization(organization),
            action: "create_login_provider",
            kind: "login_provider",
            resource: &settings.name,
        };
        self.finish_account(actor, denied, outcome).await?;
        Ok(provider)
    }

    /// The providers of an organization, the oldest first: at most [`MAX_LOGIN_PROVIDERS`].
    pub async fn login_providers(
        &self,
        actor: &Actor,
        organization: OrganizationId,
    ) -> Result<Vec<LoginProvider>, AccountError> {
        let select = format!(
            "SELECT {COLUMNS} FROM account_login_providers WHERE organization = $1 ORDER BY created_at, id"
        );
        let scope = Scope::Organization(organization);
        transaction!(self.store(), snapshot, |tx| async {
            tx.require(actor, scope, Permission::ManageOrganization).await?;
            let rows = tx.rows(&select, args![organization]).await?;
            let providers: Result<Vec<_>, _> = rows.iter().map(provider_at).collect();
            Ok::<_, TxError<AccountError>>(providers?)
        }
        .await)
    }

    /// Changes a provider. Another issuer is another authority: whom the old one knew must be linked anew.
    pub async fn update_login_provider(
        &self,
        actor: &Actor,
        (organization, id): (OrganizationId, LoginProviderId),
        settings: &LoginProviderSettings,
        expected: Option<i64>,
        rehearsal: bool,
    ) -> Result<LoginProvider, AccountError> {
        let scope = Scope::Organization(organization);
        let outcome = transaction!(self.store(), write, |tx| async {
            tx.require(actor, scope, Permission::ManageOrganization).await?;
            let before = tx.login_provider(organization, id).await?;
            let after = update_provider(&mut tx, actor, before, settings, expected).await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(after)
        }
        .await);
        let denied = Denied {
            scope,
            action: "update_login_provider",
            kind: "login_provider",
            resource: &id.public(),
        };
        self.finish_account(actor, denied, outcome).await
    }

    /// Removes a provider and its links. Sessions that it opened go on.
    pub async fn delete_login_provider(
        &self,
        actor: &Actor,
        (organization, id): (OrganizationId, LoginProviderId),
        expected: Option<i64>,
        rehearsal: bool,
    ) -> Result<(), AccountError> {
        let scope = Scope::Organization(organization);
        let outcome = transaction!(self.store(), write, |tx| async {
            tx.require(actor, scope, Permission::ManageOrganization).await?;
            let provider = tx.login_provider(organization, id).await?;
            require_version(expected, provider.version)?;
            tx.execute("DELETE FROM account_identities WHERE provider = $1", args![id])
                .await?;
            tx.execute("DELETE FROM account_login_providers WHERE id = $1", args![id])
                .await?;
            let detail = told(&provider.settings);
            tx.account_audit(
                actor,
                organization,
                "delete_login_provider",
                "login_provider",
                &id.public(),
                &detail,
            )
            .await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(())
        }
        .await);
        let denied = Denied {
            scope,
            action: "delete_login_provider",
            kind: "login_provider",
            resource: &id.public(),
        };
        self.finish_account(actor, denied, outcome).await
    }

    /// A provider, for a login through it.
    pub async fn login_provider(&self, id: LoginProviderId) -> Result<LoginProvider, AccountError> {
        let select = format!("SELECT {COLUMNS} FROM account_login_providers WHERE id = $1 AND {LIVE}");
        transaction!(self.store(), snapshot, |tx| async {
            match tx.row(&select, args![id]).await? {
                Some(row) => Ok::<_, TxError<AccountError>>(provider_at(&row)?),
                None => Err(UNKNOWN.into()),
            }
        }
        .await)
    }
}

async fn insert_provider(
    tx: &mut Tx,
    actor: &Actor,
    provider: &LoginProvider,
) -> Result<(), TxError<AccountError>> {
    let organization = provider.organization;
    let scope = Scope::Organization(organization);
    tx.require(actor, scope, Permission::ManageOrganization).await?;
    let settings = &provider.settings;
    let Some(secret) = &settings.client_secret else {
        let (pointer, reason) = ("/client_secret", "it is required".to_owned());
        return Err(AccountError::Invalid { pointer, reason }.into());
    };
    tx.lock_organization(organization).await?;
    let count = "SELECT count(*) FROM account_login_providers WHERE organization = $1";
    let there: i64 = match tx.row(count, args![organization]).await? {
        Some(row) => number_at(&row, 0)?,
        None => 0,
    };
    if there >= MAX_LOGIN_PROVIDERS {
        let (which, limit) = ("login providers", MAX_LOGIN_PROVIDERS);
        return Err(AccountError::LimitExceeded { which, limit }.into());
    }
    let insert = format!(
        "INSERT INTO account_login_providers ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    );
    let values = args![
        provider.id,
        organization,
        settings.name.as_str(),
        settings.issuer.as_str(),
        settings.client_id.as_str(),
        secret.0.as_str(),
        sql::json(&settings.allowed_domains),
        provider.created_at,
        provider.version,
    ];
    tx.execute(&insert, values).await?;
    let (action, id) = ("create_login_provider", provider.id.public());
    tx.account_audit(
        actor,
        organization,
        action,
        "login_provider",
        &id,
        &told(settings),
    )
    .await?;
    Ok(())
}

async fn update_provider(
    tx: &mut Tx,
    actor: &Actor,
    before: LoginProvider,
    settings: &LoginProviderSettings,
    expected: Option<i64>,
) -> Result<LoginProvider, TxError<AccountError>> {
    require_version(expected, before.version)?;
    let mut after = LoginProvider {
        settings: settings.clone(),
        version: before.version + 1,
        ..before
    };
    if after.settings.client_secret.is_none() {
        // Else a secret that nobody may read would be told to whoever the new issuer is.
        if before.settings.issuer != settings.issuer {
            let (pointer, reason) = ("/client_secret", "it is required with another issuer".to_owned());
            return Err(AccountError::Invalid { pointer, reason }.into());
        }
        after.settings.client_secret = before.settings.client_secret.clone();
    }
    let secret = after
        .settings
        .client_secret
        .as_ref()
        .map(|secret| secret.0.clone());
    let update = "UPDATE account_login_providers SET name = $2, issuer = $3, client_id = $4, client_secret = $5, \
                  allowed_domains = $6, version = $7 WHERE id = $1";
    let values = args![
        after.id,
        settings.name.as_str(),
        settings.issuer.as_str(),
        settings.client_id.as_str(),
        secret,
        sql::json(&settings.allowed_domains),
        after.version,
    ];
    tx.execute(update, values).await?;
    if before.settings.issuer != settings.issuer {
        tx.execute(
            "DELETE FROM account_identities WHERE provider = $1",
            args![after.id],
        )
        .await?;
    }
    let (action, id) = ("update_login_provider", after.id.public());
    let mut detail = changes(&told(&before.settings), &told(settings));
    if settings.client_secret.is_some() {
        detail["client_secret"] = "changed".into();
    }
    tx.account_audit(actor, after.organization, action, "login_provider", &id, &detail)
        .await?;
    Ok(after)
}
