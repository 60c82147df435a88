//! Client quotas of a cluster. Reads are answered from the image; writes are the command that Kafka's AlterClientQuotas runs, for
//! the caller as a user of the cluster.

mod bodies;

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::commands::{AlterQuotas, Committed, DeleteQuotas};
use firn_catalog::ids::{ClusterId, QuotaId};
use firn_catalog::quota::{self, Named, QuotaEntity, QuotaKey, QuotaValues};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) use self::bodies::EntityBody;
use self::bodies::{QuotaBody, WantedBody};
use super::topics::{Place, seen};
use crate::rules::in_force::InForce;
use crate::rules::{Body, Caller, Ids, Listing, Paging, Problem, Query, Write, ok, ok_with_etag};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list_quotas, set_quotas))
        .routes(routes!(get_quota, delete_quota))
}

/// The names that an entity must have.
struct Filter {
    user: Option<String>,
    client: Option<String>,
    address: Option<IpAddr>,
}

impl Filter {
    fn of(query: &Query) -> Result<Self, Problem> {
        let text = |name| Ok::<_, Problem>(query.text(name)?.map(str::to_owned));
        let address = query.text("ip")?.map(str::parse::<IpAddr>).transpose();
        let address = address.map_err(|_| Problem::bad_request("ip must be an IP address"))?;
        Ok(Self {
            user: text("user")?,
            client: text("client_id")?,
            address: address.map(|address| address.to_canonical()),
        })
    }

    fn takes(&self, entity: &QuotaEntity) -> bool {
        let (user, client, address) = match entity {
            QuotaEntity::User(user) => (Some(user), None, None),
            QuotaEntity::Client(client) => (None, Some(client), None),
            QuotaEntity::UserClient(user, client) => (Some(user), Some(client), None),
            QuotaEntity::Ip(address) => (None, None, Some(address)),
        };
        is(self.user.as_ref(), user) && is(self.client.as_ref(), client) && is(self.address.as_ref(), address)
    }
}

/// Whether a part has the name that is wanted, if one is.
fn is<T: PartialEq>(wanted: Option<&T>, part: Option<&Named<T>>) -> bool {
    match (wanted, part) {
        (None, _) => true,
        (Some(wanted), Some(Named::Name(name))) => wanted == name,
        (Some(_), Some(Named::Default) | None) => false,
    }
}

/// The quotas of that id.
fn find(place: &Place, id: QuotaId) -> Result<(&QuotaEntity, &Arc<QuotaValues>), Problem> {
    let quotas = place.image.quotas(place.cluster);
    let mut quotas = quotas.into_iter().flat_map(|quotas| quotas.iter());
    let found = quotas.find(|(entity, _)| entity.id() == id);
    found.ok_or_else(|| Problem::missing("quota"))
}

/// Gives an entity these quotas in place of those that it has: none where `of` gives none.
async fn put(
    api: &Api,
    place: &Place,
    write: Write,
    entity: &QuotaEntity,
    of: impl Fn(QuotaKey) -> Option<f64>,
) -> Result<Committed<QuotaValues>, Problem> {
    let others = QuotaKey::ALL.into_iter().filter(|key| of(*key).is_some());
    let mut changes: Vec<_> = others.map(|key| (key, of(key))).collect();
    for key in entity.keys() {
        if of(*key).is_none() {
            changes.push((*key, None));
        }
    }
    let command = AlterQuotas {
        cluster: place.cluster,
        alterations: vec![(entity.clone(), changes)],
        expected: write.expected,
        validate_only: write.rehearsal,
    };
    let Committed { value, sequence } = api.catalog.alter_quotas(&place.actor, command).await?;
    let value = value.into_iter().next().ok_or_else(Problem::internal)??;
    Ok(Committed { value, sequence })
}

/// A change as it is answered, and whether it is in force: for the brokers, and for whoever reads here next.
async fn settled(
    api: &Api,
    caller: &Caller,
    (cluster, entity): (ClusterId, &QuotaEntity),
    committed: Committed<QuotaValues>,
) -> Result<(InForce, QuotaBody), Problem> {
    let Committed { value, sequence } = committed;
    let resource = format!(
        "/v1/clusters/{}/quotas/{}",
        cluster.public(),
        entity.id().public()
    );
    let in_force = api.in_force(caller, "alter_quotas", &resource, sequence).await?;
    seen(api, sequence).await;
    Ok((in_force, QuotaBody::of(cluster, entity, &value)))
}

/// List client quotas
///
/// Those of a cluster, in the order of their ids.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/quotas", tag = "quotas",
    params(
        ("user" = Option<String>, Query, description = "Those of this user, alone or with a client id", max_length = 300),
        ("client_id" = Option<String>, Query, description = "Those of this client id, alone or with a user", max_length = 300),
        ("ip" = Option<String>, Query, description = "Those of this address", max_length = 300),
        ("page_size" = Option<i64>, Query, description = "How many items a page has at most", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the one before", max_length = 2000),
    ),
    responses((status = 200, body = Listing<QuotaBody>))
)]
async fn list_quotas(
    State(api): State<Api>,
    caller: Caller,
    Ids(cluster): Ids<ClusterId>,
    paging: Paging,
    query: Query,
) -> Result<Response, Problem> {
    let filter = Filter::of(&query)?;
    let after = paging.after_id(QuotaId::from_public)?;
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let quotas = place.image.quotas(cluster);
    let mut rows: Vec<_> = quotas
        .into_iter()
        .flat_map(|quotas| quotas.iter())
        .filter(|(entity, _)| filter.takes(entity))
        .map(|(entity, quotas)| (entity.id(), entity, quotas))
        .filter(|(id, _, _)| after.is_none_or(|after| *id > after))
        .collect();
    rows.sort_by_key(|(id, _, _)| *id);
    rows.truncate(usize::try_from(paging.rows()).unwrap_or(usize::MAX));
    Ok(ok(paging.page(
        rows,
        |(id, _, _)| id.public(),
        |(_, entity, quotas)| QuotaBody::of(cluster, entity, quotas),
    )))
}

/// Set the client quotas of an entity
///
/// All of them: what is not named, the entity no longer has. Who has no quota of its own counts by the default, as in Kafka: the
/// closest of (user, client id), (user, default), user, (default, client id), (default, default), default user, client id, default
/// client id, for each key by itself.
#[utoipa::path(
    put, path = "/v1/clusters/{cluster}/quotas", tag = "quotas",
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read last")),
    request_body = WantedBody,
    responses(
        (status = 200, description = "They are in force", body = QuotaBody, headers(("ETag" = String))),
        (status = 202, description = "They are set, and not in force everywhere yet", body = QuotaBody,
            headers(("Location", description = "The operation that tells when they are"))),
    )
)]
async fn set_quotas(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids(cluster): Ids<ClusterId>,
    Body(body): Body<WantedBody>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::UseCluster).await?;
    let entity = body.entity.read()?;
    if QuotaKey::ALL
        .into_iter()
        .all(|key| body.quotas.value(key).is_none())
    {
        return Err(Problem::invalid(
            "/quotas",
            "give at least one; to have none, delete them",
        ));
    }
    let committed = put(&api, &place, write, &entity, |key| body.quotas.value(key)).await?;
    let version = quota::version(&committed.value);
    let (in_force, quota) = settled(&api, &caller, (cluster, &entity), committed).await?;
    Ok(in_force.changed(quota, Some(version)))
}

/// Get the client quotas of an entity
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/quotas/{quota}", tag = "quotas",
    responses((status = 200, body = QuotaBody, headers(("ETag" = String))))
)]
async fn get_quota(
    State(api): State<Api>,
    caller: Caller,
    Ids((cluster, id)): Ids<(ClusterId, QuotaId)>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let (entity, quotas) = find(&place, id)?;
    let version = quota::version(quotas);
    Ok(ok_with_etag(QuotaBody::of(cluster, entity, quotas), version))
}

/// Delete the client quotas of an entity
///
/// It then counts by the default, if there is one.
#[utoipa::path(
    delete, path = "/v1/clusters/{cluster}/quotas/{quota}", tag = "quotas",
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read last")),
    responses(
        (status = 204, description = "They are gone"),
        (status = 202, description = "They are deleted, and this is not in force everywhere yet", body = QuotaBody,
            headers(("Location", description = "The operation that tells when it is"))),
    )
)]
async fn delete_quota(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids((cluster, id)): Ids<(ClusterId, QuotaId)>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::UseCluster).await?;
    let command = DeleteQuotas {
        cluster,
        id,
        expected: write.expected,
        validate_only: write.rehearsal,
    };
    let Committed { value, sequence } = api.catalog.delete_quotas(&place.actor, command).await?;
    let none = Committed {
        value: QuotaValues::new(),
        sequence,
    };
    let (in_force, quota) = settled(&api, &caller, (cluster, &value), none).await?;
    Ok(in_force.deleted(quota))
}
