//! Where a trail ends, signed.

use axum::response::Response;
use firn_catalog::audit::Trail;
use serde::Serialize;
use utoipa::ToSchema;

use crate::routes::jwks::PublicKey;
use crate::rules::{Caller, Moment, Problem, ok};
use crate::state::Api;

/// Where an audit trail ends.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditHead)]
pub(crate) struct HeadView {
    /// The public id of the organization or cluster whose trail it is.
    trail: String,
    /// The position of the last entry; 0 if there is none.
    #[schema(minimum = 0)]
    position: i64,
    /// Its hash, in hexadecimal digits; zeros if there is none.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    hash: String,
    /// When this was so.
    at: Moment,
    /// All that as a JWT, signed by this service: keep it.
    #[schema(max_length = 2048)]
    token: String,
    /// The key that it is signed with. It is published at `/v1/jwks.json` only as long as it signs: keep it, too.
    key: PublicKey,
}

/// Where a trail ends now.
pub(crate) async fn head(api: &Api, caller: &Caller, trail: Trail) -> Result<Response, Problem> {
    let head = api.catalog.audit_head(&caller.actor(), trail).await?;
    let at = api.env.now();
    let signed = api.tokens().sign_audit_head(api, trail, &head, at).await?;
    Ok(ok(HeadView {
        trail: trail.to_string(),
        position: head.position,
        hash: head.hash,
        at: Moment(at),
        token: signed.token,
        key: PublicKey::new(signed.key_id, signed.public),
    }))
}
