//! Just enough of Rust's lexical grammar to find functions and macros without being fooled by strings, characters,
//! lifetimes or comments.

/// The source with the contents of comments, strings and characters blanked out. Lines stay where they are.
pub fn mask(source: &str) -> String {
    let mut masker = Masker {
        rest: source.chars().collect(),
        at: 0,
        out: String::with_capacity(source.len()),
    };
    while masker.at < masker.rest.len() {
        masker.step();
    }
    masker.out
}

struct Masker {
    rest: Vec<char>,
    at: usize,
    out: String,
}

impl Masker {
    fn step(&mut self) {
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => self.blank_while(|c| c != '\n'),
            ('/', '*') => self.block_comment(),
            ('"', _) => self.string(),
            ('r', '"' | '#') if !self.in_word() => self.raw_string(),
            ('b' | 'c', 'r') if !self.in_word() && matches!(self.peek(2), '"' | '#') => {
                self.keep();
                self.raw_string();
            }
            ('\'', _) => self.quote(),
            _ => self.keep(),
        }
    }

    fn peek(&self, ahead: usize) -> char {
        self.rest.get(self.at + ahead).copied().unwrap_or('\0')
    }

    /// Whether the character before this one belongs to a word, so that this one cannot begin a literal.
    fn in_word(&self) -> bool {
        self.at > 0 && is_word(self.rest[self.at - 1])
    }

    fn keep(&mut self) {
        self.out.push(self.peek(0));
        self.at += 1;
    }

    fn blank(&mut self) {
        self.out.push(if self.peek(0) == '\n' { '\n' } else { ' ' });
        self.at += 1;
    }

    fn blank_while(&mut self, go_on: impl Fn(char) -> bool) {
        while self.at < self.rest.len() && go_on(self.peek(0)) {
            self.blank();
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.at < self.rest.len() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    self.blank();
                    continue;
                }
            }
            self.blank();
            self.blank();
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.keep();
        while self.at < self.rest.len() && self.peek(0) != '"' {
            if self.peek(0) == '\\' {
                self.blank();
            }
            self.blank();
        }
        self.keep();
    }

    fn raw_string(&mut self) {
        let hashes = self.rest[self.at + 1..].iter().take_while(|c| **c == '#').count();
        if self.peek(1 + hashes) != '"' {
            // A raw identifier.
            self.keep();
            return;
        }
        for _ in 0..hashes + 2 {
            self.keep();
        }
        let closes = |m: &Self| m.peek(0) == '"' && (1..=hashes).all(|i| m.peek(i) == '#');
        while self.at < self.rest.len() && !closes(self) {
            self.blank();
        }
        for _ in 0..=hashes {
            self.keep();
        }
    }

    /// A character, or a lifetime or label.
    fn quote(&mut self) {
        let is_character = self.peek(1) == '\\' || self.peek(2) == '\'';
        self.keep();
        if !is_character {
            return;
        }
        if self.peek(0) == '\\' {
            self.blank();
        }
        self.blank();
        self.blank_while(|c| c != '\'');
        self.keep();
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of its `fn`, from one.
    pub line: usize,
    /// Lines from its `fn` to its closing brace.
    pub lines: usize,
}

/// The functions of a masked source.
pub fn functions(masked: &str) -> Vec<Function> {
    let chars: Vec<char> = masked.chars().collect();
    words(&chars)
        .filter(|(_, word)| word == "fn")
        .filter_map(|(at, _)| function(&chars, at))
        .collect()
}

fn function(chars: &[char], at: usize) -> Option<Function> {
    let (_, name) = words(&chars[at + 2..]).next()?;
    let between: String = chars[at + 2..].iter().take_while(|c| !is_word(**c)).collect();
    if !between.trim().is_empty() {
        // A type such as `fn(u8)`.
        return None;
    }
    let mut nested = 0;
    let mut end = None;
    for (i, c) in chars.iter().enumerate().skip(at) {
        match c {
            '(' | '[' => nested += 1,
            ')' | ']' => nested -= 1,
            ';' if nested == 0 => return None,
            '{' if nested == 0 => {
                end = matching_brace(chars, i);
                break;
            }
            _ => {}
        }
    }
    let newlines = |range: &[char]| range.iter().filter(|c| **c == '\n').count();
    Some(Function {
        name,
        line: newlines(&chars[..at]) + 1,
        lines: newlines(&chars[at..end?]) + 1,
    })
}

fn matching_brace(chars: &[char], open: usize) -> Option<usize> {
    let mut depth = 0;
    for (i, c) in chars.iter().enumerate().skip(open) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(i);
        }
    }
    None
}

/// The words of a source with their places.
fn words(chars: &[char]) -> impl Iterator<Item = (usize, String)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < chars.len() && !is_word(chars[at]) {
            at += 1;
        }
        let start = at;
        while at < chars.len() && is_word(chars[at]) {
            at += 1;
        }
        (start < at).then(|| (start, chars[start..at].iter().collect()))
    })
}

/// The lines of `select!` calls that are not biased.
pub fn unbiased_selects(masked: &str) -> Vec<usize> {
    let call = concat!("select", "!");
    masked
        .match_indices(call)
        .filter(|(at, _)| {
            let body = masked[at + call.len()..]
                .trim_start()
                .trim_start_matches(['{', '(']);
            !body.trim_start().starts_with("biased;")
        })
        .map(|(at, _)| masked[..at].lines().count().max(1))
        .collect()
}

/// Whether `word` stands in `text` as a whole word.
pub fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(is_word) && !text[at + word.len()..].starts_with(is_word))
}

/// The words and symbols of masked source, `::` as one.
fn tokens(masked: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = masked.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        tokens.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    tokens
}

/// What masked source names directly below a crate: `b` and `c` of `a::b::x` and `a::{b::x, c}`, `*` of a glob, and `as`
/// where the crate gets another name.
pub fn paths_below(masked: &str, krate: &str) -> Vec<String> {
    let tokens = tokens(masked);
    let mut found = Vec::new();
    for at in (0..tokens.len()).filter(|at| tokens[*at] == krate) {
        match tokens.get(at + 1..).unwrap_or_default() {
            ["::", "{", group @ ..] => found.extend(heads(group).into_iter().map(str::to_owned)),
            ["::", name, ..] => found.push((*name).to_owned()),
            ["as", ..] => found.push("as".to_owned()),
            _ => {}
        }
    }
    found
}

/// The first word of each element of a group whose brace is open.
fn heads<'t>(group: &[&'t str]) -> Vec<&'t str> {
    let (mut depth, mut begins, mut heads) = (1, true, Vec::new());
    for token in group {
        match *token {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," if depth == 1 => begins = true,
            head if begins => {
                heads.push(head);
                begins = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(source: &str) -> Vec<(String, usize, usize)> {
        functions(&mask(source))
            .into_iter()
            .map(|f| (f.name, f.line, f.lines))
            .collect()
    }

    #[test]
    fn braces_in_literals_and_comments_do_not_count() {
        let source = concat!(
            "fn a() {\n let s = \"}\\\"}\"; // }\n let c = '}'; /* } /* } */ } */\n",
            " let r = r#\"}\"}\"#; let b = b'}'; let q = '\\'';\n}\nfn b<'x>(y: &'x str) -> &'x str { y }\n",
        );
        assert_eq!(lengths(source), [("a".into(), 1, 5), ("b".into(), 6, 1)]);
    }

    #[test]
    fn declarations_and_function_types_are_not_functions() {
        let source = "trait T { fn d(&self) -> [u8; 4]; }\ntype F = fn(u8) -> u8;\nfn e(f: fn()) { f() }";
        assert_eq!(lengths(source), [("e".into(), 3, 1)]);
    }

    #[test]
    fn nested_functions_count_for_themselves_and_for_their_owner() {
        let source = "fn outer() {\n    fn inner() {\n    }\n    \"fn no() {}\";\n}\n";
        assert_eq!(lengths(source), [("outer".into(), 1, 5), ("inner".into(), 2, 2)]);
    }

    #[test]
    fn masking_keeps_lines_and_raw_identifiers() {
        let source = "let r#type = \"a\nb\"; let x = br##\"q\"# \"##; 'label: loop {}";
        assert_eq!(
            mask(source),
            "let r#type = \" \n \"; let x = br##\"    \"##; 'label: loop {}"
        );
    }

    #[test]
    fn a_select_without_bias_is_found_by_its_line() {
        let call = concat!("select", "!");
        let source = format!("tokio::{call} {{\n  biased;\n}}\n\ntokio::{call} {{\n  x = y => {{}}\n}}\n");
        assert_eq!(unbiased_selects(&mask(&source)), [5]);
        assert!(unbiased_selects(&mask(&format!("// {call} {{ x }}"))).is_empty());
    }

    #[test]
    fn a_word_is_not_part_of_another() {
        assert!(has_word("// LATER: x", "LATER"));
        assert!(!has_word("TRANSLATER", "LATER") && !has_word("LATER_ON", "LATER"));
    }
}
