//! Topics of a cluster. Reads are answered from the image; writes are the commands that Kafka's admin calls run, for the
//! caller as a user of the cluster.

mod bodies;
mod listing;
mod order;
mod place;

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::commands::{ChangeTopic, Committed, DeleteTopic, TopicRef};
use firn_catalog::entities::Topic;
use firn_catalog::ids::ClusterId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::bodies::TopicChangeBody;
pub(super) use self::bodies::{NewTopicBody, TopicBody};
pub(super) use self::place::{Place, seen};
use crate::rules::in_force::InForce;
use crate::rules::{Body, Caller, Ids, Problem, Write, ok_with_etag};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(listing::list_topics, create_topic))
        .routes(routes!(get_topic, update_topic, delete_topic))
}

/// A change as it is answered, and whether it is in force: for the brokers, and for whoever reads here next.
async fn settled(
    api: &Api,
    caller: &Caller,
    action: &'static str,
    committed: Committed<Topic>,
) -> Result<(InForce, TopicBody, i64), Problem> {
    let Committed { value, sequence } = committed;
    let resource = location(value.cluster, &value.name);
    let in_force = api.in_force(caller, action, &resource, sequence).await?;
    seen(api, sequence).await;
    let version = value.version();
    Ok((in_force, TopicBody::of_row(&value), version))
}

/// The path of a topic. What a name may hold needs no escape.
pub(super) fn location(cluster: ClusterId, name: &str) -> String {
    format!("/v1/clusters/{}/topics/{name}", cluster.public())
}

/// Create a topic
#[utoipa::path(
    post, path = "/v1/clusters/{cluster}/topics", tag = "topics",
    request_body = NewTopicBody,
    responses(
        (status = 201, description = "It is there", body = TopicBody, headers(("Location", description = "The topic"), ("ETag", description = "Its version"))),
        (status = 202, description = "It is made, and not in force everywhere yet", body = TopicBody,
            headers(("Location", description = "The operation that tells when it is"), ("ETag", description = "Its version"))),
    )
)]
async fn create_topic(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids(cluster): Ids<ClusterId>,
    Body(body): Body<NewTopicBody>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::UseCluster).await?;
    let command = body.command(&place, write.rehearsal);
    let committed = api.catalog.create_topic(&place.actor, command).await?;
    let location = location(cluster, &committed.value.name);
    let (in_force, topic, version) = settled(&api, &caller, "create_topic", committed).await?;
    Ok(in_force.created(topic, location, Some(version)))
}

/// Get a topic
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/topics/{topic}", tag = "topics",
    params(("topic" = String, Path, description = "Its name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$")),
    responses((status = 200, body = TopicBody, headers(("ETag", description = "Its version"))))
)]
async fn get_topic(
    State(api): State<Api>,
    caller: Caller,
    Ids((cluster, name)): Ids<(ClusterId, String)>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let topic = place.topic(&name)?;
    Ok(ok_with_etag(TopicBody::of_image(topic), bodies::version(topic)))
}

/// Change a topic
///
/// More partitions, other configs, or both at once: all of it or nothing.
#[utoipa::path(
    patch, path = "/v1/clusters/{cluster}/topics/{topic}", tag = "topics",
    params(
        ("topic" = String, Path, description = "Its name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read last, or * for whatever is there"),
    ),
    request_body = TopicChangeBody,
    responses(
        (status = 200, description = "The change is in force", body = TopicBody, headers(("ETag", description = "Its version"))),
        (status = 202, description = "It is made, and not in force everywhere yet", body = TopicBody,
            headers(("Location", description = "The operation that tells when it is"), ("ETag", description = "Its version"))),
    )
)]
async fn update_topic(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids((cluster, name)): Ids<(ClusterId, String)>,
    Body(body): Body<TopicChangeBody>,
) -> Result<Response, Problem> {
    let write = write.versioned()?;
    let place = Place::find(&api, &caller, cluster, Permission::UseCluster).await?;
    let command = ChangeTopic {
        cluster,
        topic: name,
        partitions: body.partitions,
        configs: body.alteration(),
        expected: write.expected,
        rehearsal: write.rehearsal,
    };
    let committed = api.catalog.change_topic(&place.actor, &command).await;
    let committed = committed.map_err(|error| Problem::from(error).untold())?;
    let (in_force, topic, version) = settled(&api, &caller, "change_topic", committed).await?;
    Ok(in_force.changed(topic, Some(version)))
}

/// Delete a topic
///
/// With all its records.
#[utoipa::path(
    delete, path = "/v1/clusters/{cluster}/topics/{topic}", tag = "topics",
    params(
        ("topic" = String, Path, description = "Its name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read last; without it, whatever is there"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = 202, description = "It is deleted, and this is not in force everywhere yet", body = TopicBody,
            headers(("Location", description = "The operation that tells when it is"))),
    )
)]
async fn delete_topic(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids((cluster, name)): Ids<(ClusterId, String)>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::UseCluster).await?;
    let topic = TopicRef::Name(name);
    let command = DeleteTopic { cluster, topic };
    let committed = api
        .catalog
        .delete_topic_at(&place.actor, &command, write.expected, write.rehearsal)
        .await;
    let committed = committed.map_err(|error| Problem::from(error).untold())?;
    let (in_force, topic, _) = settled(&api, &caller, "delete_topic", committed).await?;
    Ok(in_force.deleted(topic))
}
