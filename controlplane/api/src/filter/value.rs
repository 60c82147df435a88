//! What expressions are about, and how two of them compare.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value as Json;

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Order {
    /// The one of a sign.
    pub(super) fn of(sign: &str) -> Option<Self> {
        Some(match sign {
            "==" => Self::Equal,
            "!=" => Self::Unequal,
            "<" => Self::Less,
            "<=" => Self::AtMost,
            ">" => Self::Greater,
            ">=" => Self::AtLeast,
            _ => return None,
        })
    }

    /// Whether it holds; `None` for values that have no order.
    pub(super) fn holds(self, left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
        let ordering = || left.ordering(right);
        Some(match self {
            Self::Equal => left.equals(right),
            Self::Unequal => !left.equals(right),
            Self::Less => ordering()? == Ordering::Less,
            Self::AtMost => ordering()? != Ordering::Greater,
            Self::Greater => ordering()? == Ordering::Greater,
            Self::AtLeast => ordering()? != Ordering::Less,
        })
    }
}

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
    /// A moment, ms.
    Time(i64),
    List(Vec<Value<'a>>),
    /// A list or an object of JSON.
    Json(&'a Json),
    /// All headers of the record.
    Headers(&'a [(bytes::Bytes, Option<bytes::Bytes>)]),
}

impl<'a> From<&'a Json> for Value<'a> {
    fn from(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(bool) => Self::Bool(*bool),
            Json::String(text) => Self::Text(Cow::Borrowed(text)),
            Json::Number(number) => match number.as_i64() {
                Some(int) => Self::Int(int),
                None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::Array(_) | Json::Object(_) => Self::Json(json),
        }
    }
}

/// A whole number beside a fraction, compared exactly where both are whole.
fn mixed(int: i64, float: f64) -> Option<Ordering> {
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    if float.is_nan() {
        return None;
    }
    if float.abs() < WHOLE {
        let whole = float.trunc() as i64;
        let fraction = float - whole as f64;
        let beyond = 0.0_f64.partial_cmp(&fraction)?;
        return Some(int.cmp(&whole).then(beyond));
    }
    (int as f64).partial_cmp(&float)
}

fn same_items(list: &[Value<'_>], json: &[Json]) -> bool {
    list.len() == json.len()
        && list
            .iter()
            .zip(json)
            .all(|(item, json)| item.equals(&json.into()))
}

impl Value<'_> {
    fn ordering(&self, other: &Value<'_>) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Value::Int(b)) | (Self::Time(a), Value::Time(b)) => Some(a.cmp(b)),
            (Self::Float(a), Value::Float(b)) => a.partial_cmp(b),
            (Self::Int(a), Value::Float(b)) => mixed(*a, *b),
            (Self::Float(a), Value::Int(b)) => mixed(*b, *a).map(Ordering::reverse),
            (Self::Text(a), Value::Text(b)) => Some(a.cmp(b)),
            (Self::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// Whether both are the same. Values of different kinds are not.
    pub(super) fn equals(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Self::Null, Value::Null) => true,
            (Self::Json(a), Value::Json(b)) => a == b,
            (Self::List(a), Value::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.equals(b))
            }
            (Self::List(list), Value::Json(Json::Array(json))) => same_items(list, json),
            (Self::Json(Json::Array(json)), Value::List(list)) => same_items(list, json),
            _ => self.ordering(other) == Some(Ordering::Equal),
        }
    }

    /// Characters of a text, things in a list, an object or the headers.
    pub(super) fn size(&self) -> Option<i64> {
        let size = match self {
            Self::Text(text) => text.chars().count(),
            Self::List(list) => list.len(),
            Self::Json(Json::Array(list)) => list.len(),
            Self::Json(Json::Object(object)) => object.len(),
            Self::Headers(headers) => headers.len(),
            _ => return None,
        };
        i64::try_from(size).ok()
    }
}
