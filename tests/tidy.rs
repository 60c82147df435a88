//! Rules about the repository itself that neither the compiler nor clippy checks.

#[path = "tidy/bites.rs"]
mod bites;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/scanner.rs"]
mod scanner;
#[path = "tidy/tree.rs"]
mod tree;

use scanner::{functions, has_word, mask, unbiased_selects};
use tree::{SourceFile, files, root};

const MAX_FILE_LINES: usize = 500;
const MAX_FUNCTION_LINES: usize = 70;

/// A file that may break a rule.
struct Exception {
    rule: &'static str,
    path: &'static str,
    reason: &'static str,
}

/// Every exception there is. One that is no longer needed fails `every_exception_is_needed`.
const EXCEPTIONS: &[Exception] = &[
    Exception {
        rule: "registry",
        path: "Cargo.lock",
        reason: "cargo writes where each crate comes from; the format leaves no choice",
    },
    Exception {
        rule: "registry",
        path: "tests/clients/rust/Cargo.lock",
        reason: "as for the workspace's own",
    },
    Exception {
        rule: "unfinished",
        path: "dataplane/broker/tests/wire/permissions/compared.rs",
        reason: "it asks Apache Kafka, which `make compare-permissions` starts and no other run has",
    },
];

/// What a rule found: the path, and what is wrong there.
type Findings = Vec<(String, String)>;

/// A rule by its name, with what it finds, exceptions included.
type Rule = (&'static str, fn(&[SourceFile]) -> Findings);

const RULES: [Rule; 10] = [
    ("file-length", long_files),
    ("function-length", long_functions),
    ("select", selects_without_bias),
    ("unfinished", unfinished_work),
    ("opentelemetry", stray_telemetry),
    ("registry", machine_names),
    ("names", dumping_grounds),
    ("links", dead_links),
    ("handlers", handlers_without_versions),
    ("features", features_that_know_each_other),
];

fn check(rule: &str) {
    let (_, find) = RULES
        .iter()
        .find(|(name, _)| *name == rule)
        .expect("the rule is in the table");
    let mut findings = find(&files());
    findings.retain(|(path, _)| !EXCEPTIONS.iter().any(|e| e.rule == rule && e.path == path));
    let lines: Vec<_> = findings
        .iter()
        .map(|(path, what)| format!("{path}: {what}"))
        .collect();
    assert!(lines.is_empty(), "{rule}:\n{}", lines.join("\n"));
}

#[test]
fn files_are_short() {
    check("file-length");
}

#[test]
fn functions_are_short() {
    check("function-length");
}

#[test]
fn every_select_is_biased() {
    check("select");
}

#[test]
fn nothing_is_left_unfinished() {
    check("unfinished");
}

#[test]
fn telemetry_stays_in_its_files() {
    check("opentelemetry");
}

#[test]
fn no_file_names_a_registry_or_a_machine() {
    check("registry");
}

#[test]
fn no_file_is_a_dumping_ground() {
    check("names");
}

#[test]
fn links_in_documents_lead_somewhere() {
    check("links");
}

#[test]
fn every_handler_names_its_versions() {
    check("handlers");
}

#[test]
fn a_feature_of_the_console_uses_no_other() {
    check("features");
}

#[test]
fn every_exception_is_needed() {
    for exception in EXCEPTIONS {
        let rule = RULES.iter().find(|(name, _)| *name == exception.rule);
        let (_, find) = rule.unwrap_or_else(|| panic!("no rule {}", exception.rule));
        let needed = find(&files()).iter().any(|(path, _)| path == exception.path);
        assert!(
            needed && !exception.reason.is_empty(),
            "{} needs no exception",
            exception.path
        );
    }
}

fn rust_files(files: &[SourceFile]) -> impl Iterator<Item = &SourceFile> {
    files.iter().filter(|file| file.extension() == "rs")
}

fn long_files(files: &[SourceFile]) -> Findings {
    let code = ["rs", "go", "py", "js", "mjs", "ts", "tsx", "java", "sh", "sql"];
    let is_code = |file: &SourceFile| {
        code.contains(&file.extension()) || file.is_script() || file.path.ends_with("Makefile")
    };
    files
        .iter()
        .filter(|file| is_code(file) && !file.is_generated())
        .map(|file| (file.path.clone(), file.text.lines().count()))
        .filter(|(_, lines)| *lines > MAX_FILE_LINES)
        .map(|(path, lines)| (path, format!("{lines} lines, {MAX_FILE_LINES} are allowed")))
        .collect()
}

fn long_functions(files: &[SourceFile]) -> Findings {
    let long = |file: &SourceFile| {
        let long = functions(&mask(&file.text))
            .into_iter()
            .filter(|f| f.lines > MAX_FUNCTION_LINES);
        long.map(|f| {
            (
                file.path.clone(),
                format!("{} (line {}) has {} lines", f.name, f.line, f.lines),
            )
        })
        .collect::<Vec<_>>()
    };
    rust_files(files).flat_map(long).collect()
}

fn selects_without_bias(files: &[SourceFile]) -> Findings {
    let unbiased = |file: &SourceFile| {
        let lines = unbiased_selects(&mask(&file.text));
        let what = |line| {
            (
                file.path.clone(),
                format!("line {line}: a select that is not biased"),
            )
        };
        lines.into_iter().map(what).collect::<Vec<_>>()
    };
    rust_files(files).flat_map(unbiased).collect()
}

fn unfinished_work(files: &[SourceFile]) -> Findings {
    // Put together here, so that this file does not find itself.
    let notes = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];
    let code = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("#[", "ignore"),
    ];
    let mut findings = Findings::new();
    for file in files {
        for note in notes.iter().filter(|note| has_word(&file.text, note)) {
            findings.push((file.path.clone(), format!("contains {note}")));
        }
        if file.extension() == "rs" {
            let masked = mask(&file.text);
            for call in code.iter().filter(|call| masked.contains(**call)) {
                findings.push((file.path.clone(), format!("contains {call}")));
            }
        }
    }
    findings
}

fn stray_telemetry(files: &[SourceFile]) -> Findings {
    let allowed = |path: &str| path.ends_with("/metrics.rs") || path.starts_with("src/telemetry/");
    rust_files(files)
        .filter(|file| !allowed(&file.path) && mask(&file.text).contains(concat!("open", "telemetry")))
        .map(|file| {
            (
                file.path.clone(),
                "instruments belong into the crate's metrics.rs".into(),
            )
        })
        .collect()
}

fn machine_names(files: &[SourceFile]) -> Findings {
    let hosts = [
        concat!("crates", ".io"),
        concat!("pypi", ".org"),
        concat!("python", "hosted"),
        concat!("npmjs", "."),
        concat!("proxy.", "golang"),
        concat!("maven", ".org"),
        concat!("maven.", "apache.org/maven2"),
        concat!("debian", ".org"),
        concat!("/work", "/main"),
        concat!("/work", "/shared"),
    ];
    let mut findings = Findings::new();
    for file in files {
        for host in hosts.iter().filter(|host| file.text.contains(**host)) {
            findings.push((file.path.clone(), format!("names {host}")));
        }
    }
    findings
}

fn dumping_grounds(files: &[SourceFile]) -> Findings {
    let refused = ["utils", "util", "common", "types", "misc", "helpers"];
    let code = ["rs", "ts", "tsx", "go"];
    files
        .iter()
        .filter(|file| code.contains(&file.extension()))
        .filter(|file| {
            let path = file.path.rsplit_once('.').map_or(&*file.path, |(path, _)| path);
            path.split('/').any(|part| refused.contains(&part))
        })
        .map(|file| {
            (
                file.path.clone(),
                "this name says nothing about what is in it".into(),
            )
        })
        .collect()
}

fn dead_links(files: &[SourceFile]) -> Findings {
    let mut findings = Findings::new();
    for file in files.iter().filter(|file| file.extension() == "md") {
        let folder = root()
            .join(&file.path)
            .parent()
            .expect("a file is in a folder")
            .to_owned();
        for link in links(&file.text) {
            let target = link.split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains(':') && !folder.join(target).exists() {
                findings.push((
                    file.path.clone(),
                    format!("links to {target}, which is not there"),
                ));
            }
        }
    }
    findings
}

/// The targets of `[text](target)` in a document.
fn links(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', '\n']).next())
        .collect()
}

fn handlers_without_versions(files: &[SourceFile]) -> Findings {
    let folder = "dataplane/broker/src/handlers/";
    let is_api = |path: &str| {
        let name = path.strip_prefix(folder).unwrap_or_default();
        name.ends_with(".rs") && !name.contains('/') && !matches!(name, "mod.rs" | "tests.rs")
    };
    rust_files(files)
        .filter(|file| is_api(&file.path) && !has_word(&mask(&file.text), "VERSIONS"))
        .map(|file| {
            (
                file.path.clone(),
                "an API's file names its versions as VERSIONS".into(),
            )
        })
        .collect()
}

fn features_that_know_each_other(files: &[SourceFile]) -> Findings {
    let folder = "web/src/features/";
    let mut findings = Findings::new();
    for file in files {
        let Some((own, _)) = file
            .path
            .strip_prefix(folder)
            .and_then(|rest| rest.split_once('/'))
        else {
            continue;
        };
        let imported = file.text.split("\"@/features/").skip(1);
        for other in imported.filter_map(|rest| rest.split(['/', '"']).next()) {
            if other != own {
                findings.push((file.path.clone(), format!("uses the feature {other}")));
            }
        }
    }
    findings
}
