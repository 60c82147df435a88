//! SaslHandshake 1 and SaslAuthenticate 1, for PLAIN.

use anyhow::bail;
use bytes::BufMut;

use super::{Fields, frame, put_string};

const HANDSHAKE: (i16, i16) = (17, 1);
const AUTHENTICATE: (i16, i16) = (36, 1);

/// Chooses PLAIN.
pub fn handshake() -> Vec<u8> {
    let (api, version) = HANDSHAKE;
    frame(api, version, 0, |body| put_string(body, "PLAIN"))
}

/// Shows a password.
pub fn plain(user: &str, password: &str) -> Vec<u8> {
    let (api, version) = AUTHENTICATE;
    let token = format!("\0{user}\0{password}");
    frame(api, version, 0, |body| {
        body.put_i32(i32::try_from(token.len()).expect("a login is short"));
        body.put_slice(token.as_bytes());
    })
}

/// Whether the answer to either says that all is well.
pub fn accepted(answer: &[u8]) -> anyhow::Result<()> {
    match Fields::of(answer)?.i16()? {
        0 => Ok(()),
        code => bail!("the login answered error {code}"),
    }
}
