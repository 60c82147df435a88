//! Opening a log: a new incarnation, the seals of its predecessors, the cold tier, the appender.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use firn_catalog::cell::{CatalogError, Incarnation, IncarnationState, LogCatalog};
use firn_catalog::ids::{IncarnationId, NodeId, Slot};
use firn_runtime::Env;
use object_store::ObjectStore;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::images::SlotImages;
use super::recovered::{Inherited, Recovered};
use super::{Log, LogParts, Registry, background};
use crate::cold::{ColdError, ColdTier};
use crate::partition::Sources;
use crate::takeover::{self, RecoveryIndex, SealOutcome, TakeoverError};
use crate::wal::{Appender, WriteAheadLog};

/// How long the catalog may be silent while a log is opened.
const CATALOG_PATIENCE: Duration = Duration::from_secs(30);
/// The pause between two questions to a silent catalog.
const PAUSE: Duration = Duration::from_millis(200);

/// Why a log could not be opened. Nothing was lost; mend the cause and start again.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OpenError {
    /// The catalog refused, or did not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// An earlier incarnation of this node could not be sealed.
    #[error("taking over from an earlier life of this node failed: {0}")]
    Takeover(#[from] TakeoverError),
    /// The cold objects could not be read.
    #[error(
        "the objects that the catalog names could not be read (is `store` the one that this catalog was used with \
         before?): {0}"
    )]
    Cold(#[from] ColdError),
    /// The directory for hot files could not be prepared.
    #[error("the directory for hot files cannot be used: {0}")]
    HotDirectory(String),
}

impl OpenError {
    /// Whether a successor has taken over from this process in the meantime, which must end.
    pub fn is_fenced(&self) -> bool {
        match self {
            Self::Catalog(error) => error.is_fenced(),
            Self::Takeover(error) => error.is_fenced(),
            Self::Cold(error) => error.is_fenced(),
            Self::HotDirectory(_) => false,
        }
    }
}

pub(super) async fn open(parts: LogParts) -> Result<Arc<Log>, OpenError> {
    let LogParts {
        env,
        settings,
        catalog,
        store,
        wal,
        node,
        hot_directory,
    } = parts;
    let own = IncarnationId(env.random_u128());
    // A life that cannot take over must leave no trace: the next one, with the right log, would have to seal it.
    takeover::predecessors(&*catalog, &*wal, node, own).await?;
    patiently(|| catalog.open_incarnation(own, node, wal.location(), env.now())).await?;

    let inherited = take_over(&env, &*catalog, &*wal, &*store, node, own).await?;
    let rows = patiently(|| catalog.partitions_owned(own)).await?;
    let cold = ColdTier::open(
        &env,
        Arc::clone(&store),
        Arc::clone(&catalog),
        settings.cold.clone(),
    )
    .await?;

    let images = SlotImages::new(own, Arc::clone(&wal), &env, hot_directory, settings.images);
    let images = Arc::new(images.map_err(|error| OpenError::HotDirectory(error.to_string()))?);
    let partitions = Arc::new(Registry::new(&images, &env, &settings));
    let sink = Arc::clone(&partitions);
    let appender = Appender::start(&env, Arc::clone(&wal), own, settings.appender.clone(), sink);
    let sources = Sources {
        own,
        env: env.clone(),
        images,
        cold,
        appender,
        catalog: Arc::clone(&catalog),
        refusing: Arc::clone(&partitions.refusing),
    };
    let log = Arc::new(Log {
        own,
        env,
        settings,
        catalog,
        wal,
        sources: Arc::new(sources),
        partitions,
        recovered: Recovered::new(rows, inherited),
        opening: tokio::sync::RwLock::new(()),
        freed: Mutex::new(Slot(0)),
        slots_left: AtomicBool::new(true),
        halted: watch::Sender::new(None),
        stop: CancellationToken::new(),
        loops: Mutex::new(Vec::new()),
    });
    background::start(&log);
    Ok(log)
}

/// Seals what earlier lives of the node left open. Returns all of their logs that are not drained, in the order of their seals.
async fn take_over(
    env: &Env,
    catalog: &dyn LogCatalog,
    wal: &dyn WriteAheadLog,
    store: &dyn ObjectStore,
    node: NodeId,
    own: IncarnationId,
) -> Result<Vec<Inherited>, OpenError> {
    let found = takeover::predecessors(catalog, wal, node, own).await?;
    let mut inherited = Vec::new();
    for row in found.sealed {
        let index = takeover::load(store, &row).await.map_err(TakeoverError::from)?;
        inherited.push(Inherited::new(row, index));
    }
    for dead in found.to_seal {
        tracing::info!(dead = %dead.id, "taking over from an earlier life of this node");
        let outcome = takeover::seal(env, catalog, wal, store, own, dead.id).await?;
        if let Some((row, index)) = sealed(outcome, store).await? {
            inherited.push(Inherited::new(row, index));
        }
    }
    inherited.sort_by_key(|log| log.row.seal_order);
    Ok(inherited)
}

/// The recovery index of a sealed log; `None` if it is drained already.
async fn sealed(
    outcome: SealOutcome,
    store: &dyn ObjectStore,
) -> Result<Option<(Incarnation, RecoveryIndex)>, TakeoverError> {
    match outcome {
        SealOutcome::Sealed { row, index } => Ok(Some((row, index))),
        SealOutcome::Already(row) if row.state == IncarnationState::Sealed => {
            let index = takeover::load(store, &row).await?;
            Ok(Some((row, index)))
        }
        SealOutcome::Already(_) => Ok(None),
    }
}

/// Asks a catalog that may be away for a moment. Every catalog call may be repeated.
pub(super) async fn patiently<T, F>(call: impl Fn() -> F) -> Result<T, CatalogError>
where
    F: Future<Output = Result<T, CatalogError>>,
{
    let give_up = Instant::now() + CATALOG_PATIENCE;
    loop {
        match call().await {
            Err(CatalogError::Unavailable(_)) if Instant::now() < give_up => sleep(PAUSE).await,
            answer => return answer,
        }
    }
}
