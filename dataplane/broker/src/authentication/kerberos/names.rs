//! From a principal to a short name, by Kafka's `sasl.kerberos.principal.to.local.rules`: the first rule that applies gives the
//! name, and a principal to which none applies has none.
//!
//! `RULE:[n:format](pattern)s/from/to/g` applies to names of `n` components: `format` (with `$0` for the realm, `$1` and `$2` for
//! the components) is what `pattern` must match whole and what the substitution changes; a last `/L` or `/U` changes its case.
//! `DEFAULT` gives the first component of a principal of the realm. What Kafka finds wrong only when it meets such a name is an
//! error of the settings here, and so are patterns that not every matcher reads like Java's. Principals with a backslash or with
//! anything but printable ASCII have no name: they could be written in more than one way.

use firn_catalog::trust::java_pattern::{JavaPattern, JavaReplacement};

/// The most rules there may be.
const MOST_RULES: usize = 100;
/// The longest principal that is looked at, in bytes.
const MOST_BYTES: usize = 1024;

/// Rules, in their order.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    realm: String,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
enum Rule {
    /// The first component of the realm's own.
    Default,
    Mapping(Box<Mapping>),
}

#[derive(Clone, Debug)]
struct Mapping {
    components: usize,
    format: Vec<Piece>,
    accepts: Option<JavaPattern>,
    substitution: Option<Substitution>,
    case: Option<Case>,
}

/// A part of a format.
#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    /// A component of the principal; 0: the realm.
    Component(usize),
}

#[derive(Clone, Debug)]
struct Substitution {
    from: JavaPattern,
    to: JavaReplacement,
    everywhere: bool,
}

#[derive(Clone, Copy, Debug)]
enum Case {
    Lower,
    Upper,
}

impl Rules {
    /// Reads rules that are separated by commas; `realm` is what `DEFAULT` is about. What is wrong, if they cannot be read.
    pub(crate) fn parse(text: &str, realm: &str) -> Result<Self, String> {
        let rules: Result<Vec<_>, String> = text
            .split(',')
            .map(|rule| {
                Rule::parse(rule.trim()).map_err(|reason| format!("rule `{}`: {reason}", rule.trim()))
            })
            .collect();
        let rules = rules?;
        if rules.len() > MOST_RULES {
            return Err(format!("there are more than {MOST_RULES} rules"));
        }
        let realm = realm.to_owned();
        Ok(Self { realm, rules })
    }

    /// The short name; `None`: no rule gives one.
    pub(crate) fn short_name(&self, principal: &str) -> Option<String> {
        let plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'\\';
        if principal.len() > MOST_BYTES || !principal.bytes().all(plain) {
            return None;
        }
        let (name, realm) = principal.split_once('@')?;
        let mut parts = vec![realm];
        parts.extend(name.splitn(2, '/'));
        if parts.iter().any(|part| part.contains(['/', '@'])) {
            return None;
        }
        let given = self.rules.iter().find_map(|rule| rule.apply(&parts, &self.realm));
        let (name, case) = given?;
        if name.contains(['/', '@']) {
            return None;
        }
        Some(match case {
            None => name,
            Some(Case::Lower) => name.to_ascii_lowercase(),
            Some(Case::Upper) => name.to_ascii_uppercase(),
        })
    }
}

impl Rule {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "DEFAULT" {
            return Ok(Self::Default);
        }
        let (components, format, pattern, rest) =
            head(text).ok_or("it is neither DEFAULT nor RULE:[n:format](pattern)s/from/to/g")?;
        let (substitution, rest) = Substitution::parse(rest)?;
        let case = match rest.strip_prefix('/').unwrap_or(rest) {
            "" => None,
            "L" => Some(Case::Lower),
            "U" => Some(Case::Upper),
            other => return Err(format!("`{other}` is left over")),
        };
        Ok(Self::Mapping(Box::new(Mapping {
            components,
            format: format_of(format, components)?,
            accepts: pattern.map(JavaPattern::compile).transpose()?,
            substitution,
            case,
        })))
    }

    /// The name that the rule gives, if it applies. `parts`: the realm, then the components.
    fn apply(&self, parts: &[&str], realm: &str) -> Option<(String, Option<Case>)> {
        let mapping = match self {
            Self::Default if parts.first() == Some(&realm) => {
                return Some(((*parts.get(1)?).to_owned(), None));
            }
            Self::Default => return None,
            Self::Mapping(mapping) => mapping,
        };
        if parts.len() != mapping.components.checked_add(1)? {
            return None;
        }
        let pieces = mapping.format.iter().map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Component(number) => parts.get(*number).copied().unwrap_or_default(),
        });
        let base: String = pieces.collect();
        if mapping
            .accepts
            .as_ref()
            .is_some_and(|accepts| !accepts.matches(&base))
        {
            return None;
        }
        let name = match &mapping.substitution {
            None => Some(base),
            Some(Substitution {
                from,
                to,
                everywhere: true,
            }) => from.replace_all(&base, to),
            Some(Substitution {
                from,
                to,
                everywhere: false,
            }) => from.replace_first(&base, to),
        };
        Some((name?, mapping.case))
    }
}

impl Substitution {
    /// `s/from/to/` and perhaps a `g`, and what comes after it; `None`: there is none.
    fn parse(text: &str) -> Result<(Option<Self>, &str), String> {
        let parts = text.strip_prefix("s/").and_then(|rest| {
            let (from, rest) = rest.split_once('/')?;
            let (to, rest) = rest.split_once('/')?;
            Some((from, to, rest))
        });
        let Some((from, to, rest)) = parts else {
            return Ok((None, text));
        };
        let from = JavaPattern::compile(from)?;
        let found = Self {
            to: JavaReplacement::parse(to, from.groups())?,
            from,
            everywhere: rest.starts_with('g'),
        };
        Ok((Some(found), rest.strip_prefix('g').unwrap_or(rest)))
    }
}

/// `RULE:[n:format]` and perhaps `(pattern)`, and what comes after it.
fn head(text: &str) -> Option<(usize, &str, Option<&str>, &str)> {
    let (components, rest) = text.strip_prefix("RULE:[")?.split_once(':')?;
    let (format, rest) = rest.split_once(']')?;
    let digits = components.bytes().all(|byte| byte.is_ascii_digit());
    let components = digits.then(|| components.parse().ok())??;
    match rest.strip_prefix('(') {
        None => Some((components, format, None, rest)),
        Some(rest) => {
            let (pattern, rest) = rest.split_once(')')?;
            Some((components, format, Some(pattern), rest))
        }
    }
}

/// A format: `$n` is a component, `$0` the realm.
fn format_of(text: &str, components: usize) -> Result<Vec<Piece>, String> {
    let mut parts = text.split('$');
    let mut pieces = vec![Piece::Text(parts.next().unwrap_or_default().to_owned())];
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = part.split_at(digits);
        let number = number
            .parse::<usize>()
            .ok()
            .filter(|number| *number <= components);
        let number = number.ok_or_else(|| format!("$ in [{text}] is not followed by 0 to {components}"))?;
        pieces.extend([Piece::Component(number), Piece::Text(rest.to_owned())]);
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Realm, rules, principal, and the short name or `-` for none; `tests/kerberos.rs` asks Kafka's own classes the same.
    const TABLE: &str = include_str!("../../../../../tests/clients/kerberos/names.tsv");

    #[test]
    fn principals_are_called_what_kafka_calls_them() {
        let mut rows = 0;
        for row in TABLE.lines().filter(|row| !row.starts_with('#')) {
            let mut fields = row.split('\t');
            let mut next = || fields.next().unwrap();
            let (realm, rules, principal, expected) = (next(), next(), next(), next());
            let rules = Rules::parse(rules, realm).unwrap();
            let name = rules.short_name(principal);
            assert_eq!(name.as_deref().unwrap_or("-"), expected, "{row}");
            rows += 1;
        }
        assert!(rows > 40);
    }

    #[test]
    fn what_is_no_rule_is_an_error_of_the_settings() {
        for text in [
            "",
            "default",
            "DEFAULT/L",
            "DEFAULT,",
            "RULE:[1:$1",
            "RULE:[:$1]",
            "RULE:[1:$2]",
            "RULE:[1:$]",
            "RULE:[1:$x]",
            "RULE:[99999999999999999999999:$1]",
            "RULE:[1:$1](",
            "RULE:[1:$1](*)",
            "RULE:[1:$1](a++)",
            "RULE:[1:$1]([a)",
            "RULE:[1:$1]s/a/b",
            "RULE:[1:$1]s/[/b/",
            "RULE:[1:$1]s/a/$1/",
            "RULE:[1:$1]s/a/$/",
            r"RULE:[1:$1]s/a/\/",
            "RULE:[1:$1]/X",
            "RULE:[1:$1]/L/U",
        ] {
            assert!(Rules::parse(text, "R").is_err(), "{text}");
        }
        let many = vec!["DEFAULT"; MOST_RULES + 1].join(",");
        assert!(Rules::parse(&many, "R").is_err());
    }

    #[test]
    fn principals_that_could_be_read_in_two_ways_have_no_name() {
        let rules = Rules::parse("RULE:[1:$1],RULE:[2:$1]", "R").unwrap();
        for principal in [
            "",
            "alice",
            "alice\\@x@R",
            "alice\\/x@R",
            "a/b/c@R",
            "a@b@R",
            "a@R/x",
            "\u{e4}@R",
            "a\n@R",
            "a\0@R",
            &format!("{}@R", "a".repeat(MOST_BYTES)),
        ] {
            assert_eq!(rules.short_name(principal), None, "{principal:?}");
        }
        assert_eq!(rules.short_name("a@R").as_deref(), Some("a"));
    }
}
