//! The REST API as its callers see it, over a SQLite catalog.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "../support/mod.rs"]
mod support;

mod addresses;
mod audit;
mod idempotency;
mod lists;
mod members;
mod networks;
mod openapi;
mod organizations;
mod roles;
mod shapes;
