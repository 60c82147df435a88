//! The SASL mechanisms, and where each is offered.

use firn_catalog::credential::{KafkaCredential, Proof};
use firn_secrets::delegation;
use firn_secrets::scram;

use crate::network::listener::{Door, Peer, Transport};

/// How a client shows who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mechanism {
    /// An API key in clear.
    Plain,
    /// A password that is proven, not sent.
    Scram(scram::Mechanism),
    /// What the control plane has signed for somebody.
    Delegation,
}

const CLEAR: &[Mechanism] = &[
    Mechanism::Plain,
    Mechanism::Scram(scram::Mechanism::Sha256),
    Mechanism::Scram(scram::Mechanism::Sha512),
];
const PROVEN: &[Mechanism] = &[
    Mechanism::Scram(scram::Mechanism::Sha256),
    Mechanism::Scram(scram::Mechanism::Sha512),
];
const INTERNAL: &[Mechanism] = &[Mechanism::Delegation];

impl Mechanism {
    /// Its name in SASL.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Scram(mechanism) => mechanism.name(),
            Self::Delegation => delegation::MECHANISM,
        }
    }

    /// Whether a credential can be shown in this way.
    pub(crate) fn is_one_of(self, credential: &KafkaCredential) -> bool {
        match self {
            Self::Plain => matches!(credential.proof, Proof::ApiKey { .. }),
            Self::Scram(mechanism) => credential.sealed_verifier(mechanism).is_some(),
            Self::Delegation => false,
        }
    }

    /// What a connection may choose from. A key in clear only where nobody listens.
    pub(crate) fn offered(peer: &Peer) -> &'static [Self] {
        let private = match peer.transport {
            Transport::Tls { .. } => true,
            Transport::Plaintext => peer.address.ip().to_canonical().is_loopback(),
        };
        match peer.door {
            Door::Internal => INTERNAL,
            Door::Clients if private => CLEAR,
            Door::Clients => PROVEN,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::network::Limits;
    use crate::network::census::Census;
    use crate::network::cut::Cut;

    fn offered(address: &str, door: Door, tls: bool) -> Vec<&'static str> {
        let transport = match tls {
            true => Transport::Tls { server_name: None },
            false => Transport::Plaintext,
        };
        let address: std::net::SocketAddr = address.parse().unwrap();
        let cut = Cut::new(&CancellationToken::new());
        let place = Census::default().place(1, address.ip(), cut.clone(), &Limits::default());
        let peer = Peer {
            connection: 1,
            address,
            door,
            transport,
            since: Instant::now(),
            cut,
            place: place.unwrap().into(),
        };
        Mechanism::offered(&peer).iter().map(|m| m.name()).collect()
    }

    #[tokio::test]
    async fn keys_in_clear_are_taken_where_nobody_listens() {
        let all = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];
        for address in ["127.0.0.1:5", "[::1]:5", "[::ffff:127.0.0.1]:5"] {
            assert_eq!(offered(address, Door::Clients, false), all, "{address}");
        }
        for address in ["10.0.0.1:5", "[2001:db8::1]:5", "[::ffff:10.0.0.1]:5"] {
            assert_eq!(offered(address, Door::Clients, false), all[1..], "{address}");
            assert_eq!(offered(address, Door::Clients, true), all, "{address}");
        }
    }

    #[tokio::test]
    async fn delegation_is_for_the_internal_listener_and_nothing_else_is() {
        for tls in [false, true] {
            assert_eq!(offered("127.0.0.1:5", Door::Internal, tls), ["FIRN-DELEGATION"]);
        }
    }
}
