//! DescribeUserScramCredentials 0: the SCRAM users of the caller's cluster, by mechanism and iterations (KIP-554). Without
//! names, all of them. Nothing of a password is told.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::Operation;
use firn_catalog::image::{Image, ScramUser};
use firn_runtime::Timestamp;
use firn_secrets::scram::Mechanism;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_user_scram_credentials_response::{
    CredentialInfo, DescribeUserScramCredentialsResult,
};
use kafka_protocol::messages::{
    ApiKey, DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse,
};

use super::text;
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::DescribeUserScramCredentials;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=0;

/// Kafka's number of a mechanism.
pub(super) fn number(mechanism: Mechanism) -> i8 {
    match mechanism {
        Mechanism::Sha256 => 1,
        Mechanism::Sha512 => 2,
    }
}

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: DescribeUserScramCredentialsRequest,
) -> DescribeUserScramCredentialsResponse {
    let response = DescribeUserScramCredentialsResponse::default().with_error_message(None);
    let image = context.serving.image();
    if let Err(denied) = context.authorize_cluster(&image, Operation::Describe) {
        return response
            .with_error_code(ResponseError::ClusterAuthorizationFailed.code())
            .with_error_message(Some(text(denied.message())));
    }
    let now = context.serving.env.now();
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    for user in request.users.into_iter().flatten() {
        *named.entry(user.name.to_string()).or_default() += 1;
    }
    let results = if named.is_empty() {
        all(&context, &image, now)
    } else {
        named
            .into_iter()
            .map(|(name, times)| one(&context, &image, now, (&name, times)))
            .collect()
    };
    response.with_results(results)
}

fn all(context: &RequestContext, image: &Image, now: Timestamp) -> Vec<DescribeUserScramCredentialsResult> {
    let users = image.scram_users_of(context.cluster());
    users
        .filter_map(|(name, user)| described(name, user, now))
        .collect()
}

fn one(
    context: &RequestContext,
    image: &Image,
    now: Timestamp,
    (name, times): (&str, usize),
) -> DescribeUserScramCredentialsResult {
    let failed = |error: ResponseError, message: &str| {
        DescribeUserScramCredentialsResult::default()
            .with_user(text(name))
            .with_error_code(error.code())
            .with_error_message(Some(text(message)))
    };
    if times > 1 {
        return failed(
            ResponseError::DuplicateResource,
            "the request names the user twice",
        );
    }
    let user = image.scram_user(Some(context.cluster()), name);
    described(name, user, now)
        .unwrap_or_else(|| failed(ResponseError::ResourceNotFound, "there is no such SCRAM user"))
}

/// What is told of a user; `None` of one whose credentials have all expired.
fn described(name: &str, user: ScramUser<'_>, now: Timestamp) -> Option<DescribeUserScramCredentialsResult> {
    let info = |mechanism: Mechanism| {
        let verifier = user.live(now).find_map(|one| one.sealed_verifier(mechanism))?;
        let info = CredentialInfo::default().with_mechanism(number(mechanism));
        Some(info.with_iterations(i32::try_from(verifier.iterations).unwrap_or(i32::MAX)))
    };
    let infos: Vec<_> = Mechanism::ALL.into_iter().filter_map(info).collect();
    let result = DescribeUserScramCredentialsResult::default()
        .with_user(text(name))
        .with_error_message(None);
    (!infos.is_empty()).then(|| result.with_credential_infos(infos))
}
