//! Slugs: the DNS label by which a cluster is reached.

use firn_runtime::Env;

use crate::account::AccountError;

/// The longest slug: with `-b{node}` behind it, it is still one DNS label.
pub const MAX_SLUG_LENGTH: usize = 40;
/// Characters that are made up for a slug that nobody chose: so many that a taken one tells little about who has it.
const RANDOM_LENGTH: usize = 5;
/// None that is easily taken for another, and no `b`: behind the dash it could make the name of a broker.
const RANDOM: &[u8; 32] = b"acdefghijkmnopqrstuvwxyz23456789";
/// What a cell's own hosts are called, or could be taken for.
const RESERVED: [&str; 27] = [
    "admin",
    "api",
    "app",
    "auth",
    "bootstrap",
    "broker",
    "brokers",
    "cdn",
    "console",
    "control",
    "docs",
    "firn",
    "help",
    "internal",
    "kafka",
    "localhost",
    "login",
    "mail",
    "metrics",
    "ns",
    "root",
    "smtp",
    "static",
    "status",
    "support",
    "web",
    "www",
];

/// Checks a slug that somebody chose.
pub fn validate_slug(slug: &str) -> Result<(), AccountError> {
    let refuse = |reason: &str| {
        Err(AccountError::Invalid {
            pointer: "/slug",
            reason: reason.to_owned(),
        })
    };
    if slug.is_empty() || slug.len() > MAX_SLUG_LENGTH {
        return refuse("it must have from 1 to 40 characters");
    }
    if !slug
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    {
        return refuse("it may only have lower-case letters, digits and '-'");
    }
    if slug.starts_with('-') || slug.ends_with('-') || slug.get(2..4) == Some("--") {
        return refuse("it may have '-' only inside, and not as both the third and the fourth character");
    }
    if is_broker_name(slug) {
        return refuse("it may not end in '-b' and a number, as the names of brokers do");
    }
    if RESERVED.contains(&slug) {
        return refuse("it is reserved");
    }
    Ok(())
}

fn is_broker_name(slug: &str) -> bool {
    let digits = slug.bytes().rev().take_while(u8::is_ascii_digit).count();
    digits > 0 && slug[..slug.len() - digits].ends_with("-b")
}

/// A slug out of a cluster's name: what of it can be in one, and random characters.
pub(super) fn derive_slug(name: &str, env: &Env) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            slug.push(c);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
        if slug.len() == MAX_SLUG_LENGTH - RANDOM_LENGTH - 1 {
            break;
        }
    }
    let kept = slug.trim_end_matches('-').len();
    slug.truncate(kept);
    if slug.is_empty() {
        slug.push_str("cluster");
    }
    slug.push('-');
    let mut bits = env.random_u64();
    for _ in 0..RANDOM_LENGTH {
        let index = usize::try_from(bits & 31).expect("five bits");
        slug.push(char::from(RANDOM[index]));
        bits >>= 5;
    }
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_one_dns_label_that_is_no_brokers_and_no_hosts() {
        for good in [
            "a",
            "orders",
            "x1",
            "1",
            "a-b",
            "a-bc1",
            "ab-1",
            "b1",
            "dev",
            &"a".repeat(40),
        ] {
            assert!(validate_slug(good).is_ok(), "{good}");
        }
        let bad = [
            "",
            "-a",
            "a-",
            "A",
            "a.b",
            "a_b",
            "ä",
            "a b",
            "a-b1",
            "a-b007",
            "xn--a",
            "www",
            "api",
            &"a".repeat(41),
        ];
        for bad in bad {
            assert!(validate_slug(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_derived_slug_can_be_one_whatever_the_name_is() {
        let env = Env::system();
        let long = "Long ".repeat(20);
        for (name, begins) in [
            ("Orders", "orders-"),
            ("Straße  42!", "stra-e-42-"),
            ("日本", "cluster-"),
            ("www", "www-"),
            ("a-b", "a-b-"),
            ("xn--a", "xn-a-"),
            (long.as_str(), "long-long-"),
        ] {
            for _ in 0..100 {
                let slug = derive_slug(name, &env);
                assert!(slug.starts_with(begins), "{slug}");
                assert!(validate_slug(&slug).is_ok(), "{slug}");
            }
        }
    }
}
