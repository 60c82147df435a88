//! Pools of certificate authorities: whose client certificates a cluster takes (mTLS), and who such a client then is.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::commands::{Committed, PutCaPool, RemoveCaPool};
use firn_catalog::ids::{CaPoolId, ClusterId};
use firn_catalog::trust::{CaPool, CertificateFacts, NameSource, PrincipalMapping, RevocationListFacts};
use firn_runtime::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::topics::{Place, seen};
use crate::rules::in_force::InForce;
use crate::rules::{Body, Caller, Ids, Listing, Moment, Paging, Problem, Write, ok, ok_with_etag};
use crate::state::Api;

/// How long before its end a certificate is called one that expires soon.
const SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list_ca_pools, create_ca_pool))
        .routes(routes!(get_ca_pool, update_ca_pool, delete_ca_pool))
}

/// Whether a certificate holds.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CaCertificateStatus)]
enum Status {
    /// It does.
    Valid,
    /// It does, for 30 days at most.
    ExpiresSoon,
    /// It does no longer.
    Expired,
}

/// The certificate of an authority.
#[derive(Serialize, ToSchema)]
#[schema(as = CaCertificate)]
struct CertificateView {
    /// In PEM.
    #[schema(max_length = 65536)]
    pem: String,
    /// Whose it is, as RFC 2253 writes it.
    subject: String,
    /// Who issued it.
    issuer: String,
    /// Its number, in hexadecimal digits.
    serial: String,
    /// The SHA-256 digest of its encoding, in hexadecimal digits.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    fingerprint: String,
    /// From when on it holds.
    not_before: Moment,
    /// The last moment at which it holds.
    not_after: Moment,
    /// Whether it holds now.
    status: Status,
}

/// A list of certificates that an authority has revoked.
#[derive(Serialize, ToSchema)]
#[schema(as = CaRevocationList)]
struct RevocationListView {
    /// In PEM.
    #[schema(max_length = 65536)]
    pem: String,
    /// Whose it is.
    issuer: String,
    /// How many certificates it revokes.
    #[schema(minimum = 0)]
    count: usize,
    /// When it was made.
    this_update: Moment,
    /// When its successor is due. A list that is overdue goes on to revoke what it names.
    next_update: Option<Moment>,
}

/// How a client's certificate becomes the name after `User:`.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PrincipalMapping)]
struct MappingView {
    /// What of the certificate the rules are applied to: `subject` (the distinguished name as RFC 2253 writes it), or the first alternative
    /// name of a kind: `san_dns`, `san_email`, `san_uri`.
    #[schema(value_type = String, pattern = "^(subject|san_dns|san_email|san_uri)$")]
    source: NameSource,
    /// Rules in the syntax of Kafka's `ssl.principal.mapping.rules`. `DEFAULT` takes the source as it is.
    #[schema(min_length = 1, max_length = 4096, example = "RULE:^CN=([^,]+).*$/$1/L")]
    rules: String,
}

/// Certificate authorities whose clients a cluster trusts.
#[derive(Serialize, ToSchema)]
#[schema(as = CaPool)]
struct CaPoolView {
    /// The id.
    #[schema(pattern = "^cap_[a-h][a-z2-7]{25}$")]
    id: String,
    /// Whose clients they are.
    #[schema(pattern = "^clu_[a-h][a-z2-7]{25}$")]
    cluster: String,
    /// Its name, unique in the cluster.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// The authorities. Old and new ones stand side by side while clients change over.
    certificates: Vec<CertificateView>,
    /// Revocation lists, each signed by one of the authorities.
    revocation_lists: Vec<RevocationListView>,
    /// How certificates become names.
    mapping: MappingView,
    /// When it was made.
    created_at: Moment,
}

impl CaPoolView {
    fn of(pool: &CaPool, now: Timestamp) -> Result<Self, Problem> {
        let facts = pool.body.facts().map_err(|error| {
            tracing::error!(pool = pool.id.public(), %error, "a stored CA pool cannot be read");
            Problem::internal()
        })?;
        let mapping = pool.body.mapping.clone();
        let certificates = pool.body.certificates.iter().zip(facts.certificates);
        let lists = pool.body.revocation_lists.iter().zip(facts.revocation_lists);
        Ok(Self {
            id: pool.id.public(),
            cluster: pool.cluster.public(),
            name: pool.name.clone(),
            certificates: certificates
                .map(|(pem, facts)| CertificateView::of(pem, facts, now))
                .collect(),
            revocation_lists: lists
                .map(|(pem, facts)| RevocationListView::of(pem, facts))
                .collect(),
            mapping: MappingView {
                source: mapping.source,
                rules: mapping.rules,
            },
            created_at: Moment(pool.created_at),
        })
    }
}

impl CertificateView {
    fn of(pem: &str, facts: CertificateFacts, now: Timestamp) -> Self {
        let status = if facts.not_after < now {
            Status::Expired
        } else if facts.not_after < now.plus(SOON) {
            Status::ExpiresSoon
        } else {
            Status::Valid
        };
        Self {
            pem: pem.to_owned(),
            subject: facts.subject,
            issuer: facts.issuer,
            serial: facts.serial,
            fingerprint: facts.fingerprint,
            not_before: Moment(facts.not_before),
            not_after: Moment(facts.not_after),
            status,
        }
    }
}

impl RevocationListView {
    fn of(pem: &str, facts: RevocationListFacts) -> Self {
        Self {
            pem: pem.to_owned(),
            issuer: facts.issuer,
            count: facts.count,
            this_update: Moment(facts.this_update),
            next_update: facts.next_update.map(Moment),
        }
    }
}

/// A CA pool to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCaPool {
    /// Its name, unique in the cluster.
    #[schema(min_length = 1, max_length = 100, example = "devices")]
    name: String,
    /// The authorities' certificates in PEM, one each. An authority is in one pool of a cluster only.
    #[schema(min_items = 1, max_items = 10)]
    certificates: Vec<String>,
    /// Revocation lists in PEM, one each, signed by these authorities.
    #[serde(default)]
    #[schema(max_items = 10)]
    revocation_lists: Vec<String>,
    /// How certificates become names; left out: the whole subject is the name.
    #[serde(default)]
    mapping: Option<MappingView>,
}

/// What is to change of a CA pool; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CaPoolChange {
    /// Its name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// All authorities that it is to have.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 10)]
    certificates: Option<Vec<String>>,
    /// All revocation lists that it is to have.
    #[serde(default)]
    #[schema(max_items = 10)]
    revocation_lists: Option<Vec<String>>,
    /// How certificates become names.
    #[serde(default)]
    mapping: Option<MappingView>,
}

impl From<MappingView> for PrincipalMapping {
    fn from(view: MappingView) -> Self {
        Self {
            source: view.source,
            rules: view.rules,
        }
    }
}

fn location(cluster: ClusterId, pool: CaPoolId) -> String {
    format!("/v1/clusters/{}/ca-pools/{}", cluster.public(), pool.public())
}

/// A change as it is answered, and whether it is in force: for the brokers, and for whoever reads here next.
async fn settled(
    api: &Api,
    caller: &Caller,
    action: &'static str,
    committed: Committed<CaPool>,
) -> Result<(InForce, CaPoolView, i64), Problem> {
    let Committed { value, sequence } = committed;
    let resource = location(value.cluster, value.id);
    let in_force = api.in_force(caller, action, &resource, sequence).await?;
    seen(api, sequence).await;
    Ok((in_force, CaPoolView::of(&value, api.env.now())?, value.version))
}

/// List CA pools
///
/// Those of a cluster, in the order of their ids.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/ca-pools", tag = "credentials",
    params(
        ("page_size" = Option<i64>, Query, description = "How many items a page has at most", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the one before", max_length = 2000),
    ),
    responses((status = 200, body = Listing<CaPoolView>))
)]
async fn list_ca_pools(
    State(api): State<Api>,
    caller: Caller,
    Ids(cluster): Ids<ClusterId>,
    paging: Paging,
) -> Result<Response, Problem> {
    let after = paging.after_id(CaPoolId::from_public)?;
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let now = api.env.now();
    let pools = place
        .image
        .access(cluster)
        .into_iter()
        .flat_map(|access| access.ca_pools());
    let rows: Vec<_> = pools
        .filter(|pool| after.is_none_or(|after| pool.id > after))
        .take(usize::try_from(paging.rows()).unwrap_or(usize::MAX))
        .map(|pool| CaPoolView::of(pool, now))
        .collect::<Result<_, _>>()?;
    Ok(ok(paging.page(rows, |row| row.id.clone(), |row| row)))
}

/// Make a CA pool
///
/// From when it is in force, Kafka clients of the cluster log in with certificates of these authorities: `security.protocol=SSL`, with the
/// certificate and its key as `ssl.keystore.*` (Java) or `ssl.certificate.location` and `ssl.key.location` (librdkafka). They must connect
/// to the cluster's own host name. Such a client is `User:` and the name that the mapping gives, and may do what ACLs allow that name.
/// Clients without a certificate go on to log in by SASL.
#[utoipa::path(
    post, path = "/v1/clusters/{cluster}/ca-pools", tag = "credentials",
    request_body = NewCaPool,
    responses(
        (status = 201, description = "It is in force", body = CaPoolView, headers(("Location", description = "The pool"), ("ETag", description = "Its version"))),
        (status = 202, description = "It is made, and not every broker knows yet", body = CaPoolView,
            headers(("Location", description = "The operation that tells when they do"), ("ETag", description = "Its version"))),
    )
)]
async fn create_ca_pool(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids(cluster): Ids<ClusterId>,
    Body(body): Body<NewCaPool>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let command = PutCaPool {
        cluster,
        id: None,
        name: Some(body.name),
        certificates: Some(body.certificates),
        revocation_lists: Some(body.revocation_lists),
        mapping: body.mapping.map(PrincipalMapping::from),
        expected: None,
        validate_only: write.rehearsal,
    };
    let committed = api.catalog.put_ca_pool(&place.actor, command).await?;
    let location = location(cluster, committed.value.id);
    let (in_force, pool, version) = settled(&api, &caller, "create_ca_pool", committed).await?;
    Ok(in_force.created(pool, location, Some(version)))
}

/// Get a CA pool
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/ca-pools/{ca_pool}", tag = "credentials",
    responses((status = 200, body = CaPoolView, headers(("ETag", description = "Its version"))))
)]
async fn get_ca_pool(
    State(api): State<Api>,
    caller: Caller,
    Ids((cluster, id)): Ids<(ClusterId, CaPoolId)>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let found = place.image.access(cluster).and_then(|access| access.ca_pool(id));
    let pool = found.ok_or_else(|| Problem::missing("CA pool"))?;
    Ok(ok_with_etag(CaPoolView::of(pool, api.env.now())?, pool.version))
}

/// Change a CA pool
///
/// Connections of clients that it no longer lets in, or under another name, are closed: those of an authority that goes, those whose
/// certificate a new list revokes, those that the mapping names differently.
#[utoipa::path(
    patch, path = "/v1/clusters/{cluster}/ca-pools/{ca_pool}", tag = "credentials",
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read last, or * for whatever is there")),
    request_body = CaPoolChange,
    responses(
        (status = 200, description = "The change is in force", body = CaPoolView, headers(("ETag", description = "Its version"))),
        (status = 202, description = "It is made, and not every broker knows yet", body = CaPoolView,
            headers(("Location", description = "The operation that tells when they do"), ("ETag", description = "Its version"))),
    )
)]
async fn update_ca_pool(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids((cluster, id)): Ids<(ClusterId, CaPoolId)>,
    Body(body): Body<CaPoolChange>,
) -> Result<Response, Problem> {
    let write = write.versioned()?;
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let command = PutCaPool {
        cluster,
        id: Some(id),
        name: body.name,
        certificates: body.certificates,
        revocation_lists: body.revocation_lists,
        mapping: body.mapping.map(PrincipalMapping::from),
        expected: write.expected,
        validate_only: write.rehearsal,
    };
    let committed = api.catalog.put_ca_pool(&place.actor, command).await?;
    let (in_force, pool, version) = settled(&api, &caller, "update_ca_pool", committed).await?;
    Ok(in_force.changed(pool, Some(version)))
}

/// Delete a CA pool
///
/// Connections of clients that it let in are closed.
#[utoipa::path(
    delete, path = "/v1/clusters/{cluster}/ca-pools/{ca_pool}", tag = "credentials",
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read last; without it, whatever is there")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 202, description = "It is deleted, and not every broker knows yet", body = CaPoolView,
            headers(("Location", description = "The operation that tells when they do"))),
    )
)]
async fn delete_ca_pool(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids((cluster, id)): Ids<(ClusterId, CaPoolId)>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let command = RemoveCaPool {
        cluster,
        id,
        expected: write.expected,
        validate_only: write.rehearsal,
    };
    let committed = api.catalog.remove_ca_pool(&place.actor, command).await?;
    let (in_force, pool, _) = settled(&api, &caller, "delete_ca_pool", committed).await?;
    Ok(in_force.deleted(pool))
}
