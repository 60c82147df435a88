//! The broker over its socket: what clients see, frame by frame.

#[path = "../support/mod.rs"]
mod support;

mod produce;
