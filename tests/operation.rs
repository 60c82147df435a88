//! Starting, stopping and misconfiguring the real binary: exit codes, sentences, health pages.

mod support;

#[path = "operation/configuration.rs"]
mod configuration;
#[path = "operation/otlp.rs"]
mod otlp;
#[path = "operation/refusals.rs"]
mod refusals;
#[path = "operation/serving.rs"]
mod serving;
