//! The messages that a client sends, read as RFC 5802's grammar has them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Refused;

/// No honest message is longer.
const MAX_MESSAGE: usize = 4096;
/// No honest nonce is longer.
const MAX_NONCE: usize = 256;

/// `client-first-message`, taken apart.
pub(super) struct First<'m> {
    /// The GS2 header, with the comma at its end.
    pub header: &'m str,
    /// The rest of the message.
    pub bare: &'m str,
    pub user: String,
    pub nonce: &'m str,
}

/// `client-final-message`, taken apart.
pub(super) struct Final<'m> {
    /// All before `,p=`.
    pub without_proof: &'m str,
    pub channel_binding: Vec<u8>,
    pub nonce: &'m str,
    pub proof: Vec<u8>,
}

impl<'m> First<'m> {
    pub(super) fn parse(message: &'m [u8]) -> Result<Self, Refused> {
        let message = text(message)?;
        let mut parts = message.splitn(3, ',');
        let flag = parts.next().ok_or(Refused("the message has no header"))?;
        let authzid = parts.next().ok_or(Refused("the message has no header"))?;
        let bare = parts.next().ok_or(Refused("the message has only a header"))?;
        // No mechanism with channel binding is offered, so a client that could do it and saw none (`y`) is right.
        if !matches!(flag, "n" | "y") {
            return Err(Refused("the client asks for channel binding"));
        }
        let mut attributes = bare.split(',');
        let user = attribute(attributes.next(), "n=").ok_or(Refused("no user name where it belongs"))?;
        let user = name(user)?;
        let nonce = attribute(attributes.next(), "r=").ok_or(Refused("no nonce where it belongs"))?;
        if nonce.is_empty() || nonce.len() > MAX_NONCE || !nonce.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Refused("the nonce is empty, too long or not printable"));
        }
        if !authzid.is_empty() {
            let authzid = authzid
                .strip_prefix("a=")
                .ok_or(Refused("the header is malformed"))?;
            if name(authzid)? != user {
                return Err(Refused("the authorization identity is somebody else"));
            }
        }
        extensions(attributes)?;
        Ok(Self {
            header: &message[..message.len() - bare.len()],
            bare,
            user,
            nonce,
        })
    }
}

impl<'m> Final<'m> {
    pub(super) fn parse(message: &'m [u8]) -> Result<Self, Refused> {
        let message = text(message)?;
        let (without_proof, proof) = message
            .rsplit_once(',')
            .ok_or(Refused("the message has no proof"))?;
        let proof = attribute(Some(proof), "p=").ok_or(Refused("the message does not end with its proof"))?;
        let mut attributes = without_proof.split(',');
        let binding =
            attribute(attributes.next(), "c=").ok_or(Refused("no channel binding where it belongs"))?;
        let nonce = attribute(attributes.next(), "r=").ok_or(Refused("no nonce where it belongs"))?;
        extensions(attributes)?;
        Ok(Self {
            without_proof,
            channel_binding: base64(binding)?,
            nonce,
            proof: base64(proof)?,
        })
    }
}

fn text(message: &[u8]) -> Result<&str, Refused> {
    if message.len() > MAX_MESSAGE {
        return Err(Refused("the message is too long"));
    }
    std::str::from_utf8(message).map_err(|_| Refused("the message is not UTF-8"))
}

/// The value of an attribute; what stands in a mandatory extension's place (`m=`) is none.
fn attribute<'m>(part: Option<&'m str>, name: &str) -> Option<&'m str> {
    part?.strip_prefix(name)
}

fn base64(text: &str) -> Result<Vec<u8>, Refused> {
    STANDARD
        .decode(text)
        .map_err(|_| Refused("a value is not base64"))
}

/// A `saslname`: commas and equals signs are written as `=2C` and `=3D`.
fn name(text: &str) -> Result<String, Refused> {
    let mut name = String::with_capacity(text.len());
    let mut parts = text.split('=');
    name.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (character, rest) = if let Some(rest) = part.strip_prefix("2C") {
            (',', rest)
        } else if let Some(rest) = part.strip_prefix("3D") {
            ('=', rest)
        } else {
            return Err(Refused("a name has an equals sign that means nothing"));
        };
        name.push(character);
        name.push_str(rest);
    }
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(Refused("a name is empty or has control characters"));
    }
    Ok(name)
}

/// Attributes behind the known ones: unknown ones are no business of ours, except those that must be understood (`m=`), and
/// Kafka's `tokenauth`, which asks for a delegation token to be taken as the user's password.
fn extensions<'m>(attributes: impl Iterator<Item = &'m str>) -> Result<(), Refused> {
    for attribute in attributes {
        match attribute.split_once('=') {
            Some(("m", _)) => return Err(Refused("the client asks for an unknown extension")),
            Some(("tokenauth", _)) => return Err(Refused("the client asks for token authentication")),
            Some((name, value))
                if !name.is_empty() && !value.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic()) => {
            }
            _ => return Err(Refused("an attribute is malformed")),
        }
    }
    Ok(())
}
