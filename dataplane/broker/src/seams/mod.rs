//! The three seams that every request passes, whatever its API.
//!
//! | seam | question | where it is called |
//! |---|---|---|
//! | [`Authorizer`] | may this principal do this to that? | by each handler, through its request context |
//! | [`Quotas`] | how long shall the client wait? | by the dispatcher, before the response is encoded |
//! | [`Meter`] | who used how much? | by the dispatcher, after the response is encoded, on the connection's [`Account`] |
//!
//! A handler cannot skip the last two, since it does not call them. A test walks every served API with recording
//! implementations and fails for a handler that answers without having asked the first.

mod authorization;
mod usage;

pub use authorization::{AclAuthorizer, Authorizer};
pub(crate) use authorization::{CLUSTER_OPERATIONS, GROUP_OPERATIONS, TOPIC_OPERATIONS};
pub use usage::{Account, Admission, Caller, Meter, NoMeter, NoQuotas, Portion, Quotas, Usage};
