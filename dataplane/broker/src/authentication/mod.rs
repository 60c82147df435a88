//! Who a connection is: SASL, the connections that are authenticated, and when they are no longer.
//!
//! | module | what is in it |
//! |---|---|
//! | [`mechanism`] | the mechanisms, and where each is offered |
//! | [`exchange`] | one connection's state between its SASL requests; pure |
//! | [`credentials`] | what a client shows, against what an image has; pure |
//! | [`failures`] | failures in the log |
//! | [`certificates`] | clients that log in with a certificate (mTLS) |
//! | [`server_name`] | the name in a TLS handshake to a cluster |
//! | [`tokens`] | OAUTHBEARER: tokens of identity providers, and Firn's own |
//! | [`kerberos`] | GSSAPI: tickets for this broker's service |
//! | [`registry`] | all live connections, and which of them must end; pure |
//! | [`watch`] | ends them, and tells the catalog which credentials were used |
//!
//! Whatever is wrong, the client is told the same, after the same time and the same work: names, passwords, clusters and
//! expiry cannot be told apart from outside. The log says why, without secrets.

pub(crate) mod certificates;
pub(crate) mod credentials;
pub(crate) mod exchange;
pub(crate) mod failures;
pub(crate) mod kerberos;
pub(crate) mod mechanism;
pub(crate) mod registry;
pub(crate) mod server_name;
pub(crate) mod tokens;
pub(crate) mod watch;
