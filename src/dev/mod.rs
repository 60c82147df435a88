//! `firn dev`: everything in one process, on this machine.
//!
//! | module | what is in it |
//! |---|---|
//! | `address` | loopback addresses, binding |
//! | `data_dir` | the data directory: lock and format |
//! | `assembly` | catalog, store, write-ahead log, log and broker, built from the settings |
//! | `state` | what `/readyz` answers from |
//! | `stop` | signals |
//!
//! Order of a start: addresses and data directory (cheap refusals first), then HTTP, which answers `/readyz` with
//! what is still missing, then the parts, and last the ready line. A stop goes the other way.

mod address;
mod assembly;
mod data_dir;
mod state;
mod stop;

use std::io::Write;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use firn_api::{Api, Facts, Readiness, Server};
use firn_runtime::Env;
use tokio::time::Instant;

use crate::config::Settings;
use crate::exit::Failure;
use crate::telemetry::Telemetry;
use assembly::{Assembly, Halted, Plan};
use data_dir::DataDir;
use state::State;
use stop::Stop;

/// How long HTTP requests under way may take once everything else has stopped.
const HTTP_PATIENCE: Duration = Duration::from_secs(2);
/// How long blocking calls that hang may hold up the end.
const CALLS_PATIENCE: Duration = Duration::from_secs(1);
/// How long the last traces and metrics may take, within the time for the whole stop.
const TELEMETRY_PATIENCE: Duration = Duration::from_secs(10);

/// Runs until a signal or a halt of the log. `unknown_variables` are named in a warning.
pub fn run(settings: Settings, unknown_variables: &[String]) -> Result<(), Failure> {
    let telemetry = Telemetry::start(&settings.telemetry)?;
    for variable in unknown_variables {
        tracing::warn!(
            variable,
            "this environment variable names no setting; is it misspelt?"
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("threads cannot be started: {error}")))?;
    let patience = settings.shutdown_timeout;
    let mut ending = None;
    let outcome = runtime.block_on(Box::pin(serve(settings, &telemetry, &mut ending)));
    // A store that does not answer leaves such calls behind.
    runtime.shutdown_timeout(CALLS_PATIENCE);
    let left = ending.map_or(patience, |began: Instant| {
        patience.saturating_sub(began.elapsed())
    });
    telemetry.shutdown(left.min(TELEMETRY_PATIENCE));
    outcome
}

/// Serves until the end; `ending` tells when that began, if it ever served.
async fn serve(
    settings: Settings,
    telemetry: &Telemetry,
    ending: &mut Option<Instant>,
) -> Result<(), Failure> {
    let env = Env::system();
    let mut stop = Stop::listen()?;
    let kafka = address::loopback("kafka", &settings.kafka).await?;
    let http = address::loopback("http", &settings.http).await?;
    let data_dir = DataDir::open(&settings.data_dir)?;
    let listener = address::bind("http", http).await?;
    // The broker binds at the end of the start; whoever has the port should be named before anything is opened.
    drop(address::bind("kafka", kafka).await?);

    let state = Arc::new(State::default());
    let facts = Arc::new(OnceLock::new());
    let api = Api {
        env: env.clone(),
        readiness: Arc::clone(&state) as Arc<dyn Readiness>,
        registry: telemetry.registry(),
        facts: Arc::clone(&facts),
    };
    let server = Server::serve(listener, api)
        .map_err(|error| Failure::failed(format!("http: the listener is unusable: {error}")))?;

    let patience = settings.shutdown_timeout;
    let plan = Plan {
        settings,
        data_dir,
        kafka,
    };
    let started = tokio::select! {
        biased;
        signal = stop.signal() => {
            tracing::info!(signal, "stopped before it served");
            return Ok(());
        }
        started = Assembly::start(plan, &env) => started?,
    };
    let known = facts.set(Facts {
        version: env!("CARGO_PKG_VERSION"),
        bootstrap: started.bootstrap(),
        parts: started.description(),
    });
    known.map_err(|_| Failure::failed("the process was assembled twice"))?;
    state.serving(started.halts());
    announce(&format!(
        "ready kafka={} http=http://{}\n",
        started.address(),
        server.local_address()
    ));

    let halted = halted_or_told(&started, &mut stop).await;
    *ending = Some(Instant::now());
    state.stopping();
    let outcome = match halted {
        Some(halted) => Err(halted.into()),
        None => finish(started, &mut stop, patience).await,
    };
    server.shutdown(HTTP_PATIENCE).await;
    outcome
}

/// Waits until the log stops by itself, and why; `None`: a signal came first.
async fn halted_or_told(started: &Assembly, stop: &mut Stop) -> Option<Halted> {
    tokio::select! {
        biased;
        halted = started.halted() => Some(halted),
        signal = stop.signal() => {
            tracing::info!(signal, "stopping");
            None
        }
    }
}

/// Makes pending records durable and answers them, for at most `patience` or until a second signal.
async fn finish(started: Assembly, stop: &mut Stop, patience: Duration) -> Result<(), Failure> {
    tokio::select! {
        biased;
        outcome = tokio::time::timeout(patience, started.shutdown()) => match outcome {
            Ok(Ok(())) => {
                tracing::info!("stopped");
                Ok(())
            }
            Ok(Err(halted)) => Err(halted.into()),
            Err(_) => Err(Failure::failed(format!(
                "shutdown-timeout: records were still pending after {patience:?}; they were not acknowledged"
            ))),
        },
        signal = stop.signal() => Err(Failure::failed(format!(
            "a second {signal} ended the process; records still pending were not acknowledged"
        ))),
    }
}

/// The ready line. Whoever started the process may have closed its end; it serves all the same.
fn announce(line: &str) {
    let mut stdout = std::io::stdout();
    if let Err(error) = stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush()) {
        tracing::warn!(%error, "the ready line could not be printed");
    }
}
