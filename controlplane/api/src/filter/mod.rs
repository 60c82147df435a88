//! Which records somebody looks for: a subset of the Common Expression Language over one record. `docs/records.md` has its rules.
//!
//! | module | what is in it |
//! |---|---|
//! | `lexer` | words and signs of an expression |
//! | `parser` | the expression as a tree, or where it stops being one |
//! | `value` | what expressions are about, and how two of them compare |
//! | `evaluation` | what a tree says of a record |
//!
//! An expression is bounded in length and depth, has no loops, and its patterns run in time linear in the text; and there is a bound on
//! the text that it goes through for one record. Nothing in a record makes it fail: what is missing or of another kind matches nothing.

mod evaluation;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;
use std::sync::Arc;

use self::parser::Expression;

/// The longest expression, in bytes: escaped, and beside a cursor, it must fit into a request's head.
pub(crate) const MAX_LENGTH: usize = 2_000;

/// A record, as expressions see it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Subject<'a> {
    /// Its key.
    pub(crate) key: Option<&'a [u8]>,
    /// Its value.
    pub(crate) value: Option<&'a [u8]>,
    /// Its headers, in order.
    pub(crate) headers: &'a [(bytes::Bytes, Option<bytes::Bytes>)],
    /// Its partition.
    pub(crate) partition: i32,
    /// Its offset.
    pub(crate) offset: i64,
    /// Its timestamp, ms.
    pub(crate) timestamp: i64,
}

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilterError {
    /// At which character, from 1 on.
    pub(crate) position: usize,
    /// What should stand there.
    pub(crate) expected: String,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at position {}: {}", self.position, self.expected)
    }
}

/// An expression that has been read. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Filter(Arc<Expression>);

impl Filter {
    /// Reads an expression.
    pub(crate) fn parse(text: &str) -> Result<Self, FilterError> {
        parser::parse(text).map(|expression| Self(Arc::new(expression)))
    }

    /// Whether the record is one of those looked for.
    pub(crate) fn matches(&self, subject: &Subject<'_>) -> bool {
        evaluation::holds(&self.0, subject)
    }
}
