//! What is taken of Java's patterns, and what is not.

use super::*;

#[test]
fn what_java_alone_understands_is_refused() {
    for pattern in [
        "(?i)cn",
        "(?=a)",
        "(?!a)",
        "(?<=a)",
        "(?<name>a)",
        r"(a)\1",
        "a*+",
        "a++",
        "a?+",
        "a{1}+",
        "a**",
        "*a",
        "(*a)",
        "^*",
        r"\Qa\E",
        r"\p{L}",
        r"\bA",
        r"\x41",
        r"\u0041",
        r"\Z",
        "[a&&b]",
        "[a[b]]",
        "[]a]",
        "[]",
        "[a",
        "[b-a]",
        r"[a-\d]",
        r"[\D]",
        "[a-c-e]",
        "a{",
        "a{b}",
        "a{2,1}",
        "a{101}",
        "(a",
        "a)",
        r"a\",
        "(a*)*",
        "(a|b*)+",
        "(?:a??)+",
        "a\nb",
        "(?:a{100}){100}",
        "[ab]*a(?:a|b|ab|ba){100}(?:a|b|ab|ba){100}",
        "()()()()()()()()()()()()()()()()()",
    ] {
        assert!(JavaPattern::compile(pattern).is_err(), "{pattern}");
    }
    let deep = "(".repeat(100) + &")".repeat(100);
    assert!(JavaPattern::compile(&deep).is_err());
}

#[test]
fn classes_are_of_ascii() {
    for (pattern, text, expected) in [
        (r"\w+", "aé", false),
        (r"\w+", "a_9", true),
        (r"\d", "٣", false),
        (r"[\w-]+", "a-b", true),
        (r"[^,]+", "é", true),
        (r"[+\-.]+", "-.+", true),
        (r"[~~--]", "~", false),
    ] {
        assert_eq!(
            JavaPattern::compile(pattern).is_ok_and(|compiled| compiled.matches(text)),
            expected,
            "{pattern} {text}"
        );
    }
}

#[test]
fn lines_and_long_texts_are_not_matched_and_results_are_bounded() {
    let all = JavaPattern::compile(".*").unwrap();
    assert!(all.matches("a") && !all.matches("a\r") && !all.matches("a\u{2028}b"));
    assert!(!all.matches(&"a".repeat(MAX_TEXT + 1)));
    let every = JavaPattern::compile("a").unwrap();
    let long = JavaReplacement::parse(&"b".repeat(100), 0).unwrap();
    assert_eq!(every.replace_all(&"a".repeat(MAX_TEXT), &long), None);
    assert_eq!(every.replace_first("aa", &long).unwrap().len(), 101);
    let short = JavaReplacement::parse("b", 0).unwrap();
    assert_eq!(every.replace_all(&"a".repeat(40), &short), Some("b".repeat(40)));
    assert_eq!(
        every.replace_all(&"a".repeat(MAX_TEXT), &short),
        None,
        "every match is sought in all that is left"
    );
}
