//! Words and signs of an expression.

use super::{FilterError, MAX_LENGTH};

/// One word or sign.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(String),
    Text(String),
    Int(i64),
    Float(f64),
    /// `(`, `==` and the like.
    Sign(&'static str),
    End,
}

impl Token {
    /// As errors name it.
    pub(super) fn described(&self) -> String {
        match self {
            Self::Name(name) => format!("`{name}`"),
            Self::Text(_) => "a text".to_owned(),
            Self::Int(_) | Self::Float(_) => "a number".to_owned(),
            Self::Sign(sign) => format!("`{sign}`"),
            Self::End => "the end".to_owned(),
        }
    }
}

/// A token and the character at which it begins, from 1 on.
pub(super) type Placed = (Token, usize);

/// The longer ones first.
const SIGNS: [&str; 17] = [
    "==", "!=", "<=", ">=", "&&", "||", "(", ")", "[", "]", ",", ".", "!", "<", ">", "-", "?",
];

struct Lexer<'a> {
    rest: &'a str,
    position: usize,
}

/// All tokens of a text; the last one is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, FilterError> {
    if text.len() > MAX_LENGTH {
        let within = text.char_indices().take_while(|(at, _)| *at < MAX_LENGTH);
        return Err(FilterError {
            position: within.count() + 1,
            expected: format!(
                "a filter has at most {MAX_LENGTH} bytes, of which letters beyond a to z have several"
            ),
        });
    }
    let mut lexer = Lexer {
        rest: text,
        position: 1,
    };
    let mut tokens = Vec::new();
    loop {
        let placed = lexer.next()?;
        let ended = placed.0 == Token::End;
        tokens.push(placed);
        if ended {
            return Ok(tokens);
        }
    }
}

impl Lexer<'_> {
    fn error(&self, expected: impl Into<String>) -> FilterError {
        FilterError {
            position: self.position,
            expected: expected.into(),
        }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn skip(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let skipped = chars.next()?;
        self.rest = chars.as_str();
        self.position += 1;
        Some(skipped)
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(c) = self.peek().filter(|c| wanted(*c)) {
            taken.push(c);
            self.skip();
        }
        taken
    }

    fn next(&mut self) -> Result<Placed, FilterError> {
        self.skip_while(char::is_whitespace);
        let position = self.position;
        let Some(first) = self.peek() else {
            return Ok((Token::End, position));
        };
        let token = match first {
            '"' | '\'' => self.text(true)?,
            'r' if self.rest.starts_with("r\"") || self.rest.starts_with("r'") => {
                self.skip();
                self.text(false)?
            }
            '0'..='9' => self.number()?,
            c if c.is_ascii_alphabetic() || c == '_' => {
                Token::Name(self.skip_while(|c| c.is_ascii_alphanumeric() || c == '_'))
            }
            _ => self.sign()?,
        };
        Ok((token, position))
    }

    fn sign(&mut self) -> Result<Token, FilterError> {
        let found = SIGNS.iter().find(|sign| self.rest.starts_with(**sign));
        if let Some(sign) = found {
            for _ in sign.chars() {
                self.skip();
            }
            return Ok(Token::Sign(sign));
        }
        Err(match self.peek() {
            Some('=') => self.error("expected ==, which compares"),
            Some('&') => self.error("expected &&, which means and"),
            Some('|') => self.error("expected ||, which means or"),
            Some('+' | '*' | '/' | '%') => self.error("filters do not calculate"),
            _ => self.error("expected a field, a value or an operator"),
        })
    }

    fn number(&mut self) -> Result<Token, FilterError> {
        let start = self.position;
        let mut text = self.skip_while(|c| c.is_ascii_digit());
        let mut fraction = false;
        let mut after = self.rest.chars().skip(1);
        if self.peek() == Some('.') && after.next().is_some_and(|c| c.is_ascii_digit()) {
            fraction = true;
            self.skip();
            text.push('.');
            text.push_str(&self.skip_while(|c| c.is_ascii_digit()));
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            fraction = true;
            self.skip();
            text.push('e');
            if let Some(sign @ ('+' | '-')) = self.peek() {
                self.skip();
                text.push(sign);
            }
            text.push_str(&self.skip_while(|c| c.is_ascii_digit()));
        }
        let error = FilterError {
            position: start,
            expected: "expected a number that fits into 64 bits".to_owned(),
        };
        match fraction {
            false => text.parse().map(Token::Int).map_err(|_| error),
            true => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Token::Float(number)),
                _ => Err(error),
            },
        }
    }

    fn text(&mut self, escapes: bool) -> Result<Token, FilterError> {
        let start = self.position;
        let quote = self.skip();
        let mut text = String::new();
        loop {
            match self.skip() {
                None => {
                    return Err(FilterError {
                        position: start,
                        expected: "expected the text that begins here to end with the same quote".to_owned(),
                    });
                }
                end if end == quote => return Ok(Token::Text(text)),
                Some('\\') if escapes => text.push(self.escape()?),
                Some(c) => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, FilterError> {
        let unknown =
            self.error(r#"expected one of \n \r \t \\ \" \' \uXXXX; write r"…" for a text without escapes"#);
        match self.skip() {
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some(same @ ('\\' | '"' | '\'')) => Ok(same),
            Some('u') => {
                let digits: String = (0..4).filter_map(|_| self.skip()).collect();
                let code = match digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    true => u32::from_str_radix(&digits, 16).ok(),
                    false => None,
                };
                code.and_then(char::from_u32).ok_or(unknown)
            }
            _ => Err(unknown),
        }
    }
}
