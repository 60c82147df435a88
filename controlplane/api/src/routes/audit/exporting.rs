//! A trail as lines of JSON, read and sent piece by piece: whatever its length, an export holds a few hundred lines at a time.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use firn_catalog::account::AccountError;
use firn_catalog::audit::chain::Line;
use firn_catalog::audit::{AuditSpan, Trail};
use firn_catalog::commands::Actor;
use futures::stream;

use crate::rules::{Caller, Problem, Query};
use crate::state::Api;

/// Where an export is.
struct Export {
    api: Api,
    actor: Actor,
    trail: Trail,
    /// By positions. It ends no later than the trail did when the export began.
    span: AuditSpan,
}

impl Export {
    /// The next lines; none at the end. Whoever loses its role meanwhile gets no more.
    async fn next(&mut self) -> Result<Option<Bytes>, AccountError> {
        let (api, span) = (&self.api, &self.span);
        let lines = api.catalog.audit_export(&self.actor, self.trail, span).await?;
        let Some(last) = lines.last() else {
            return Ok(None);
        };
        self.span.after = Some(last.position);
        Ok(Some(text(&lines)))
    }
}

fn text(lines: &[Line]) -> Bytes {
    let mut text = String::new();
    for line in lines {
        text.push_str(&line.text());
        text.push('\n');
    }
    text.into()
}

/// Exports a trail.
pub(crate) async fn export(
    api: Api,
    caller: &Caller,
    trail: Trail,
    query: &Query,
) -> Result<Response, Problem> {
    let after = query.number("after", 0..=u64::MAX >> 1)?;
    let moment = |name: &str| Ok::<_, Problem>(query.moment(name)?.map(|moment| moment.0));
    let actor = caller.actor();
    let head = api.catalog.audit_head(&actor, trail).await?;
    let span = AuditSpan {
        after: after.and_then(|after| i64::try_from(after).ok()),
        until: Some(head.position),
        from: moment("from")?,
        to: moment("to")?,
    };
    let mut export = Export {
        trail,
        span: api.catalog.audit_span(&actor, trail, &span).await?,
        actor,
        api,
    };
    // What is wrong is answered before the status is.
    let first = export.next().await?;
    let body = match first {
        None => Body::empty(),
        Some(first) => Body::from_stream(stream::try_unfold((Some(first), export), following)),
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, body).into_response())
}

/// The piece that is there, or the next one.
async fn following(
    (ready, mut export): (Option<Bytes>, Export),
) -> Result<Option<(Bytes, (Option<Bytes>, Export))>, AccountError> {
    let piece = match ready {
        Some(ready) => Some(ready),
        None => export.next().await.inspect_err(|error| {
            tracing::info!(%error, trail = %export.trail, "an export of an audit trail ends early");
        })?,
    };
    Ok(piece.map(|piece| (piece, (None, export))))
}
