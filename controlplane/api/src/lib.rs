//! The HTTP side: the REST API under `/v1`, `/healthz`, `/readyz`, `/metrics` and a page at `/` that says what runs.
//!
//! It knows no broker and no log: whoever assembles the process hands in a [`Readiness`], a metrics registry and
//! the [`Facts`] that the page shows. No dataplane crate but `firn-runtime` is imported.
//!
//! | module | what is in it |
//! |---|---|
//! | [`server`] | the listener: connection limits, deadlines, graceful stop |
//! | [`routes`] | which path is answered by what |
//! | `operations` | what every process serves, whatever its role |
//! | `envelope` | what every request gets: id, span, deadline, body limit, security headers, metrics |
//! | `health` | `/healthz` and `/readyz`, [`Readiness`] |
//! | `exposition` | `/metrics` in the Prometheus text format |
//! | `page` | what `/` says to whoever is no browser |
//! | `rules` | what every route keeps to: callers, bodies, lists, problems, idempotency, limits, the API's description |
//! | `tokens` | access tokens: made, signed, checked |
//! | `state` | [`Api`]: what the routes work with |
//! | `accounts`, `passwords`, `oidc` | what the routes of people's accounts share |
//! | `net` | clients' addresses and connections, and requests that this service sends |
//! | `filter` | expressions over records |
//! | `kafka` | the control plane as a Kafka client of the brokers |
//! | [`mail`] | the mail port |
//! | `prices` | what usage costs |
//! | `metrics` | this crate's instruments |

mod accounts;
mod envelope;
mod exposition;
mod filter;
mod health;
mod kafka;
pub mod mail;
mod metrics;
mod net;
mod oidc;
mod operations;
mod page;
mod passwords;
mod prices;
pub mod routes;
mod rules;
pub mod server;
mod state;
mod tokens;

pub use health::{Blocker, Readiness};
pub use net::proxies::TrustedProxies;
pub use operations::Operations;
pub use page::Facts;
pub use prices::{Currency, Prices};
pub use rules::limits::RateLimits;
pub use server::Server;
pub use state::{Api, ApiParts, ApiSettings};
pub use tokens::{KeptHead, PublishedKeys, read_audit_head};
