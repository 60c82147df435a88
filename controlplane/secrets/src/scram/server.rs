//! The server's side of one exchange, apart from I/O: `client-first` in, `server-first` out, `client-final` in, `server-final`
//! out or a refusal.
//!
//! A user who does not exist is answered like one who does, with a salt that stays the same, and is refused where a wrong
//! password would be, after the same work.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use firn_runtime::Random;
use subtle::{Choice, ConstantTimeEq};

use super::attributes::{Final, First};
use super::{Decoy, Mechanism, Verifier};

/// How many passwords of one user may be valid at a time.
const LIVE: usize = 2;

/// Why an exchange ends without success. For logs: the client learns only that it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub &'static str);

/// The client's first message: who it says it is.
pub struct ClientFirst {
    user: String,
    header: String,
    bare: String,
    nonce: String,
}

impl ClientFirst {
    /// Reads a `client-first-message`.
    pub fn parse(message: &[u8]) -> Result<Self, Refused> {
        let first = First::parse(message)?;
        Ok(Self {
            header: first.header.to_owned(),
            bare: first.bare.to_owned(),
            nonce: first.nonce.to_owned(),
            user: first.user,
        })
    }

    /// The user name, with its escapes undone.
    pub fn user(&self) -> &str {
        &self.user
    }
}

/// An exchange that waits for the client's final message.
pub struct Server {
    mechanism: Mechanism,
    header: String,
    /// `client-first-message-bare` "," `server-first-message`, with a comma behind.
    exchanged: String,
    /// The client's part, then the server's.
    nonce: String,
    client_nonce: String,
    pub(super) candidates: [Verifier; LIVE],
    /// How many of the candidates are real.
    real: usize,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Server(..)")
    }
}

/// An exchange that succeeded.
#[derive(Debug, PartialEq, Eq)]
pub struct Proven {
    /// Which of the verifiers the password belongs to.
    pub verifier: usize,
    /// The `server-final-message`.
    pub message: String,
}

impl Server {
    /// Starts an exchange, and gives the `server-first-message` to send. `verifiers` are those of the user's live passwords; only
    /// the first two count, and the second one only if it has the salt and the iterations of the first. With none, the user
    /// does not exist, and is told of the decoy.
    pub fn start(
        mechanism: Mechanism,
        first: &ClientFirst,
        verifiers: &[&Verifier],
        decoy: &Decoy,
        random: &dyn Random,
    ) -> (Self, String) {
        let mut own = [0; 24];
        random.fill(&mut own);
        let own = URL_SAFE_NO_PAD.encode(own);
        Self::start_with_nonce(mechanism, first, verifiers, decoy, &own)
    }

    pub(super) fn start_with_nonce(
        mechanism: Mechanism,
        first: &ClientFirst,
        verifiers: &[&Verifier],
        decoy: &Decoy,
        own_nonce: &str,
    ) -> (Self, String) {
        let fake = Verifier {
            salt: decoy.salt.clone(),
            iterations: decoy.iterations,
            stored_key: vec![0; mechanism.digest_length()],
            server_key: vec![0; mechanism.digest_length()],
        };
        let told = verifiers.first().map_or(&fake, |verifier| *verifier);
        let second = verifiers
            .get(1)
            .filter(|second| second.salt == told.salt && second.iterations == told.iterations);
        let nonce = format!("{}{own_nonce}", first.nonce);
        let message = format!(
            "r={nonce},s={},i={}",
            STANDARD.encode(&told.salt),
            told.iterations
        );
        let server = Self {
            mechanism,
            header: first.header.clone(),
            exchanged: format!("{},{message},", first.bare),
            nonce,
            client_nonce: first.nonce.clone(),
            candidates: [told.clone(), second.map_or(&fake, |second| *second).clone()],
            real: usize::from(!verifiers.is_empty()) + usize::from(second.is_some()),
        };
        (server, message)
    }

    /// Takes the `client-final-message`. The exchange is over, whatever comes of it.
    pub fn finish(self, message: &[u8]) -> Result<Proven, Refused> {
        let message = Final::parse(message)?;
        if message.channel_binding != self.header.as_bytes() {
            return Err(Refused(
                "the channel binding is not the header of the first message",
            ));
        }
        // librdkafka before 2.6.1 puts its part of the nonce in front of the whole once more. Apache Kafka takes that, and the proof
        // covers it.
        let repeated = message.nonce.strip_suffix(self.nonce.as_str());
        if !repeated.is_some_and(|repeated| repeated.is_empty() || repeated == self.client_nonce) {
            return Err(Refused("the nonce is not this exchange's"));
        }
        if message.proof.len() != self.mechanism.digest_length() {
            return Err(Refused("the proof has the wrong length"));
        }
        let signed = format!("{}{}", self.exchanged, message.without_proof);
        // All candidates are worked through, real or not, before anything is said.
        let proven = [0, 1].map(|index| {
            let right = self.proves(&self.candidates[index], &message.proof, &signed);
            bool::from(right & Choice::from(u8::from(index < self.real)))
        });
        let signatures = self
            .candidates
            .each_ref()
            .map(|candidate| self.mechanism.hmac(&candidate.server_key, signed.as_bytes()));
        let verifier = proven
            .iter()
            .position(|right| *right)
            .ok_or(Refused(if self.real == 0 {
                "there is no such user"
            } else {
                "the password is wrong"
            }))?;
        Ok(Proven {
            verifier,
            message: format!("v={}", STANDARD.encode(signatures[verifier])),
        })
    }

    /// Whether the proof is of the key whose hash `candidate` keeps.
    fn proves(&self, candidate: &Verifier, proof: &[u8], signed: &str) -> Choice {
        let signature = self.mechanism.hmac(&candidate.stored_key, signed.as_bytes());
        let key: Vec<u8> = proof
            .iter()
            .zip(signature.as_ref())
            .map(|(proof, signature)| proof ^ signature)
            .collect();
        self.mechanism.hash(&key).as_ref().ct_eq(&candidate.stored_key)
    }
}
