//! An expression as a tree. Binds, from the loosest: `||`, `&&`, comparisons and `in`, `!`, then `.`, `[]` and calls.

use firn_catalog::moment::Moment;
use regex::{Regex, RegexBuilder};

use super::FilterError;
use super::lexer::{Placed, Token, tokens};
use super::value::Order;

/// How deep expressions may be nested, and how many steps may follow each other, as in `json.a.b`.
const MAX_DEPTH: usize = 32;
/// How many things a list may hold.
const MAX_ITEMS: usize = 200;
/// How large a pattern may become, in bytes: what a character of text costs is bounded by it.
const MAX_PATTERN: usize = 64 << 10;

/// What a record has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Key,
    Value,
    Json,
    KeyJson,
    Headers,
    Partition,
    Offset,
    Timestamp,
    Size,
}

const FIELDS: [(&str, Field); 9] = [
    ("key", Field::Key),
    ("value", Field::Value),
    ("json", Field::Json),
    ("keyjson", Field::KeyJson),
    ("headers", Field::Headers),
    ("partition", Field::Partition),
    ("offset", Field::Offset),
    ("timestamp", Field::Timestamp),
    ("size", Field::Size),
];

/// What is asked of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextTest {
    Contains,
    StartsWith,
    EndsWith,
}

/// An expression.
#[derive(Debug)]
pub(super) enum Expression {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// A moment, ms.
    Time(i64),
    List(Vec<Self>),
    Field(Field),
    /// Of a JSON object or the headers, the one with this name.
    Select(Box<Self>, String),
    Index(Box<Self>, Box<Self>),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
    Compare(Order, Box<Self>, Box<Self>),
    In(Box<Self>, Box<Self>),
    Test(TextTest, Box<Self>, Box<Self>),
    Matches(Box<Self>, Regex),
    Has(Box<Self>),
    SizeOf(Box<Self>),
}

impl Expression {
    /// Whether it can be true or false, as far as can be told without a record.
    fn is_condition(&self) -> bool {
        match self {
            Self::Bool(_)
            | Self::Not(_)
            | Self::All(_)
            | Self::Any(_)
            | Self::Compare(..)
            | Self::In(..)
            | Self::Test(..)
            | Self::Matches(..)
            | Self::Has(_)
            | Self::Field(Field::Json | Field::KeyJson) => true,
            Self::Select(inner, _) | Self::Index(inner, _) => inner.is_condition(),
            Self::Null
            | Self::Int(_)
            | Self::Float(_)
            | Self::Text(_)
            | Self::Time(_)
            | Self::List(_)
            | Self::SizeOf(_)
            | Self::Field(_) => false,
        }
    }
}

/// Reads a whole expression, which must be a condition.
pub(super) fn parse(text: &str) -> Result<Expression, FilterError> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        next: 0,
        depth: 0,
    };
    let condition = parser.condition()?;
    match parser.token() {
        Token::End => Ok(condition),
        other => Err(parser.error(format!(
            "expected an operator or the end, found {}",
            other.described()
        ))),
    }
}

struct Parser {
    /// The end last.
    tokens: Vec<Placed>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn token(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(token, _)| token)
    }

    fn position(&self) -> usize {
        let last = self.tokens.get(self.next).or(self.tokens.last());
        last.map_or(1, |(_, position)| *position)
    }

    fn error(&self, expected: impl Into<String>) -> FilterError {
        FilterError {
            position: self.position(),
            expected: expected.into(),
        }
    }

    fn advance(&mut self) {
        if self.next + 1 < self.tokens.len() {
            self.next += 1;
        }
    }

    fn accept(&mut self, sign: &str) -> bool {
        let found = matches!(self.token(), Token::Sign(found) if *found == sign);
        if found {
            self.advance();
        }
        found
    }

    fn require(&mut self, sign: &str) -> Result<(), FilterError> {
        match self.accept(sign) {
            true => Ok(()),
            false => Err(self.error(format!("expected `{sign}`, found {}", self.token().described()))),
        }
    }

    /// Something that is nested one deeper.
    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, FilterError>,
    ) -> Result<T, FilterError> {
        if self.depth >= MAX_DEPTH {
            return Err(self.error("this is nested too deep"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn condition(&mut self) -> Result<Expression, FilterError> {
        let position = self.position();
        let read = self.deeper(Self::any)?;
        match read.is_condition() {
            true => Ok(read),
            false => Err(FilterError {
                position,
                expected: "expected a condition, such as json.total > 10 or key == \"a\"".to_owned(),
            }),
        }
    }

    fn any(&mut self) -> Result<Expression, FilterError> {
        let mut parts = vec![self.all()?];
        while self.accept("||") {
            parts.push(self.all()?);
        }
        Ok(single(parts, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, FilterError> {
        let mut parts = vec![self.comparison()?];
        while self.accept("&&") {
            parts.push(self.comparison()?);
        }
        Ok(single(parts, Expression::All))
    }

    fn comparison(&mut self) -> Result<Expression, FilterError> {
        let left = self.unary()?;
        if matches!(self.token(), Token::Name(name) if name == "in") {
            self.advance();
            let right = self.unary()?;
            return Ok(Expression::In(Box::new(left), Box::new(right)));
        }
        let order = match self.token() {
            Token::Sign(sign) => Order::of(sign),
            _ => None,
        };
        let Some(order) = order else {
            return Ok(left);
        };
        self.advance();
        let right = self.unary()?;
        if matches!(self.token(), Token::Sign(sign) if Order::of(sign).is_some()) {
            return Err(self.error("comparisons do not chain; join two with &&"));
        }
        Ok(Expression::Compare(order, Box::new(left), Box::new(right)))
    }

    fn unary(&mut self) -> Result<Expression, FilterError> {
        if self.accept("!") {
            return self.deeper(|parser| Ok(Expression::Not(Box::new(parser.unary()?))));
        }
        if self.accept("-") {
            let negative = match self.token() {
                Token::Int(number) => Expression::Int(-number),
                Token::Float(number) => Expression::Float(-number),
                _ => return Err(self.error("expected a number after -")),
            };
            self.advance();
            return Ok(negative);
        }
        self.deeper(Self::steps)
    }

    /// A value and what follows it: `.name`, `[index]`, `.contains(…)`.
    fn steps(&mut self) -> Result<Expression, FilterError> {
        let mut value = self.primary()?;
        for _ in 0..MAX_DEPTH {
            if self.accept(".") {
                value = self.member(value)?;
            } else if self.accept("[") {
                let index = self.deeper(Self::any)?;
                self.require("]")?;
                value = Expression::Index(Box::new(value), Box::new(index));
            } else {
                return Ok(value);
            }
        }
        Err(self.error("too many steps follow each other"))
    }

    fn member(&mut self, value: Expression) -> Result<Expression, FilterError> {
        let position = self.position();
        let Token::Name(name) = self.token().clone() else {
            return Err(self.error("expected a name after `.`; write [\"…\"] for one that is no word"));
        };
        self.advance();
        if !self.accept("(") {
            return Ok(Expression::Select(Box::new(value), name));
        }
        let test = match name.as_str() {
            "contains" => TextTest::Contains,
            "startsWith" => TextTest::StartsWith,
            "endsWith" => TextTest::EndsWith,
            "matches" => {
                let pattern = self.pattern()?;
                self.require(")")?;
                return Ok(Expression::Matches(Box::new(value), pattern));
            }
            _ => {
                return Err(FilterError {
                    position,
                    expected: "expected contains, startsWith, endsWith or matches".to_owned(),
                });
            }
        };
        let argument = self.deeper(Self::any)?;
        self.require(")")?;
        Ok(Expression::Test(test, Box::new(value), Box::new(argument)))
    }

    fn pattern(&mut self) -> Result<Regex, FilterError> {
        let Token::Text(text) = self.token().clone() else {
            return Err(self.error("expected a pattern as a text, such as r\"^order-[0-9]+$\""));
        };
        let compiled = RegexBuilder::new(&text)
            .size_limit(MAX_PATTERN)
            .dfa_size_limit(8 * MAX_PATTERN)
            .nest_limit(50)
            .build();
        let compiled = compiled.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => self.error("the pattern is too large"),
            _ => self.error("expected a regular expression (look-around and back-references are none)"),
        })?;
        self.advance();
        Ok(compiled)
    }

    fn primary(&mut self) -> Result<Expression, FilterError> {
        let position = self.position();
        let token = self.token().clone();
        let read = match token {
            Token::Text(text) => Expression::Text(text),
            Token::Int(number) => Expression::Int(number),
            Token::Float(number) => Expression::Float(number),
            Token::Sign("(") => {
                self.advance();
                let inner = self.deeper(Self::any)?;
                self.require(")")?;
                return Ok(inner);
            }
            Token::Sign("[") => {
                self.advance();
                return self.list();
            }
            Token::Name(name) => {
                self.advance();
                return self.named(&name, position);
            }
            Token::Sign(_) | Token::End => {
                let found = token.described();
                return Err(self.error(format!("expected a field or a value, found {found}")));
            }
        };
        self.advance();
        Ok(read)
    }

    fn list(&mut self) -> Result<Expression, FilterError> {
        let mut items = Vec::new();
        if self.accept("]") {
            return Ok(Expression::List(items));
        }
        loop {
            if items.len() >= MAX_ITEMS {
                return Err(self.error("the list is too long"));
            }
            items.push(self.deeper(Self::any)?);
            if !self.accept(",") {
                break;
            }
        }
        self.require("]")?;
        Ok(Expression::List(items))
    }

    fn named(&mut self, name: &str, position: usize) -> Result<Expression, FilterError> {
        match name {
            "true" => return Ok(Expression::Bool(true)),
            "false" => return Ok(Expression::Bool(false)),
            "null" => return Ok(Expression::Null),
            _ => {}
        }
        if self.accept("(") {
            return self.call(name, position);
        }
        let field = FIELDS.iter().find(|(known, _)| *known == name);
        let known = FIELDS.map(|(name, _)| name).join(", ");
        let field = field.ok_or_else(|| FilterError {
            position,
            expected: format!("`{name}` is no field; expected one of {known}"),
        })?;
        Ok(Expression::Field(field.1))
    }

    fn call(&mut self, name: &str, position: usize) -> Result<Expression, FilterError> {
        let read = match name {
            "has" => {
                let asked = self.deeper(Self::any)?;
                if !matches!(asked, Expression::Select(..) | Expression::Index(..)) {
                    return Err(FilterError {
                        position,
                        expected: "has() asks for something within, such as has(json.a)".to_owned(),
                    });
                }
                Expression::Has(Box::new(asked))
            }
            "size" => Expression::SizeOf(Box::new(self.deeper(Self::any)?)),
            "timestamp" => {
                let moment = match self.token() {
                    Token::Text(text) => Moment::parse(text),
                    _ => None,
                };
                let moment = moment.ok_or_else(|| {
                    self.error("expected a moment as a text, such as \"2030-01-31T12:00:00Z\"")
                })?;
                self.advance();
                Expression::Time(moment.0.0)
            }
            _ => {
                return Err(FilterError {
                    position,
                    expected: format!("`{name}` is no function; expected has, size or timestamp"),
                });
            }
        };
        self.require(")")?;
        Ok(read)
    }
}

/// One part as it is; several joined.
fn single(mut parts: Vec<Expression>, join: impl FnOnce(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}
