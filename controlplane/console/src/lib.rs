//! The web console's files (`web/dist`, which `make web` builds), inside of the binary.
//!
//! A release has them in it. A build for tests reads them from where they lie, so that a change of the console needs no compiler. Where
//! they were not built, [`page`] gives nothing, and the service says how to get them.
//!
//! The page itself is answered anew each time, for the policy of its content names a number that is used once; all other files have
//! the digest of what is in them in their names and can be kept for ever.

use std::borrow::Cow;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Files;

/// What stands in the page for the number.
const PLACE: &str = r#"<meta name="csp-nonce" content="" />"#;

/// A file, as it goes over the wire.
#[derive(Debug)]
pub struct Asset {
    /// Its media type.
    pub content_type: &'static str,
    /// How the bytes are compressed, as `Content-Encoding` calls it.
    pub encoding: Option<&'static str>,
    /// The bytes.
    pub bytes: Cow<'static, [u8]>,
    /// Whether another content would have another name.
    pub immutable: bool,
}

/// The page that all of the console is in, with the number that its styles are allowed by; `None`: it is not in this build.
pub fn page(nonce: &str) -> Option<String> {
    let file = Files::get("index.html")?;
    let text = String::from_utf8(file.data.into_owned()).ok()?;
    let place = PLACE.replace("content=\"\"", &format!("content=\"{nonce}\""));
    Some(text.replacen(PLACE, &place, 1))
}

/// A file by its path, without a leading slash, compressed in the best way that the client accepts (`Accept-Encoding`).
pub fn asset(path: &str, accepted: &str) -> Option<Asset> {
    let content_type = content_type(path)?;
    let immutable = path.starts_with("assets/");
    let compressed = [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .find_map(|(encoding, suffix)| {
            let file = accepts(accepted, encoding).then(|| Files::get(&format!("{path}.{suffix}")))??;
            Some((Some(encoding), file.data))
        });
    let (encoding, bytes) = match compressed {
        Some(found) => found,
        None => (None, Files::get(path)?.data),
    };
    Some(Asset {
        content_type,
        encoding,
        bytes,
        immutable,
    })
}

/// Whether `Accept-Encoding` names it with a weight above none (RFC 9110, 12.5.3).
fn accepts(accepted: &str, encoding: &str) -> bool {
    accepted.split(',').any(|part| {
        let mut words = part.split(';').map(str::trim);
        let named = words
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let refused =
            words.any(|word| matches!(word.strip_prefix("q="), Some("0" | "0.0" | "0.00" | "0.000")));
        named && !refused
    })
}

/// The media types of what a build of the console consists of. Nothing else is served, whatever lies in the folder.
fn content_type(path: &str) -> Option<&'static str> {
    match path.rsplit_once('.')?.1 {
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "woff2" => Some("font/woff2"),
        "wasm" => Some("application/wasm"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_counts_unless_it_is_refused() {
        assert!(accepts("gzip, deflate, br", "br"));
        assert!(accepts("GZIP;q=0.5", "gzip"));
        assert!(!accepts("br;q=0, gzip", "br"));
        assert!(!accepts("identity", "gzip"));
        assert!(!accepts("", "br"));
    }

    #[test]
    fn only_files_of_known_kinds_are_served() {
        assert_eq!(
            content_type("assets/index-1a2b.js"),
            Some("text/javascript; charset=utf-8")
        );
        for other in [
            "index.html",
            "assets/index.js.map",
            "assets/index.js.br",
            "",
            "assets",
        ] {
            assert_eq!(content_type(other), None, "{other}");
        }
    }
}
