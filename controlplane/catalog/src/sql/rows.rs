//! Parameters of statements and columns of rows.

use std::fmt::Display;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::cell::CatalogError;
use crate::ids::{
    AclId, ApiKeyId, AuditId, BindingId, CaPoolId, ClusterId, IdentityProviderId, IncarnationId,
    InvitationId, LeaderEpoch, LoginProviderId, ObjectId, Offset, OperationId, OrganizationId, PersonId,
    ProjectId, ScramCredentialId, ServiceAccountId, SessionId, Slot, TopicId,
};

/// A parameter.
#[derive(Clone, Debug)]
pub(crate) enum Arg {
    Text(String),
    Number(i64),
    NullText,
    NullNumber,
}

macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::Arg::from($value)),*] };
}
pub(crate) use args;

impl From<&str> for Arg {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Arg {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<i64> for Arg {
    fn from(value: i64) -> Self {
        Self::Number(value)
    }
}

impl From<i32> for Arg {
    fn from(value: i32) -> Self {
        Self::Number(i64::from(value))
    }
}

impl From<Option<i64>> for Arg {
    fn from(value: Option<i64>) -> Self {
        value.map_or(Self::NullNumber, Self::Number)
    }
}

impl From<Option<firn_runtime::Timestamp>> for Arg {
    fn from(value: Option<firn_runtime::Timestamp>) -> Self {
        Self::from(value.map(|time| time.0))
    }
}

impl From<Option<String>> for Arg {
    fn from(value: Option<String>) -> Self {
        value.map_or(Self::NullText, Self::Text)
    }
}

macro_rules! text_args {
    ($($id:ty),* $(,)?) => {$(
        impl From<$id> for Arg {
            fn from(value: $id) -> Self {
                Self::Text(value.to_string())
            }
        }
    )*};
}
text_args!(
    AclId,
    CaPoolId,
    IdentityProviderId,
    ApiKeyId,
    AuditId,
    BindingId,
    ClusterId,
    IncarnationId,
    InvitationId,
    LoginProviderId,
    ObjectId,
    OperationId,
    OrganizationId,
    PersonId,
    ProjectId,
    ScramCredentialId,
    ServiceAccountId,
    SessionId,
    TopicId,
);

macro_rules! number_args {
    ($($number:ty),*) => {$(
        impl From<$number> for Arg {
            fn from(value: $number) -> Self {
                Self::from(value.0)
            }
        }
    )*};
}
number_args!(LeaderEpoch, Offset, firn_runtime::Timestamp);

impl From<Slot> for Arg {
    fn from(value: Slot) -> Self {
        Self::from(value.0)
    }
}

impl From<u64> for Arg {
    /// Sizes and slots; a count beyond 2^63 cannot come about.
    fn from(value: u64) -> Self {
        Self::Number(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

fn unreadable(column: usize, problem: impl Display) -> CatalogError {
    CatalogError::Corrupt(format!("column {column} of a row cannot be read: {problem}"))
}

/// The text in a column.
pub(crate) fn text_at(row: &AnyRow, column: usize) -> Result<String, CatalogError> {
    row.try_get::<String, _>(column)
        .map_err(|error| unreadable(column, error))
}

/// The text in a column that may be null.
pub(crate) fn optional_text_at(row: &AnyRow, column: usize) -> Result<Option<String>, CatalogError> {
    row.try_get::<Option<String>, _>(column)
        .map_err(|error| unreadable(column, error))
}

/// The number in a column that may be null.
pub(crate) fn optional_number_at(row: &AnyRow, column: usize) -> Result<Option<i64>, CatalogError> {
    row.try_get::<Option<i64>, _>(column)
        .map_err(|error| unreadable(column, error))
}

/// The number in a column, as the type that it has.
pub(crate) fn number_at<T: TryFrom<i64>>(row: &AnyRow, column: usize) -> Result<T, CatalogError> {
    let number = row
        .try_get::<i64, _>(column)
        .map_err(|error| unreadable(column, error))?;
    T::try_from(number).map_err(|_| unreadable(column, format!("{number} is out of range")))
}

/// The id in a column.
pub(crate) fn id_at<T: FromStr<Err: Display>>(row: &AnyRow, column: usize) -> Result<T, CatalogError> {
    text_at(row, column)?
        .parse()
        .map_err(|error| unreadable(column, error))
}

/// The id in a column that may be null.
pub(crate) fn optional_id_at<T: FromStr<Err: Display>>(
    row: &AnyRow,
    column: usize,
) -> Result<Option<T>, CatalogError> {
    let text = optional_text_at(row, column)?;
    text.map(|text| text.parse().map_err(|error| unreadable(column, error)))
        .transpose()
}

/// The JSON structure in a column.
pub(crate) fn json_at<T: DeserializeOwned>(row: &AnyRow, column: usize) -> Result<T, CatalogError> {
    serde_json::from_str(&text_at(row, column)?).map_err(|error| unreadable(column, error))
}

/// A structure as the JSON text that a column holds.
pub(crate) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("the catalog's structures are plain data with text keys")
}

/// `($1,$2),($3,$4),…`: `rows` rows of `width` parameters, for a VALUES list.
pub(crate) fn numbers_of(rows: usize, width: usize, first: usize) -> String {
    let mut text = String::with_capacity(rows * width * 6);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..width {
            let separator = if column == 0 { "$" } else { ",$" };
            text.push_str(separator);
            text.push_str(&(first + row * width + column).to_string());
        }
        text.push(')');
    }
    text
}

/// A state or kind as its column holds it: its serde name without the quotes.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    json(value).trim_matches('"').to_owned()
}

/// A state or kind out of its column.
pub(crate) fn word_at<T: DeserializeOwned>(row: &AnyRow, column: usize) -> Result<T, CatalogError> {
    let text = serde_json::Value::String(text_at(row, column)?);
    serde_json::from_value(text).map_err(|error| unreadable(column, error))
}
