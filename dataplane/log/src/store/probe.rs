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
    #[error("the object store {store} cannot be used: {why}")]
    Unreachable {
        /// What it calls itself.
        store: String,
        /// What went wrong.
        why: String,
    },
    /// It has no conditional create.
    #[error(
        "the object store {store} does not support creating an object only if it is absent (If-None-Match), \
         without which two brokers could acknowledge different records at one offset"
    )]
    NotConditional {
        /// What it calls itself.
        store: String,
    },
    /// More than one of several racing creates succeeded.
    #[error(
        "the object store {store} let {winners} of {RACERS} racing creates of one object succeed: on such a store two \
         brokers could acknowledge different records at one offset"
    )]
    SeveralWinners {
        /// What it calls itself.
        store: String,
        /// How many.
        winners: usize,
    },
    /// What was created is not what is there.
    #[error(
        "the object store {store} overwrote an object that it should only have created: on such a store acknowledged \
         records could be lost"
    )]
    Overwrites {
        /// What it calls itself.
        store: String,
    },
}

/// Tries conditional creates on `store` and removes what it made.
pub async fn probe(store: &dyn ObjectStore, env: &Env) -> Result<(), ProbeError> {
    let attempt = env.random_u128();
    let races =
        join_all((0..RACES).map(|number| race(store, Path::from(format!("probe/{attempt:032x}-{number}")))));
    match tokio::time::timeout(TIMEOUT, races).await {
        Ok(results) => results.into_iter().collect(),
        Err(_) => Err(unreachable(
            store,
            format!("no answer within {} s", TIMEOUT.as_secs()),
        )),
    }
}

fn unreachable(store: &dyn ObjectStore, why: String) -> ProbeError {
    ProbeError::Unreachable {
        store: store.to_string(),
        why,
    }
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
    let name = || store.to_string();
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
                return Err(ProbeError::NotConditional { store: name() });
            }
            Err(error) => unanswered = Some(error),
        }
    }
    if winners > 1 {
        return Err(ProbeError::SeveralWinners {
            store: name(),
            winners,
        });
    }
    if winner.is_none()
        && let Some(error) = unanswered
    {
        return Err(unreachable(store, error.to_string()));
    }
    let there = read(store, key).await?;
    let late = create(store, key, &Bytes::from_static(b"too late")).await;
    let after = read(store, key).await?;
    let kept = winner.map_or_else(|| bodies.contains(&there), |winner| *winner == there);
    match late {
        Err(Error::AlreadyExists { .. }) if kept && after == there => Ok(()),
        Ok(()) | Err(Error::AlreadyExists { .. }) => Err(ProbeError::Overwrites { store: name() }),
        Err(error) => Err(unreachable(store, error.to_string())),
    }
}

async fn read(store: &dyn ObjectStore, key: &Path) -> Result<Bytes, ProbeError> {
    let result = match store.get(key).await {
        Ok(found) => found.bytes().await,
        Err(error) => Err(error),
    };
    result.map_err(|error| unreachable(store, error.to_string()))
}
