//! The engine at the moments when something is away, late, or gone: one test per way to go wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod appends;
mod catalog;
mod cell;
mod hot;
mod reads;
mod stops;
mod store;
mod tiers;
mod zombies;
