//! The certificates that Kafka clients are shown.
//!
//! | module | what is in it |
//! |---|---|
//! | `authority` | the authority of `firn dev`, which makes and renews the certificate of this machine |
//! | `files` | a certificate and its key in PEM files, read anew when they change |

mod authority;
mod files;

pub use authority::DevAuthority;
pub use files::CertificateFiles;
