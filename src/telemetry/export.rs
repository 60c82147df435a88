//! OTLP over HTTP with protobuf bodies, only where an endpoint is set.
//!
//! The exporters run on threads of the SDK's own and use a blocking client there: an exporter on our runtime would
//! compete with requests, and could not flush once the runtime is gone.

use opentelemetry_otlp::{MetricExporter, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::PeriodicReader;
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::config;
use crate::exit::Failure;

/// Where OTLP goes.
pub(super) enum Endpoint {
    /// The `otlp-endpoint` setting; `/v1/traces` and `/v1/metrics` are appended.
    Setting(String),
    /// The standard `OTEL_EXPORTER_OTLP_*` variables, which the exporter reads itself.
    Standard,
}

impl Endpoint {
    /// The endpoint of these settings and this environment, if any.
    pub(super) fn of(settings: &config::Telemetry) -> Option<Self> {
        if let Some(base) = &settings.otlp_endpoint {
            return Some(Self::Setting(base.trim_end_matches('/').into()));
        }
        let set = std::env::var_os(opentelemetry_otlp::OTEL_EXPORTER_OTLP_ENDPOINT);
        set.is_some_and(|value| !value.is_empty())
            .then_some(Self::Standard)
    }

    pub(super) fn metrics(&self) -> Result<PeriodicReader<MetricExporter>, Failure> {
        let mut builder = MetricExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary);
        if let Self::Setting(base) = self {
            builder = builder.with_endpoint(format!("{base}/v1/metrics"));
        }
        let exporter = builder.build().map_err(|error| self.refused(error))?;
        Ok(PeriodicReader::builder(exporter).build())
    }

    pub(super) fn traces(&self, resource: Resource) -> Result<SdkTracerProvider, Failure> {
        let mut builder = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary);
        if let Self::Setting(base) = self {
            builder = builder.with_endpoint(format!("{base}/v1/traces"));
        }
        let exporter = builder.build().map_err(|error| self.refused(error))?;
        Ok(SdkTracerProvider::builder()
            .with_resource(resource)
            .with_batch_exporter(exporter)
            .build())
    }

    fn refused(&self, error: impl std::fmt::Display) -> Failure {
        let setting = match self {
            Self::Setting(_) => "otlp-endpoint",
            Self::Standard => opentelemetry_otlp::OTEL_EXPORTER_OTLP_ENDPOINT,
        };
        Failure::setting(setting, error)
    }
}
