//! Which path is answered by what. One file for each resource.

mod access_explain;
mod acls;
mod api_keys;
mod audit;
mod ca_pools;
mod certificate_authority;
mod clusters;
mod connections;
mod console;
mod credentials;
mod dev_mail;
mod groups;
mod identity_providers;
mod invitations;
mod jwks;
mod limits;
mod login_providers;
mod logins;
mod me;
mod members;
mod networks;
mod oidc;
mod operations;
mod organization_limits;
mod organizations;
mod overview;
mod password_resets;
mod prices;
mod problems;
mod projects;
mod quotas;
mod records;
mod role_bindings;
mod scram_credentials;
mod service_accounts;
mod sessions;
mod signup;
mod throttles;
mod tokens;
mod topic_config_catalogue;
mod topic_configs;
mod topic_partitions;
mod topics;
mod topics_batch;
mod usage;
mod verifications;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Uri};
use axum::response::IntoResponse;
use axum::routing::{any, get};
use axum::{Router, middleware};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;

use crate::envelope::{self, BODY_LIMIT_BYTES};
use crate::rules::{Problem, admission, denials, idempotency, openapi};
use crate::state::Api;
use crate::{exposition, health};

/// Every resource under `/v1`.
fn resources() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .merge(certificate_authority::routes())
        .merge(clusters::routes())
        .merge(overview::routes())
        .merge(connections::routes())
        .merge(service_accounts::routes())
        .merge(api_keys::routes())
        .merge(scram_credentials::routes())
        .merge(identity_providers::routes())
        .merge(ca_pools::routes())
        .merge(tokens::routes())
        .merge(jwks::routes())
        .merge(signup::routes())
        .merge(verifications::routes())
        .merge(sessions::routes())
        .merge(me::routes())
        .merge(password_resets::routes())
        .merge(login_providers::routes())
        .merge(logins::routes())
        .merge(oidc::routes())
        .merge(organizations::routes())
        .merge(networks::routes())
        .merge(role_bindings::routes())
        .merge(operations::routes())
        .merge(members::routes())
        .merge(invitations::routes())
        .merge(audit::routes())
        .merge(projects::routes())
        .merge(topics::routes())
        .merge(topics_batch::routes())
        .merge(records::routes())
        .merge(topic_partitions::routes())
        .merge(groups::routes())
        .merge(topic_configs::routes())
        .merge(topic_config_catalogue::routes())
        .merge(quotas::routes())
        .merge(throttles::routes())
        .merge(acls::routes())
        .merge(access_explain::routes())
        .merge(usage::routes())
        .merge(prices::routes())
        .merge(organization_limits::routes())
        .merge(limits::routes())
        .merge(problems::routes())
}

/// The API's description (OpenAPI 3.1), as `/v1/openapi.json` gives it.
pub fn description() -> Value {
    openapi::describe(resources().get_openapi())
}

impl Api {
    /// The service: routes inside the envelope that every request gets.
    pub fn router(self) -> Router {
        let described: Arc<str> = description().to_string().into();
        let document = move || {
            let described = Arc::clone(&described);
            async move { ([(CONTENT_TYPE, "application/json")], described.to_string()).into_response() }
        };
        let (resources, _) = resources().split_for_parts();
        let resources = resources
            .route("/v1/openapi.json", get(document))
            .route(
                "/v1/{*path}",
                any(|uri: Uri| async move { Problem::not_found(uri.path()) }),
            )
            .method_not_allowed_fallback(|method: Method, uri: Uri| async move {
                Problem::method_not_allowed(method.as_str(), uri.path())
            })
            .layer(middleware::from_fn_with_state(self.clone(), denials::tell))
            .layer(middleware::from_fn_with_state(self.clone(), idempotency::once))
            .layer(middleware::from_fn_with_state(self.clone(), admission::admit));
        Router::new()
            .route("/", get(console::page))
            .route("/healthz", get(health::live))
            .route("/readyz", get(health::ready))
            .route("/metrics", get(exposition::metrics))
            .method_not_allowed_fallback(|method: Method, uri: Uri| async move {
                Problem::method_not_allowed(method.as_str(), uri.path())
            })
            .merge(dev_mail::routes(&self))
            .merge(console::routes())
            .merge(resources)
            .fallback(console::page)
            .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
            .layer(middleware::from_fn_with_state(
                self.operations.clone(),
                envelope::wrap,
            ))
            .with_state(self)
    }
}
