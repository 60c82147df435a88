//! The seeded simulation of the log under faults.
//!
//! The real log runs on one thread with a mock clock; everything that happens follows from a seed, so a failing seed
//! replays exactly. The object store and the catalog keep what they acknowledged and are otherwise as bad as a
//! network lets them be: calls fail, take effect unanswered, late or twice. Broker processes are killed, stopped,
//! or fall silent and come back after a successor has taken over. The checker holds all that was acknowledged and all that a reader
//! saw.
//!
//! | module | what is in it |
//! |---|---|
//! | [`world`] | one run: the ground, the actors, what came out |
//! | [`plan`] | what a seed means |
//! | [`checker`] | the rules |
//! | [`faults`], [`store`], [`catalog`], [`link`] | what goes wrong between a process and the world |
//! | [`process`], [`supervisor`] | lives and deaths of broker processes |
//! | [`connection`], [`producer`], [`reader`], [`committer`], [`admin`] | clients |
//! | [`audit`], [`leaks`] | the last word: everything is read from start to end, and nothing is left over |
//! | [`record`], [`trace`], [`dice`], [`signal`] | records that can be told apart, what happened, chance, waking in order |
//!
//! Not simulated: the disk WAL (it has a contract suite of its own, and its faults are the kernel's), several nodes.

pub mod admin;
pub mod audit;
pub mod catalog;
pub mod checker;
pub mod committer;
pub mod connection;
pub mod dice;
pub mod faults;
pub mod leaks;
pub mod link;
pub mod plan;
pub mod process;
pub mod producer;
pub mod reader;
pub mod record;
pub mod signal;
pub mod store;
pub mod supervisor;
pub mod trace;
pub mod world;

pub use world::{Outcome, run};
