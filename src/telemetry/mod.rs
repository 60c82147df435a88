//! Logs, metrics and traces of the process.
//!
//! Instruments are OpenTelemetry's, made in each crate's `metrics.rs`. Here they meet their readers: always the
//! Prometheus registry behind `/metrics`; and OTLP over HTTP, with the spans, if an endpoint is set. Log lines go to
//! standard error, since standard output belongs to the ready line.
//!
//! Neither logs nor spans carry record data, credentials or URLs with passwords: pass those through
//! [`crate::config::redact`] first.

mod export;
mod logs;
mod process;

use std::sync::mpsc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use prometheus::Registry;

use crate::config;
use crate::exit::Failure;

/// The process's telemetry; [`Self::shutdown`] sends what is left.
pub struct Telemetry {
    registry: Registry,
    meters: SdkMeterProvider,
    tracers: Option<SdkTracerProvider>,
    /// Whether anything is sent anywhere.
    exports: bool,
}

impl Telemetry {
    /// Installs the log subscriber and the metrics of this process. Once per process, before anything logs.
    pub fn start(settings: &config::Telemetry) -> Result<Self, Failure> {
        let resource = Resource::builder()
            .with_service_name("firn")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let registry = Registry::new();
        let reader = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .with_resource_selector(opentelemetry_prometheus::ResourceSelector::None)
            .without_target_info()
            .scope_info_enabled(false)
            .build()
            .map_err(|error| Failure::failed(format!("metrics cannot be set up: {error}")))?;
        let mut meters = SdkMeterProvider::builder()
            .with_resource(resource.clone())
            .with_reader(reader);
        let endpoints = export::Endpoints::of(settings);
        if let Some(endpoint) = &endpoints.metrics {
            meters = meters.with_reader(endpoint.metrics()?);
        }
        let tracers = match &endpoints.traces {
            Some(endpoint) => Some(endpoint.traces(resource)?),
            None => None,
        };
        let meters = meters.build();
        opentelemetry::global::set_meter_provider(meters.clone());
        logs::install(settings, tracers.as_ref())?;
        process::observe();
        Ok(Self {
            registry,
            meters,
            tracers,
            exports: endpoints.traces.is_some() || endpoints.metrics.is_some(),
        })
    }

    /// Where `/metrics` gathers from.
    pub fn registry(&self) -> Registry {
        self.registry.clone()
    }

    /// Sends what is left to the OTLP endpoints, for at most `patience`: a collector that hangs holds nothing up. Blocks;
    /// call it outside the runtime.
    #[expect(
        clippy::disallowed_methods,
        reason = "the runtime is gone, and a thread that hangs can be left behind"
    )]
    pub fn shutdown(self, patience: Duration) {
        if !self.exports {
            return;
        }
        let (ended, end) = mpsc::channel();
        let work = move || {
            self.send_the_rest(patience / 2);
            // Nobody waits any more if it took too long.
            let _ = ended.send(());
        };
        let thread = std::thread::Builder::new().name("firn-telemetry".to_owned());
        if let Err(error) = thread.spawn(work) {
            tracing::warn!(%error, "the last traces and metrics were not sent");
        } else if end.recv_timeout(patience).is_err() {
            tracing::warn!(
                waited_ms = patience.as_millis(),
                "the OTLP collector does not answer; the last traces or metrics were not sent"
            );
        }
    }

    fn send_the_rest(self, patience: Duration) {
        if let Some(tracers) = self.tracers
            && let Err(error) = tracers.shutdown_with_timeout(patience)
        {
            tracing::warn!(%error, "the last traces were not sent");
        }
        if let Err(error) = self.meters.shutdown() {
            tracing::warn!(%error, "the last metrics were not sent");
        }
    }
}
