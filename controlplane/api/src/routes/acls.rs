//! ACLs of a cluster. Reads are answered from the image; writes are the commands that Kafka's ACL APIs run, for the caller as a user
//! of the cluster.

mod bodies;

use std::str::FromStr;

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::acl::{Acl, AclFilter, PatternFilter, PatternType, StoredAcl};
use firn_catalog::commands::{ChangeAcls, Committed, CreateAcls, CreatedAcl};
use firn_catalog::ids::{AclId, ClusterId, FeedSequence};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::bodies::NewAclBody;
pub(super) use self::bodies::{AclBody, Binding};
use super::topics::{Place, seen};
use crate::rules::in_force::InForce;
use crate::rules::{Body, Caller, Ids, Listing, Paging, Problem, ProblemBody, Query, Write, ok};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list_acls, create_acl))
        .routes(routes!(change_acls))
        .routes(routes!(get_acl, delete_acl))
}

/// How many bindings one request may name.
const MOST: usize = 200;

fn location(cluster: ClusterId, id: AclId) -> String {
    format!("/v1/clusters/{}/acls/{}", cluster.public(), id.public())
}

/// Waits until a change is in force: for the brokers, and for whoever reads here next.
async fn settled(
    api: &Api,
    caller: &Caller,
    action: &'static str,
    resource: &str,
    sequence: Option<FeedSequence>,
) -> Result<InForce, Problem> {
    let in_force = api.in_force(caller, action, resource, sequence).await?;
    seen(api, sequence).await;
    Ok(in_force)
}

/// A word of a filter.
fn word<T: FromStr<Err: std::fmt::Display>>(query: &Query, name: &str) -> Result<Option<T>, Problem> {
    let word = query.word(name)?.map(str::parse).transpose();
    word.map_err(|error| Problem::bad_request(format!("{name}: {error}")))
}

fn filter_of(query: &Query) -> Result<AclFilter, Problem> {
    let text = |name| Ok::<_, Problem>(query.text(name)?.map(str::to_owned));
    let pattern_type = match query.word("pattern_type")? {
        None | Some("any") => PatternFilter::Any,
        Some("match") => PatternFilter::Match,
        Some(_) => {
            word::<PatternType>(query, "pattern_type")?.map_or(PatternFilter::Any, PatternFilter::Only)
        }
    };
    let filter = AclFilter {
        resource_type: word(query, "resource_type")?,
        resource_name: text("resource_name")?,
        pattern_type,
        principal: text("principal")?,
        host: text("host")?,
        operation: word(query, "operation")?,
        permission: word(query, "permission")?,
    };
    Ok(filter.canonical())
}

/// List ACLs
///
/// Those of a cluster, in the order of their ids.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/acls", tag = "acls",
    params(
        ("resource_type" = Option<String>, Query, description = "Those for this kind of resource", pattern = "^(topic|group|cluster|transactional_id|user)$"),
        ("resource_name" = Option<String>, Query, description = "Those for this name, as pattern_type has it", max_length = 300),
        ("pattern_type" = Option<String>, Query, description = "How the name is meant: `literal` or `prefixed`, patterns of that type with that very name; `any`, of both; `match`, patterns that stand for the resource of that name", pattern = "^(any|match|literal|prefixed)$"),
        ("principal" = Option<String>, Query, description = "Those of this principal", max_length = 300),
        ("host" = Option<String>, Query, description = "Those for this host; * is those for every host", max_length = 300),
        ("operation" = Option<String>, Query, description = "Those with this operation", pattern = "^[a-z_]+$"),
        ("permission" = Option<String>, Query, description = "Those that allow, or deny", pattern = "^(allow|deny)$"),
        ("page_size" = Option<i64>, Query, description = "How many items a page has at most", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the one before", max_length = 2000),
    ),
    responses((status = 200, body = Listing<AclBody>))
)]
async fn list_acls(
    State(api): State<Api>,
    caller: Caller,
    Ids(cluster): Ids<ClusterId>,
    paging: Paging,
    query: Query,
) -> Result<Response, Problem> {
    let filter = filter_of(&query)?;
    let after = paging.after_id(AclId::from_public)?;
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let acls = place.image.access(cluster).map(|access| access.acl_set());
    let rows: Vec<_> = acls
        .into_iter()
        .flat_map(|acls| acls.after(after))
        .filter(|stored| filter.matches(&stored.acl))
        .take(usize::try_from(paging.rows()).unwrap_or(usize::MAX))
        .collect();
    Ok(ok(paging.page(
        rows,
        |stored| stored.id.public(),
        |stored| AclBody::of(cluster, stored),
    )))
}

/// Create an ACL
///
/// One that says the same may be there already.
#[utoipa::path(
    post, path = "/v1/clusters/{cluster}/acls", tag = "acls",
    request_body = NewAclBody,
    responses(
        (status = 200, description = "It was there already", body = AclBody),
        (status = 201, description = "It is in force", body = AclBody, headers(("Location", description = "The ACL"))),
        (status = 202, description = "It is made, and not in force everywhere yet", body = AclBody,
            headers(("Location", description = "The operation that tells when it is"))),
    )
)]
async fn create_acl(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids(cluster): Ids<ClusterId>,
    Body(body): Body<NewAclBody>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::UseCluster).await?;
    let command = CreateAcls {
        cluster,
        acls: vec![body.into()],
        validate_only: write.rehearsal,
    };
    let Committed { value, sequence } = api.catalog.create_acls(&place.actor, command).await?;
    let created = value.into_iter().next().ok_or_else(Problem::internal)??;
    let location = location(cluster, created.stored.id);
    let in_force = settled(&api, &caller, "create_acls", &location, sequence).await?;
    let body = AclBody::of(cluster, &created.stored);
    Ok(match created.new {
        true => in_force.created(body, location, None),
        false => ok(body),
    })
}

/// Get an ACL
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/acls/{acl}", tag = "acls",
    responses((status = 200, body = AclBody))
)]
async fn get_acl(
    State(api): State<Api>,
    caller: Caller,
    Ids((cluster, id)): Ids<(ClusterId, AclId)>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let acls = place.image.access(cluster).map(|access| access.acl_set());
    let stored = acls.and_then(|acls| acls.get(id));
    let stored = stored.ok_or_else(|| Problem::missing("ACL"))?;
    Ok(ok(AclBody::of(cluster, stored)))
}

/// Delete an ACL
#[utoipa::path(
    delete, path = "/v1/clusters/{cluster}/acls/{acl}", tag = "acls",
    responses(
        (status = 204, description = "It is gone"),
        (status = 202, description = "It is deleted, and this is not in force everywhere yet", body = AclBody,
            headers(("Location", description = "The operation that tells when it is"))),
    )
)]
async fn delete_acl(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids((cluster, id)): Ids<(ClusterId, AclId)>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::UseCluster).await?;
    let Committed { value, sequence } = api
        .catalog
        .delete_acls_by_id(&place.actor, cluster, &[id], write.rehearsal)
        .await?;
    let gone = value.into_iter().flatten().next();
    let gone = gone.ok_or_else(|| Problem::missing("ACL"))?;
    let in_force = settled(&api, &caller, "delete_acls", &location(cluster, id), sequence).await?;
    Ok(in_force.deleted(AclBody::of(cluster, &gone)))
}

/// ACLs to be made and deleted, at most 200 in all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AclBatch {
    /// ACLs to be made. They go first, so that what replaces an ACL is there before that one goes.
    #[serde(default)]
    #[schema(required = false, max_items = 200)]
    create: Vec<NewAclBody>,
    /// Ids of ACLs to be deleted.
    #[serde(default)]
    #[schema(required = false, max_items = 200)]
    delete: Vec<String>,
}

/// What came of a batch.
#[derive(Debug, Serialize, ToSchema)]
struct AclBatchResults {
    /// One for each ACL, in the order of the request: the made ones, then the deleted ones.
    results: Vec<AclResult>,
}

/// What came of one ACL.
#[derive(Debug, Serialize, ToSchema)]
struct AclResult {
    /// What was to be done.
    #[schema(value_type = String, pattern = "^(create|delete)$")]
    action: &'static str,
    /// The status that a request for this ACL alone would have had.
    #[schema(minimum = 200, maximum = 599)]
    status: u16,
    /// The ACL, as it was made or deleted, or was there.
    acl: Option<AclBody>,
    /// Why not.
    problem: Option<ProblemBody>,
}

impl AclResult {
    fn of(cluster: ClusterId, action: &'static str, outcome: Result<(u16, &StoredAcl), Problem>) -> Self {
        match outcome {
            Ok((status, stored)) => Self {
                action,
                status,
                acl: Some(AclBody::of(cluster, stored)),
                problem: None,
            },
            Err(problem) => {
                let problem = problem.body();
                Self {
                    action,
                    status: problem.status(),
                    acl: None,
                    problem: Some(problem),
                }
            }
        }
    }
}

/// Create and delete ACLs
///
/// Up to 200, each by itself: some may succeed while others do not. What succeeds comes into force all at once.
#[utoipa::path(
    post, path = "/v1/clusters/{cluster}/acls/batch", tag = "acls",
    request_body = AclBatch,
    responses(
        (status = 200, description = "All that was done is in force", body = AclBatchResults),
        (status = 202, description = "Not all that was done is in force everywhere yet", body = AclBatchResults,
            headers(("Location", description = "The operation that tells when it is"))),
    )
)]
async fn change_acls(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids(cluster): Ids<ClusterId>,
    Body(body): Body<AclBatch>,
) -> Result<Response, Problem> {
    let named = body.delete.len() + body.create.len();
    if !(1..=MOST).contains(&named) {
        return Err(Problem::invalid(
            "",
            format!("name 1 to {MOST} ACLs, not {named}"),
        ));
    }
    let place = Place::find(&api, &caller, cluster, Permission::UseCluster).await?;
    let ids: Vec<Option<AclId>> = body.delete.iter().map(|id| AclId::from_public(id).ok()).collect();
    let command = ChangeAcls {
        cluster,
        create: body.create.into_iter().map(Acl::from).collect(),
        delete: ids.iter().flatten().copied().collect(),
        validate_only: write.rehearsal,
    };
    let Committed { value, sequence } = api.catalog.change_acls(&place.actor, command).await?;
    let made = value.created.into_iter().map(|one| {
        let outcome = one.as_ref().map_err(|error| Problem::from(error.clone()));
        let outcome = outcome.map(|CreatedAcl { stored, new }| (if *new { 201 } else { 200 }, stored));
        AclResult::of(cluster, "create", outcome)
    });
    let mut gone = value.deleted.into_iter();
    let gone = ids.iter().map(|id| {
        let stored = id.and_then(|_| gone.next()).flatten();
        let outcome = stored.as_ref().ok_or_else(|| Problem::missing("ACL"));
        AclResult::of(cluster, "delete", outcome.map(|stored| (204, stored)))
    });
    let results = made.chain(gone).collect();
    let resource = format!("/v1/clusters/{}/acls", cluster.public());
    let in_force = settled(&api, &caller, "change_acls", &resource, sequence).await?;
    Ok(in_force.changed(AclBatchResults { results }, None))
}
