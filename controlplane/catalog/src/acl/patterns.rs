//! Names and prefixes, compiled so that those that stand for a name are found without looking at the others.

#![expect(
    clippy::disallowed_types,
    reason = "names are looked up; where all are walked, any that fits decides the same"
)]

use std::collections::{BTreeMap, HashMap};

use super::{PatternType, WILDCARD};

/// What hangs on the patterns of one kind of resource.
pub(super) struct Patterns<T> {
    literals: HashMap<Box<str>, T>,
    wildcard: Option<T>,
    /// In the order of their texts: a text stands behind all that it begins with.
    prefixes: Vec<Prefix<T>>,
}

struct Prefix<T> {
    text: Box<str>,
    /// The longest other prefix that this one begins with.
    shorter: Option<usize>,
    value: T,
}

/// Patterns while they are collected.
pub(super) struct Collecting<'a, T> {
    literals: BTreeMap<&'a str, T>,
    prefixes: BTreeMap<&'a str, T>,
}

impl<T> Default for Collecting<'_, T> {
    fn default() -> Self {
        Self {
            literals: BTreeMap::new(),
            prefixes: BTreeMap::new(),
        }
    }
}

impl<'a, T: Default> Collecting<'a, T> {
    /// What hangs on a pattern.
    pub(super) fn at(&mut self, pattern_type: PatternType, name: &'a str) -> &mut T {
        match pattern_type {
            PatternType::Literal => self.literals.entry(name).or_default(),
            PatternType::Prefixed => self.prefixes.entry(name).or_default(),
        }
    }

    /// All of them. `inherit` gives a prefix what it takes from the longest one that it begins with, which has got its own before.
    pub(super) fn compiled(mut self, inherit: impl Fn(&mut T, &T)) -> Patterns<T> {
        let wildcard = self.literals.remove(WILDCARD);
        let mut prefixes: Vec<Prefix<T>> = Vec::with_capacity(self.prefixes.len());
        for (text, mut value) in self.prefixes {
            let mut shorter = prefixes.len().checked_sub(1);
            while let Some(prefix) = shorter.and_then(|place| prefixes.get(place)) {
                if text.starts_with(&*prefix.text) {
                    inherit(&mut value, &prefix.value);
                    break;
                }
                shorter = prefix.shorter;
            }
            prefixes.push(Prefix {
                text: text.into(),
                shorter,
                value,
            });
        }
        let literals = self.literals.into_iter();
        Patterns {
            literals: literals.map(|(name, value)| (name.into(), value)).collect(),
            wildcard,
            prefixes,
        }
    }
}

impl<T> Patterns<T> {
    /// What hangs on that very name.
    pub(super) fn literal(&self, name: &str) -> Option<&T> {
        match self.literals.is_empty() {
            true => None,
            false => self.literals.get(name),
        }
    }

    /// What hangs on `*`.
    pub(super) fn wildcard(&self) -> Option<&T> {
        self.wildcard.as_ref()
    }

    /// What hangs on the prefixes that the name begins with, from the longest to the shortest.
    pub(super) fn prefixes_of(&self, name: &str) -> impl Iterator<Item = &T> {
        // Every prefix of the name is the last text that is not behind it, or one that this text begins with.
        let behind = self.prefixes.partition_point(|prefix| *prefix.text <= *name);
        let mut next = behind.checked_sub(1);
        let common = next
            .and_then(|place| self.prefixes.get(place))
            .map_or(0, |prefix| common_length(&prefix.text, name));
        std::iter::from_fn(move || {
            loop {
                let prefix = self.prefixes.get(next?)?;
                next = prefix.shorter;
                if prefix.text.len() <= common {
                    return Some(&prefix.value);
                }
            }
        })
    }

    /// Every literal name, with what hangs on it.
    pub(super) fn literals(&self) -> impl Iterator<Item = (&str, &T)> {
        self.literals.iter().map(|(name, value)| (&**name, value))
    }

    /// Every prefix, with what hangs on it.
    pub(super) fn prefixes(&self) -> impl Iterator<Item = (&str, &T)> {
        self.prefixes.iter().map(|prefix| (&*prefix.text, &prefix.value))
    }
}

/// How many bytes two texts begin with that are the same.
fn common_length(one: &str, other: &str) -> usize {
    let pairs = one.bytes().zip(other.bytes());
    pairs.take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(prefixes: &[&'static str]) -> Patterns<String> {
        let mut collecting = Collecting::<String>::default();
        for prefix in prefixes {
            collecting.at(PatternType::Prefixed, prefix).push_str(prefix);
        }
        collecting.compiled(|_, _| {})
    }

    fn of<'a>(patterns: &'a Patterns<String>, name: &str) -> Vec<&'a str> {
        patterns.prefixes_of(name).map(String::as_str).collect()
    }

    #[test]
    fn prefixes_of_a_name_come_from_the_longest_to_the_shortest() {
        let patterns = compiled(&["a", "ab", "abc", "abd", "abdx", "b", "*"]);
        assert_eq!(of(&patterns, "abdy"), ["abd", "ab", "a"]);
        assert_eq!(of(&patterns, "abdx"), ["abdx", "abd", "ab", "a"]);
        assert_eq!(of(&patterns, "ab"), ["ab", "a"]);
        assert_eq!(of(&patterns, "abzz"), ["ab", "a"]);
        assert_eq!(of(&patterns, "c"), [""; 0]);
        assert_eq!(of(&patterns, ""), [""; 0]);
        assert_eq!(of(&patterns, "*x"), ["*"]);
        assert_eq!(of(&compiled(&[]), "a"), [""; 0]);
    }

    #[test]
    fn a_character_of_several_bytes_is_no_half_prefix() {
        let patterns = compiled(&["é", "è"]);
        assert_eq!(of(&patterns, "ét"), ["é"]);
        assert_eq!(of(&patterns, "ê"), [""; 0]);
    }
}
