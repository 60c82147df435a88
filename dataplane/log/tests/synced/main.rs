//! What is durable when somebody is told so: every test asks what a power loss at that moment would leave.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]
#![expect(
    clippy::disallowed_methods,
    reason = "the subject is a disk, and what is left on it"
)]

mod device;
mod directory_store;
mod disk_log;
mod failures;
