//! How the control plane speaks Kafka to a broker for somebody.
//!
//! Both know the master key. The control plane signs who it speaks for, in which cluster and until when, and authenticates with
//! that text through the SASL mechanism [`MECHANISM`], which brokers offer on their internal listener only.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::Secrets;

/// The name of the SASL mechanism whose one message is a signed [`Delegation`].
pub const MECHANISM: &str = "FIRN-DELEGATION";

const PURPOSE: &str = "delegation";
const MAX_LENGTH: usize = 16 * 1024;

/// For whom, where and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// The cluster.
    #[serde(with = "cluster_id")]
    pub cluster: u128,
    /// The user, as `User`'s text form.
    pub user: String,
    /// The roles that the user has in the cluster.
    pub roles: Vec<String>,
    /// When it stops being valid.
    pub expires_at_ms: i64,
    /// The REST request that this is done for.
    pub request_id: String,
    /// Where that request came from, which is where the user counts as being; `None` if nobody knows.
    #[serde(default)]
    pub address: Option<IpAddr>,
}

mod cluster_id {
    //! The 128 bits of a cluster's id. JSON has no such numbers: they are written as 32 hexadecimal digits.

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(id: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{id:032x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 16];
        hex::decode_to_slice(&text, &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(u128::from_be_bytes(bytes))
    }
}

impl Delegation {
    /// The text that proves it.
    pub fn sign(&self, secrets: &Secrets) -> String {
        let payload = serde_json::to_vec(self).expect("these fields are always JSON");
        secrets.sign(PURPOSE, &payload)
    }

    /// What a text proves at `now_ms`; `None` once it has expired and for whatever this key did not sign.
    pub fn verify(text: &str, secrets: &Secrets, now_ms: i64) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let delegation: Self = serde_json::from_slice(&secrets.unsign(PURPOSE, text)?).ok()?;
        (now_ms < delegation.expires_at_ms).then_some(delegation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MasterKey;

    fn secrets(digit: &str) -> Secrets {
        Secrets::new(&MasterKey::from_text(&digit.repeat(64)).unwrap())
    }

    fn delegation() -> Delegation {
        Delegation {
            cluster: 0xabc,
            user: "per_x".to_owned(),
            roles: vec!["viewer".to_owned()],
            expires_at_ms: 1_000,
            request_id: "r-1".to_owned(),
            address: Some(IpAddr::from([192, 0, 2, 7])),
        }
    }

    #[test]
    fn a_delegation_is_valid_until_it_expires() {
        let text = delegation().sign(&secrets("1"));
        assert_eq!(Delegation::verify(&text, &secrets("1"), 999), Some(delegation()));
        assert_eq!(Delegation::verify(&text, &secrets("1"), 1_000), None);
    }

    #[test]
    fn what_another_key_or_purpose_signed_is_refused() {
        let text = delegation().sign(&secrets("2"));
        assert_eq!(Delegation::verify(&text, &secrets("1"), 0), None);
        let payload = secrets("1").unsign(PURPOSE, &delegation().sign(&secrets("1")));
        let cursor = secrets("1").sign("cursor", &payload.unwrap());
        assert_eq!(Delegation::verify(&cursor, &secrets("1"), 0), None);
        let other = secrets("1").sign(PURPOSE, b"{}");
        assert_eq!(Delegation::verify(&other, &secrets("1"), 0), None);
        assert_eq!(Delegation::verify("", &secrets("1"), 0), None);
    }
}
