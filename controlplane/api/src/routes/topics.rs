//! Topics of a cluster. Reads are answered from the image; writes are the commands that Kafka's admin calls run, for the
//! caller as a user of the cluster.

mod bodies;
mod place;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::commands::{ChangeTopic, Committed, DeleteTopic, MAX_NAME_LENGTH, TopicRef};
use firn_catalog::entities::Topic;
use firn_catalog::ids::ClusterId;
use firn_catalog::image::ImageTopic;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::bodies::TopicChangeBody;
pub(super) use self::bodies::{NewTopicBody, TopicBody};
pub(super) use self::place::{Place, seen};
use crate::rules::in_force::InForce;
use crate::rules::{Body, Caller, Ids, Listing, Paging, Problem, Write, ok, ok_with_etag, query};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list_topics, create_topic))
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

/// List topics
///
/// Those of a cluster, in the order of their names.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/topics", tag = "topics",
    params(
        ("prefix" = Option<String>, Query, description = "Those whose names begin so", max_length = 249),
        ("contains" = Option<String>, Query, description = "Those in whose names this occurs", max_length = 249),
        ("page_size" = Option<i64>, Query, description = "How many items a page has at most", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the one before", max_length = 2000),
    ),
    responses((status = 200, body = Listing<TopicBody>))
)]
async fn list_topics(
    State(api): State<Api>,
    caller: Caller,
    Ids(cluster): Ids<ClusterId>,
    paging: Paging,
    uri: Uri,
) -> Result<Response, Problem> {
    let (prefix, contains) = (filter(&uri, "prefix")?, filter(&uri, "contains")?);
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let after = paging.after.as_deref().unwrap_or_default();
    let from = prefix.as_str().max(after);
    let wanted = |topic: &&std::sync::Arc<ImageTopic>| &*topic.name > after && topic.name.contains(&contains);
    let rows: Vec<_> = place
        .image
        .topics_from(cluster, from)
        .take_while(|topic| topic.name.starts_with(&prefix))
        .filter(wanted)
        .filter(|topic| place.may_see(&topic.name))
        .take(usize::try_from(paging.rows()).unwrap_or(usize::MAX))
        .collect();
    Ok(ok(paging.page(
        rows,
        |topic| topic.name.to_string(),
        |topic| TopicBody::of_image(topic),
    )))
}

fn filter(uri: &Uri, name: &str) -> Result<String, Problem> {
    let value = query::value(uri, name).unwrap_or_default();
    match value.len() <= MAX_NAME_LENGTH {
        true => Ok(value),
        false => Err(Problem::bad_request(format!("no topic's name has that {name}"))),
    }
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
