//! The authority whose certificates Kafka clients are shown, where it is this process's own.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rules::Problem;
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(get_certificate_authority))
}

/// The certificate that Kafka clients must trust
///
/// In PEM. There is none where the certificates come from an authority that clients know anyway, or that the operator has told
/// them of.
#[utoipa::path(
    get,
    path = "/v1/certificate-authority",
    tag = "service",
    security(()),
    responses(
        (status = 200, description = "The certificate", body = String, content_type = "application/x-pem-file"),
        (status = 404, description = "There is no authority of this service's own", body = crate::rules::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn get_certificate_authority(State(api): State<Api>) -> Result<Response, Problem> {
    let Some(authority) = &api.settings.certificate_authority else {
        return Err(Problem::missing("certificate authority"));
    };
    Ok(([(CONTENT_TYPE, "application/x-pem-file")], authority.clone()).into_response())
}
