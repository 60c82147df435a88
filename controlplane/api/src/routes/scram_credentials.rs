//! SCRAM credentials: user names of a cluster, with a password that is shown once.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::Role;
use firn_catalog::account::scram_credentials::{NewScramCredential, ScramCredential, ScramFilter};
use firn_catalog::ids::{ClusterId, ScramCredentialId, ServiceAccountId};
use firn_secrets::scram::Mechanism;
use firn_secrets::token;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::credentials::{ClientSettings, body_id, expiry, page_of};
use crate::rules::{Body, Caller, Ids, Listing, Moment, Paging, Problem, Query, Write, ok};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list_scram_credentials, create_scram_credential))
        .routes(routes!(get_scram_credential, revoke_scram_credential))
}

/// A SCRAM credential, without its password.
#[derive(Serialize, ToSchema)]
#[schema(as = ScramCredential)]
struct Credential {
    /// The id.
    #[schema(pattern = "^scr_[a-h][a-z2-7]{25}$")]
    id: String,
    /// Where it holds.
    #[schema(pattern = "^clu_[a-h][a-z2-7]{25}$")]
    cluster: String,
    /// Whose it is; null of a user that Kafka's own tools made.
    #[schema(pattern = "^sa_[a-h][a-z2-7]{25}$")]
    service_account: Option<String>,
    /// The user name that clients send.
    #[schema(min_length = 1, max_length = 255)]
    username: String,
    /// Whether the name was made up, and so works without the cluster's own host name.
    generated: bool,
    /// With which mechanisms it works.
    #[schema(value_type = Vec<String>)]
    mechanisms: Vec<&'static str>,
    /// The roles that it acts with, beside ACLs. A user that Kafka's own tools made has one only if it is from before there were ACLs, and
    /// until it is altered next.
    #[schema(value_type = Vec<String>)]
    roles: Vec<&'static str>,
    /// When it was made.
    created_at: Moment,
    /// From when on it does not hold.
    expires_at: Option<Moment>,
    /// When it was last used, to the minute.
    last_used_at: Option<Moment>,
}

impl From<ScramCredential> for Credential {
    fn from(credential: ScramCredential) -> Self {
        Self {
            id: credential.id.public(),
            cluster: credential.cluster.public(),
            service_account: credential.service_account.map(ServiceAccountId::public),
            username: credential.username,
            generated: credential.generated,
            mechanisms: credential.mechanisms.into_iter().map(Mechanism::name).collect(),
            roles: credential.roles.iter().map(Role::name).collect(),
            created_at: Moment(credential.created_at),
            expires_at: credential.expires_at.map(Moment),
            last_used_at: credential.last_used_at.map(Moment),
        }
    }
}

/// A new SCRAM credential, with its password.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedScramCredential)]
struct CreatedCredential {
    #[serde(flatten)]
    credential: Credential,
    /// The password. It is shown here and never again; null in a dry run.
    #[schema(pattern = "^[!-~]{16,200}$")]
    secret: Option<String>,
    /// What a Kafka client is set to.
    client: Option<ClientSettings>,
}

/// A SCRAM credential to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewScramCredential)]
struct NewCredential {
    /// Whose it is to be: a service account of the cluster's project.
    #[schema(pattern = "^sa_[a-h][a-z2-7]{25}$")]
    service_account: String,
    /// The user name. One that the service account has in the cluster already gets a second password, beside the first; left out: a
    /// name is made up.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 255)]
    username: Option<String>,
    /// From when on it does not hold; left out: it holds until it is revoked.
    #[serde(default)]
    #[schema(format = DateTime, max_length = 40)]
    expires_at: Option<String>,
    /// The password, for whoever must know it before the credential is made: random, of 16 to 200 visible ASCII characters. Left out: the
    /// service makes one of 256 random bits.
    #[serde(default)]
    #[schema(pattern = "^[!-~]{16,200}$", format = "password")]
    password: Option<String>,
}

/// The fewest different characters of a password that somebody brings.
const FEWEST_CHARACTERS: usize = 8;

/// The password of a new credential.
fn password_of(api: &Api, brought: Option<String>) -> Result<Zeroizing<String>, Problem> {
    let Some(password) = brought.map(Zeroizing::new) else {
        return Ok(token::generate(&*api.env.random));
    };
    let bytes = password.as_bytes();
    let different = (b'!'..=b'~')
        .filter(|character| bytes.contains(character))
        .count();
    if !(16..=200).contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_graphic) {
        let reason = "it must have 16 to 200 visible ASCII characters";
        return Err(Problem::invalid("/password", reason));
    }
    if different < FEWEST_CHARACTERS {
        return Err(Problem::invalid(
            "/password",
            "it must be random: too few of its characters differ",
        ));
    }
    Ok(password)
}

fn place(cluster: ClusterId, id: ScramCredentialId) -> String {
    format!(
        "/v1/clusters/{}/scram-credentials/{}",
        cluster.public(),
        id.public()
    )
}

/// List SCRAM credentials
///
/// Those of a cluster, in the order of their ids, also of users that Kafka's own tools made.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/scram-credentials", tag = "credentials",
    params(
        ("service_account" = Option<String>, Query, description = "Those of this service account", pattern = "^sa_[a-h][a-z2-7]{25}$"),
        ("username" = Option<String>, Query, description = "Those with this user name", max_length = 300),
        ("page_size" = Option<i64>, Query, description = "How many items a page has at most", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the one before", max_length = 2000),
    ),
    responses((status = 200, body = Listing<Credential>))
)]
async fn list_scram_credentials(
    State(api): State<Api>,
    caller: Caller,
    paging: Paging,
    Ids(cluster): Ids<ClusterId>,
    query: Query,
) -> Result<Response, Problem> {
    let filter = ScramFilter {
        service_account: query.id(
            "service_account",
            "service account",
            ServiceAccountId::from_public,
        )?,
        username: query.text("username")?.map(str::to_owned),
    };
    let (after, most) = page_of(&paging)?;
    let rows = api
        .catalog
        .scram_credentials(&caller.actor(), cluster, &filter, after, most)
        .await?;
    Ok(ok(paging.page(rows, |row| row.id.to_string(), Credential::from)))
}

/// Create a SCRAM credential
///
/// The password is in this answer alone, and works with SCRAM-SHA-256 and SCRAM-SHA-512. For rotation, a user name can have two at once.
#[utoipa::path(
    post, path = "/v1/clusters/{cluster}/scram-credentials", tag = "credentials",
    request_body = NewCredential,
    responses(
        (status = 201, description = "It is in force", body = CreatedCredential, headers(("Location", description = "The credential"))),
        (status = 202, description = "It is made, and not every broker knows yet", body = CreatedCredential,
            headers(("Location", description = "The operation that tells when they do"))),
    )
)]
async fn create_scram_credential(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids(cluster): Ids<ClusterId>,
    Body(body): Body<NewCredential>,
) -> Result<Response, Problem> {
    let actor = caller.actor();
    let new = NewScramCredential {
        cluster,
        service_account: body_id(
            "/service_account",
            &body.service_account,
            ServiceAccountId::from_public,
        )?,
        username: body.username,
        expires_at: expiry(body.expires_at.as_deref())?,
    };
    let password = password_of(&api, body.password)?;
    let committed = api
        .catalog
        .create_scram_credential(&actor, &new, &password, &api.secrets, write.rehearsal)
        .await?;
    let credential = committed.value;
    let place = place(cluster, credential.id);
    let in_force = api
        .in_force(&caller, "create_scram_credential", &place, committed.sequence)
        .await?;
    let client = match write.rehearsal {
        false => {
            let login = (
                Mechanism::Sha512.name(),
                credential.username.as_str(),
                password.as_str(),
            );
            Some(ClientSettings::of(&api, &actor, cluster, login).await?)
        }
        true => None,
    };
    let shown = CreatedCredential {
        credential: credential.into(),
        secret: (!write.rehearsal).then(|| password.to_string()),
        client,
    };
    Ok(in_force.created(shown, place, None))
}

/// Get a SCRAM credential
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/scram-credentials/{scram_credential}", tag = "credentials",
    responses((status = 200, body = Credential))
)]
async fn get_scram_credential(
    State(api): State<Api>,
    caller: Caller,
    Ids((cluster, id)): Ids<(ClusterId, ScramCredentialId)>,
) -> Result<Response, Problem> {
    let credential = api.catalog.scram_credential(&caller.actor(), cluster, id).await?;
    Ok(ok(Credential::from(credential)))
}

/// Revoke a SCRAM credential
///
/// Connections that use it are closed.
#[utoipa::path(
    delete, path = "/v1/clusters/{cluster}/scram-credentials/{scram_credential}", tag = "credentials",
    responses(
        (status = 204, description = "It is revoked"),
        (status = 202, description = "It is revoked, and not every broker knows yet", body = Credential,
            headers(("Location", description = "The operation that tells when they do"))),
    )
)]
async fn revoke_scram_credential(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids((cluster, id)): Ids<(ClusterId, ScramCredentialId)>,
) -> Result<Response, Problem> {
    let committed = api
        .catalog
        .revoke_scram_credential(&caller.actor(), cluster, id, write.rehearsal)
        .await?;
    let place = place(cluster, id);
    let in_force = api
        .in_force(&caller, "revoke_scram_credential", &place, committed.sequence)
        .await?;
    Ok(in_force.deleted(Credential::from(committed.value)))
}
