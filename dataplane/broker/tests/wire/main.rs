//! The broker over its socket: what clients see, frame by frame.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

#[path = "../support/mod.rs"]
mod support;

mod acls;
mod administration;
mod answers;
mod audited;
mod authentication;
mod bounds;
mod cluster_limits;
mod every_api;
mod every_resource;
mod fetch;
mod framing;
mod groups;
mod isolation;
mod limits;
mod metering;
mod moving;
mod permissions;
mod produce;
mod quotas;
mod seams;
mod sharing;
mod throttling;
mod told;
