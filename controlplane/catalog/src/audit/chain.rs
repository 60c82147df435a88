//! How the rows of a trail are chained, and the line of JSON that a row is in an export and in the audit topic.

use firn_runtime::Timestamp;
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{AuditRow, Trail, decision};
use crate::ids::AuditId;
use crate::moment::Moment;

/// What the hash of the first row takes for the hash before it.
pub const FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What every hash begins with: it is of nothing else, and of this version.
const DOMAIN: &[u8] = b"firn-audit-1";
/// The length that stands for a text that is not there.
const ABSENT: u32 = u32::MAX;

/// What the hash of a row covers, beside the hash before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chained<'a> {
    /// The trail.
    pub trail: Trail,
    /// The row's place in it.
    pub position: i64,
    /// The row's id.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub principal: &'a str,
    /// By what.
    pub credential: Option<&'a str>,
    /// From where.
    pub address: Option<&'a str>,
    /// The request.
    pub request_id: &'a str,
    /// What was done.
    pub action: &'a str,
    /// To what kind of thing.
    pub resource_kind: &'a str,
    /// To which.
    pub resource: &'a str,
    /// Whether it was.
    pub allowed: bool,
    /// What changed, as JSON text.
    pub detail: &'a str,
}

impl Chained<'_> {
    /// The hash, in hexadecimal digits, after `previous`, which is one.
    pub fn hash(&self, previous: &str) -> String {
        let mut over = Context::new(&SHA256);
        over.update(DOMAIN);
        text(&mut over, Some(previous));
        text(&mut over, Some(&self.trail.to_string()));
        over.update(&self.position.to_be_bytes());
        text(&mut over, Some(&self.id.public()));
        over.update(&self.at.0.to_be_bytes());
        text(&mut over, Some(self.principal));
        text(&mut over, self.credential);
        text(&mut over, self.address);
        text(&mut over, Some(self.request_id));
        text(&mut over, Some(self.action));
        text(&mut over, Some(self.resource_kind));
        text(&mut over, Some(self.resource));
        text(&mut over, Some(decision(self.allowed)));
        text(&mut over, Some(self.detail));
        hex::encode(over.finish())
    }
}

/// A text with its length before it.
fn text(over: &mut Context, text: Option<&str>) {
    let length = text.map_or(ABSENT, |text| u32::try_from(text.len()).unwrap_or(ABSENT - 1));
    over.update(&length.to_be_bytes());
    over.update(text.unwrap_or_default().as_bytes());
}

/// A row as a line of JSON, which holds all that its hash covers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The trail's public id.
    pub trail: String,
    /// The row's place in it.
    pub position: i64,
    /// The row's public id.
    pub id: String,
    /// When (RFC 3339).
    pub at: String,
    /// Who.
    pub principal: String,
    /// By what.
    pub credential: Option<String>,
    /// From where.
    pub address: Option<String>,
    /// The request.
    pub request_id: String,
    /// What was done.
    pub action: String,
    /// To what kind of thing.
    pub resource_kind: String,
    /// To which.
    pub resource: String,
    /// `allowed` or `denied`.
    pub decision: String,
    /// What changed, exactly as the hash covers it.
    pub detail: Box<RawValue>,
    /// The hash before it.
    pub previous_hash: String,
    /// Its hash.
    pub hash: String,
}

impl Line {
    /// The line of a row that is in a chain, and of the row before it the hash; `None` of others.
    pub fn of(trail: Trail, row: &AuditRow, previous_hash: &str) -> Option<Self> {
        Some(Self {
            trail: trail.to_string(),
            position: row.position?,
            id: row.id.public(),
            at: Moment(row.at).to_string(),
            principal: row.principal.clone(),
            credential: row.credential.clone(),
            address: row.address.clone(),
            request_id: row.request_id.clone(),
            action: row.action.clone(),
            resource_kind: row.kind.clone(),
            resource: row.resource.clone(),
            decision: decision(row.allowed).to_owned(),
            detail: RawValue::from_string(row.detail.clone()).ok()?,
            previous_hash: previous_hash.to_owned(),
            hash: row.hash.clone()?,
        })
    }

    /// The text, without an end of line.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a line is plain data with text keys")
    }

    /// What its hash covers; `None` if one of its texts is none of those that a row has.
    pub fn chained(&self) -> Option<Chained<'_>> {
        // A moment can be written in several ways, of which one is right.
        let at = Moment::parse(&self.at).filter(|at| at.to_string() == self.at)?;
        Some(Chained {
            trail: Trail::of(&self.trail)?,
            position: self.position,
            id: AuditId::from_public(&self.id).ok()?,
            at: at.0,
            principal: &self.principal,
            credential: self.credential.as_deref(),
            address: self.address.as_deref(),
            request_id: &self.request_id,
            action: &self.action,
            resource_kind: &self.resource_kind,
            resource: &self.resource,
            allowed: match self.decision.as_str() {
                "allowed" => true,
                "denied" => false,
                _ => return None,
            },
            detail: self.detail.get(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ClusterId;

    /// Made by another implementation of `docs/formats/audit.md`.
    const GOLDEN: &str = include_str!("../../tests/golden/audit-v1.jsonl");

    fn row(position: i64) -> AuditRow {
        let first = position == 1;
        let of_first = |text: &str| first.then(|| text.to_owned());
        AuditRow {
            id: AuditId(if first { 1 } else { 2 }),
            position: Some(position),
            at: Timestamp(if first {
                1_795_881_693_007
            } else {
                1_795_881_694_000
            }),
            principal: of_first("User:sa_aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap_or("User:alice".to_owned()),
            credential: of_first("key_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
            address: of_first("192.0.2.1"),
            request_id: of_first("kafka-00000001-2-3").unwrap_or_default(),
            action: of_first("create_topic").unwrap_or("write".to_owned()),
            kind: "topic".to_owned(),
            resource: of_first("orders").unwrap_or("é\"\n".to_owned()),
            allowed: first,
            detail: of_first(r#"{"after":{"partitions":3},"before":null}"#)
                .unwrap_or(r#"{"count":2}"#.to_owned()),
            hash: None,
            older: 0,
        }
    }

    #[test]
    fn rows_are_the_golden_lines_byte_for_byte() {
        let trail = Trail::Cluster(ClusterId(7));
        let mut previous = FIRST.to_owned();
        for (golden, position) in GOLDEN.lines().zip(1..) {
            let mut row = row(position);
            row.hash = Some(String::new());
            let unhashed = Line::of(trail, &row, &previous).expect("a row of a chain");
            let hash = unhashed.chained().expect("a row's texts").hash(&previous);
            row.hash = Some(hash.clone());
            let line = Line::of(trail, &row, &previous).expect("a row of a chain");
            assert_eq!(line.text(), golden);
            previous = hash;
        }
        assert_eq!(GOLDEN.lines().count(), 2);
    }
}
