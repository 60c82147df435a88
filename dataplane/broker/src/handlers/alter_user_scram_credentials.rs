//! AlterUserScramCredentials 0: SCRAM users of the caller's cluster (KIP-554). The client sends salted passwords, of which
//! verifiers are kept. Each user is told once; one with a mistake anywhere is left as it was. Answered once every broker serves
//! the change.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::acl::Operation;
use firn_catalog::commands::AlterScramUser;
use firn_catalog::credential::{ScramName, SealedVerifier};
use firn_catalog::ids::FeedSequence;
use firn_secrets::scram::{self, ALLOWED_ITERATIONS, Mechanism};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use kafka_protocol::messages::alter_user_scram_credentials_response::AlterUserScramCredentialsResult;
use kafka_protocol::messages::{AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse, ApiKey};

use super::describe_user_scram_credentials::number;
use super::text;
use crate::errors::{self, Failure};
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::AlterUserScramCredentials;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=0;

/// How long an answer waits for the change to be served here.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest salt that is taken, in bytes.
const MOST_SALT: usize = 64;

/// One change of a user.
enum Alteration {
    Delete(ScramCredentialDeletion),
    Upsert(ScramCredentialUpsertion),
}

impl Alteration {
    fn mechanism(&self) -> i8 {
        match self {
            Self::Delete(deletion) => deletion.mechanism,
            Self::Upsert(upsertion) => upsertion.mechanism,
        }
    }
}

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: AlterUserScramCredentialsRequest,
) -> AlterUserScramCredentialsResponse {
    let allowed = context.authorize_cluster(&context.serving.image(), Operation::Alter);
    let mut users: BTreeMap<String, Vec<Alteration>> = BTreeMap::new();
    for deletion in request.deletions {
        let of_user = users.entry(deletion.name.to_string()).or_default();
        of_user.push(Alteration::Delete(deletion));
    }
    for upsertion in request.upsertions {
        let of_user = users.entry(upsertion.name.to_string()).or_default();
        of_user.push(Alteration::Upsert(upsertion));
    }
    let (mut results, mut latest) = (Vec::new(), None);
    for (name, alterations) in users {
        let altered = match allowed {
            Ok(()) => alter(&context, &name, &alterations).await,
            Err(denied) => Err(denied.failure(ResponseError::ClusterAuthorizationFailed)),
        };
        if let Ok(sequence) = &altered {
            latest = latest.max(*sequence);
        }
        results.push((name, altered));
    }
    let served = context.serving.reconciled(latest, PATIENCE).await;
    context.serving.in_force_everywhere(latest).await;
    let answer = |(name, altered): (String, Result<_, Failure>)| {
        let failure = match altered {
            Ok(_) if !served => Some(Failure::new(
                ResponseError::RequestTimedOut,
                "altered, but not in force yet",
            )),
            Ok(_) => None,
            Err(failure) => Some(failure),
        };
        AlterUserScramCredentialsResult::default()
            .with_user(text(name))
            .with_error_code(failure.as_ref().map_or(errors::NONE, Failure::code))
            .with_error_message(failure.map(|failure| text(failure.message)))
    };
    AlterUserScramCredentialsResponse::default().with_results(results.into_iter().map(answer).collect())
}

/// All changes of one user, none of them if one is wrong.
async fn alter(
    context: &RequestContext,
    name: &str,
    alterations: &[Alteration],
) -> Result<Option<FeedSequence>, Failure> {
    let mut mechanisms = BTreeSet::new();
    let twice = !alterations.iter().all(|one| mechanisms.insert(one.mechanism()));
    if twice {
        return Err(Failure::new(
            ResponseError::DuplicateResource,
            "a credential cannot be altered twice in one request",
        ));
    }
    let mut command = AlterScramUser {
        cluster: context.cluster(),
        name: name.to_owned(),
        upserts: Vec::new(),
        deletions: Vec::new(),
        validate_only: false,
    };
    for alteration in alterations {
        let mechanism = check(name, alteration)?;
        match alteration {
            Alteration::Delete(_) => command.deletions.push(mechanism),
            Alteration::Upsert(upsertion) => {
                let verifier = seal(context, name, mechanism, upsertion);
                command.upserts.push((mechanism, verifier));
            }
        }
    }
    let (catalog, actor) = (&context.serving.catalog, context.actor());
    let done = catalog.alter_scram_user(&actor, command).await;
    let done = done.map_err(|error| errors::of_command(&error, ResponseError::ClusterAuthorizationFailed))?;
    Ok(done.sequence)
}

fn seal(
    context: &RequestContext,
    name: &str,
    mechanism: Mechanism,
    upsertion: &ScramCredentialUpsertion,
) -> SealedVerifier {
    let (salted, salt) = (&upsertion.salted_password, &upsertion.salt);
    let iterations = u32::try_from(upsertion.iterations).unwrap_or(0);
    let verifier = scram::from_salted_password(mechanism, salted, salt, iterations);
    let scope = ScramName {
        cluster: context.cluster(),
        username: name,
    };
    let secrets = &context.serving.logins.keys.secrets;
    SealedVerifier::seal(&verifier, scope, mechanism, secrets, &*context.serving.env.random)
}

fn check(name: &str, alteration: &Alteration) -> Result<Mechanism, Failure> {
    let unacceptable = |message: &str| Err(Failure::new(ResponseError::UnacceptableCredential, message));
    if name.is_empty() {
        return unacceptable("the user name is empty");
    }
    let mut known = Mechanism::ALL.into_iter();
    let mechanism = known.find(|mechanism| number(*mechanism) == alteration.mechanism());
    let mechanism = mechanism
        .ok_or_else(|| Failure::new(ResponseError::UnsupportedSaslMechanism, "no such SCRAM mechanism"))?;
    match alteration {
        // Whether there is one is the catalog's to say.
        Alteration::Delete(_) => {}
        Alteration::Upsert(upsertion) => {
            let iterations = u32::try_from(upsertion.iterations).unwrap_or(0);
            if iterations < *ALLOWED_ITERATIONS.start() {
                return unacceptable("too few iterations");
            }
            if iterations > *ALLOWED_ITERATIONS.end() {
                return unacceptable("too many iterations");
            }
            if upsertion.salt.is_empty() || upsertion.salt.len() > MOST_SALT {
                return unacceptable("the salt must have from 1 to 64 bytes");
            }
            if upsertion.salted_password.len() != mechanism.digest_length() {
                return unacceptable("the salted password is not of the mechanism's length");
            }
        }
    }
    Ok(mechanism)
}
