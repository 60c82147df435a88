//! The client's message (RFC 7628, 3.1), as Kafka reads it: `n,a=NAME,` and pairs, each between two 0x01.
//!
//! Of the pairs only `auth` counts; others are Kafka's SASL extensions, which say nothing here.

use crate::authentication::credentials::Refused;

const SEPARATOR: char = '\u{1}';
const MALFORMED: Refused = Refused("the message is malformed");
/// How many pairs a message may have.
const MOST_PAIRS: usize = 32;

/// What the client sends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    /// As whom it wants to act.
    pub(super) authzid: Option<&'a str>,
    pub(super) token: &'a str,
}

pub(super) fn read(message: &[u8]) -> Result<Message<'_>, Refused> {
    let text = std::str::from_utf8(message).map_err(|_| Refused("the message is not UTF-8"))?;
    let (header, pairs) = text.split_once(SEPARATOR).ok_or(MALFORMED)?;
    let authzid = authzid(header)?;
    // The last pair and the message end with one separator each.
    let pairs = match pairs.strip_suffix(SEPARATOR) {
        Some(pairs) => pairs.strip_suffix(SEPARATOR).ok_or(MALFORMED)?,
        None => return Err(MALFORMED),
    };
    let mut token = None;
    for (place, pair) in pairs.split(SEPARATOR).enumerate() {
        let (key, value) = pair.split_once('=').ok_or(MALFORMED)?;
        if place >= MOST_PAIRS || key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Err(MALFORMED);
        }
        if key == "auth" && token.replace(bearer(value)?).is_some() {
            return Err(MALFORMED);
        }
    }
    let token = token.ok_or(Refused("the message has no token"))?;
    Ok(Message { authzid, token })
}

/// Of `n,a=NAME,` the name. Channels are not bound. Names with `=2C` or `=3D` are nobody's who could log in with them.
fn authzid(header: &str) -> Result<Option<&str>, Refused> {
    let name = header.strip_prefix("n,").and_then(|rest| rest.strip_suffix(','));
    match name.ok_or(MALFORMED)? {
        "" => Ok(None),
        name => {
            let name = name.strip_prefix("a=").ok_or(MALFORMED)?;
            match name.is_empty() || name.contains(',') {
                true => Err(MALFORMED),
                false => Ok(Some(name)),
            }
        }
    }
}

fn bearer(value: &str) -> Result<&str, Refused> {
    let (scheme, token) = value.split_once(' ').ok_or(MALFORMED)?;
    match scheme.eq_ignore_ascii_case("bearer") {
        true => Ok(token.trim_start_matches(' ')),
        false => Err(Refused("the authorization is not a bearer token")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_s_and_librdkafka_s_messages_are_read() {
        let plain = read(b"n,,\x01auth=Bearer a.b.c\x01\x01").unwrap();
        assert_eq!((plain.authzid, plain.token), (None, "a.b.c"));
        let named = read(b"n,a=alice,\x01auth=bearer a.b.c\x01logicalCluster=lkc-1\x01\x01").unwrap();
        assert_eq!((named.authzid, named.token), (Some("alice"), "a.b.c"));
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for message in [
            &b""[..],
            b"\x01",
            b"\x01\x01",
            b"n,,\x01\x01",
            b"n,,\x01auth=Bearer a\x01",
            b"n,,auth=Bearer a\x01\x01",
            b"y,,\x01auth=Bearer a\x01\x01",
            b"p=tls-unique,,\x01auth=Bearer a\x01\x01",
            b"n,a=,\x01auth=Bearer a\x01\x01",
            b"n,b=x,\x01auth=Bearer a\x01\x01",
            b"n,,\x01auth=Basic a\x01\x01",
            b"n,,\x01auth=Bearer\x01\x01",
            b"n,,\x01auth=Bearer a\x01auth=Bearer b\x01\x01",
            b"n,,\x01host=x\x01\x01",
            b"n,,\x01auth=Bearer a\x01=x\x01\x01",
            b"n,,\x01auth=Bearer \xff\x01\x01",
        ] {
            assert!(read(message).is_err(), "{}", message.escape_ascii());
        }
        let many = format!("n,,\u{1}auth=Bearer a{}\u{1}\u{1}", "\u{1}x=y".repeat(40));
        assert!(read(many.as_bytes()).is_err());
    }
}
