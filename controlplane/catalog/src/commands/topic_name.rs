//! Which names topics may have, by Kafka's rules.

use super::CommandError;

/// The longest topic name, in characters.
pub const MAX_NAME_LENGTH: usize = 249;

/// Checks a topic name: not empty, not `.` or `..`, at most 249 of ASCII letters, digits, `.`, `_` and `-`.
pub fn validate_topic_name(name: &str) -> Result<(), CommandError> {
    let refuse = |reason: String| Err(CommandError::InvalidName { reason });
    if name.is_empty() {
        return refuse("it is empty".to_owned());
    }
    if name == "." || name == ".." {
        return refuse(format!("it cannot be '{name}'"));
    }
    if name.len() > MAX_NAME_LENGTH {
        return refuse(format!("it is longer than {MAX_NAME_LENGTH} characters"));
    }
    let accepted = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !name.chars().all(accepted) {
        return refuse(format!(
            "'{}' contains a character other than ASCII letters, digits, '.', '_' and '-'",
            name.escape_debug()
        ));
    }
    Ok(())
}

/// The form in which names that metrics cannot tell apart are equal: two topics of one cluster may not share it.
pub fn collision_key(name: &str) -> String {
    name.replace('.', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_kafkas_rules() {
        for name in ["a", "a.b", "a_b", "A-9", "...", &"x".repeat(249)] {
            validate_topic_name(name).unwrap();
        }
        for name in ["", ".", "..", "a b", "a/b", "ä", "a\n", &"x".repeat(250)] {
            assert!(validate_topic_name(name).is_err(), "{name:?}");
        }
    }
}
