//! Audit trails: who did what, or was not allowed to, in a cluster or an organization.
//!
//! | module | what is in it |
//! |---|---|
//! | [`chain`] | the hash that chains the rows of a trail, and the line of JSON that a row is outside |
//! | [`verifying`] | whether lines are a trail that nobody has changed |
//! | `reading` | rows by filter, a trail from the oldest on, and where it ends |
//! | `topic` | what the topic is that a cluster's clients read its trail from |
//! | `details` | what rows say of topics, clusters and credentials |
//! | `sampling` | how many denials of REST have a row of their own |
//! | `doing` | what is done through REST that brokers alone keep |
//! | `events` | what brokers tell: denials, and what else happens to clients |
//!
//! Rows are written in the transaction of what they tell of (`sql/audit.rs` for clusters, `account/access.rs` for organizations). Each has a
//! position, without gaps, and a hash over what it says and the hash before it; so nothing is changed, taken out, or put in between
//! without all that follows being made anew. `docs/formats/audit.md` draws it.

pub mod chain;
pub(crate) mod details;
mod doing;
mod events;
mod reading;
pub(crate) mod sampling;
pub(crate) mod topic;
pub mod verifying;

pub use doing::Deed;
pub use events::BrokerEvent;
pub use reading::{AuditCursor, AuditFilter, AuditHead, AuditSpan, EXPORT_AT_ONCE};
pub use topic::AUDIT_TOPIC;

use std::fmt;

use firn_runtime::Timestamp;
use serde_json::Value;

use crate::ids::{AuditId, ClusterId, OrganizationId};

/// What a row says beside who, what and when. Never a secret.
pub type Details = serde_json::Map<String, Value>;

/// How long what a row says beside may be, as JSON text.
const MAX_DETAIL: usize = 16 * 1024;
/// How much of one that is longer is kept.
const KEPT_DETAIL: usize = 4 * 1024;

/// Whose trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trail {
    /// A cluster's.
    Cluster(ClusterId),
    /// An organization's.
    Organization(OrganizationId),
}

impl fmt::Display for Trail {
    /// The public id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Self::Cluster(id) => id.public(),
            Self::Organization(id) => id.public(),
        })
    }
}

impl Trail {
    /// The one of a public id.
    pub fn of(text: &str) -> Option<Self> {
        let cluster = ClusterId::from_public(text).map(Self::Cluster);
        cluster
            .or_else(|_| OrganizationId::from_public(text).map(Self::Organization))
            .ok()
    }
}

/// One row of a trail: what somebody did, or was not allowed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its id.
    pub id: AuditId,
    /// Its place in the trail, from 1 on and without gaps. A cluster's row from before its chain has none.
    pub position: Option<i64>,
    /// When.
    pub at: Timestamp,
    /// Who, as Kafka writes principals.
    pub principal: String,
    /// The public id of what it showed for that.
    pub credential: Option<String>,
    /// From where.
    pub address: Option<String>,
    /// The request's id; empty for what no single request did.
    pub request_id: String,
    /// What was done, or tried.
    pub action: String,
    /// To what kind of thing; empty in a cluster's row from before its chain.
    pub kind: String,
    /// To which: a public id or a name.
    pub resource: String,
    /// Whether it was allowed.
    pub allowed: bool,
    /// What changed, as JSON text.
    pub detail: String,
    /// The hash over all this and the hash before it; none if the row is from before the chain.
    pub hash: Option<String>,
    /// What orders rows that have no position.
    pub(crate) older: i64,
}

/// The word for a decision.
pub fn decision(allowed: bool) -> &'static str {
    match allowed {
        true => "allowed",
        false => "denied",
    }
}

/// What a row says beside, as text of a bounded length.
pub(crate) fn detail_text(detail: &Value) -> String {
    let text = detail.to_string();
    if text.len() <= MAX_DETAIL {
        return text;
    }
    let kept = &text[..text.floor_char_boundary(KEPT_DETAIL)];
    serde_json::json!({ "truncated": kept, "bytes": text.len() }).to_string()
}

/// The difference that a write made.
pub(crate) fn difference(before: impl Into<Value>, after: impl Into<Value>) -> Value {
    let mut difference = Details::new();
    difference.insert("before".to_owned(), before.into());
    difference.insert("after".to_owned(), after.into());
    Value::Object(difference)
}

/// The difference between two things, field by field: those that are equal are left out.
pub(crate) fn changes(before: &Value, after: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        return difference(before.clone(), after.clone());
    };
    let only = |of: &Details, other: &Details| -> Details {
        let differs = of.iter().filter(|(key, value)| other.get(*key) != Some(*value));
        differs.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    difference(only(old, new), only(new, old))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_fields_are_left_out_of_a_difference() {
        let before = json!({"name": "a", "limits": {"topics": 1}, "gone": true});
        let after = json!({"name": "a", "limits": {"topics": 2}, "new": 1});
        let expected = json!({
            "before": {"limits": {"topics": 1}, "gone": true},
            "after": {"limits": {"topics": 2}, "new": 1},
        });
        assert_eq!(changes(&before, &after), expected);
        assert_eq!(
            changes(&Value::Null, &after),
            json!({"before": null, "after": after})
        );
    }

    #[test]
    fn a_long_detail_is_cut_where_a_character_begins() {
        let long = json!({ "names": vec!["é"; 100_000] });
        let text = detail_text(&long);
        assert!(text.len() < 3 * KEPT_DETAIL, "{}", text.len());
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let kept = value["truncated"].as_str().expect("a text");
        assert!(long.to_string().starts_with(kept) && kept.len() > KEPT_DETAIL - 4);
        assert_eq!(detail_text(&json!({"a": 1})), r#"{"a":1}"#);
    }

    #[test]
    fn a_trail_is_named_by_a_public_id() {
        for trail in [
            Trail::Cluster(ClusterId(7)),
            Trail::Organization(OrganizationId(9)),
        ] {
            assert_eq!(Trail::of(&trail.to_string()), Some(trail));
        }
        assert_eq!(Trail::of("prj_aaaaaaaaaaaaaaaaaaaaaaaaaa"), None);
    }
}
