//! The entries of a trail, by filter and page.

use axum::response::Response;
use firn_catalog::audit::{AuditFilter, AuditRow, Trail};
use firn_catalog::ids::AuditId;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::rules::{Caller, Code, Moment, Paging, Problem, Query, ok};
use crate::state::Api;

/// Whether something was allowed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Decision {
    /// It was done, or it happened.
    Allowed,
    /// It was refused: nothing allowed it, or what was shown was wrong.
    Denied,
}

/// One entry: what somebody did, or was not allowed to.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(crate) struct EntryView {
    /// Its id.
    #[schema(pattern = "^aud_[a-h][a-z2-7]{25}$")]
    id: String,
    /// Its place in the trail, from 1 on and without gaps. None of a cluster's entry from before its trail was chained.
    #[schema(minimum = 1)]
    position: Option<i64>,
    /// When.
    at: Moment,
    /// Who, as Kafka writes principals.
    principal: String,
    /// By what that was shown.
    credential: Option<String>,
    /// From where.
    address: Option<String>,
    /// The request's id; empty for what no single request did.
    request_id: String,
    /// What was done, or tried.
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
    /// The hash over all this and the hash of the entry before, in hexadecimal digits; none from before the trail was chained.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    hash: Option<String>,
}

impl From<AuditRow> for EntryView {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id.public(),
            position: row.position,
            at: Moment(row.at),
            principal: row.principal,
            credential: row.credential,
            address: row.address,
            request_id: row.request_id,
            action: row.action,
            resource_kind: row.kind,
            resource: row.resource,
            decision: match row.allowed {
                true => Decision::Allowed,
                false => Decision::Denied,
            },
            detail: serde_json::from_str(&row.detail).unwrap_or_default(),
            hash: row.hash,
        }
    }
}

fn filter(query: &Query, paging: &Paging) -> Result<AuditFilter, Problem> {
    let text = |name: &str| Ok::<_, Problem>(query.text(name)?.map(str::to_owned));
    let moment = |name: &str| Ok::<_, Problem>(query.moment(name)?.map(|moment| moment.0));
    let before = paging.after.as_deref().map(str::parse).transpose();
    let allowed = match query.word("decision")? {
        None => None,
        Some("allowed") => Some(true),
        Some("denied") => Some(false),
        Some(_) => {
            return Err(Problem::bad_request(
                "decision must be allowed or denied".to_owned(),
            ));
        }
    };
    let id = query.word("id")?.map(AuditId::from_public).transpose();
    Ok(AuditFilter {
        id: id.map_err(|_| Problem::bad_request("id must be one that an entry has: aud_...".to_owned()))?,
        principal: text("principal")?,
        action: text("action")?,
        kind: text("resource_kind")?,
        resource: text("resource")?,
        allowed,
        request_id: text("request_id")?,
        from: moment("from")?,
        to: moment("to")?,
        before: before.map_err(|()| Problem::new(Code::InvalidCursor, "the cursor names no entry"))?,
    })
}

/// A page of a trail.
pub(crate) async fn list(
    api: &Api,
    caller: &Caller,
    trail: Trail,
    query: &Query,
    paging: &Paging,
) -> Result<Response, Problem> {
    let filter = filter(query, paging)?;
    let found = api
        .catalog
        .audit_trail(&caller.actor(), trail, &filter, paging.rows())
        .await?;
    let place = |row: &AuditRow| row.cursor().to_string();
    Ok(ok(paging.page(found, place, EntryView::from)))
}
