//! What an expression says of a record. What is missing, or of a kind for which a question makes no sense, is no answer: such a
//! condition does not hold, and neither does its opposite, unless the other side of `&&` or `||` decides.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};

use serde_json::Value as Json;

use super::Subject;
use super::parser::{Expression, Field, TextTest};
use super::value::Value;

/// How much of a text a pattern sees, and of all texts of a record in all. A pattern may need a microsecond for a byte.
const MATCHED: usize = 256 << 10;
const MATCHED_IN_ALL: usize = 1 << 20;
/// How much text of a record is gone through in all.
const READ_IN_ALL: usize = 64 << 20;
/// How much of a header is its text.
const OF_HEADER: usize = 64 << 10;

/// A record, with what was parsed of it.
struct Record<'a> {
    subject: &'a Subject<'a>,
    key_text: OnceCell<Cow<'a, str>>,
    value_text: OnceCell<Cow<'a, str>>,
    /// What patterns, and all questions, may still go through.
    matched_left: Cell<usize>,
    read_left: Cell<usize>,
    key: OnceCell<Option<Json>>,
    value: OnceCell<Option<Json>>,
}

/// Whether a condition holds for a record.
pub(super) fn holds(condition: &Expression, subject: &Subject<'_>) -> bool {
    let record = Record {
        subject,
        key_text: OnceCell::new(),
        value_text: OnceCell::new(),
        matched_left: Cell::new(MATCHED_IN_ALL),
        read_left: Cell::new(READ_IN_ALL),
        key: OnceCell::new(),
        value: OnceCell::new(),
    };
    record.verdict(condition) == Some(true)
}

/// Bytes as text, which are read as such only once.
fn text<'r, 'a>(known: &'r OnceCell<Cow<'a, str>>, bytes: Option<&'a [u8]>) -> Value<'r> {
    let Some(bytes) = bytes else {
        return Value::Null;
    };
    let text = known.get_or_init(|| String::from_utf8_lossy(bytes));
    Value::Text(Cow::Borrowed(text))
}

/// The beginning of a header's value.
fn header_text(bytes: Option<&[u8]>) -> Value<'_> {
    bytes.map_or(Value::Null, |bytes| {
        Value::Text(String::from_utf8_lossy(&bytes[..bytes.len().min(OF_HEADER)]))
    })
}

/// Takes so much of what is left; `None`: there is not so much.
fn take(left: &Cell<usize>, taken: usize) -> Option<()> {
    left.set(left.get().checked_sub(taken)?);
    Some(())
}

/// The beginning of a text, at most so many bytes.
fn beginning(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

fn parsed(bytes: Option<&[u8]>) -> Option<Json> {
    bytes.and_then(|bytes| serde_json::from_slice(bytes).ok())
}

impl Record<'_> {
    fn verdict<'r>(&'r self, condition: &'r Expression) -> Option<bool> {
        match self.value_of(condition)? {
            Value::Bool(bool) => Some(bool),
            _ => None,
        }
    }

    fn value_of<'r>(&'r self, expression: &'r Expression) -> Option<Value<'r>> {
        Some(match expression {
            Expression::Null => Value::Null,
            Expression::Bool(bool) => Value::Bool(*bool),
            Expression::Int(number) => Value::Int(*number),
            Expression::Float(number) => Value::Float(*number),
            Expression::Text(text) => Value::Text(Cow::Borrowed(text)),
            Expression::Time(moment) => Value::Time(*moment),
            Expression::List(items) => {
                let items: Option<Vec<_>> = items.iter().map(|item| self.value_of(item)).collect();
                Value::List(items?)
            }
            Expression::Field(field) => self.field(*field)?,
            Expression::Select(inner, name) => within(&self.value_of(inner)?, name)?,
            Expression::Index(inner, index) => indexed(&self.value_of(inner)?, &self.value_of(index)?)?,
            Expression::Not(inner) => Value::Bool(!self.verdict(inner)?),
            Expression::All(parts) => Value::Bool(self.joined(parts, false)?),
            Expression::Any(parts) => Value::Bool(self.joined(parts, true)?),
            Expression::Compare(order, left, right) => {
                Value::Bool(order.holds(&self.value_of(left)?, &self.value_of(right)?)?)
            }
            Expression::In(one, many) => Value::Bool(is_in(&self.value_of(one)?, &self.value_of(many)?)?),
            Expression::Test(test, text, part) => {
                let (Value::Text(text), Value::Text(part)) = (self.value_of(text)?, self.value_of(part)?)
                else {
                    return None;
                };
                take(&self.read_left, text.len())?;
                Value::Bool(match test {
                    TextTest::Contains => text.contains(&*part),
                    TextTest::StartsWith => text.starts_with(&*part),
                    TextTest::EndsWith => text.ends_with(&*part),
                })
            }
            Expression::Matches(text, pattern) => match self.value_of(text)? {
                Value::Text(text) => {
                    let seen = beginning(&text, MATCHED);
                    take(&self.matched_left, seen.len())?;
                    Value::Bool(pattern.is_match(seen))
                }
                _ => return None,
            },
            Expression::Has(asked) => Value::Bool(self.value_of(asked).is_some()),
            Expression::SizeOf(inner) => {
                let measured = self.value_of(inner)?;
                if let Value::Text(text) = &measured {
                    take(&self.read_left, text.len())?;
                }
                Value::Int(measured.size()?)
            }
        })
    }

    /// `&&` and `||`: a part that is `decisive` decides, whatever the others are.
    fn joined<'r>(&'r self, parts: &'r [Expression], decisive: bool) -> Option<bool> {
        let mut joined = Some(!decisive);
        for part in parts {
            match self.verdict(part) {
                Some(verdict) if verdict == decisive => return Some(decisive),
                Some(_) => {}
                None => joined = None,
            }
        }
        joined
    }

    fn field(&self, field: Field) -> Option<Value<'_>> {
        let Subject { key, value, .. } = *self.subject;
        let length = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
        Some(match field {
            Field::Key => text(&self.key_text, key),
            Field::Value => text(&self.value_text, value),
            Field::Json => self.value.get_or_init(|| parsed(value)).as_ref()?.into(),
            Field::KeyJson => self.key.get_or_init(|| parsed(key)).as_ref()?.into(),
            Field::Headers => Value::Headers(self.subject.headers),
            Field::Partition => Value::Int(i64::from(self.subject.partition)),
            Field::Offset => Value::Int(self.subject.offset),
            Field::Timestamp => Value::Time(self.subject.timestamp),
            Field::Size => Value::Int(i64::try_from(length(key) + length(value)).ok()?),
        })
    }
}

/// What has this name in an object or among headers; of headers of the same name the last.
fn within<'a>(value: &Value<'a>, name: &str) -> Option<Value<'a>> {
    match value {
        Value::Json(Json::Object(object)) => object.get(name).map(Value::from),
        Value::Headers(headers) => {
            let found = headers
                .iter()
                .rev()
                .find(|(known, _)| &known[..] == name.as_bytes());
            found.map(|(_, value)| header_text(value.as_deref()))
        }
        _ => None,
    }
}

fn indexed<'a>(value: &Value<'a>, index: &Value<'_>) -> Option<Value<'a>> {
    let place = |index: i64| usize::try_from(index).ok();
    match (value, index) {
        (_, Value::Text(name)) => within(value, name),
        (Value::Json(Json::Array(list)), Value::Int(index)) => list.get(place(*index)?).map(Value::from),
        (Value::List(list), Value::Int(index)) => list.get(place(*index)?).cloned(),
        _ => None,
    }
}

fn is_in(one: &Value<'_>, many: &Value<'_>) -> Option<bool> {
    match (one, many) {
        (_, Value::List(list)) => Some(list.iter().any(|item| item.equals(one))),
        (_, Value::Json(Json::Array(list))) => Some(list.iter().any(|item| Value::from(item).equals(one))),
        (Value::Text(name), Value::Json(Json::Object(_)) | Value::Headers(_)) => {
            Some(within(many, name).is_some())
        }
        _ => None,
    }
}
