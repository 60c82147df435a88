//! Log lines on standard error, and spans to the tracer if there is one.

use firn_broker::HOT_REQUESTS;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::config::{self, LogFormat};
use crate::exit::Failure;

/// The SDK logs its own housekeeping, and the exporter's HTTP client logs each export. An operator who wants to see
/// these names them in the filter: later directives win.
const QUIET: &str = "opentelemetry=warn,opentelemetry_sdk=warn,opentelemetry_otlp=warn,opentelemetry_http=warn,\
                     hyper=warn,hyper_util=warn,reqwest=warn,sqlx=warn";

pub(super) fn install(
    settings: &config::Telemetry,
    tracers: Option<&SdkTracerProvider>,
) -> Result<(), Failure> {
    let refused = |error| Failure::setting("log-level", error);
    let asked = EnvFilter::try_new(&settings.filter).map_err(refused)?;
    let verbose = asked
        .max_level_hint()
        .is_none_or(|level| level >= LevelFilter::DEBUG);
    let hot_requests = if verbose || tracers.is_some() {
        "info"
    } else {
        "off"
    };
    let filter = format!("{QUIET},{HOT_REQUESTS}={hot_requests},{}", settings.filter);
    let filter = EnvFilter::try_new(filter).map_err(refused)?;
    let lines = match settings.format {
        LogFormat::Text => fmt::layer().with_writer(std::io::stderr).with_ansi(false).boxed(),
        LogFormat::Json => fmt::layer()
            .with_writer(std::io::stderr)
            .json()
            .flatten_event(true)
            .boxed(),
    };
    let spans = tracers.map(|tracers| tracing_opentelemetry::layer().with_tracer(tracers.tracer("firn")));
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .with(spans)
        .try_init()
        .map_err(|error| Failure::failed(format!("logging cannot be set up: {error}")))
}
