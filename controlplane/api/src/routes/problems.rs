//! What the codes of problems mean.

use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rules::{Code, Ids, Problem, ok};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(get_problem))
}

/// A kind of problem.
#[derive(Serialize, ToSchema)]
struct Kind {
    /// Its code.
    code: Code,
    /// The status that it comes with.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What it means and what to do about it.
    explanation: &'static str,
}

/// What a problem's code means
#[utoipa::path(get, path = "/v1/problems/{code}", tag = "service", security(()), responses((status = 200, body = Kind)))]
async fn get_problem(Ids(name): Ids<String>) -> Result<Response, Problem> {
    let code = Code::ALL.into_iter().find(|code| code.name() == name);
    let code = code.ok_or_else(|| Problem::missing("code"))?;
    Ok(ok(Kind {
        code,
        status: code.status().as_u16(),
        explanation: code.explanation(),
    }))
}
