//! The identity providers of a cluster: whose tokens its Kafka clients may show (OAUTHBEARER).

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::commands::{Committed, PutIdentityProvider, RemoveIdentityProvider};
use firn_catalog::ids::{ClusterId, IdentityProviderId};
use firn_catalog::trust::{IdentityProvider, IdentityProviderBody, MAX_URL};
use serde::{Deserialize, Deserializer, Serialize};
use url::Url;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::topics::{Place, seen};
use crate::rules::{Body, Caller, Ids, Listing, Moment, Paging, Problem, Write, ok, ok_with_etag};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list_identity_providers, create_identity_provider))
        .routes(routes!(
            get_identity_provider,
            update_identity_provider,
            delete_identity_provider
        ))
}

/// An identity provider to trust.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewIdentityProvider {
    /// The name that people see, unique in the cluster.
    #[schema(min_length = 1, max_length = 100, example = "Okta")]
    name: String,
    /// The `iss` of its tokens, exactly: an https URL. Its metadata is read at `/.well-known/openid-configuration` below it.
    #[schema(
        min_length = 1,
        max_length = 500,
        format = "uri",
        example = "https://login.example.com"
    )]
    issuer: String,
    /// Where its keys are (JWKS); left out or null: where its metadata says.
    #[schema(min_length = 1, max_length = 500, format = "uri")]
    #[serde(default)]
    jwks_url: Option<String>,
    /// Of these a token's `aud` must contain one.
    #[schema(min_items = 1, max_items = 10)]
    audiences: Vec<String>,
    /// The claim that names the client; left out: `sub`.
    #[schema(min_length = 1, max_length = 100, example = "sub", required = false)]
    #[serde(default = "principal_claim")]
    principal_claim: String,
    /// How the claim becomes the name after `User:`, in the syntax of Kafka's `ssl.principal.mapping.rules`; left out: as it is.
    #[schema(min_length = 1, max_length = 4096, example = "DEFAULT", required = false)]
    #[serde(default = "mapping_rules")]
    mapping_rules: String,
    /// By how much its clock may differ, in seconds; left out: 30.
    #[schema(minimum = 0, maximum = 300, required = false)]
    #[serde(default = "clock_skew_seconds")]
    clock_skew_seconds: i64,
}

fn principal_claim() -> String {
    "sub".to_owned()
}

fn mapping_rules() -> String {
    "DEFAULT".to_owned()
}

fn clock_skew_seconds() -> i64 {
    30
}

/// What changes of a provider; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct IdentityProviderChange {
    /// The name that people see.
    #[schema(min_length = 1, max_length = 100)]
    #[serde(default)]
    name: Option<String>,
    /// The `iss` of its tokens, exactly.
    #[schema(min_length = 1, max_length = 500, format = "uri")]
    #[serde(default)]
    issuer: Option<String>,
    /// Where its keys are; null: where its metadata says.
    #[schema(min_length = 1, max_length = 500, format = "uri", value_type = Option<String>, required = false)]
    #[serde(default, deserialize_with = "given")]
    jwks_url: Option<Option<String>>,
    /// Of these a token's `aud` must contain one.
    #[schema(min_items = 1, max_items = 10)]
    #[serde(default)]
    audiences: Option<Vec<String>>,
    /// The claim that names the client.
    #[schema(min_length = 1, max_length = 100)]
    #[serde(default)]
    principal_claim: Option<String>,
    /// How the claim becomes the name after `User:`.
    #[schema(min_length = 1, max_length = 4096)]
    #[serde(default)]
    mapping_rules: Option<String>,
    /// By how much its clock may differ, in seconds.
    #[schema(minimum = 0, maximum = 300)]
    #[serde(default)]
    clock_skew_seconds: Option<i64>,
}

/// Tells null, which is a value, from what is left out.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl IdentityProviderChange {
    fn apply(self, before: &IdentityProvider) -> (String, IdentityProviderBody) {
        let body = before.body.clone();
        let changed = IdentityProviderBody {
            issuer: self.issuer.unwrap_or(body.issuer),
            jwks_url: self.jwks_url.unwrap_or(body.jwks_url),
            audiences: self.audiences.unwrap_or(body.audiences),
            principal_claim: self.principal_claim.unwrap_or(body.principal_claim),
            mapping_rules: self.mapping_rules.unwrap_or(body.mapping_rules),
            clock_skew_seconds: self.clock_skew_seconds.unwrap_or(body.clock_skew_seconds),
        };
        (self.name.unwrap_or_else(|| before.name.clone()), changed)
    }
}

/// An identity provider whose tokens a cluster takes.
#[derive(Serialize, ToSchema)]
#[schema(as = IdentityProvider)]
struct IdentityProviderResource {
    /// The id.
    #[schema(pattern = "^iss_[a-h][a-z2-7]{25}$")]
    id: String,
    /// Whose clients it knows.
    #[schema(pattern = "^clu_[a-h][a-z2-7]{25}$")]
    cluster: String,
    /// The name that people see.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// The `iss` of its tokens, exactly.
    #[schema(max_length = 500)]
    issuer: String,
    /// Where its keys are; null: where its metadata says.
    #[schema(max_length = 500)]
    jwks_url: Option<String>,
    /// Of these a token's `aud` must contain one.
    audiences: Vec<String>,
    /// The claim that names the client.
    #[schema(max_length = 100)]
    principal_claim: String,
    /// How the claim becomes the name after `User:`.
    #[schema(max_length = 4096)]
    mapping_rules: String,
    /// By how much its clock may differ, in seconds.
    #[schema(minimum = 0, maximum = 300)]
    clock_skew_seconds: i64,
    /// When it was added.
    created_at: Moment,
}

impl From<&IdentityProvider> for IdentityProviderResource {
    fn from(provider: &IdentityProvider) -> Self {
        let body = provider.body.clone();
        Self {
            id: provider.id.public(),
            cluster: provider.cluster.public(),
            name: provider.name.clone(),
            issuer: body.issuer,
            jwks_url: body.jwks_url,
            audiences: body.audiences,
            principal_claim: body.principal_claim,
            mapping_rules: body.mapping_rules,
            clock_skew_seconds: body.clock_skew_seconds,
            created_at: Moment(provider.created_at),
        }
    }
}

fn location(cluster: ClusterId, id: IdentityProviderId) -> String {
    format!(
        "/v1/clusters/{}/identity-providers/{}",
        cluster.public(),
        id.public()
    )
}

fn all(place: &Place) -> Vec<IdentityProvider> {
    let access = place.image.access(place.cluster);
    let providers = access.into_iter().flat_map(|access| access.identity_providers());
    providers.map(|provider| provider.as_ref().clone()).collect()
}

fn find(place: &Place, id: IdentityProviderId) -> Result<IdentityProvider, Problem> {
    let found = all(place).into_iter().find(|provider| provider.id == id);
    found.ok_or_else(|| Problem::missing("identity provider"))
}

/// Refuses URLs that may not be asked.
fn require_urls(api: &Api, body: &IdentityProviderBody) -> Result<(), Problem> {
    let outbound = &api.accounts().outbound;
    let permitted = |text: &str| {
        let url = text.parse::<Url>().ok().filter(|_| text.len() <= MAX_URL);
        url.filter(|url| outbound.permits(url))
    };
    let issuer = permitted(&body.issuer).filter(|url| url.query().is_none());
    let refused = |pointer| {
        Problem::invalid(
            pointer,
            "it must be an https URL on the public internet, without user, query or fragment",
        )
    };
    issuer.ok_or_else(|| refused("/issuer"))?;
    match &body.jwks_url {
        Some(url) if permitted(url).is_none() => Err(refused("/jwks_url")),
        _ => Ok(()),
    }
}

/// Refuses a provider whose keys cannot be had now: a mistake in a URL is found here, and not by the first client.
async fn require_keys(api: &Api, body: &IdentityProviderBody) -> Result<(), Problem> {
    let outbound = &api.accounts().outbound;
    let (metadata, jwks_url) = (body.metadata_url(), body.jwks_url.as_deref());
    let keys = outbound.provider_keys(&body.issuer, &metadata, jwks_url).await;
    let pointer = match jwks_url {
        Some(_) => "/jwks_url",
        None => "/issuer",
    };
    keys.map(drop)
        .map_err(|error| Problem::invalid(pointer, error.to_string()))
}

/// Tries, asks for the keys if they are to be elsewhere, and does it.
async fn put(
    api: &Api,
    place: &Place,
    (mut command, elsewhere): (PutIdentityProvider, bool),
) -> Result<Committed<IdentityProvider>, Problem> {
    require_urls(api, &command.body)?;
    let rehearsal = std::mem::replace(&mut command.validate_only, true);
    let tried = api
        .catalog
        .put_identity_provider(&place.actor, command.clone())
        .await?;
    if elsewhere {
        require_keys(api, &command.body).await?;
    }
    if rehearsal {
        return Ok(tried);
    }
    command.validate_only = false;
    Ok(api.catalog.put_identity_provider(&place.actor, command).await?)
}

/// List identity providers
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/identity-providers", tag = "credentials",
    params(
        ("page_size" = Option<i64>, Query, description = "How many items a page has at most", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the one before", max_length = 2000),
    ),
    responses((status = 200, description = "In the order of their ids", body = Listing<IdentityProviderResource>))
)]
async fn list_identity_providers(
    State(api): State<Api>,
    caller: Caller,
    Ids(cluster): Ids<ClusterId>,
    paging: Paging,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let after = paging.after_id(IdentityProviderId::from_public)?;
    let rows = usize::try_from(paging.rows()).unwrap_or(usize::MAX);
    let mut page = all(&place);
    page.retain(|provider| after.is_none_or(|after| provider.id > after));
    page.truncate(rows);
    let position = |provider: &IdentityProvider| provider.id.public();
    Ok(ok(paging.page(page, position, |provider| {
        IdentityProviderResource::from(&provider)
    })))
}

/// Add an identity provider
///
/// Kafka clients of the cluster may show its tokens (`sasl.mechanism=OAUTHBEARER`) at the cluster's own host name. They have no role:
/// ACLs say what they may do. The provider's keys are read once before it is added.
#[utoipa::path(
    post, path = "/v1/clusters/{cluster}/identity-providers", tag = "credentials",
    request_body = NewIdentityProvider,
    responses(
        (status = 201, description = "It is in force", body = IdentityProviderResource, headers(("Location", description = "The provider"))),
        (status = 202, description = "It is added, and not every broker knows yet", body = IdentityProviderResource,
            headers(("Location", description = "The operation that tells when they do"))),
    )
)]
async fn create_identity_provider(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids(cluster): Ids<ClusterId>,
    Body(body): Body<NewIdentityProvider>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::ManageCredentials).await?;
    let command = PutIdentityProvider {
        cluster,
        id: None,
        name: body.name,
        body: IdentityProviderBody {
            issuer: body.issuer,
            jwks_url: body.jwks_url,
            audiences: body.audiences,
            principal_claim: body.principal_claim,
            mapping_rules: body.mapping_rules,
            clock_skew_seconds: body.clock_skew_seconds,
        },
        expected: None,
        validate_only: write.rehearsal,
    };
    let committed = put(&api, &place, (command, true)).await?;
    let location = location(cluster, committed.value.id);
    let in_force = api
        .in_force(&caller, "create_identity_provider", &location, committed.sequence)
        .await?;
    seen(&api, committed.sequence).await;
    let shown = IdentityProviderResource::from(&committed.value);
    Ok(in_force.created(shown, location, Some(committed.value.version)))
}

/// Get an identity provider
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/identity-providers/{identity_provider}", tag = "credentials",
    responses((status = 200, body = IdentityProviderResource))
)]
async fn get_identity_provider(
    State(api): State<Api>,
    caller: Caller,
    Ids((cluster, id)): Ids<(ClusterId, IdentityProviderId)>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let provider = find(&place, id)?;
    Ok(ok_with_etag(
        IdentityProviderResource::from(&provider),
        provider.version,
    ))
}

/// Change an identity provider
///
/// Connections that have shown one of its tokens are closed; clients come back with the tokens that count then.
#[utoipa::path(
    patch, path = "/v1/clusters/{cluster}/identity-providers/{identity_provider}", tag = "credentials",
    params(("If-Match" = String, Header, description = "The ETag that was read last, or *")),
    request_body = IdentityProviderChange,
    responses(
        (status = 200, description = "It is in force", body = IdentityProviderResource),
        (status = 202, description = "It is changed, and not every broker knows yet", body = IdentityProviderResource,
            headers(("Location", description = "The operation that tells when they do"))),
    )
)]
async fn update_identity_provider(
    State(api): State<Api>,
    caller: Caller,
    Ids((cluster, id)): Ids<(ClusterId, IdentityProviderId)>,
    write: Write,
    Body(body): Body<IdentityProviderChange>,
) -> Result<Response, Problem> {
    let write = write.versioned()?;
    let place = Place::find(&api, &caller, cluster, Permission::ManageCredentials).await?;
    // As the store has it: another process may have made or changed it just now.
    let before = api.catalog.identity_provider(&place.actor, cluster, id).await?;
    let (name, body) = body.apply(&before);
    let places = |body: &IdentityProviderBody| (body.issuer.clone(), body.jwks_url.clone());
    let elsewhere = places(&body) != places(&before.body);
    let command = PutIdentityProvider {
        cluster,
        id: Some(id),
        name,
        body,
        // What is left out is filled in from what was read: nobody else's change may come between.
        expected: write.expected.or(Some(before.version)),
        validate_only: write.rehearsal,
    };
    let committed = put(&api, &place, (command, elsewhere)).await?;
    let location = location(cluster, id);
    let in_force = api
        .in_force(&caller, "update_identity_provider", &location, committed.sequence)
        .await?;
    seen(&api, committed.sequence).await;
    let shown = IdentityProviderResource::from(&committed.value);
    Ok(in_force.changed(shown, Some(committed.value.version)))
}

/// Remove an identity provider
///
/// Connections that have shown one of its tokens are closed.
#[utoipa::path(
    delete, path = "/v1/clusters/{cluster}/identity-providers/{identity_provider}", tag = "credentials",
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read last")),
    responses(
        (status = 204, description = "It is removed"),
        (status = 202, description = "It is removed, and not every broker knows yet", body = IdentityProviderResource,
            headers(("Location", description = "The operation that tells when they do"))),
    )
)]
async fn delete_identity_provider(
    State(api): State<Api>,
    caller: Caller,
    Ids((cluster, id)): Ids<(ClusterId, IdentityProviderId)>,
    write: Write,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::ManageCredentials).await?;
    let command = RemoveIdentityProvider {
        cluster,
        id,
        expected: write.expected,
        validate_only: write.rehearsal,
    };
    let committed = api
        .catalog
        .remove_identity_provider(&place.actor, command)
        .await?;
    let location = location(cluster, id);
    let in_force = api
        .in_force(&caller, "delete_identity_provider", &location, committed.sequence)
        .await?;
    seen(&api, committed.sequence).await;
    Ok(in_force.deleted(IdentityProviderResource::from(&committed.value)))
}
