//! Many topics at once: each is deleted or made by itself, and has a result of its own.

use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::commands::{Committed, DeleteTopic, TopicRef};
use firn_catalog::entities::Topic;
use firn_catalog::ids::{ClusterId, FeedSequence};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::topics::{NewTopicBody, Place, TopicBody};
use crate::rules::denials::Tried;
use crate::rules::{Body, Caller, Ids, Problem, ProblemBody, Write};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(change_topics))
}

/// How many topics one request may name.
const MOST: usize = 100;

/// Topics to be deleted and made, at most 100 in all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TopicBatch {
    /// Names of topics to be deleted. They go first.
    #[serde(default)]
    #[schema(required = false, max_items = 100)]
    delete: Vec<String>,
    /// Topics to be made.
    #[serde(default)]
    #[schema(required = false, max_items = 100)]
    create: Vec<NewTopicBody>,
}

/// What came of a batch.
#[derive(Debug, Serialize, ToSchema)]
struct TopicBatchResults {
    /// One for each topic, in the order of the request: the deleted ones, then the made ones.
    results: Vec<TopicResult>,
}

/// What came of one topic.
#[derive(Debug, Serialize, ToSchema)]
struct TopicResult {
    /// What was to be done.
    action: Action,
    /// The topic's name.
    name: String,
    /// The status that a request for this topic alone would have had.
    #[schema(minimum = 200, maximum = 599)]
    status: u16,
    /// The topic, as it was made or deleted.
    topic: Option<TopicBody>,
    /// Why not.
    problem: Option<ProblemBody>,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TopicAction)]
enum Action {
    Delete,
    Create,
}

impl Action {
    /// The status when it is done.
    fn status(self) -> u16 {
        match self {
            Self::Delete => 204,
            Self::Create => 201,
        }
    }
}

/// Delete and create topics
///
/// Up to 100, each by itself: some may succeed while others do not.
#[utoipa::path(
    post, path = "/v1/clusters/{cluster}/topics/batch", tag = "topics",
    request_body = TopicBatch,
    responses(
        (status = 200, description = "All that was done is in force", body = TopicBatchResults),
        (status = 202, description = "Not all that was done is in force everywhere yet", body = TopicBatchResults,
            headers(("Location", description = "The operation that tells when it is"))),
    )
)]
async fn change_topics(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids(cluster): Ids<ClusterId>,
    Body(body): Body<TopicBatch>,
) -> Result<Response, Problem> {
    let named = body.delete.len() + body.create.len();
    if !(1..=MOST).contains(&named) {
        return Err(Problem::invalid(
            "",
            format!("name 1 to {MOST} topics, not {named}"),
        ));
    }
    let place = Place::find(&api, &caller, cluster, Permission::UseCluster).await?;
    let resource = format!("/v1/clusters/{}/topics", cluster.public());
    let mut batch = Batch::default();
    for name in body.delete {
        let topic = TopicRef::Name(name.clone());
        let command = DeleteTopic { cluster, topic };
        let deleted = api
            .catalog
            .delete_topic_at(&place.actor, &command, None, write.rehearsal)
            .await;
        batch.add(Action::Delete, name, deleted.map_err(Problem::from));
    }
    for new in body.create {
        let name = new.name.clone();
        let created = api
            .catalog
            .create_topic(&place.actor, new.command(&place, write.rehearsal))
            .await;
        batch.add(Action::Create, name, created.map_err(Problem::from));
    }
    if batch.untold {
        let path = format!("{resource}/batch");
        let denial = match Tried::of(&Method::POST, &path) {
            Some(tried) => tried.tell(&api, &caller).await,
            None => None,
        };
        batch.told(denial.as_deref());
    }
    let in_force = api
        .in_force(&caller, "change_topics", &resource, batch.last)
        .await?;
    super::topics::seen(&api, batch.last).await;
    let results = batch.results;
    Ok(in_force.changed(TopicBatchResults { results }, None))
}

#[derive(Default)]
struct Batch {
    results: Vec<TopicResult>,
    /// The last change that brokers must see.
    last: Option<FeedSequence>,
    /// Whether something was refused of which the audit trail must be told.
    untold: bool,
}

impl Batch {
    fn add(&mut self, action: Action, name: String, outcome: Result<Committed<Topic>, Problem>) {
        let (status, topic, problem) = match outcome {
            Ok(Committed { value, sequence }) => {
                self.last = self.last.max(sequence);
                (action.status(), Some(TopicBody::of_row(&value)), None)
            }
            Err(problem) => {
                self.untold |= problem.is_untold();
                let problem = problem.body();
                (problem.status(), None, Some(problem))
            }
        };
        self.results.push(TopicResult {
            action,
            name,
            status,
            topic,
            problem,
        });
    }

    /// Names the entry of the audit trail in whatever was refused.
    fn told(&mut self, denial: Option<&str>) {
        for problem in self
            .results
            .iter_mut()
            .filter_map(|result| result.problem.as_mut())
        {
            problem.told(denial);
        }
    }
}
