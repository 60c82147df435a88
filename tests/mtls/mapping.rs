//! Mapping rules and names, as Kafka's own class and Java have them.

use std::fmt::Write;
use std::fs;

use firn_catalog::trust::{CertificateFacts, PrincipalMapper};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, KeyPair};

use crate::support::clients;

/// Questions, as `tests/clients/java/Mapping.java` takes them; its answers.
fn java(questions: &str) -> Vec<String> {
    let scratch = tempfile::tempdir().unwrap();
    let input = scratch.path().join("questions");
    fs::write(&input, questions).unwrap();
    let said = clients::java("Mapping").input(&input).run();
    said.lines().map(str::to_owned).collect()
}

/// What our mapper says, in the words of the program; `None`: the rules are refused.
fn ours(rules: &str, text: &str) -> Option<String> {
    let mapper = PrincipalMapper::compile(rules).ok()?;
    Some(
        mapper
            .apply(text)
            .map_or("none".to_owned(), |name| format!("= {name}")),
    )
}

/// A pattern of what both understand, and of some that they do not.
fn pattern(random: &mut impl Rng, depth: usize) -> String {
    let atoms = [
        "a", "b", ".", "[ab]", "[^a]", r"\w", r"\d", r"\.", "ab", "^", "$", "",
    ];
    let mut out = String::new();
    for _ in 0..random.random_range(1..4) {
        let atom = match random.random_range(0..4) {
            0 if depth > 0 => format!("({})", pattern(random, depth - 1)),
            1 if depth > 0 => format!(
                "(?:{}|{})",
                pattern(random, depth - 1),
                pattern(random, depth - 1)
            ),
            _ => atoms[random.random_range(0..atoms.len())].to_owned(),
        };
        let quantifiers = [
            "", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,}?",
        ];
        let quantifier = quantifiers[random.random_range(0..quantifiers.len())];
        let _ = write!(out, "{atom}{quantifier}");
    }
    out
}

#[test]
fn kafka_s_own_mapper_says_the_same_of_every_row_and_of_random_rules() {
    let table = include_str!("mapping.tsv");
    let mut rows: Vec<(bool, String, String)> = table
        .lines()
        .map(|line| {
            let [kind, rules, text] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("three fields: {line}");
            };
            assert!(["same", "refused"].contains(&kind), "{line}");
            (kind == "same", rules.to_owned(), text.to_owned())
        })
        .collect();
    let fixed = rows.len();
    let mut random = StdRng::seed_from_u64(7);
    let replacements = ["x", "$0", "$1", "<$1>", "$1$2", "$3", r"\$1", "$11", "$01"];
    for _ in 0..4_000 {
        let replacement = replacements[random.random_range(0..replacements.len())];
        let case = ["", "L", "U"][random.random_range(0..3)];
        let rules = format!("RULE:{}/{replacement}/{case}", pattern(&mut random, 2));
        let letters = random.random_range(0..6);
        let text = (0..letters).map(|_| ['a', 'b', 'A', '1', '.', 'é'][random.random_range(0..6)]);
        rows.push((true, rules, text.collect()));
    }
    let mut questions = String::new();
    for (_, rules, text) in &rows {
        let _ = writeln!(questions, "map {rules}\t{text}");
    }
    let answers = java(&questions);
    assert_eq!(answers.len(), rows.len());
    let mut compared = 0;
    for (index, ((same, rules, text), java)) in rows.iter().zip(&answers).enumerate() {
        match ours(rules, text) {
            Some(ours) => {
                assert!(*same, "{rules} is taken");
                assert_eq!(&ours, java, "{rules} of {text:?}");
                compared += 1;
            }
            None if java == "invalid" || !same => {}
            None => assert!(index >= fixed, "{rules} is refused, and Kafka takes it"),
        }
    }
    assert!(
        compared > fixed / 2 + 500,
        "{compared} of {} rows were compared",
        rows.len()
    );
}

#[test]
fn names_are_written_as_java_writes_them() {
    let common = |value: DnValue| vec![(DnType::CommonName, value)];
    let names: Vec<Vec<(DnType, DnValue)>> = vec![
        common("alice".into()),
        common(" #a,b+c\"d\\e<f>g;h=i ".into()),
        common("   ".into()),
        common("Zoë 雪 \u{1f600}".into()),
        common(DnValue::PrintableString("printable".try_into().unwrap())),
        common(DnValue::Ia5String("ia5@test".try_into().unwrap())),
        vec![
            (DnType::CountryName, "IS".into()),
            (DnType::StateOrProvinceName, "S".into()),
            (DnType::LocalityName, "L".into()),
            (DnType::OrganizationName, "O".into()),
            (DnType::OrganizationalUnitName, "U".into()),
            (
                DnType::CustomDnType(vec![0, 9, 2342, 19_200_300, 100, 1, 25]),
                "dc".into(),
            ),
            (
                DnType::CustomDnType(vec![0, 9, 2342, 19_200_300, 100, 1, 1]),
                "uid".into(),
            ),
            (DnType::CustomDnType(vec![2, 5, 4, 9]), "street".into()),
            (DnType::CustomDnType(vec![2, 5, 4, 5]), "serial".into()),
            (
                DnType::CustomDnType(vec![1, 2, 840, 113_549, 1, 9, 1]),
                "a@test".into(),
            ),
            (DnType::CustomDnType(vec![1, 2, 3]), "other".into()),
            (DnType::CommonName, "alice".into()),
        ],
    ];
    let (mut questions, mut expected) = (String::new(), Vec::new());
    for name in names {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in name {
            params.distinguished_name.push(kind, value);
        }
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let _ = writeln!(questions, "name {}", hex::encode(made.der()));
        expected.push(format!(
            "= {}",
            CertificateFacts::read(made.der()).unwrap().subject
        ));
    }
    assert_eq!(java(&questions), expected);
}
