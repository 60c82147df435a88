//! What a consumer subscribes to: the beginning of the `ConsumerProtocolSubscription` in its metadata.

use std::sync::Arc;

use bytes::{Buf, Bytes};

/// The names of the topics; `None` if the bytes are something else.
pub(super) fn topics(metadata: &Bytes) -> Option<Vec<Arc<str>>> {
    let mut rest = &metadata[..];
    let version = rest.try_get_i16().ok()?;
    if version < 0 {
        return None;
    }
    let count = usize::try_from(rest.try_get_i32().ok()?).ok()?;
    // Each name has a length of two bytes at the least.
    if count > rest.len() / 2 {
        return None;
    }
    let mut topics = Vec::with_capacity(count);
    for _ in 0..count {
        let length = usize::try_from(rest.try_get_i16().ok()?).ok()?;
        let (name, after) = rest.split_at_checked(length)?;
        topics.push(std::str::from_utf8(name).ok()?.into());
        rest = after;
    }
    Some(topics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_read_and_anything_else_is_not_a_subscription() {
        let bytes = Bytes::from_static(b"\0\x03\0\0\0\x02\0\x01a\0\x02bc\xff\xff\xff\xff");
        assert_eq!(topics(&bytes), Some(vec!["a".into(), "bc".into()]));
        assert_eq!(topics(&Bytes::new()), None);
        for end in 0..13 {
            assert_eq!(topics(&bytes.slice(..end)), None, "{end}");
        }
        assert_eq!(topics(&Bytes::from_static(b"\0\0\x7f\xff\xff\xff")), None);
        assert_eq!(topics(&Bytes::from_static(b"\0\0\0\0\0\x01\0\x01\xff")), None);
    }
}
