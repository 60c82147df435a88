//! What is derived from the master key: sealed values, digests, signatures, and what looks random.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use firn_runtime::Random;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Okm, Prk, Salt};
use ring::hmac;
use zeroize::Zeroizing;

use crate::MasterKey;

/// What a sealed value begins with: how the rest is to be read.
const FORMAT: u8 = 1;

/// Seals, digests and signs with keys derived from one master key. Clones share them.
///
/// Every method takes a purpose, which the key depends on: a value made for one purpose opens, verifies and compares under no
/// other.
#[derive(Clone)]
pub struct Secrets(Arc<Prk>);

impl Secrets {
    /// What is derived from this key.
    pub fn new(master: &MasterKey) -> Self {
        let salt = Salt::new(HKDF_SHA256, b"firn secrets 1");
        Self(Arc::new(salt.extract(master.bytes())))
    }

    /// Encrypts what must be readable later. The same value seals differently each time.
    pub fn seal(&self, purpose: &str, plain: &[u8], random: &dyn Random) -> String {
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce);
        let mut sealed = plain.to_vec();
        let tag = self
            .sealing_key(purpose)
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose),
                &mut sealed,
            )
            .expect("AES-GCM seals 64 GiB and no value in memory is as large");
        let mut whole = Vec::with_capacity(1 + NONCE_LEN + sealed.len() + tag.as_ref().len());
        whole.push(FORMAT);
        whole.extend_from_slice(&nonce);
        whole.extend_from_slice(&sealed);
        whole.extend_from_slice(tag.as_ref());
        URL_SAFE_NO_PAD.encode(whole)
    }

    /// What was sealed, or `None` for anything that this key did not seal for this purpose.
    pub fn open(&self, purpose: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
        let whole = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (&format, rest) = whole.split_first()?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN)?;
        if format != FORMAT {
            return None;
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut buffer = Zeroizing::new(sealed.to_vec());
        let length = self
            .sealing_key(purpose)
            .open_in_place(nonce, Aad::from(purpose), &mut buffer)
            .ok()?
            .len();
        buffer.truncate(length);
        Some(buffer)
    }

    /// A keyed digest (HMAC-SHA-256, 64 hexadecimal digits): how random secrets are kept. The same secret gives the same digest,
    /// so it can be looked up.
    pub fn digest(&self, purpose: &str, secret: &[u8]) -> String {
        hex::encode(hmac::sign(&self.mac_key("digest", purpose), secret))
    }

    /// Whether `digest` is this secret's, in constant time.
    pub fn verify_digest(&self, purpose: &str, secret: &[u8], digest: &str) -> bool {
        let mut expected = [0; 32];
        let well_formed = hex::decode_to_slice(digest, &mut expected).is_ok();
        let key = self.mac_key("digest", purpose);
        hmac::verify(&key, secret, &expected).is_ok() & well_formed
    }

    /// A text that carries the payload readably and proves that this key signed it: cursors, tokens.
    pub fn sign(&self, purpose: &str, payload: &[u8]) -> String {
        let mac = hmac::sign(&self.mac_key("sign", purpose), payload);
        let mut text = URL_SAFE_NO_PAD.encode(payload);
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(mac, &mut text);
        text
    }

    /// The payload of a signed text, or `None` for anything that this key did not sign for this purpose.
    pub fn unsign(&self, purpose: &str, text: &str) -> Option<Vec<u8>> {
        let (payload, mac) = text.split_once('.')?;
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        hmac::verify(&self.mac_key("sign", purpose), &payload, &mac).ok()?;
        Some(payload)
    }

    /// Bytes that nobody can tell from random ones, and that are the same for the same name.
    pub(crate) fn pseudorandom(&self, purpose: &str, name: &[u8]) -> [u8; 32] {
        let mac = hmac::sign(&self.mac_key("pseudorandom", purpose), name);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(mac.as_ref());
        bytes
    }

    fn mac_key(&self, use_of_key: &str, purpose: &str) -> hmac::Key {
        self.expand(use_of_key, purpose, hmac::HMAC_SHA256, |okm| okm.into())
    }

    fn sealing_key(&self, purpose: &str) -> LessSafeKey {
        LessSafeKey::new(self.expand("seal", purpose, &AES_256_GCM, |okm| UnboundKey::from(okm)))
    }

    /// The key with the label `use_of_key / purpose`. No use has a slash in its name, so no two labels are the same.
    fn expand<L: KeyType, K>(
        &self,
        use_of_key: &str,
        purpose: &str,
        kind: L,
        make: impl FnOnce(Okm<'_, L>) -> K,
    ) -> K {
        let label = [use_of_key.as_bytes(), b"/", purpose.as_bytes()];
        let okm = self
            .0
            .expand(&label, kind)
            .expect("HKDF refuses only keys longer than 255 digests");
        make(okm)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

#[cfg(test)]
mod tests;
