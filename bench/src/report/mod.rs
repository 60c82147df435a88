//! What people read of the results: a table for the terminal, and a folder with `RESULTS.md` and a plot for each case that
//! has latencies.
//!
//! | module | what is in it |
//! |---|---|
//! | `sheet` | which groups, columns and rows the results give |
//! | `verdict` | what came of each line |
//! | `number` | numbers as people read them |
//! | `table` | rows and columns as text |
//! | `terminal`, `markdown` | the two reports |
//! | `plot`, `axis` | latency curves as SVG |

mod axis;
mod markdown;
mod number;
mod plot;
#[cfg(test)]
mod sample;
mod sheet;
mod table;
mod terminal;
mod verdict;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context;

use crate::versus::results::Results;
pub use terminal::terminal;

/// Writes `RESULTS.md` and `plots/` into a folder. Plots there that the results no longer give are removed.
///
/// What `NOTES.md` in that folder says is made part of `RESULTS.md`.
pub fn write(results: &Results, folder: &Path) -> anyhow::Result<()> {
    let notes = folder.join("NOTES.md");
    let notes = match std::fs::read_to_string(&notes) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", notes.display())),
    };
    let plots: BTreeMap<String, String> = results.cases.iter().filter_map(plot::draw).collect();
    keep(&folder.join("plots"), &plots)?;
    put(
        &folder.join("RESULTS.md"),
        &markdown::page(results, notes.as_deref()),
    )
}

/// Makes these files the only plots in a folder.
fn keep(folder: &Path, plots: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let told = || format!("cannot keep plots in {}", folder.display());
    std::fs::create_dir_all(folder).with_context(told)?;
    for (name, text) in plots {
        put(&folder.join(name), text)?;
    }
    for entry in std::fs::read_dir(folder).with_context(told)? {
        let path = entry.with_context(told)?.path();
        let known = path
            .file_name()
            .and_then(OsStr::to_str)
            .is_some_and(|name| plots.contains_key(name));
        if !known && path.extension() == Some(OsStr::new("svg")) {
            std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

fn put(file: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gets_the_page_with_the_notes_and_loses_old_plots() {
        let folder = tempfile::tempdir().unwrap();
        let plots = folder.path().join("plots");
        std::fs::create_dir(&plots).unwrap();
        std::fs::write(plots.join("gone.svg"), "old").unwrap();
        std::fs::write(plots.join("kept.txt"), "no plot").unwrap();
        std::fs::write(folder.path().join("NOTES.md"), "## Misses\n\n| a | b |\n").unwrap();

        let results = sample::results();
        write(&results, folder.path()).unwrap();

        let page = std::fs::read_to_string(folder.path().join("RESULTS.md")).unwrap();
        let [line, notes, group] = [
            "## The line",
            "## Misses\n\n| a | b |\n",
            "## Produce, 64 KiB batches",
        ]
        .map(|text| page.find(text).unwrap());
        assert!(line < notes && notes < group);
        let mut left: Vec<_> = std::fs::read_dir(&plots)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["ack-50-mb.svg", "kept.txt", "tail-50-1.svg"]);
        for name in ["ack-50-mb.svg", "tail-50-1.svg"] {
            assert!(page.contains(&format!("](plots/{name})")), "{name} is not shown");
        }

        write(&results, folder.path()).unwrap();
        assert_eq!(
            std::fs::read_to_string(folder.path().join("RESULTS.md")).unwrap(),
            page
        );
    }

    #[test]
    fn without_any_results_there_is_still_a_page() {
        let folder = tempfile::tempdir().unwrap();
        write(&Results::default(), folder.path()).unwrap();
        let page = std::fs::read_to_string(folder.path().join("RESULTS.md")).unwrap();
        assert!(page.contains("not measured"));
    }
}
