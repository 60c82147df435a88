//! What the routes of credentials share: reading ids and moments, and the settings of a Kafka client.

use std::str::FromStr;

use firn_catalog::commands::Actor;
use firn_catalog::ids::{ClusterId, InvalidId};
use firn_runtime::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::clusters::bootstrap;
use crate::rules::{Moment, Paging, Problem};
use crate::state::Api;

/// What a Kafka client is set to, shown once with its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct ClientSettings {
    /// `bootstrap.servers`: a host and a port.
    #[schema(max_length = 300)]
    bootstrap_servers: String,
    /// `security.protocol`.
    #[schema(pattern = "^SASL_SSL$")]
    security_protocol: &'static str,
    /// `sasl.mechanism`.
    #[schema(pattern = "^(PLAIN|SCRAM-SHA-512)$")]
    sasl_mechanism: &'static str,
    /// `sasl.username`.
    #[schema(max_length = 255)]
    username: String,
    /// `sasl.password`.
    #[schema(max_length = 200, format = "password")]
    password: String,
}

impl ClientSettings {
    pub(super) async fn of(
        api: &Api,
        actor: &Actor,
        cluster: ClusterId,
        (sasl_mechanism, username, password): (&'static str, &str, &str),
    ) -> Result<Self, Problem> {
        let cluster = api.catalog.cluster(actor, cluster).await?;
        Ok(Self {
            bootstrap_servers: bootstrap(api, &cluster.slug),
            security_protocol: "SASL_SSL",
            sasl_mechanism,
            username: username.to_owned(),
            password: password.to_owned(),
        })
    }
}

/// The id in a body.
pub(super) fn body_id<T>(
    pointer: &str,
    text: &str,
    read: impl Fn(&str) -> Result<T, InvalidId>,
) -> Result<T, Problem> {
    read(text).map_err(|_| Problem::invalid(pointer, "it is no such id"))
}

/// After which id a page begins, and how many rows to read for it.
pub(super) fn page_of<T: FromStr>(paging: &Paging) -> Result<(Option<T>, usize), Problem> {
    let after = paging.after.as_deref().map(str::parse::<T>).transpose();
    let after = after.map_err(|_| Problem::internal())?;
    Ok((after, usize::try_from(paging.rows()).unwrap_or(usize::MAX)))
}

/// The moment in `expires_at`, if it is there.
pub(super) fn expiry(text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let moment = text.map(|text| Moment::parse(text).ok_or(()));
    let moment = moment.transpose();
    let moment = moment.map_err(|()| Problem::invalid("/expires_at", "it must be a time as in RFC 3339"))?;
    Ok(moment.map(|moment| moment.0))
}
