//! Where partitions begin and end, and how old what comes at an offset is: asked of their leaders by an internal message, whose form
//! is in docs/formats/internal.md. Numbers of a fixed size, so that hostile lengths are refused before anything is read.
//!
//! How old: leaders tell the time of the record at the offset out of what they know of runs and extents, without reading any record.
//! So it costs no request to the store however far behind a group is, and needs no permission to read. Rejected: fetching the record,
//! which costs both; interpolation of samples of the log's end, which knows nothing of times before its first sample.

use crate::ids::{PartitionId, TopicId};

/// The kind of message that asks this.
pub const INTERNAL_POSITIONS: u8 = 2;
/// How many partitions one message asks about.
pub const MOST_POSITIONS: usize = 10_000;
/// Topic, partition, offset.
const ASKED: usize = 16 + 4 + 8;
/// Log start, end, time.
const TOLD: usize = 3 * 8;
/// In place of what there is not.
const NONE: i64 = -1;

/// Which partition, and at which offset a group is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedPosition {
    /// The partition.
    pub partition: PartitionId,
    /// The offset; -1 if there is none.
    pub offset: i64,
}

/// What its leader says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The first offset that may be read.
    pub log_start: i64,
    /// The end of what may be read.
    pub end: i64,
    /// When the record at the offset was written, in ms since 1970, by its own timestamp; of an offset below the log start, the first
    /// record. `None`: there is no record yet, or it is not known.
    pub time_ms: Option<i64>,
}

impl Position {
    /// How many records somebody at `offset` has not passed. What retention has taken cannot be read any more, and does not count.
    pub fn lag(&self, offset: i64) -> i64 {
        self.end.saturating_sub(offset.max(self.log_start)).max(0)
    }

    /// How old the first of them is at `now_ms`: nothing, if there is none. A time in the future counts as now.
    pub fn lag_ms(&self, offset: i64, now_ms: i64) -> Option<i64> {
        match self.lag(offset) {
            0 => Some(0),
            _ => self.time_ms.map(|time| now_ms.saturating_sub(time).max(0)),
        }
    }
}

/// What is sent, without the kind; of more than [`MOST_POSITIONS`] the first ones.
pub fn encode_asked(asked: &[AskedPosition]) -> Vec<u8> {
    let asked = &asked[..asked.len().min(MOST_POSITIONS)];
    let mut out = Vec::with_capacity(asked.len() * ASKED);
    for AskedPosition { partition, offset } in asked {
        out.extend_from_slice(&partition.topic.0.to_be_bytes());
        out.extend_from_slice(&partition.index.to_be_bytes());
        out.extend_from_slice(&offset.to_be_bytes());
    }
    out
}

/// Reads what was sent; `None`: it is no such message.
pub fn decode_asked(body: &[u8]) -> Option<Vec<AskedPosition>> {
    if !body.len().is_multiple_of(ASKED) || body.len() > MOST_POSITIONS * ASKED {
        return None;
    }
    let one = |entry: &[u8]| {
        let (topic, rest) = entry.split_first_chunk()?;
        let (index, rest) = rest.split_first_chunk()?;
        Some(AskedPosition {
            partition: PartitionId {
                topic: TopicId(u128::from_be_bytes(*topic)),
                index: i32::from_be_bytes(*index),
            },
            offset: number(rest)?,
        })
    };
    body.chunks_exact(ASKED).map(one).collect()
}

/// What is answered: of each partition in the order in which they were asked about; `None`: it is not led here, or is not to be seen.
pub fn encode_told(told: &[Option<Position>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(told.len() * TOLD);
    for position in told {
        let numbers = position.map_or([NONE; 3], |position| {
            [position.log_start, position.end, position.time_ms.unwrap_or(NONE)]
        });
        numbers
            .iter()
            .for_each(|number| out.extend_from_slice(&number.to_be_bytes()));
    }
    out
}

/// Reads an answer about `count` partitions; `None`: it is none.
pub fn decode_told(body: &[u8], count: usize) -> Option<Vec<Option<Position>>> {
    if body.len() != count.checked_mul(TOLD)? {
        return None;
    }
    let one = |entry: &[u8]| {
        let (log_start, end, time) = (number(entry)?, number(&entry[8..])?, number(&entry[16..])?);
        Some((end >= 0).then_some(Position {
            log_start,
            end,
            time_ms: (time >= 0).then_some(time),
        }))
    };
    body.chunks_exact(TOLD).map(one).collect()
}

fn number(bytes: &[u8]) -> Option<i64> {
    bytes.first_chunk().map(|bytes| i64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(topic: u128, index: i32, offset: i64) -> AskedPosition {
        let topic = TopicId(topic);
        AskedPosition {
            partition: PartitionId { topic, index },
            offset,
        }
    }

    #[test]
    fn what_is_asked_and_told_comes_across() {
        let questions = vec![asked(7, 0, 12), asked(u128::MAX, i32::MAX, -1)];
        let bytes = encode_asked(&questions);
        assert_eq!(decode_asked(&bytes), Some(questions));
        for length in 1..ASKED {
            assert_eq!(decode_asked(&bytes[..length]), None);
        }
        assert_eq!(decode_asked(&vec![0; (MOST_POSITIONS + 1) * ASKED]), None);
        let position = |time_ms| Position {
            log_start: 3,
            end: 9,
            time_ms,
        };
        let answers = vec![Some(position(Some(5))), None, Some(position(None))];
        let bytes = encode_told(&answers);
        assert_eq!(decode_told(&bytes, 3), Some(answers));
        assert_eq!(decode_told(&bytes, 2), None);
        assert_eq!(decode_told(&bytes[..50], 3), None);
    }

    #[test]
    fn lag_is_counted_from_the_log_start_and_never_below_nothing() {
        let position = Position {
            log_start: 100,
            end: 150,
            time_ms: Some(1_000),
        };
        let at = |offset| (position.lag(offset), position.lag_ms(offset, 4_000));
        assert_eq!(at(120), (30, Some(3_000)));
        assert_eq!(at(7), (50, Some(3_000)), "retention has taken the others");
        assert_eq!(at(150), (0, Some(0)));
        assert_eq!(at(999), (0, Some(0)));
        assert_eq!(position.lag_ms(120, 500), Some(0), "a clock runs ahead");
        let unknown = Position {
            time_ms: None,
            ..position
        };
        assert_eq!(unknown.lag_ms(120, 4_000), None);
        assert_eq!(
            Position {
                log_start: i64::MIN,
                end: i64::MAX,
                time_ms: None
            }
            .lag(i64::MIN),
            i64::MAX
        );
    }
}
