//! From where to where records are asked for.

use axum::http::Uri;
use std::collections::BTreeMap;
use std::time::Duration;

use super::positions::{Positions, Span};
use crate::filter::Filter;
use crate::kafka::KafkaError;
use crate::kafka::records::{EARLIEST, LATEST, TopicAt};
use crate::rules::{Moment, Problem, Query, query};

/// How many digits the number of a partition has at most.
const MOST_DIGITS: usize = 6;
/// How many partitions a request may be about: their positions must fit into a cursor.
const MOST_PARTITIONS: usize = 200;
/// The newest records that are asked for if nothing is said.
const LAST: i64 = 50;
/// How much of each key and value is shown, unless it is said, and at most.
const SHOWN: u64 = 65_536;
const MOST_SHOWN: u64 = 1 << 20;
/// How long a request waits at most, in seconds.
const MOST_WAIT: u64 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Earliest,
    Latest,
    Offset(i64),
    /// ms.
    Time(i64),
    /// The newest ones, of all partitions together.
    Last(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// What is there when the first page is asked for.
    Present,
    Offset(i64),
    /// ms.
    Time(i64),
    Never,
}

/// What a request asks for.
pub(super) struct Asked {
    partitions: Vec<i32>,
    start: Start,
    end: End,
    pub(super) wait: Duration,
    pub(super) filter: Option<Filter>,
    /// Bytes of each key and value that are shown.
    pub(super) max_bytes: usize,
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number| *number >= 0)
}

fn time(text: &str) -> Option<i64> {
    Moment::parse(text).map(|moment| moment.0.0.max(0))
}

fn start(text: &str) -> Option<Start> {
    Some(match text.split_once(':') {
        None if text == "earliest" => Start::Earliest,
        None if text == "latest" => Start::Latest,
        Some(("offset", rest)) => Start::Offset(number(rest)?),
        Some(("time", rest)) => Start::Time(time(rest)?),
        Some(("last", rest)) => Start::Last(number(rest).filter(|number| *number > 0)?),
        _ => return None,
    })
}

fn end(text: &str) -> Option<End> {
    Some(match text.split_once(':')? {
        ("offset", rest) => End::Offset(number(rest)?),
        ("time", rest) => End::Time(time(rest)?),
        _ => return None,
    })
}

fn partitions(text: Option<String>, count: usize) -> Result<Vec<i32>, Problem> {
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    let too_many = || {
        Problem::bad_request(format!(
            "a request is about at most {MOST_PARTITIONS} partitions; say which by partitions"
        ))
    };
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        let all: Vec<i32> = (0..count).take(MOST_PARTITIONS + 1).collect();
        return match all.len() > MOST_PARTITIONS {
            true => Err(too_many()),
            false => Ok(all),
        };
    };
    let mut chosen = Vec::new();
    for word in text.split(',') {
        let plain = word.len() <= MOST_DIGITS && word.bytes().all(|byte| byte.is_ascii_digit());
        let number = word.parse::<i32>().ok();
        let number = number.filter(|number| plain && (0..count).contains(number));
        let number = number.ok_or_else(|| {
            Problem::bad_request(format!(
                "partitions must be numbers below {count}, separated by commas"
            ))
        })?;
        chosen.push(number);
        if chosen.len() > MOST_PARTITIONS {
            return Err(too_many());
        }
    }
    chosen.sort_unstable();
    chosen.dedup();
    Ok(chosen)
}

fn flag(query: &Query, name: &str) -> Result<bool, Problem> {
    match query.word(name)? {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Problem::bad_request(format!("{name} must be true or false"))),
    }
}

impl Asked {
    /// What the query says of a topic with so many partitions.
    pub(super) fn read(query: &Query, uri: &Uri, count: usize) -> Result<Self, Problem> {
        let filter = query::value(uri, "filter").filter(|text| !text.trim().is_empty());
        let filter = filter.as_deref().map(Filter::parse).transpose();
        let filter = filter.map_err(|error| Problem::bad_request(format!("filter: {error}")))?;
        let follow = flag(query, "follow")?;
        let said = query.text("start")?.map(start);
        let start = said.unwrap_or(Some(Start::Last(LAST))).ok_or_else(|| {
            Problem::bad_request("start must be earliest, latest, offset:N, time:RFC3339 or last:N")
        })?;
        let end = match (query.text("end")?, follow) {
            (None, false) => End::Present,
            (None, true) => End::Never,
            (Some(_), true) => {
                return Err(Problem::bad_request(
                    "what follows has no end: leave one of both out",
                ));
            }
            (Some(text), false) => {
                end(text).ok_or_else(|| Problem::bad_request("end must be offset:N or time:RFC3339"))?
            }
        };
        let wait = query.number("wait", 0..=MOST_WAIT)?.unwrap_or(0);
        let shown = query.number("max_bytes", 0..=MOST_SHOWN)?.unwrap_or(SHOWN);
        Ok(Self {
            partitions: partitions(query::value(uri, "partitions"), count)?,
            start,
            end,
            wait: Duration::from_secs(if follow { wait } else { 0 }),
            filter,
            max_bytes: usize::try_from(shown).unwrap_or(usize::MAX),
        })
    }

    /// Where the first page begins, and where the last one ends.
    pub(super) async fn positions(&self, at: &TopicAt<'_>) -> Result<Positions, KafkaError> {
        let latest = at.offsets(&self.partitions, LATEST).await?;
        let earliest = at.offsets(&self.partitions, EARLIEST).await?;
        let of = |offsets: &BTreeMap<i32, Option<i64>>, index: i32| offsets.get(&index).copied().flatten();
        let within = |index: i32| {
            let latest = of(&latest, index).unwrap_or(0);
            let earliest = of(&earliest, index).unwrap_or(0).min(latest);
            (earliest, latest)
        };
        let begins = match self.start {
            Start::Time(time) => at.offsets(&self.partitions, time).await?,
            _ => BTreeMap::new(),
        };
        let ends = match self.end {
            End::Time(time) => at.offsets(&self.partitions, time).await?,
            _ => BTreeMap::new(),
        };
        let sizes: Vec<i64> = self
            .partitions
            .iter()
            .map(|index| {
                let (earliest, latest) = within(*index);
                latest - earliest
            })
            .collect();
        let shares = match self.start {
            Start::Last(number) => shares(&sizes, number),
            _ => sizes,
        };
        let spans = self.partitions.iter().zip(shares).map(|(index, share)| {
            let (earliest, latest) = within(*index);
            let begin = match self.start {
                Start::Earliest => earliest,
                Start::Latest => latest,
                Start::Offset(offset) => offset,
                Start::Time(_) => of(&begins, *index).unwrap_or(latest),
                Start::Last(_) => latest - share,
            };
            let end = match self.end {
                End::Present => Some(latest),
                End::Offset(offset) => Some(offset),
                End::Time(_) => Some(of(&ends, *index).unwrap_or(latest)),
                End::Never => None,
            };
            let end = end.map(|end| end.clamp(earliest, latest));
            let position = begin.clamp(earliest, end.unwrap_or(latest));
            Span {
                partition: *index,
                position,
                end,
            }
        });
        Ok(Positions(spans.collect()))
    }
}

/// How many of `number` records come from each of partitions of these sizes: equal shares, as far as there are so many, and at least
/// one of each that has any.
fn shares(sizes: &[i64], number: i64) -> Vec<i64> {
    let mut shares: Vec<i64> = sizes.iter().map(|size| (*size).min(1)).collect();
    let mut left = number - shares.iter().sum::<i64>();
    while left > 0 {
        let open = |place: &usize| shares[*place] < sizes[*place];
        let places: Vec<usize> = (0..sizes.len()).filter(open).collect();
        let Ok(count) = i64::try_from(places.len()) else {
            break;
        };
        if count == 0 {
            break;
        }
        let each = (left / count).max(1);
        for place in places {
            let more = each.min(sizes[place] - shares[place]).min(left);
            shares[place] += more;
            left -= more;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_start_and_end_are_read_or_refused() {
        assert_eq!(start("earliest"), Some(Start::Earliest));
        assert_eq!(start("latest"), Some(Start::Latest));
        assert_eq!(start("offset:7"), Some(Start::Offset(7)));
        assert_eq!(start("last:9"), Some(Start::Last(9)));
        assert_eq!(start("time:1970-01-01T00:00:01Z"), Some(Start::Time(1_000)));
        for wrong in [
            "",
            "now",
            "offset:-1",
            "offset:x",
            "last:0",
            "time:",
            "offset:99999999999999999999",
        ] {
            assert_eq!(start(wrong), None, "{wrong}");
        }
        assert_eq!(end("offset:7"), Some(End::Offset(7)));
        assert_eq!(end("latest"), None);
    }

    #[test]
    fn partitions_are_those_that_are_there_and_not_too_many() {
        let read = |text: &str, count| partitions(Some(text.to_owned()), count);
        assert_eq!(read("2,0,2", 3).unwrap(), [0, 2]);
        assert_eq!(read("", 3).unwrap(), [0, 1, 2]);
        for wrong in ["3", "-1", "a", "0,,1", ","] {
            assert!(read(wrong, 3).is_err(), "{wrong}");
        }
        assert!(partitions(None, 201).is_err() && partitions(None, 200).is_ok());
    }

    #[test]
    fn the_newest_records_are_shared_among_partitions() {
        assert_eq!(shares(&[100, 100], 50), [25, 25]);
        assert_eq!(shares(&[3, 100, 0], 50), [3, 47, 0]);
        assert_eq!(shares(&[10, 10, 10], 4), [2, 1, 1]);
        assert_eq!(shares(&[10, 10, 10], 2), [1, 1, 1]);
        assert_eq!(shares(&[1, 2], 50), [1, 2]);
        assert_eq!(shares(&[], 50), [0; 0]);
    }
}
