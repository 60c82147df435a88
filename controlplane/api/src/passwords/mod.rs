//! Passwords of people: which are allowed, and where they are hashed.
//!
//! A hash takes tens of milliseconds of a core and 19 MiB, so half of the cores hash at a time and the others serve. Whoever sends the
//! most must not get the most of them: each source has one place in the queue for the cores, and its other hashes wait behind
//! that, a few of them, the rest are refused. So with any number of sources, each gets its share in turn, and ten thousand
//! wrong passwords of one source are to everybody else as one more person who logs in. What a source is: a pair of address
//! and email that has logged in before, else the address. So an owner has a place of their own even behind the address that the
//! wrong passwords come from. Sources that are not known have one place for each core in the queue, all together: from however many
//! addresses wrong passwords come, somebody known waits for one of them. How often a source may ask at all is decided before, in `rules::login_throttle`.

mod frequent;
mod queue;

pub(crate) use queue::{Passwords, Source};

use crate::rules::Problem;

/// The shortest password, in characters.
pub(crate) const SHORTEST: usize = 10;
/// The longest password, in characters.
pub(crate) const LONGEST: usize = 200;

/// Refuses a password that others would guess. `pointer` is its place in the body.
pub(crate) fn require_strong(pointer: &'static str, password: &str, email: &str) -> Result<(), Problem> {
    let characters = password.chars().count();
    if !(SHORTEST..=LONGEST).contains(&characters) {
        let reason = format!("it must have {SHORTEST} to {LONGEST} characters");
        return Err(Problem::invalid(pointer, reason));
    }
    let lower = password.to_lowercase();
    if frequent::is_common(&lower) {
        return Err(Problem::invalid(
            pointer,
            "it is one of the most common passwords",
        ));
    }
    let local = email.split('@').next().unwrap_or_default();
    if local.len() >= 3 && lower.contains(local) {
        return Err(Problem::invalid(
            pointer,
            "it must not contain the name in the email address",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_would_guess_is_refused() {
        let refused = |password: &str| require_strong("/password", password, "ada@example.com").is_err();
        for bad in [
            "",
            "short",
            "ninechars",
            &"x".repeat(201),
            "1234567890",
            "Password123",
            "qwertyuiop",
            "aaaaaaaaaaaa",
            "abababababab",
            "passwordpassword",
            "my name is ADA lovelace",
        ] {
            assert!(refused(bad), "{bad}");
        }
        for good in [
            "correct horse battery",
            "Zwölf Boxkämpfer",
            "x7!kQ-93mZ",
            &"kx9 ".repeat(50),
        ] {
            assert!(!refused(good), "{good}");
        }
    }
}
