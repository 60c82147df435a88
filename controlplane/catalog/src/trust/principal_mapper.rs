//! From what a proof says of a client to a name: rules in the syntax of Kafka's `ssl.principal.mapping.rules`.
//!
//! `RULE:pattern/replacement/[LU]` and `DEFAULT`, separated by commas; `/` inside is written `\/`. The first rule whose pattern matches all
//! of the text gives the name: every match of the pattern in it is replaced, as `String.replaceAll` of Java does, and the result put
//! into lower (`L`) or upper (`U`) case. All patterns share one bound for their size, so that what a text costs does not depend on the
//! rules.
//! `tests/clients/java/Mapping.java` asks Kafka's own class the same questions.

use super::java_pattern::{JavaPattern, JavaReplacement, MAX_STEPS, MAX_TEXT};

/// The longest text of rules, in bytes.
const MAX_LENGTH: usize = 4096;
/// How many rules there may be.
const MAX_RULES: usize = 32;

/// Rules do not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidRules(pub String);

/// Rules, compiled.
#[derive(Clone, Debug)]
pub struct PrincipalMapper(Vec<Rule>);

#[derive(Clone, Debug)]
enum Rule {
    Default,
    Replace {
        pattern: JavaPattern,
        replacement: JavaReplacement,
        case: Case,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    AsIs,
    Lower,
    Upper,
}

impl PrincipalMapper {
    /// Compiles rules.
    pub fn compile(rules: &str) -> Result<Self, InvalidRules> {
        if rules.len() > MAX_LENGTH {
            return Err(InvalidRules(format!(
                "the rules are longer than {MAX_LENGTH} bytes"
            )));
        }
        if rules.chars().any(char::is_control) {
            return Err(InvalidRules("the rules contain a control character".to_owned()));
        }
        let mut compiled = Vec::new();
        let mut rest = rules.trim_matches(' ');
        let mut left = MAX_STEPS;
        while !rest.is_empty() {
            let (rule, after) = next_rule(rest, left)?;
            rest = after;
            left = left.saturating_sub(rule.as_ref().map_or(0, Rule::steps));
            compiled.extend(rule);
            if compiled.len() > MAX_RULES {
                return Err(InvalidRules(format!("there are more than {MAX_RULES} rules")));
            }
        }
        match compiled.is_empty() {
            true => Err(InvalidRules(
                "there is no rule, so nobody would have a name".to_owned(),
            )),
            false => Ok(Self(compiled)),
        }
    }

    /// The name that a text gives; `None`: no rule applies. A text with control characters, or a long one, has no name.
    pub fn apply(&self, text: &str) -> Option<String> {
        if text.len() > MAX_TEXT || text.chars().any(char::is_control) {
            return None;
        }
        self.0.iter().find(|rule| rule.applies(text))?.name(text)
    }
}

impl Rule {
    fn applies(&self, text: &str) -> bool {
        match self {
            Self::Default => true,
            Self::Replace { pattern, .. } => pattern.matches(text),
        }
    }

    fn name(&self, text: &str) -> Option<String> {
        match self {
            Self::Default => Some(text.to_owned()),
            Self::Replace {
                pattern,
                replacement,
                case,
            } => {
                let name = pattern.replace_all(text, replacement)?;
                Some(match case {
                    Case::AsIs => name,
                    Case::Lower => name.to_lowercase(),
                    Case::Upper => name.to_uppercase(),
                })
            }
        }
    }

    fn steps(&self) -> usize {
        match self {
            Self::Default => 0,
            Self::Replace { pattern, .. } => pattern.steps(),
        }
    }

    fn replace(pattern: &str, replacement: &str, case: Case, most: usize) -> Result<Self, String> {
        let pattern = JavaPattern::within(pattern, most)?;
        let escaped = escape_unknown_groups(replacement, pattern.groups())?;
        let replacement = JavaReplacement::parse(&escaped, pattern.groups())?;
        Ok(Self::Replace {
            pattern,
            replacement,
            case,
        })
    }
}

/// The rule at the beginning of a text that is not empty (`None`: an empty one), of at most so many steps, and what comes after it and
/// its comma.
fn next_rule(text: &str, most: usize) -> Result<(Option<Rule>, &str), InvalidRules> {
    let text = text.trim_start_matches(' ');
    let parts = text.strip_prefix("RULE:").and_then(|body| {
        let (pattern, rest) = until_slash(body)?;
        let (replacement, rest) = until_slash(rest)?;
        Some((pattern, replacement, rest))
    });
    let behind = parts.map_or(text, |(_, _, behind)| behind);
    let (last, after) = behind.split_once(',').unwrap_or((behind, ""));
    let last = last.trim_end_matches(' ');
    let whole = &text[..text.len() - behind.len() + last.len()];
    let invalid = |why: &str| InvalidRules(format!("invalid rule `{whole}`: {why}"));
    let rule = match parts {
        Some((pattern, replacement, _)) => {
            let case = match last {
                "" => Case::AsIs,
                "L" => Case::Lower,
                "U" => Case::Upper,
                _ => return Err(invalid("only L or U may come after the replacement")),
            };
            Some(Rule::replace(pattern, replacement, case, most).map_err(|why| invalid(&why))?)
        }
        None => match whole {
            "" => None,
            "DEFAULT" => Some(Rule::Default),
            _ => return Err(invalid("it is neither DEFAULT nor RULE:pattern/replacement/[LU]")),
        },
    };
    Ok((rule, after))
}

/// What comes before and after the first slash that no backslash escapes.
fn until_slash(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '/' => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

/// Makes references to groups that the pattern does not have literal, in the way that Kafka does: it looks for them in the text as it
/// was given, and escapes in the text as it has become.
fn escape_unknown_groups(replacement: &str, groups: usize) -> Result<String, String> {
    if groups == 0 {
        return Ok(replacement.to_owned());
    }
    let given: Vec<char> = replacement.chars().collect();
    let mut value = given.clone();
    let mut at = 0;
    while at < given.len() {
        let digits: String = given[at + 1..]
            .iter()
            .take_while(|c| c.is_ascii_digit())
            .collect();
        if given[at] != '$' || digits.is_empty() {
            at += 1;
            continue;
        }
        if !digits.starts_with('0') {
            let mut group: usize = digits
                .parse::<i32>()
                .ok()
                .and_then(|group| usize::try_from(group).ok())
                .ok_or("a group's number is too large")?;
            while group > groups && group >= 10 {
                group /= 10;
            }
            if group > groups {
                value.insert(at, '\\');
            }
        }
        at += 1 + digits.len();
    }
    Ok(value.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(rules: &str, text: &str) -> Option<String> {
        PrincipalMapper::compile(rules).unwrap().apply(text)
    }

    #[test]
    fn the_first_rule_that_matches_all_of_the_text_gives_the_name() {
        let rules =
            "RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/L, RULE:^.*[Cc][Nn]=([a-zA-Z0-9.]*).*$/$1/U, DEFAULT";
        for (text, name) in [
            ("CN=Duke,OU=ServiceUsers,O=Org,C=US", "duke"),
            ("cN=duke,OU=JavaSoft", "DUKE"),
            ("OU=JavaSoft", "OU=JavaSoft"),
        ] {
            assert_eq!(mapped(rules, text).as_deref(), Some(name));
        }
        assert_eq!(mapped("RULE:^CN=(a)$/$1/", "CN=b"), None);
    }

    #[test]
    fn replacing_is_java_s() {
        for (rules, text, name) in [
            ("RULE:.*/x/", "abc", "xx"),
            ("RULE:^.*$/x/", "abc", "x"),
            ("RULE:a|ab/x/", "ab", "xb"),
            ("RULE:(a)(b)?/$1-$2-$0/", "a", "a--a"),
            ("RULE:^(.)$/$12/", "a", "a2"),
            ("RULE:^(.)$/$2/", "a", "$2"),
            (r"RULE:^a\/(.*)$/$1\/\$/", "a/b", "b/$"),
        ] {
            assert_eq!(mapped(rules, text).as_deref(), Some(name), "{rules}");
        }
    }

    #[test]
    fn rules_that_mean_nothing_are_refused_with_a_reason() {
        for (rules, why) in [
            ("", "no rule"),
            (" , ,", "no rule"),
            ("default", "neither"),
            ("DEFAULT/L", "neither"),
            ("RULE:a/b", "neither"),
            ("RULE:a/b/LU", "only L or U"),
            ("RULE:a/$1/", "group 1"),
            ("RULE:(a)/$2$3/", "group 3"),
            ("RULE:(a)/$x/", "group's number"),
            ("RULE:(?i)a/b/", "flags"),
            ("DEFAULT,\nDEFAULT", "control character"),
        ] {
            let told = PrincipalMapper::compile(rules).unwrap_err().to_string();
            assert!(told.contains(why), "{rules}: {told}");
        }
        let many = r"RULE:^CN=(.*?),OU=(\w+),.*$/$1@$2/L,".repeat(8) + "DEFAULT";
        assert!(PrincipalMapper::compile(&many).is_ok());
        let slow = "RULE:[ab]*a(?:a|b|ab|ba){100}c.*/x/,";
        assert!(PrincipalMapper::compile(slow).is_ok(), "alone it would do");
        let told = PrincipalMapper::compile(&slow.repeat(2)).unwrap_err().to_string();
        assert!(told.contains("steps"), "{told}");
        assert!(PrincipalMapper::compile(&"DEFAULT,".repeat(33)).is_err());
        assert!(PrincipalMapper::compile(&" ".repeat(5000)).is_err());
    }
}
