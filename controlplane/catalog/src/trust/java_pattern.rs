//! Patterns and replacements as Java's regular expressions have them, run by a matcher that takes linear time.
//!
//! Kafka's mapping rules are written in Java's syntax. What means the same here is taken; what differs, or what only a backtracking
//! matcher can do, is refused when the pattern is given, so that no rule means something else than its author tried out with Kafka:
//! look-around, back references, possessive quantifiers, flags, named groups, quoting, Unicode classes, word boundaries. `\d`, `\w` and
//! `\s` are of ASCII, as in Java.

use regex::{Captures, Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};
use regex_syntax::utf8::Utf8Sequences;

/// The longest text that is matched, in bytes.
pub const MAX_TEXT: usize = 512;
/// How many steps all patterns together may have that one text is given to: a bound for their memory, and for the time of a match.
pub const MAX_STEPS: usize = 1024;
/// How much text is searched to replace all matches, in bytes: every match is sought in all that is behind the one before.
const MAX_SEARCHED: usize = 4 * MAX_TEXT;
/// The longest result of a replacement, in bytes.
const MAX_RESULT: usize = 4096;
/// The memory of one compiled pattern, in bytes: more than one of [`MAX_STEPS`] takes.
const MAX_COMPILED: usize = 256 * 1024;
/// How often a pattern may say that something is repeated.
const MAX_REPETITIONS: u32 = 100;
/// How many groups a pattern may have.
const MAX_GROUPS: usize = 16;
/// How deep groups are nested.
const MAX_NESTING: u32 = 32;

const DIGITS: &str = "0-9";
const WORD: &str = "0-9A-Za-z_";
const SPACE: &str = r" \t\n\x0B\x0C\r";

/// A pattern.
#[derive(Clone, Debug)]
pub struct JavaPattern {
    whole: Regex,
    anywhere: Regex,
    steps: usize,
}

/// What is put in the place of a match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JavaReplacement(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(char),
    Group(usize),
}

/// Whether a text has none of the characters at which lines end for Java, and no other control character.
fn is_one_line(text: &str) -> bool {
    !text
        .chars()
        .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
}

impl JavaPattern {
    /// Compiles a pattern that has a text for itself; what is wrong with it.
    pub fn compile(pattern: &str) -> Result<Self, String> {
        Self::within(pattern, MAX_STEPS)
    }

    /// Compiles a pattern of at most so many steps; what is wrong with it.
    pub fn within(pattern: &str, most: usize) -> Result<Self, String> {
        let translated = Translation::of(pattern)?;
        let mut parser = regex_syntax::ParserBuilder::new();
        let parsed = parser.nest_limit(MAX_NESTING).build().parse(&translated);
        let parsed = parsed.map_err(|error| told(&error.to_string()))?;
        if repeats_nothing(&parsed) {
            return Err(
                "what can match nothing is repeated, which Java and others understand differently".to_owned(),
            );
        }
        if parsed.properties().explicit_captures_len() > MAX_GROUPS {
            return Err(format!("there are more than {MAX_GROUPS} groups"));
        }
        let steps = steps(&parsed);
        if steps > most {
            return Err(format!(
                "with all before it, it has more than {MAX_STEPS} steps: characters, classes and how often they are repeated"
            ));
        }
        let compiled = |text: &str| {
            let mut builder = RegexBuilder::new(text);
            builder.size_limit(MAX_COMPILED).dfa_size_limit(MAX_COMPILED);
            builder
                .nest_limit(MAX_NESTING + 1)
                .build()
                .map_err(|error| told(&error.to_string()))
        };
        Ok(Self {
            whole: compiled(&format!(r"\A(?:{translated})\z"))?,
            anywhere: compiled(&translated)?,
            steps,
        })
    }

    /// How many steps it has, of those that all patterns of a text share.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// How many groups it has.
    pub fn groups(&self) -> usize {
        self.anywhere.captures_len() - 1
    }

    /// Whether it matches all of a text, as `Matcher.matches`. No text with control characters or of more than [`MAX_TEXT`] bytes
    /// is matched.
    pub fn matches(&self, text: &str) -> bool {
        text.len() <= MAX_TEXT && is_one_line(text) && self.whole.is_match(text)
    }

    /// Puts a replacement in the place of every match, as `String.replaceAll`; `None`: the result would be too long, or there are too
    /// many matches in a long text.
    pub fn replace_all(&self, text: &str, replacement: &JavaReplacement) -> Option<String> {
        self.replace(text, replacement, usize::MAX)
    }

    /// Puts a replacement in the place of the first match, as `String.replaceFirst`; `None`: the result would be too long.
    pub fn replace_first(&self, text: &str, replacement: &JavaReplacement) -> Option<String> {
        self.replace(text, replacement, 1)
    }

    fn replace(&self, text: &str, replacement: &JavaReplacement, most: usize) -> Option<String> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let mut result = String::new();
        let (mut copied, mut from, mut searched) = (0, 0, 0);
        for _ in 0..most {
            searched += text.len() - from;
            if searched > MAX_SEARCHED {
                return None;
            }
            let Some(found) = self.anywhere.captures_at(text, from) else {
                break;
            };
            let whole = found.get(0)?;
            result.push_str(&text[copied..whole.start()]);
            replacement.append(&found, &mut result);
            if result.len() > MAX_RESULT {
                return None;
            }
            copied = whole.end();
            // An empty match right behind another match counts in Java; one is never found twice.
            from = match whole.is_empty() {
                false => whole.end(),
                true => match text[whole.end()..].chars().next() {
                    Some(next) => whole.end() + next.len_utf8(),
                    None => break,
                },
            };
        }
        result.push_str(&text[copied..]);
        (result.len() <= MAX_RESULT).then_some(result)
    }
}

impl JavaReplacement {
    /// Reads a replacement for a pattern with so many groups; what is wrong with it.
    pub fn parse(text: &str, groups: usize) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text.chars().peekable();
        while let Some(next) = rest.next() {
            match next {
                '\\' => {
                    let escaped = rest.next().ok_or("a backslash ends the replacement")?;
                    parts.push(Part::Literal(escaped));
                }
                '$' => {
                    let digit = rest.next().and_then(|c| c.to_digit(10));
                    let digit =
                        digit.ok_or("a '$' in the replacement is not followed by a group's number")?;
                    let mut group = digit as usize;
                    if group > groups {
                        return Err(format!(
                            "the replacement names group {group}, which the pattern does not have"
                        ));
                    }
                    while let Some(more) = rest.peek().and_then(|c| c.to_digit(10)) {
                        let longer = group * 10 + more as usize;
                        if longer > groups {
                            break;
                        }
                        group = longer;
                        rest.next();
                    }
                    parts.push(Part::Group(group));
                }
                other => parts.push(Part::Literal(other)),
            }
        }
        Ok(Self(parts))
    }

    fn append(&self, found: &Captures<'_>, result: &mut String) {
        for part in &self.0 {
            match part {
                Part::Literal(c) => result.push(*c),
                Part::Group(group) => result.push_str(found.get(*group).map_or("", |group| group.as_str())),
            }
        }
    }
}

/// The last line of an error of the matcher, which says what is wrong.
fn told(error: &str) -> String {
    let last = error.lines().last().unwrap_or(error);
    last.trim_start_matches("error: ").to_owned()
}

/// How many steps a matcher has for a pattern, about: one for a character, as often as it may have to be counted.
fn steps(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Unicode(class)) => class
            .iter()
            .flat_map(|range| Utf8Sequences::new(range.start(), range.end()))
            .map(|sequence| sequence.len().min(2))
            .fold(0, usize::saturating_add),
        HirKind::Class(Class::Bytes(class)) => class.iter().count(),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1);
            let times = usize::try_from(times).unwrap_or(usize::MAX);
            steps(&repetition.sub).saturating_add(1).saturating_mul(times)
        }
        HirKind::Capture(capture) => steps(&capture.sub).saturating_add(2),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(steps).fold(1, usize::saturating_add)
        }
    }
}

/// Whether something is repeated although it can match nothing: when such a loop ends, and with what, differs between matchers.
fn repeats_nothing(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Repetition(repetition) => {
            let sub = &repetition.sub;
            let empty = sub.properties().minimum_len().unwrap_or(0) == 0;
            let more_than_once = repetition.max.is_none_or(|most| most > 1);
            (empty && more_than_once) || repeats_nothing(sub)
        }
        HirKind::Capture(capture) => repeats_nothing(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(repeats_nothing),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

/// What the last thing in a pattern was: what a quantifier may follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// Something that can be repeated.
    Atom,
    /// A quantifier.
    Quantifier,
    /// Nothing, or what cannot be repeated.
    Nothing,
}

/// A pattern on its way from Java's syntax.
struct Translation<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    out: String,
    last: Last,
}

impl Translation<'_> {
    /// The pattern in the syntax of the matcher.
    fn of(pattern: &str) -> Result<String, String> {
        if !is_one_line(pattern) {
            return Err("it contains a control character".to_owned());
        }
        let mut translation = Translation {
            rest: pattern.chars().peekable(),
            out: String::new(),
            last: Last::Nothing,
        };
        while let Some(next) = translation.rest.next() {
            translation.take(next)?;
        }
        Ok(translation.out)
    }

    fn take(&mut self, next: char) -> Result<(), String> {
        match next {
            '\\' => return self.escape(),
            '[' => return self.class(),
            '*' | '+' | '?' => return self.quantifier(&next.to_string()),
            '{' => return self.counted(),
            '(' => {
                self.out.push('(');
                if self.rest.next_if_eq(&'?').is_some() {
                    if self.rest.next() != Some(':') {
                        let why = "of the constructs that begin with '(?' only '(?:' is taken: no flags, names, look-around";
                        return Err(why.to_owned());
                    }
                    self.out.push_str("?:");
                }
                self.last = Last::Nothing;
            }
            '^' | '$' | '|' => {
                self.out.push(next);
                self.last = Last::Nothing;
            }
            ')' | '.' => {
                self.out.push(next);
                self.last = Last::Atom;
            }
            literal => self.literal(literal),
        }
        Ok(())
    }

    fn literal(&mut self, literal: char) {
        push_literal(&mut self.out, literal);
        self.last = Last::Atom;
    }

    fn escape(&mut self) -> Result<(), String> {
        let escaped = self.rest.next().ok_or("a backslash ends the pattern")?;
        let class = match escaped {
            'd' => format!("[{DIGITS}]"),
            'D' => format!("[^{DIGITS}]"),
            'w' => format!("[{WORD}]"),
            'W' => format!("[^{WORD}]"),
            's' => format!("[{SPACE}]"),
            'S' => format!("[^{SPACE}]"),
            't' | 'n' | 'r' | 'f' | 'a' => format!("\\{escaped}"),
            'A' | 'z' => {
                self.out.push('\\');
                self.out.push(escaped);
                self.last = Last::Nothing;
                return Ok(());
            }
            other if other.is_ascii_alphanumeric() => return Err(format!("'\\{other}' is not taken")),
            literal => {
                self.literal(literal);
                return Ok(());
            }
        };
        self.out.push_str(&class);
        self.last = Last::Atom;
        Ok(())
    }

    fn quantifier(&mut self, quantifier: &str) -> Result<(), String> {
        if self.last != Last::Atom {
            return Err(format!("there is nothing that '{quantifier}' could repeat"));
        }
        self.out.push_str(quantifier);
        if self.rest.next_if_eq(&'?').is_some() {
            self.out.push('?');
        } else if self.rest.peek() == Some(&'+') {
            return Err(format!("the possessive quantifier '{quantifier}+' is not taken"));
        }
        self.last = Last::Quantifier;
        Ok(())
    }

    fn counted(&mut self) -> Result<(), String> {
        let mut text = String::new();
        loop {
            match self.rest.next() {
                Some('}') => break,
                Some(c) if c.is_ascii_digit() || c == ',' => text.push(c),
                _ => return Err("a '{' does not begin a count; write '\\{'".to_owned()),
            }
        }
        let number = |digits: &str| {
            let number = digits
                .parse::<u32>()
                .ok()
                .filter(|number| *number <= MAX_REPETITIONS);
            number.ok_or(format!("a count is not a number up to {MAX_REPETITIONS}"))
        };
        let (least, most) = match text.split_once(',') {
            None => (number(&text)?, None),
            Some((least, "")) => (number(least)?, None),
            Some((least, most)) => (number(least)?, Some(number(most)?)),
        };
        if most.is_some_and(|most| most < least) {
            return Err("a count ends before it begins".to_owned());
        }
        self.quantifier(&format!("{{{text}}}"))
    }

    /// A class of characters: single ones, ranges, `\d`, `\w`, `\s`; negated or not.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut first = true;
        // The character that a range could begin with.
        let mut begin: Option<char> = None;
        loop {
            let next = self.rest.next().ok_or("a '[' is not closed")?;
            match next {
                ']' if first => return Err("a class is empty, or begins with ']'; write '\\]'".to_owned()),
                ']' => break,
                '[' => return Err("a class inside a class is not taken; write '\\['".to_owned()),
                '&' if self.rest.peek() == Some(&'&') => {
                    return Err("'&&' in a class is not taken".to_owned());
                }
                '-' if first || self.rest.peek() == Some(&']') => {
                    push_literal(&mut self.out, '-');
                    begin = None;
                }
                '-' => {
                    let from = begin
                        .take()
                        .ok_or("a '-' in a class is not between two characters; write '\\-'")?;
                    let to = self.range_end()?;
                    if to < from {
                        return Err("a range in a class ends before it begins".to_owned());
                    }
                    self.out.push('-');
                    push_literal(&mut self.out, to);
                }
                '\\' => begin = self.escape_in_class()?,
                literal => {
                    push_literal(&mut self.out, literal);
                    begin = Some(literal);
                }
            }
            first = false;
        }
        self.out.push(']');
        self.last = Last::Atom;
        Ok(())
    }

    fn range_end(&mut self) -> Result<char, String> {
        let wrong = "a range in a class does not end with a character";
        match self.rest.next() {
            Some('\\') => match self.rest.next() {
                Some(c) if !c.is_ascii_alphanumeric() => Ok(c),
                _ => Err(wrong.to_owned()),
            },
            None | Some('[' | ']') => Err(wrong.to_owned()),
            Some(c) => Ok(c),
        }
    }

    /// An escape in a class; the character that it stands for, if it is one.
    fn escape_in_class(&mut self) -> Result<Option<char>, String> {
        let escaped = self.rest.next().ok_or("a backslash ends the pattern")?;
        match escaped {
            'd' => self.out.push_str(DIGITS),
            'w' => self.out.push_str(WORD),
            's' => self.out.push_str(SPACE),
            't' | 'n' | 'r' | 'f' | 'a' => {
                self.out.push('\\');
                self.out.push(escaped);
            }
            other if other.is_ascii_alphanumeric() => {
                return Err(format!("'\\{other}' in a class is not taken"));
            }
            literal => {
                push_literal(&mut self.out, literal);
                return Ok(Some(literal));
            }
        }
        Ok(None)
    }
}

fn push_literal(out: &mut String, literal: char) {
    if regex_syntax::is_meta_character(literal) {
        out.push('\\');
    }
    out.push(literal);
}

#[cfg(test)]
mod tests;
