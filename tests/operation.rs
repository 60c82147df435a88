//! Starting, stopping and misconfiguring the real binary: exit codes, sentences, health pages.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

#[path = "operation/certificates.rs"]
mod certificates;
#[path = "operation/configuration.rs"]
mod configuration;
#[path = "operation/full_disk.rs"]
mod full_disk;
#[path = "operation/otlp.rs"]
mod otlp;
#[path = "operation/refusals.rs"]
mod refusals;
#[path = "operation/roles.rs"]
mod roles;
#[path = "operation/serving.rs"]
mod serving;
#[path = "operation/stopping.rs"]
mod stopping;
