//! The comparison with Apache Kafka: the same load on each broker, one at a time, in turns.

mod case;
mod catalogue;
mod hold;
pub mod lines;
pub mod results;
mod run;
mod turns;

pub use catalogue::catalogue;
pub use hold::hold;
pub use run::Times;
pub use turns::{Plan, compare};
