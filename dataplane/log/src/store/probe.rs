//! The probe at start: does this store keep the one promise that everything rests on?
//!
//! Several creates of one key race; exactly one may win, its bytes must be there, and a late create must not change them.
//! Some servers fail only now and then, so there are several races.

use std::time::Duration;

use bytes::Bytes;
use firn_runtime::Env;
use futures::future::join_all;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions};

/// How many races are run, all at once.
const RACES: usize = 8;
/// How many creates race for one key.
const RACERS: usize = 4;
/// How long the whole probe may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Why a store is refused at start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// It does not answer, or refuses our requests.
    #[error("it cannot be used: {why}")]
    Unreachable {
        /// What went wrong.
        why: String,
    },
    /// It has no conditional create.
    #[error(
        "it does not support creating an object only if it is absent (If-None-Match), without which two brokers could \
         acknowledge different records at one offset"
    )]
    NotConditional,
    /// More than one of several racing creates succeeded.
    #[error(
        "it let {winners} of {RACERS} racing creates of one object succeed: on such a store two brokers could \
         acknowledge different records at one offset"
    )]
    SeveralWinners {
        /// How many.
        winners: usize,
    },
    /// What was created is not what is there.
    #[error(
        "it overwrote an object that it should only have created: on such a store acknowledged records could be lost"
    )]
    Overwrites,
}

/// Tries conditional creates on `store` and removes what it made.
pub async fn probe(store: &dyn ObjectStore, env: &Env) -> Result<(), ProbeError> {
    let attempt = env.random_u128();
    let key = |number: usize| Path::from(format!("probe/{attempt:032x}-{number}"));
    let all = async {
        first(store, &key(RACES)).await?;
        let races = join_all((0..RACES).map(|number| race(store, key(number))));
        races.await.into_iter().collect()
    };
    match tokio::time::timeout(TIMEOUT, all).await {
        Ok(result) => result,
        Err(_) => Err(ProbeError::Unreachable {
            why: format!("no answer within {} s", TIMEOUT.as_secs()),
        }),
    }
}

/// One create alone: if nothing can be created, one request has to fail for it to be known and not all of them in turn.
async fn first(store: &dyn ObjectStore, key: &Path) -> Result<(), ProbeError> {
    match create(store, key, &Bytes::from_static(b"first")).await {
        Ok(()) => {
            // What is left behind does no harm.
            let _ = store.delete(key).await;
            Ok(())
        }
        Err(Error::AlreadyExists { .. }) => Ok(()),
        Err(Error::NotImplemented { .. } | Error::NotSupported { .. }) => Err(ProbeError::NotConditional),
        Err(error) => Err(unreachable(&error)),
    }
}

/// What the client says, and the innermost cause, which it often leaves out.
fn unreachable(error: &Error) -> ProbeError {
    let text = error.to_string();
    let mut innermost: &dyn std::error::Error = error;
    let mut without_credentials = asks_the_machine(&text);
    while let Some(source) = innermost.source() {
        innermost = source;
        without_credentials |= asks_the_machine(&source.to_string());
    }
    let cause = innermost.to_string();
    let why = if without_credentials {
        format!(
            "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (the machine has none either: {cause})"
        )
    } else if text.contains(&cause) {
        text
    } else {
        format!("{text}: {cause}")
    };
    ProbeError::Unreachable { why }
}

/// Whether an error is about a request for the credentials of the machine that we run on, the last resort of the client.
fn asks_the_machine(text: &str) -> bool {
    ["/latest/api/token", "/latest/meta-data/iam/"]
        .iter()
        .any(|path| text.contains(path))
}

async fn race(store: &dyn ObjectStore, key: Path) -> Result<(), ProbeError> {
    let verdict = run(store, &key).await;
    // What is left behind does no harm.
    let _ = store.delete(&key).await;
    verdict
}

async fn create(store: &dyn ObjectStore, key: &Path, body: &Bytes) -> Result<(), Error> {
    let options = PutOptions {
        mode: PutMode::Create,
        ..PutOptions::default()
    };
    store
        .put_opts(key, body.clone().into(), options)
        .await
        .map(|_| ())
}

async fn run(store: &dyn ObjectStore, key: &Path) -> Result<(), ProbeError> {
    let bodies: Vec<Bytes> = (0..RACERS)
        .map(|racer| Bytes::from(format!("racer {racer} of {key}")))
        .collect();
    let results = join_all(bodies.iter().map(|body| create(store, key, body))).await;
    let mut winner = None;
    let mut winners = 0;
    let mut unanswered = None;
    for (body, result) in bodies.iter().zip(results) {
        match result {
            Ok(()) => {
                winners += 1;
                winner = Some(body);
            }
            Err(Error::AlreadyExists { .. }) => {}
            Err(Error::NotImplemented { .. } | Error::NotSupported { .. }) => {
                return Err(ProbeError::NotConditional);
            }
            Err(error) => unanswered = Some(error),
        }
    }
    if winners > 1 {
        return Err(ProbeError::SeveralWinners { winners });
    }
    if winner.is_none()
        && let Some(error) = unanswered
    {
        return Err(unreachable(&error));
    }
    let there = read(store, key).await?;
    let late = create(store, key, &Bytes::from_static(b"too late")).await;
    let after = read(store, key).await?;
    let kept = winner.map_or_else(|| bodies.contains(&there), |winner| *winner == there);
    match late {
        Err(Error::AlreadyExists { .. }) if kept && after == there => Ok(()),
        Ok(()) | Err(Error::AlreadyExists { .. }) => Err(ProbeError::Overwrites),
        Err(error) => Err(unreachable(&error)),
    }
}

async fn read(store: &dyn ObjectStore, key: &Path) -> Result<Bytes, ProbeError> {
    let result = match store.get(key).await {
        Ok(found) => found.bytes().await,
        Err(error) => Err(error),
    };
    result.map_err(|error| unreachable(&error))
}
