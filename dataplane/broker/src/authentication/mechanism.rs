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
    /// A token of an identity provider, or of Firn's own.
    OAuthBearer,
    /// A ticket of the realm whose service this broker is.
    Kerberos,
    /// What the control plane has signed for somebody.
    Delegation,
}

const CLEAR: &[Mechanism] = &[
    Mechanism::Plain,
    Mechanism::Scram(scram::Mechanism::Sha256),
    Mechanism::Scram(scram::Mechanism::Sha512),
    Mechanism::OAuthBearer,
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
            Self::OAuthBearer => "OAUTHBEARER",
            Self::Kerberos => "GSSAPI",
            Self::Delegation => delegation::MECHANISM,
        }
    }

    /// Whether a credential can be shown in this way.
    pub(crate) fn is_one_of(self, credential: &KafkaCredential) -> bool {
        match self {
            // Firn's own tokens stand for the API key that they were traded for.
            Self::Plain | Self::OAuthBearer => matches!(credential.proof, Proof::ApiKey { .. }),
            Self::Scram(mechanism) => credential.sealed_verifier(mechanism).is_some(),
            Self::Kerberos | Self::Delegation => false,
        }
    }

    /// What a connection may choose from. A key in clear only where nobody listens; tickets where the broker has a keytab, and
    /// anywhere: they are of no use to who sees them.
    pub(crate) fn offered(peer: &Peer, keytab: bool) -> Vec<Self> {
        let private = match peer.transport {
            Transport::Tls { .. } => true,
            Transport::Plaintext => peer.address.ip().to_canonical().is_loopback(),
        };
        let mut offered = match peer.door {
            Door::Internal => INTERNAL.to_vec(),
            Door::Clients if private => CLEAR.to_vec(),
            Door::Clients => PROVEN.to_vec(),
        };
        if keytab && peer.door == Door::Clients {
            offered.push(Self::Kerberos);
        }
        offered
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
        offered_with(address, door, tls, false)
    }

    fn offered_with(address: &str, door: Door, tls: bool, keytab: bool) -> Vec<&'static str> {
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
            chain: None,
            since: Instant::now(),
            cut,
            place: place.unwrap().into(),
        };
        let offered = Mechanism::offered(&peer, keytab);
        offered.iter().map(|m| m.name()).collect()
    }

    #[tokio::test]
    async fn keys_in_clear_are_taken_where_nobody_listens() {
        let all = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"];
        for address in ["127.0.0.1:5", "[::1]:5", "[::ffff:127.0.0.1]:5"] {
            assert_eq!(offered(address, Door::Clients, false), all, "{address}");
        }
        for address in ["10.0.0.1:5", "[2001:db8::1]:5", "[::ffff:10.0.0.1]:5"] {
            assert_eq!(offered(address, Door::Clients, false), all[1..3], "{address}");
            assert_eq!(offered(address, Door::Clients, true), all, "{address}");
        }
    }

    #[tokio::test]
    async fn delegation_is_for_the_internal_listener_and_nothing_else_is() {
        for tls in [false, true] {
            assert_eq!(offered("127.0.0.1:5", Door::Internal, tls), ["FIRN-DELEGATION"]);
        }
    }
    #[tokio::test]
    async fn tickets_are_taken_from_clients_wherever_there_is_a_keytab() {
        for (address, tls) in [
            ("127.0.0.1:5", false),
            ("10.0.0.1:5", false),
            ("10.0.0.1:5", true),
        ] {
            let names = offered_with(address, Door::Clients, tls, true);
            assert_eq!(names.last(), Some(&"GSSAPI"), "{address}");
            assert!(!offered(address, Door::Clients, tls).contains(&"GSSAPI"));
            assert_eq!(
                offered_with(address, Door::Internal, tls, true),
                ["FIRN-DELEGATION"]
            );
        }
    }
}
