//! OTLP over HTTP with protobuf bodies, only where an endpoint is set.
//!
//! The exporters run on threads of the SDK's own and use a blocking client there: an exporter on our runtime would
//! compete with requests, and could not flush once the runtime is gone.

use opentelemetry_otlp::{
    MetricExporter, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_METRICS_ENDPOINT,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, Protocol, SpanExporter, WithExportConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::PeriodicReader;
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::config;
use crate::exit::Failure;

/// Where traces go and where metrics go, if anywhere.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Endpoints {
    pub(super) traces: Option<Endpoint>,
    pub(super) metrics: Option<Endpoint>,
}

/// Where one signal goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// The whole URL.
    url: String,
    /// The setting or variable that it comes from.
    origin: &'static str,
}

impl Endpoints {
    /// The endpoints of these settings and this environment.
    pub(super) fn of(settings: &config::Telemetry) -> Self {
        Self::from_variables(settings.otlp_endpoint.as_deref(), |name| std::env::var(name).ok())
    }

    /// The setting wins; then the variable of the signal, as it is; then the one for all signals.
    fn from_variables(setting: Option<&str>, variable: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let endpoint = |of_signal: &'static str, path: &str| {
            let below = |base: &str, origin| Endpoint {
                url: format!("{}{path}", base.trim_end_matches('/')),
                origin,
            };
            if let Some(base) = setting {
                return Some(below(base, "otlp-endpoint"));
            }
            if let Some(url) = variable(of_signal) {
                let origin = of_signal;
                return Some(Endpoint { url, origin });
            }
            let base = variable(OTEL_EXPORTER_OTLP_ENDPOINT)?;
            Some(below(&base, OTEL_EXPORTER_OTLP_ENDPOINT))
        };
        Self {
            traces: endpoint(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, "/v1/traces"),
            metrics: endpoint(OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, "/v1/metrics"),
        }
    }
}

impl Endpoint {
    pub(super) fn metrics(&self) -> Result<PeriodicReader<MetricExporter>, Failure> {
        let exporter = MetricExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(&self.url)
            .build()
            .map_err(|error| Failure::setting(self.origin, error))?;
        Ok(PeriodicReader::builder(exporter).build())
    }

    pub(super) fn traces(&self, resource: Resource) -> Result<SdkTracerProvider, Failure> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(&self.url)
            .build()
            .map_err(|error| Failure::setting(self.origin, error))?;
        Ok(SdkTracerProvider::builder()
            .with_resource(resource)
            .with_batch_exporter(exporter)
            .build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The URLs for traces and for metrics.
    fn urls(setting: Option<&str>, variables: &[(&str, &str)]) -> [Option<String>; 2] {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let found = Endpoints::from_variables(setting, variable);
        [found.traces, found.metrics].map(|endpoint| endpoint.map(|endpoint| endpoint.url))
    }

    fn some(traces: &str, metrics: &str) -> [Option<String>; 2] {
        [Some(traces.to_owned()), Some(metrics.to_owned())]
    }

    #[test]
    fn nothing_is_sent_unless_an_endpoint_is_set() {
        assert_eq!(urls(None, &[]), [None, None]);
        assert_eq!(urls(None, &[(OTEL_EXPORTER_OTLP_ENDPOINT, "")]), [None, None]);
    }

    #[test]
    fn the_variable_of_a_signal_is_taken_as_it_is_and_wins_over_the_one_for_all() {
        let traces = (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, "http://a/custom");
        let metrics = (OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, "http://b/");
        let all = (OTEL_EXPORTER_OTLP_ENDPOINT, "http://c/base/");
        assert_eq!(urls(None, &[traces]), [Some("http://a/custom".to_owned()), None]);
        assert_eq!(
            urls(None, &[metrics, traces]),
            some("http://a/custom", "http://b/")
        );
        assert_eq!(
            urls(None, &[all]),
            some("http://c/base/v1/traces", "http://c/base/v1/metrics")
        );
        assert_eq!(
            urls(None, &[all, metrics]),
            some("http://c/base/v1/traces", "http://b/")
        );
        assert_eq!(
            urls(Some("http://d"), &[all, metrics, traces]),
            some("http://d/v1/traces", "http://d/v1/metrics")
        );
    }
}
