//! The audit trail of an organization.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::account::{AuditFilter, AuditRow};
use firn_catalog::ids::OrganizationId;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rules::{Caller, Code, Ids, Listing, Moment, Paging, Problem, Query, ok};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list_audit))
}

/// Whether something was allowed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Decision {
    /// It was done.
    Allowed,
    /// It was refused: no role allowed it, or what was shown was wrong.
    Denied,
}

/// One entry: what somebody did, or was not allowed to.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct EntryView {
    /// Its id.
    #[schema(pattern = "^aud_[a-h][a-z2-7]{25}$")]
    id: String,
    /// Its place among the organization's entries, without gaps.
    #[schema(minimum = 1)]
    sequence: i64,
    /// When.
    at: Moment,
    /// Who, as Kafka writes principals.
    principal: String,
    /// By what that was shown.
    credential: Option<String>,
    /// From where.
    address: Option<String>,
    /// The request's id.
    request_id: String,
    /// What was done.
    action: String,
    /// To what kind of thing.
    resource_kind: String,
    /// To which: a public id, or a name.
    resource: String,
    /// Whether it was allowed.
    decision: Decision,
    /// What changed; never a secret.
    #[schema(value_type = Option<Object>)]
    detail: Value,
}

impl From<AuditRow> for EntryView {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id.public(),
            sequence: row.sequence,
            at: Moment(row.at),
            principal: row.principal,
            credential: row.credential,
            address: row.address,
            request_id: row.request,
            action: row.action,
            resource_kind: row.resource_kind,
            resource: row.resource,
            decision: match row.allowed {
                true => Decision::Allowed,
                false => Decision::Denied,
            },
            detail: row.detail,
        }
    }
}

/// List audit entries
///
/// The newest first.
#[utoipa::path(
    get, path = "/v1/organizations/{organization}/audit", tag = "audit",
    params(
        ("principal" = Option<String>, Query, description = "Only of this principal, such as `User:per_...`"),
        ("action" = Option<String>, Query, description = "Only this action, such as `create_project`"),
        ("from" = Option<String>, Query, description = "From this moment on (RFC 3339)"),
        ("to" = Option<String>, Query, description = "Before this moment (RFC 3339)"),
        ("page_size" = Option<i64>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query)
    ),
    responses((status = 200, description = "A page of audit entries", body = Listing<EntryView>))
)]
async fn list_audit(
    State(api): State<Api>,
    caller: Caller,
    Ids(organization): Ids<OrganizationId>,
    query: Query,
    paging: Paging,
) -> Result<Response, Problem> {
    let before = paging.after.as_deref().map(str::parse).transpose();
    let filter = AuditFilter {
        principal: query.text("principal")?.map(str::to_owned),
        action: query.text("action")?.map(str::to_owned),
        from: query.moment("from")?.map(|moment| moment.0),
        to: query.moment("to")?.map(|moment| moment.0),
        before: before.map_err(|_| Problem::new(Code::InvalidCursor, "the cursor names no entry"))?,
    };
    let found = api
        .catalog
        .audit_trail(&caller.actor(), organization, &filter, paging.rows())
        .await?;
    Ok(ok(paging.page(
        found,
        |row| row.sequence.to_string(),
        EntryView::from,
    )))
}
