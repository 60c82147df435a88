//! Records of a request as batches, one for each partition, and what became of them.

use std::collections::BTreeMap;

use bytes::Bytes;
use firn_catalog::audit::Details;
use firn_catalog::image::ImageTopic;
use firn_runtime::Timestamp;

use super::bodies::{Data, NewRecordBody, NewRecordsBody, ProducedBody, ProducedRecordBody};
use crate::kafka::KafkaError;
use crate::kafka::records::{Appended, NOT_KNOWN, NewRecord, batch, partition_of};
use crate::rules::{Code, Moment, Problem};

const MOST_RECORDS: usize = 100;
const MOST_HEADERS: usize = 100;
const LONGEST_HEADER_NAME: usize = 1_000;
/// How many things that are wrong an answer names.
const MOST_FAULTS: usize = 20;

/// Kafka's errors that say what is wrong with records.
const MESSAGE_TOO_LARGE: i16 = 10;
const RECORD_LIST_TOO_LARGE: i16 = 18;
const INVALID_TIMESTAMP: i16 = 32;
const INVALID_RECORD: i16 = 87;
/// The cluster holds as many bytes as it may.
const POLICY_VIOLATION: i16 = 44;

/// Records by partition, each with its place in the request.
pub(super) struct Batches {
    by_partition: BTreeMap<i32, Vec<(usize, NewRecord)>>,
    count: usize,
}

/// What is wrong in a body.
struct Faults(Vec<(String, String)>);

impl Faults {
    fn add(&mut self, pointer: String, detail: impl Into<String>) {
        if self.0.len() < MOST_FAULTS {
            self.0.push((pointer, detail.into()));
        }
    }

    fn data(&mut self, pointer: String, data: Option<Data>) -> Option<Bytes> {
        let bytes = data?.bytes();
        if bytes.is_none() {
            self.add(pointer, "expected base64, with padding");
        }
        bytes
    }

    fn end(self) -> Result<(), Problem> {
        let mut faults = self.0.into_iter();
        let Some((pointer, detail)) = faults.next() else {
            return Ok(());
        };
        let problem = Problem::invalid(pointer, detail);
        Err(faults.fold(problem, |problem, (pointer, detail)| {
            problem.with_fault(pointer, detail)
        }))
    }
}

fn read(faults: &mut Faults, place: usize, body: NewRecordBody, now: Timestamp) -> NewRecord {
    let at = |rest: &str| format!("/records/{place}{rest}");
    let timestamp = match body.timestamp.as_deref().map(Moment::parse) {
        None => now,
        Some(Some(moment)) if moment.0.0 >= 0 => moment.0,
        Some(_) => {
            faults.add(
                at("/timestamp"),
                "expected a moment from 1970 on, as 2030-01-31T12:00:00Z",
            );
            now
        }
    };
    if body.headers.len() > MOST_HEADERS {
        faults.add(
            at("/headers"),
            format!("a record has at most {MOST_HEADERS} headers"),
        );
    }
    let mut headers = Vec::new();
    for (number, header) in body.headers.into_iter().take(MOST_HEADERS).enumerate() {
        if header.key.len() > LONGEST_HEADER_NAME {
            faults.add(
                at(&format!("/headers/{number}/key")),
                format!("a header's name has at most {LONGEST_HEADER_NAME} bytes"),
            );
        }
        let value = faults.data(at(&format!("/headers/{number}/value/base64")), header.value);
        headers.push((header.key, value));
    }
    NewRecord {
        key: faults.data(at("/key/base64"), body.key),
        value: faults.data(at("/value/base64"), body.value),
        headers,
        timestamp: timestamp.0,
    }
}

impl Batches {
    /// The records of a body, each with a partition: its own, its key's, or for those with neither the one that `chance` picks.
    pub(super) fn of(
        body: NewRecordsBody,
        topic: &ImageTopic,
        now: Timestamp,
        chance: u64,
    ) -> Result<Self, Problem> {
        if topic.audit {
            let detail = "only the brokers write to the audit trail";
            return Err(Problem::new(Code::Protected, detail));
        }
        let (count, partitions) = (body.records.len(), topic.partitions.len());
        let mut faults = Faults(Vec::new());
        if !(1..=MOST_RECORDS).contains(&count) {
            faults.add(
                "/records".to_owned(),
                format!("expected 1 to {MOST_RECORDS} records"),
            );
        }
        let compacted = topic
            .configs
            .iter()
            .any(|(key, value)| key == "cleanup.policy" && value.contains("compact"));
        let mut by_partition: BTreeMap<i32, Vec<_>> = BTreeMap::new();
        for (place, body) in body.records.into_iter().take(MOST_RECORDS).enumerate() {
            let said = body.partition;
            let record = read(&mut faults, place, body, now);
            if compacted && record.key.is_none() {
                let detail = "the topic is compacted: its records need keys";
                faults.add(format!("/records/{place}/key"), detail);
            }
            let there = said.is_none_or(|said| usize::try_from(said).is_ok_and(|said| said < partitions));
            if !there {
                let detail = format!("the topic has {partitions} partitions, from 0 on");
                faults.add(format!("/records/{place}/partition"), detail);
            }
            let chosen = || match &record.key {
                Some(key) => partition_of(key, partitions),
                None => usize::try_from(chance % (partitions.max(1) as u64)).unwrap_or(0),
            };
            let partition = said.unwrap_or_else(|| i32::try_from(chosen()).unwrap_or(0));
            by_partition.entry(partition).or_default().push((place, record));
        }
        faults.end()?;
        Ok(Self { by_partition, count })
    }

    /// As they are sent.
    pub(super) fn encoded(&self) -> BTreeMap<i32, Bytes> {
        let batches = self.by_partition.iter().map(|(partition, records)| {
            let records: Vec<NewRecord> = records.iter().map(|(_, record)| record.clone()).collect();
            (*partition, batch(&records))
        });
        batches.collect()
    }

    /// The answer for those that nobody appended.
    pub(super) fn rehearsed(&self) -> ProducedBody {
        self.body(|_, _| None)
    }

    /// In the order of the request; `appended` tells what is at a place of a partition's batch.
    fn body(&self, appended: impl Fn(i32, i64) -> Option<(i64, Option<i64>)>) -> ProducedBody {
        let mut items: Vec<(usize, ProducedRecordBody)> = Vec::new();
        for (partition, records) in &self.by_partition {
            for (delta, (place, record)) in (0..).zip(records) {
                let found = appended(*partition, delta);
                let time = found.and_then(|(_, time)| time).unwrap_or(record.timestamp);
                let item = ProducedRecordBody {
                    partition: *partition,
                    offset: found.map(|(offset, _)| offset),
                    timestamp: Moment(Timestamp(time)),
                };
                items.push((*place, item));
            }
        }
        items.sort_by_key(|(place, _)| *place);
        ProducedBody {
            items: items.into_iter().map(|(_, item)| item).collect(),
        }
    }

    /// The answer, if all were appended; else a problem that says which were not.
    pub(super) fn produced(
        &self,
        appended: &BTreeMap<i32, Result<Appended, i16>>,
    ) -> Result<ProducedBody, Problem> {
        let failed = |(partition, result): (&i32, &Result<Appended, i16>)| {
            result.as_ref().err().map(|code| (*partition, *code))
        };
        let failed: Vec<(i32, i16)> = appended.iter().filter_map(failed).collect();
        let Some((_, first)) = failed.first().copied() else {
            return Ok(self.body(|partition, delta| {
                let appended = appended.get(&partition)?.as_ref().ok()?;
                Some((appended.first + delta, appended.append_time))
            }));
        };
        let none = failed.len() == appended.len();
        let uncertain = failed.iter().any(|(_, code)| is_uncertain(*code));
        let problem = match (none, uncertain) {
            (true, false) => refusal(first),
            (true, true) => Problem::new(
                Code::NotAllDone,
                "whether the records were appended is not known: look before they are sent again",
            ),
            (false, _) => Problem::new(
                Code::NotAllDone,
                "some records were appended: all but those that errors point at",
            ),
        };
        let failed = failed.into_iter().flat_map(|(partition, code)| {
            let records = self.by_partition.get(&partition).into_iter().flatten();
            records.map(move |(place, _)| (*place, code))
        });
        // All of them, however many: what none points at was appended.
        Err(failed.fold(problem, |problem, (place, code)| {
            problem.with_fault(format!("/records/{place}"), reason(code))
        }))
    }

    /// What the audit trail tells: how much and where to, nothing of what it is.
    pub(super) fn details(&self) -> Details {
        let counts = self.by_partition.iter();
        let counts = counts.map(|(partition, records)| (partition.to_string(), records.len().into()));
        let mut details = Details::new();
        details.insert("records".to_owned(), self.count.into());
        details.insert(
            "by_partition".to_owned(),
            serde_json::Value::Object(counts.collect()),
        );
        details
    }
}

/// Whether records may have been appended although the broker says this: it was asked, and could not say, or lost the partition.
fn is_uncertain(code: i16) -> bool {
    const UNKNOWN_SERVER_ERROR: i16 = -1;
    const NOT_LEADER_OR_FOLLOWER: i16 = 6;
    const NOT_ENOUGH_REPLICAS_AFTER_APPEND: i16 = 20;
    const STORAGE_ERROR: i16 = 56;
    matches!(
        code,
        NOT_KNOWN
            | UNKNOWN_SERVER_ERROR
            | NOT_LEADER_OR_FOLLOWER
            | NOT_ENOUGH_REPLICAS_AFTER_APPEND
            | STORAGE_ERROR
    )
}

fn reason(code: i16) -> &'static str {
    match code {
        MESSAGE_TOO_LARGE | RECORD_LIST_TOO_LARGE => {
            "with the others of its partition it is larger than the topic's max.message.bytes"
        }
        INVALID_TIMESTAMP => "its timestamp is further from now than the topic allows",
        INVALID_RECORD => "the topic does not take such a record",
        code if is_uncertain(code) => "whether it was appended is not known: look before it is sent again",
        POLICY_VIOLATION => "the cluster holds as many bytes as it may",
        _ => "it was not appended",
    }
}

fn refusal(code: i16) -> Problem {
    match code {
        MESSAGE_TOO_LARGE | RECORD_LIST_TOO_LARGE | INVALID_TIMESTAMP | INVALID_RECORD => {
            Problem::new(Code::InvalidValue, "a value in the body does not do")
        }
        POLICY_VIOLATION => Problem::new(Code::LimitExceeded, reason(code)),
        code => KafkaError::Refused(code).into(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    /// Of 60 records, 30 in each of two partitions.
    fn batches() -> Batches {
        let of = |partition: usize| {
            let places = (0..30).map(move |n| (2 * n + partition, NewRecord::default()));
            places.collect()
        };
        Batches {
            by_partition: BTreeMap::from([(0, of(0)), (1, of(1))]),
            count: 60,
        }
    }

    fn told(first: Result<i64, i16>, second: Result<i64, i16>) -> Problem {
        let appended = |first| Appended {
            first,
            append_time: None,
        };
        let told = BTreeMap::from([(0, first.map(appended)), (1, second.map(appended))]);
        batches().produced(&told).err().unwrap()
    }

    #[test]
    fn what_may_have_been_appended_is_answered_for_good_and_all_that_was_not_is_pointed_at() {
        for (first, second, pointed) in [
            (Ok(7), Err(NOT_KNOWN), 30),
            (Err(8), Ok(7), 30),
            (Err(NOT_KNOWN), Err(8), 60),
            (Err(6), Err(6), 60),
        ] {
            let problem = told(first, second);
            assert_eq!(problem.code().status(), StatusCode::CONFLICT, "{problem:?}");
            let body = serde_json::to_value(problem.body()).unwrap();
            assert_eq!(body["errors"].as_array().unwrap().len(), pointed);
        }
    }

    #[test]
    fn what_was_not_appended_for_sure_may_be_sent_again() {
        assert_eq!(told(Err(8), Err(8)).code(), Code::Unavailable);
        assert_eq!(told(Err(MESSAGE_TOO_LARGE), Err(8)).code(), Code::InvalidValue);
    }
}
