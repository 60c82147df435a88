//! API keys of service accounts.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::account::api_keys::{ApiKey, KeyDigest, KeysOf, NewApiKey};
use firn_catalog::ids::{ApiKeyId, ClusterId, ProjectId, ServiceAccountId};
use firn_secrets::api_key::{self, ApiKeyText};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::credentials::{ClientSettings, body_id, expiry, page_of};
use crate::rules::{Body, Caller, Ids, Listing, Moment, Paging, Problem, Query, Write, bearer, ok};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list_api_keys, create_api_key))
        .routes(routes!(get_api_key, revoke_api_key))
}

/// An API key, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
struct Key {
    /// The id; also the user name of SASL/PLAIN.
    #[schema(pattern = "^key_[a-h][a-z2-7]{25}$")]
    id: String,
    /// Whose it is.
    #[schema(pattern = "^sa_[a-h][a-z2-7]{25}$")]
    service_account: String,
    /// The cluster in which Kafka clients may use it; REST takes it anyway.
    #[schema(pattern = "^clu_[a-h][a-z2-7]{25}$")]
    cluster: Option<String>,
    /// The name.
    #[schema(max_length = 100)]
    name: String,
    /// When it was made.
    created_at: Moment,
    /// From when on it does not hold.
    expires_at: Option<Moment>,
    /// When it was last used, to the minute.
    last_used_at: Option<Moment>,
}

impl From<ApiKey> for Key {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id.public(),
            service_account: key.service_account.public(),
            cluster: key.cluster.map(ClusterId::public),
            name: key.name,
            created_at: Moment(key.created_at),
            expires_at: key.expires_at.map(Moment),
            last_used_at: key.last_used_at.map(Moment),
        }
    }
}

/// A new API key, with its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedApiKey)]
struct CreatedKey {
    #[serde(flatten)]
    key: Key,
    /// The whole key. It is shown here and never again; null in a dry run.
    #[schema(pattern = "^firn_live_[a-z2-7]{26}_[a-z2-7]{52}_[0-9a-f]{8}$")]
    secret: Option<String>,
    /// What a Kafka client is set to, if the key is for a cluster.
    client: Option<ClientSettings>,
}

/// An API key to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewApiKey)]
struct NewKey {
    /// Whose it is to be.
    #[schema(pattern = "^sa_[a-h][a-z2-7]{25}$")]
    service_account: String,
    /// The cluster in which Kafka clients may use it, in the service account's project; left out: it is for REST alone.
    #[serde(default)]
    #[schema(pattern = "^clu_[a-h][a-z2-7]{25}$")]
    cluster: Option<String>,
    /// The name.
    #[serde(default)]
    #[schema(max_length = 100)]
    name: String,
    /// From when on it does not hold; left out: it holds until it is revoked.
    #[serde(default)]
    #[schema(format = DateTime, max_length = 40)]
    expires_at: Option<String>,
    /// The random part of the key, for whoever must have it before the key is made, as Terraform does: 256 random bits in 52 characters
    /// of base32. The rest of the key follows from its id. Left out: the service makes it.
    #[serde(default)]
    #[schema(pattern = "^[a-z2-7]{52}$", format = "password")]
    random: Option<String>,
}

/// The text of a new key.
fn text_of(api: &Api, id: ApiKeyId, random: Option<String>) -> Result<ApiKeyText, Problem> {
    let Some(random) = random.map(Zeroizing::new) else {
        return Ok(api_key::generate(id.0, &*api.env.random));
    };
    let reason = "it must be 256 random bits, as 52 characters from a to z and from 2 to 7";
    api_key::with_random(id.0, &random).ok_or_else(|| Problem::invalid("/random", reason))
}

fn place(id: ApiKeyId) -> String {
    format!("/v1/api-keys/{}", id.public())
}

/// List API keys
///
/// Those of a project or of a service account that are not revoked, in the order of their ids.
#[utoipa::path(
    get, path = "/v1/api-keys", tag = "credentials",
    params(
        ("project" = Option<String>, Query, description = "All of this project; this or service_account", pattern = "^prj_[a-h][a-z2-7]{25}$"),
        ("service_account" = Option<String>, Query, description = "Those of this service account", pattern = "^sa_[a-h][a-z2-7]{25}$"),
        ("cluster" = Option<String>, Query, description = "Those that work in this cluster", pattern = "^clu_[a-h][a-z2-7]{25}$"),
        ("page_size" = Option<i64>, Query, description = "How many items a page has at most", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the one before", max_length = 2000),
    ),
    responses((status = 200, body = Listing<Key>), (status = 404, body = crate::rules::ProblemBody, content_type = "application/problem+json", description = "There is no such project or service account"))
)]
async fn list_api_keys(
    State(api): State<Api>,
    caller: Caller,
    paging: Paging,
    query: Query,
) -> Result<Response, Problem> {
    let project = query.id("project", "project", ProjectId::from_public)?;
    let account = query.id(
        "service_account",
        "service account",
        ServiceAccountId::from_public,
    )?;
    let of = match (project, account) {
        (Some(project), None) => KeysOf::Project(project),
        (None, Some(account)) => KeysOf::ServiceAccount(account),
        _ => {
            return Err(Problem::bad_request(
                "give project or service_account, and not both",
            ));
        }
    };
    let cluster = query.id("cluster", "cluster", ClusterId::from_public)?;
    let (after, most) = page_of(&paging)?;
    let rows = api
        .catalog
        .api_keys(&caller.actor(), of, cluster, after, most)
        .await?;
    Ok(ok(paging.page(rows, |row| row.id.to_string(), Key::from)))
}

/// Create an API key
///
/// The secret is in this answer alone. For rotation, two keys of a service account for the same cluster can be active at once.
#[utoipa::path(
    post, path = "/v1/api-keys", tag = "credentials",
    request_body = NewKey,
    responses(
        (status = 201, description = "It is in force", body = CreatedKey, headers(("Location", description = "The key"))),
        (status = 202, description = "It is made, and not every broker knows yet", body = CreatedKey,
            headers(("Location", description = "The operation that tells when they do"))),
    )
)]
async fn create_api_key(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Body(body): Body<NewKey>,
) -> Result<Response, Problem> {
    let actor = caller.actor();
    let id = ApiKeyId(api.env.random_u128());
    let text = text_of(&api, id, body.random)?;
    let cluster = body
        .cluster
        .as_deref()
        .map(|text| body_id("/cluster", text, ClusterId::from_public));
    let new = NewApiKey {
        id,
        service_account: body_id(
            "/service_account",
            &body.service_account,
            ServiceAccountId::from_public,
        )?,
        cluster: cluster.transpose()?,
        name: body.name,
        digest: KeyDigest(bearer::digest(&api.secrets, text.as_str())),
        expires_at: expiry(body.expires_at.as_deref())?,
    };
    let committed = api.catalog.create_api_key(&actor, new, write.rehearsal).await?;
    let in_force = api
        .in_force(&caller, "create_api_key", &place(id), committed.sequence)
        .await?;
    let key = committed.value;
    let client = match key.cluster.filter(|_| !write.rehearsal) {
        Some(cluster) => {
            let login = ("PLAIN", key.id.public());
            let login = (login.0, login.1.as_str(), text.as_str());
            Some(ClientSettings::of(&api, &actor, cluster, login).await?)
        }
        None => None,
    };
    let shown = CreatedKey {
        key: key.into(),
        secret: (!write.rehearsal).then(|| text.as_str().to_owned()),
        client,
    };
    Ok(in_force.created(shown, place(id), None))
}

/// Get an API key
#[utoipa::path(get, path = "/v1/api-keys/{api_key}", tag = "credentials", responses((status = 200, body = Key)))]
async fn get_api_key(
    State(api): State<Api>,
    caller: Caller,
    Ids(id): Ids<ApiKeyId>,
) -> Result<Response, Problem> {
    Ok(ok(Key::from(api.catalog.api_key(&caller.actor(), id).await?)))
}

/// Revoke an API key
///
/// Tokens that it was traded for stop with it, and connections that use it are closed.
#[utoipa::path(
    delete, path = "/v1/api-keys/{api_key}", tag = "credentials",
    responses(
        (status = 204, description = "It is revoked"),
        (status = 202, description = "It is revoked, and not every broker knows yet", body = Key,
            headers(("Location", description = "The operation that tells when they do"))),
    )
)]
async fn revoke_api_key(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids(id): Ids<ApiKeyId>,
) -> Result<Response, Problem> {
    let committed = api
        .catalog
        .revoke_api_key(&caller.actor(), id, write.rehearsal)
        .await?;
    api.tokens().in_force.forget(id);
    let in_force = api
        .in_force(&caller, "revoke_api_key", &place(id), committed.sequence)
        .await?;
    Ok(in_force.deleted(Key::from(committed.value)))
}
