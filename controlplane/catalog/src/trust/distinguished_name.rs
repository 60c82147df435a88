//! Distinguished names as Java writes them, which is what Kafka's mapping rules are applied to: `X500Principal.getName()`, RFC 2253.
//!
//! The last part first; nine kinds of attributes by name, all others by their numbers and with the value in hexadecimal digits.
//! `tests/clients/java/Mapping.java` asks Java itself for the same names.

use x509_parser::asn1_rs::{Tag, ToDer};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// The longest name, in bytes.
const MAX_LENGTH: usize = 2048;

/// The attributes that RFC 2253 gives names to.
const KEYWORDS: [(&str, &str); 9] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
];

/// The name in Java's form; `None`: it is too long, or has texts in encodings that are not read here.
pub(crate) fn rfc2253(name: &X509Name<'_>) -> Option<String> {
    let parts: Vec<_> = name.iter_rdn().collect();
    let mut written = String::new();
    for part in parts.into_iter().rev() {
        for (index, attribute) in part.iter().enumerate() {
            if index > 0 {
                written.push('+');
            } else if !written.is_empty() {
                written.push(',');
            }
            written.push_str(&attribute_text(attribute)?);
            if written.len() > MAX_LENGTH {
                return None;
            }
        }
    }
    Some(written)
}

fn attribute_text(attribute: &AttributeTypeAndValue<'_>) -> Option<String> {
    let kind = attribute.attr_type().to_id_string();
    let keyword = KEYWORDS.iter().find(|(id, _)| *id == kind);
    let value = attribute.attr_value();
    let is_text = matches!(
        value.tag(),
        Tag::PrintableString | Tag::Utf8String | Tag::Ia5String
    );
    match keyword {
        Some((_, keyword)) if is_text => {
            let text = std::str::from_utf8(attribute.as_slice()).ok()?;
            Some(format!("{keyword}={}", escaped(text)))
        }
        // Java takes the bytes of these for UTF-8, whatever they are.
        Some(_)
            if matches!(
                value.tag(),
                Tag::TeletexString | Tag::GeneralString | Tag::BmpString
            ) =>
        {
            None
        }
        _ => {
            let named = keyword.map_or(kind.as_str(), |(_, keyword)| keyword);
            let encoded = value.to_der_vec().ok()?;
            Some(format!("{named}=#{}", hex(&encoded)))
        }
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            ',' | '=' | '+' | '<' | '>' | '#' | ';' | '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\0' => out.push_str("\\00"),
            _ => out.push(c),
        }
    }
    let is_space = |c: char| c == ' ' || c == '\r';
    let inner = out.trim_matches(is_space);
    let lead = match inner.is_empty() {
        true => out.len(),
        false => out.len() - out.trim_start_matches(is_space).len(),
    };
    let trail = out.len() - lead - inner.len();
    let spaces = |range: &str| range.chars().flat_map(|c| ['\\', c]).collect::<String>();
    format!(
        "{}{inner}{}",
        spaces(&out[..lead]),
        spaces(&out[out.len() - trail..])
    )
}

/// Hexadecimal digits in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a text does not fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_and_outer_spaces_are_escaped() {
        for (text, expected) in [
            ("plain", "plain"),
            ("a,b+c=\"d\"", "a\\,b\\+c\\=\\\"d\\\""),
            ("#1", "\\#1"),
            ("  a b ", "\\ \\ a b\\ "),
            ("   ", "\\ \\ \\ "),
            ("", ""),
            ("é\\", "é\\\\"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }
}
