//! The identity providers of an organization.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::account::{LoginProvider, LoginProviderSettings, Sealed};
use firn_catalog::ids::{LoginProviderId, OrganizationId};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::signup::require_name;
use crate::oidc::CLIENT_SECRET;
use crate::rules::{
    Body, Caller, Ids, Listing, Moment, Paging, Problem, Write, created, deleted, ok, ok_with_etag,
};
use crate::state::Api;

/// The most domains of one provider.
const MAX_DOMAINS: usize = 20;
/// The longest client id or secret.
const MAX_CLIENT: usize = 500;

/// A provider to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLoginProvider {
    /// The name that people see.
    #[schema(min_length = 1, max_length = 100, example = "Okta")]
    name: String,
    /// The issuer, exactly as the provider's tokens name it: https.
    #[schema(max_length = 500, format = "uri", example = "https://login.example.com")]
    issuer: String,
    /// This service's client id at the provider.
    #[schema(min_length = 1, max_length = 500)]
    client_id: String,
    /// This service's client secret at the provider. It is never shown again.
    #[schema(min_length = 1, max_length = 500, format = "password")]
    client_secret: String,
    /// The domains of the addresses that the provider speaks for; empty: any address that it has verified.
    #[schema(max_items = 20)]
    #[serde(default)]
    allowed_domains: Vec<String>,
}

/// What changes of a provider; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginProviderChange {
    /// The name that people see.
    #[schema(min_length = 1, max_length = 100)]
    #[serde(default)]
    name: Option<String>,
    /// The issuer. Another one needs its client secret, and forgets whom the old one knew.
    #[schema(max_length = 500, format = "uri")]
    #[serde(default)]
    issuer: Option<String>,
    /// This service's client id at the provider.
    #[schema(min_length = 1, max_length = 500)]
    #[serde(default)]
    client_id: Option<String>,
    /// This service's client secret at the provider.
    #[schema(min_length = 1, max_length = 500, format = "password")]
    #[serde(default)]
    client_secret: Option<String>,
    /// The domains of the addresses that the provider speaks for.
    #[schema(max_items = 20)]
    #[serde(default)]
    allowed_domains: Option<Vec<String>>,
}

/// An identity provider of an organization.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoginProviderResource {
    /// The id.
    #[schema(pattern = "^idp_[a-h][a-z2-7]{25}$")]
    id: String,
    /// Whose it is.
    #[schema(pattern = "^org_[a-h][a-z2-7]{25}$")]
    organization: String,
    /// The name that people see.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// The issuer.
    #[schema(max_length = 500)]
    issuer: String,
    /// This service's client id at the provider.
    #[schema(max_length = 500)]
    client_id: String,
    /// The domains of the addresses that the provider speaks for.
    allowed_domains: Vec<String>,
    /// Where the provider must send people back to.
    redirect_uri: String,
    /// Where people begin to log in.
    login_url: String,
    /// When it was added.
    created_at: Moment,
}

fn shown(api: &Api, provider: &LoginProvider) -> LoginProviderResource {
    let settings = provider.settings.clone();
    let id = provider.id.public();
    let base = api.settings.public_url.as_str().trim_end_matches('/');
    LoginProviderResource {
        login_url: format!("{base}/v1/oidc/start?provider={id}"),
        id,
        organization: provider.organization.public(),
        name: settings.name,
        issuer: settings.issuer,
        client_id: settings.client_id,
        allowed_domains: settings.allowed_domains,
        redirect_uri: super::oidc::redirect_uri(api),
        created_at: Moment(provider.created_at),
    }
}

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(create_login_provider, list_login_providers))
        .routes(routes!(
            get_login_provider,
            update_login_provider,
            delete_login_provider
        ))
}

fn require_issuer(api: &Api, text: &str) -> Result<(), Problem> {
    let url: Option<Url> = text.parse().ok().filter(|_| text.len() <= 500);
    let permitted = |url: &Url| api.accounts().outbound.permits(url) && url.query().is_none();
    match url.as_ref().is_some_and(permitted) {
        true => Ok(()),
        false => Err(Problem::invalid(
            "/issuer",
            "it must be an https URL on the public internet, without user, query or fragment",
        )),
    }
}

fn require_client(pointer: &'static str, text: &str) -> Result<(), Problem> {
    let fits = (1..=MAX_CLIENT).contains(&text.len()) && text.bytes().all(|b| (b' '..=b'~').contains(&b));
    match fits {
        true => Ok(()),
        false => Err(Problem::invalid(
            pointer,
            format!("it must have 1 to {MAX_CLIENT} ASCII characters"),
        )),
    }
}

/// The domains in lower case, each once.
fn require_domains(domains: &[String]) -> Result<Vec<String>, Problem> {
    if domains.len() > MAX_DOMAINS {
        return Err(Problem::invalid(
            "/allowed_domains",
            format!("there may be at most {MAX_DOMAINS}"),
        ));
    }
    let mut known = Vec::new();
    for (place, domain) in domains.iter().enumerate() {
        let domain = domain.trim().to_lowercase();
        if domain.len() > 253 || firn_catalog::account::normalize_email(&format!("x@{domain}")).is_none() {
            return Err(Problem::invalid(
                format!("/allowed_domains/{place}"),
                "it must be a domain such as example.com",
            ));
        }
        if !known.contains(&domain) {
            known.push(domain);
        }
    }
    Ok(known)
}

fn sealed(api: &Api, secret: String) -> Result<Sealed, Problem> {
    let secret = Zeroizing::new(secret);
    require_client("/client_secret", &secret)?;
    Ok(Sealed(api.secrets.seal(
        CLIENT_SECRET,
        secret.as_bytes(),
        &*api.env.random,
    )))
}

/// Add a login provider
#[utoipa::path(
    post, path = "/v1/organizations/{organization}/login-providers", tag = "people",
    request_body = NewLoginProvider,
    responses((status = 201, description = "Added", body = LoginProviderResource))
)]
async fn create_login_provider(
    State(api): State<Api>,
    caller: Caller,
    Ids(organization): Ids<OrganizationId>,
    write: Write,
    Body(body): Body<NewLoginProvider>,
) -> Result<Response, Problem> {
    require_issuer(&api, &body.issuer)?;
    require_client("/client_id", &body.client_id)?;
    let settings = LoginProviderSettings {
        name: require_name("/name", &body.name)?,
        issuer: body.issuer,
        client_id: body.client_id,
        client_secret: Some(sealed(&api, body.client_secret)?),
        allowed_domains: require_domains(&body.allowed_domains)?,
    };
    let provider = api
        .catalog
        .create_login_provider(&caller.actor(), organization, &settings, write.rehearsal)
        .await?;
    let location = format!(
        "/v1/organizations/{}/login-providers/{}",
        organization.public(),
        provider.id.public()
    );
    Ok(created(shown(&api, &provider), location, Some(provider.version)))
}

/// List login providers
#[utoipa::path(
    get, path = "/v1/organizations/{organization}/login-providers", tag = "people",
    responses((status = 200, description = "The oldest first", body = Listing<LoginProviderResource>))
)]
async fn list_login_providers(
    State(api): State<Api>,
    caller: Caller,
    Ids(organization): Ids<OrganizationId>,
    paging: Paging,
) -> Result<Response, Problem> {
    let providers = api.catalog.login_providers(&caller.actor(), organization).await?;
    let position = |provider: &LoginProvider| format!("{:020}.{}", provider.created_at.0, provider.id);
    let rows = usize::try_from(paging.rows()).unwrap_or(usize::MAX);
    let later = |provider: &LoginProvider| {
        paging
            .after
            .as_ref()
            .is_none_or(|after| position(provider) > *after)
    };
    let page = providers.into_iter().filter(later).take(rows).collect();
    Ok(ok(paging.page(page, position, |provider| shown(&api, &provider))))
}

async fn find(
    api: &Api,
    caller: &Caller,
    organization: OrganizationId,
    id: LoginProviderId,
) -> Result<LoginProvider, Problem> {
    let providers = api.catalog.login_providers(&caller.actor(), organization).await?;
    let found = providers.into_iter().find(|provider| provider.id == id);
    found.ok_or_else(|| Problem::missing("login provider"))
}

/// Get a login provider
#[utoipa::path(
    get, path = "/v1/organizations/{organization}/login-providers/{provider}", tag = "people",
    responses((status = 200, body = LoginProviderResource))
)]
async fn get_login_provider(
    State(api): State<Api>,
    caller: Caller,
    Ids((organization, id)): Ids<(OrganizationId, LoginProviderId)>,
) -> Result<Response, Problem> {
    let provider = find(&api, &caller, organization, id).await?;
    Ok(ok_with_etag(shown(&api, &provider), provider.version))
}

/// Change a login provider
#[utoipa::path(
    patch, path = "/v1/organizations/{organization}/login-providers/{provider}", tag = "people",
    params(("If-Match" = String, Header, description = "The ETag that was read last, or *")),
    request_body = LoginProviderChange,
    responses((status = 200, body = LoginProviderResource))
)]
async fn update_login_provider(
    State(api): State<Api>,
    caller: Caller,
    Ids((organization, id)): Ids<(OrganizationId, LoginProviderId)>,
    write: Write,
    Body(body): Body<LoginProviderChange>,
) -> Result<Response, Problem> {
    let write = write.versioned()?;
    let before = find(&api, &caller, organization, id).await?;
    // What is left out is filled in from what was read: nobody else's change may come between.
    let expected = write.expected.or(Some(before.version));
    let mut settings = before.settings;
    settings.client_secret = body
        .client_secret
        .map(|secret| sealed(&api, secret))
        .transpose()?;
    if let Some(name) = body.name {
        settings.name = require_name("/name", &name)?;
    }
    if let Some(issuer) = body.issuer {
        require_issuer(&api, &issuer)?;
        settings.issuer = issuer;
    }
    if let Some(client_id) = body.client_id {
        require_client("/client_id", &client_id)?;
        settings.client_id = client_id;
    }
    if let Some(domains) = body.allowed_domains {
        settings.allowed_domains = require_domains(&domains)?;
    }
    let provider = api
        .catalog
        .update_login_provider(
            &caller.actor(),
            (organization, id),
            &settings,
            expected,
            write.rehearsal,
        )
        .await?;
    Ok(ok_with_etag(shown(&api, &provider), provider.version))
}

/// Remove a login provider
///
/// Who logged in through it only has to choose a password by mail.
#[utoipa::path(
    delete, path = "/v1/organizations/{organization}/login-providers/{provider}", tag = "people",
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read last")),
    responses((status = 204, description = "Removed"))
)]
async fn delete_login_provider(
    State(api): State<Api>,
    caller: Caller,
    Ids((organization, id)): Ids<(OrganizationId, LoginProviderId)>,
    write: Write,
) -> Result<Response, Problem> {
    api.catalog
        .delete_login_provider(
            &caller.actor(),
            (organization, id),
            write.expected,
            write.rehearsal,
        )
        .await?;
    Ok(deleted())
}
