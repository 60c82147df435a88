//! Every rule finds what it is there for, and nothing else.

use super::tree::SourceFile;
use super::{RULES, links};

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

/// Text of so many lines.
fn lines(line: &str, count: usize) -> String {
    format!("{line}\n").repeat(count)
}

/// Files that break a rule, and files that do not.
type Samples = (Vec<SourceFile>, Vec<SourceFile>);

fn samples(rule: &str) -> Samples {
    match rule {
        "file-length" | "function-length" => samples_of_length(rule),
        "select" | "unfinished" | "opentelemetry" => samples_of_words(rule),
        _ => samples_of_files(rule),
    }
}

fn samples_of_length(rule: &str) -> Samples {
    let long = lines("x", 501);
    match rule {
        "file-length" => (
            vec![
                file("src/a.rs", &long),
                file("web/a.tsx", &long),
                file("Makefile", &long),
                file("scripts/need", &format!("#!/usr/bin/env bash\n{long}")),
                file(".ci/run", &format!("#!/bin/sh\n{long}")),
            ],
            vec![
                file("src/a.rs", &lines("x", 500)),
                file("scripts/need", &format!("#!/bin/sh\n{}", lines("x", 499))),
                file("README.md", &long),
                file("Cargo.lock", &long),
            ],
        ),
        "function-length" => (
            vec![file("a.rs", &format!("fn f() {{\n{}}}\n", lines("x();", 69)))],
            vec![file("a.rs", &format!("fn f() {{\n{}}}\n", lines("x();", 68)))],
        ),
        other => panic!("the rule {other} has no samples"),
    }
}

fn samples_of_words(rule: &str) -> Samples {
    match rule {
        "select" => (
            vec![file("a.rs", concat!("tokio::sel", "ect! {\n a = b => {}\n}"))],
            vec![file(
                "a.rs",
                concat!("tokio::sel", "ect! {\n biased;\n a = b => {}\n}"),
            )],
        ),
        "unfinished" => (
            vec![
                file("a.py", concat!("# TO", "DO later")),
                file("a.md", concat!("FIX", "ME")),
                file("a.rs", concat!("fn f() { to", "do!() }")),
                file("a.rs", concat!("#[ig", "nore]\nfn f() {}")),
            ],
            vec![file("a.rs", concat!("fn f() { let s = \"to", "do!()\"; }"))],
        ),
        "opentelemetry" => (
            vec![file(
                "dataplane/log/src/a.rs",
                concat!("use open", "telemetry::KeyValue;"),
            )],
            vec![
                file(
                    "dataplane/log/src/metrics.rs",
                    concat!("use open", "telemetry::KeyValue;"),
                ),
                file("src/telemetry/a.rs", concat!("use open", "telemetry::KeyValue;")),
                file("src/a.rs", concat!("// open", "telemetry")),
            ],
        ),
        other => panic!("the rule {other} has no samples"),
    }
}

fn samples_of_files(rule: &str) -> Samples {
    match rule {
        "registry" => (
            vec![
                file("scripts/a", concat!("curl https://static.crates", ".io/x")),
                file("a.md", concat!("see /work", "/main")),
            ],
            vec![file("a.md", "see crates")],
        ),
        "names" => (
            vec![file("src/utils.rs", ""), file("src/common/a.rs", "")],
            vec![file("src/utility.rs", ""), file("src/common.md", "")],
        ),
        "links" => (
            vec![
                file("README.md", "[a](docs/nowhere.md)"),
                file("docs/a.md", "[a](README.md)"),
            ],
            vec![
                file(
                    "README.md",
                    "[a](ARCHITECTURE.md#map) [b](#here) [c](https://a.example/b)",
                ),
                file("docs/a.md", "[a](../README.md)"),
            ],
        ),
        "handlers" => (
            vec![file(
                "dataplane/broker/src/handlers/ping.rs",
                "// VERSIONS\nfn f() {}",
            )],
            vec![
                file("dataplane/broker/src/handlers/ping.rs", "const VERSIONS: u8 = 1;"),
                file("dataplane/broker/src/handlers/mod.rs", ""),
                file("dataplane/broker/src/handlers/fetch/reading.rs", ""),
            ],
        ),
        other => panic!("the rule {other} has no samples"),
    }
}

#[test]
fn every_rule_bites_where_it_should_and_nowhere_else() {
    for (rule, find) in RULES {
        let (broken, kept) = samples(rule);
        for file in broken {
            let path = file.path.clone();
            assert_eq!(find(&[file]).len(), 1, "{rule}: {path} breaks it");
        }
        for file in kept {
            assert_eq!(find(&[file]), [], "{rule}: this keeps it");
        }
    }
}

#[test]
fn links_are_found() {
    assert_eq!(links("see [a](b.md#c) and [d](e)\n(f)"), ["b.md#c", "e"]);
}

#[test]
fn an_extension_belongs_to_the_name_and_not_to_a_folder() {
    for (path, extension) in [
        ("a/b.rs", "rs"),
        (".ci/run", ""),
        ("Makefile", ""),
        ("x.d/y.tar.gz", "gz"),
    ] {
        assert_eq!(file(path, "").extension(), extension, "{path}");
    }
}
