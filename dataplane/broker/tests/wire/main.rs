//! The broker over its socket: what clients see, frame by frame.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

#[path = "../support/mod.rs"]
mod support;

mod administration;
mod answers;
mod bounds;
mod every_api;
mod every_resource;
mod fetch;
mod framing;
mod groups;
mod limits;
mod moving;
mod permissions;
mod produce;
mod seams;
mod told;
