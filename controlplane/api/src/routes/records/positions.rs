//! Where a search is in each partition, as a cursor keeps it: numbers of 7 bits a byte, behind the topic's id.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use firn_catalog::ids::TopicId;

use crate::rules::{Code, Problem};

/// The part of a partition that is still to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) partition: i32,
    pub(super) position: i64,
    /// Before which it ends; `None`: never.
    pub(super) end: Option<i64>,
}

/// Those of all partitions, in the order of their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Positions(pub(super) Vec<Span>);

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn get(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn offset(bytes: &mut &[u8]) -> Option<i64> {
    i64::try_from(get(bytes)?).ok()
}

fn spans(mut bytes: &[u8]) -> Option<Vec<Span>> {
    let mut spans = Vec::new();
    let bytes = &mut bytes;
    while !bytes.is_empty() {
        let partition = i32::try_from(get(bytes)?).ok()?;
        let position = offset(bytes)?;
        // One more than what is left, or 0: it never ends.
        let end = match offset(bytes)? {
            0 => None,
            left => Some(position.checked_add(left - 1)?),
        };
        spans.push(Span {
            partition,
            position,
            end,
        });
    }
    Some(spans)
}

impl Positions {
    /// As a cursor's text, for this topic.
    pub(super) fn encode(&self, topic: TopicId) -> String {
        let mut bytes = topic.0.to_be_bytes().to_vec();
        for span in &self.0 {
            put(&mut bytes, u64::from(span.partition.unsigned_abs()));
            put(&mut bytes, span.position.unsigned_abs());
            let left = span
                .end
                .map_or(0, |end| end.saturating_sub(span.position).max(0) + 1);
            put(&mut bytes, left.unsigned_abs());
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads them. Those of a topic that is gone are of no use to one that has its name now.
    pub(super) fn decode(text: &str, topic: TopicId) -> Result<Self, Problem> {
        let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        let of_topic = bytes.strip_prefix(&topic.0.to_be_bytes());
        let spans = of_topic.and_then(spans).map(Self);
        spans.ok_or_else(|| {
            Problem::new(
                Code::InvalidCursor,
                "the cursor is of a topic that is not there any more; begin again without one",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_come_back_and_those_of_another_topic_do_not() {
        let span = |partition, position, end| Span {
            partition,
            position,
            end,
        };
        let positions = Positions(vec![
            span(0, 0, Some(0)),
            span(7, 5, Some(1_000_000)),
            span(199, i64::MAX - 1, Some(i64::MAX)),
            span(99_999, 12, None),
        ]);
        let text = positions.encode(TopicId(9));
        assert_eq!(Positions::decode(&text, TopicId(9)).unwrap(), positions);
        assert!(Positions::decode(&text, TopicId(8)).is_err());
        for end in 0..text.len() {
            drop(Positions::decode(&text[..end], TopicId(9)));
        }
    }

    #[test]
    fn as_many_as_there_may_be_fit_into_a_cursor() {
        let span = |partition| Span {
            partition,
            position: 1 << 47,
            end: Some((1 << 47) + 10_000_000_000),
        };
        let positions = Positions((99_800..100_000).map(span).collect());
        assert!(positions.encode(TopicId(u128::MAX)).len() < 5_000);
    }
}
