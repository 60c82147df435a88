//! Kerberos for the broker: the acceptor's side of the SASL mechanism GSSAPI (RFC 4752). It knows neither the network nor the
//! catalog, nor who is called what.
//!
//! | module | what is in it |
//! |---|---|
//! | [`library`] | MIT's `libgssapi_krb5`, loaded at run time: the only `unsafe` code |
//! | [`negotiation`] | the messages of RFC 4752, without I/O and without a library |
//!
//! Why a C library, and why loaded at run time: what decides about a ticket (encryption types, key versions, clock skew, the replay
//! cache that other processes of the host share, `krb5.conf`) is what an administrator knows from MIT's library, and no crate in
//! Rust has an acceptor with all of it. Bindings made at build time need its headers and libclang on every machine that builds; a
//! dozen functions whose ABI has not changed in twenty years need neither. So Kerberos is in every build, and a broker without a
//! keytab never opens the library.

mod library;
mod negotiation;

pub use library::{Acceptor, OpenError};
pub use negotiation::{Negotiation, Refused, Step, Ticket};
