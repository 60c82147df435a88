//! The life of a process that serves: start, ready line, stop. The same for every role.
//!
//! Order of a start: what the role can refuse cheaply (settings, addresses, the data directory), then HTTP, which answers
//! `/readyz` with what is still missing, then the parts, and last the ready line. A stop goes the other way.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use firn_api::{Operations, Readiness, Server};
use firn_runtime::Env;
use tokio::time::Instant;

use super::address::{self, Reach};
use super::readiness::State;
use super::stop::Stop;
use crate::assembly::{ControlPlane, DataPlane, Foundation, Halted};
use crate::config::Settings;
use crate::exit::Failure;
use crate::telemetry::Telemetry;

/// How long HTTP requests under way may take once everything else has stopped.
const HTTP_PATIENCE: Duration = Duration::from_secs(2);
/// How long blocking calls that hang may hold up the end.
const CALLS_PATIENCE: Duration = Duration::from_secs(1);
/// How long the last traces and metrics may take, within the time for the whole stop.
const TELEMETRY_PATIENCE: Duration = Duration::from_secs(10);

/// What a role does of its own.
pub trait Role: Sized {
    /// From where its listeners may be reached.
    const REACH: Reach;

    /// Refuses what can be refused without opening anything.
    async fn prepare(settings: &Settings) -> Result<Self, Failure>;

    /// Opens everything, in order, and the door of HTTP last. When it returns, it serves.
    async fn start(self, settings: &Settings, env: &Env, http: &Http) -> Result<Started, Failure>;
}

/// The HTTP listener, which tells health from the first moment on.
pub struct Http {
    /// The server; the role opens it to its own routes.
    pub server: Server,
    /// What every role serves.
    pub operations: Operations,
}

/// A role that serves.
pub struct Started {
    /// What it stands on.
    pub foundation: Foundation,
    /// The data plane, if it has one.
    pub data_plane: Option<DataPlane>,
    /// The control plane, if it has one.
    pub control_plane: Option<ControlPlane>,
}

impl Started {
    fn ready_line(&self, http: SocketAddr) -> String {
        match &self.data_plane {
            Some(data_plane) => format!("ready kafka={} http=http://{http}\n", data_plane.address()),
            None => format!("ready http=http://{http}\n"),
        }
    }

    /// Waits until the log stops by itself, and why; for ever where there is none.
    async fn halted(&self) -> Halted {
        match &self.data_plane {
            Some(data_plane) => data_plane.halts().next().await,
            None => std::future::pending().await,
        }
    }

    async fn shutdown(self) -> Result<(), Halted> {
        drop(self.control_plane);
        let outcome = match self.data_plane {
            Some(data_plane) => data_plane.shutdown().await,
            None => Ok(()),
        };
        self.foundation.catalog.close().await;
        outcome
    }
}

/// Runs until a signal or a halt of the log. `unknown_variables` are named in a warning.
pub fn run<R: Role>(settings: &Settings, unknown_variables: &[String]) -> Result<(), Failure> {
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
    let mut ending = None;
    let outcome = runtime.block_on(Box::pin(serve::<R>(settings, &telemetry, &mut ending)));
    // A store that does not answer leaves such calls behind.
    runtime.shutdown_timeout(CALLS_PATIENCE);
    let patience = settings.shutdown_timeout;
    let left = ending.map_or(patience, |began: Instant| {
        patience.saturating_sub(began.elapsed())
    });
    telemetry.shutdown(left.min(TELEMETRY_PATIENCE));
    outcome
}

/// Serves until the end; `ending` tells when that began, if it ever served.
async fn serve<R: Role>(
    settings: &Settings,
    telemetry: &Telemetry,
    ending: &mut Option<Instant>,
) -> Result<(), Failure> {
    let env = Env::system();
    let mut stop = Stop::listen()?;
    let address = address::resolve("http", &settings.http, R::REACH).await?;
    let role = R::prepare(settings).await?;
    let listener = address::bind("http", address).await?;
    let state = Arc::new(State::default());
    let operations = Operations {
        env: env.clone(),
        readiness: Arc::clone(&state) as Arc<dyn Readiness>,
        registry: telemetry.registry(),
        trusted_proxies: settings.control.trusted_proxies.clone(),
    };
    let server = Server::serve(listener, operations.clone())
        .map_err(|error| Failure::failed(format!("http: the listener is unusable: {error}")))?;
    let http = Http { server, operations };

    let started = tokio::select! {
        biased;
        signal = stop.signal() => {
            tracing::info!(signal, "stopped before it served");
            return Ok(());
        }
        started = role.start(settings, &env, &http) => started?,
    };
    state.serving(started.data_plane.as_ref().map(DataPlane::halts));
    announce(&started.ready_line(http.server.local_address()));

    let halted = halted_or_told(&started, &mut stop).await;
    *ending = Some(Instant::now());
    state.stopping();
    let outcome = match halted {
        Some(halted) => Err(halted.into()),
        None => finish(started, &mut stop, settings.shutdown_timeout).await,
    };
    http.server.shutdown(HTTP_PATIENCE).await;
    outcome
}

/// Waits until the log stops by itself, and why; `None`: a signal came first.
async fn halted_or_told(started: &Started, stop: &mut Stop) -> Option<Halted> {
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
async fn finish(started: Started, stop: &mut Stop, patience: Duration) -> Result<(), Failure> {
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
