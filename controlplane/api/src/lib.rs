//! The HTTP side: `/healthz`, `/readyz`, `/metrics` and a page at `/` that says what runs.
//!
//! It knows no broker and no log: whoever assembles the process hands in a [`Readiness`], a metrics registry and
//! the [`Facts`] that the page shows. No dataplane crate but `firn-runtime` is imported.
//!
//! | module | what is in it |
//! |---|---|
//! | [`server`] | the listener: connection limit, header deadline, graceful stop |
//! | [`routes`] | which path is answered by what |
//! | `envelope` | what every request gets: id, span, deadline, body limit, security headers, metrics |
//! | `health` | `/healthz` and `/readyz`, [`Readiness`] |
//! | `exposition` | `/metrics` in the Prometheus text format |
//! | `page` | the page at `/` |
//! | `problem` | errors as `application/problem+json` (RFC 9457) |
//! | `metrics` | this crate's instruments |

mod envelope;
mod exposition;
mod health;
mod metrics;
mod page;
mod problem;
pub mod routes;
pub mod server;

pub use health::{Blocker, Readiness};
pub use page::Facts;
pub use routes::Api;
pub use server::Server;
