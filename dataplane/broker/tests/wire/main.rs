//! The broker over its socket: what clients see, frame by frame.

#[path = "../support/mod.rs"]
mod support;

mod administration;
mod every_api;
mod fetch;
mod framing;
mod produce;
mod seams;
