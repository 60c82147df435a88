//! One million real lines of text, and the check that a consumer got each of them once, unchanged and in order.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};

use tempfile::TempDir;

/// How many records there are.
pub const RECORDS: usize = 1_000_000;

/// Where lines come from, in this order: this project, then what a Debian machine has.
const SOURCES: [&str; 5] = [
    env!("CARGO_MANIFEST_DIR"),
    "/usr/share/doc",
    "/usr/share/perl",
    "/var/lib/dpkg",
    "/usr/lib/python3",
];

/// The lines, in memory and as a file of `NUMBER<tab>LINE`.
pub struct Text {
    text: String,
    ends: Vec<usize>,
    keyed: PathBuf,
    _directory: TempDir,
}

impl Text {
    /// The file of `NUMBER<tab>LINE` lines: the number is the key, so that each record is known by it.
    pub fn keyed(&self) -> &Path {
        &self.keyed
    }

    fn line(&self, number: usize) -> &str {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[number]]
    }

    fn gather() -> Self {
        let (mut text, mut ends) = (String::new(), Vec::with_capacity(RECORDS));
        let sources: Vec<_> = SOURCES
            .iter()
            .flat_map(|source| files(Path::new(source)))
            .collect();
        while ends.len() < RECORDS {
            for source in &sources {
                let content = fs::read(source).unwrap_or_default();
                let Ok(content) = str::from_utf8(&content) else {
                    continue;
                };
                for line in content
                    .split('\n')
                    .filter(|line| is_one_record(line))
                    .take(RECORDS - ends.len())
                {
                    text.push_str(line);
                    ends.push(text.len());
                }
            }
            assert!(!ends.is_empty(), "this project has lines of text");
        }
        let directory = tempfile::Builder::new().prefix("firn-text-").tempdir().unwrap();
        let keyed = directory.path().join("keyed");
        let gathered = Self {
            text,
            ends,
            keyed,
            _directory: directory,
        };
        let mut out = BufWriter::new(File::create(&gathered.keyed).unwrap());
        for number in 0..RECORDS {
            writeln!(out, "{number}\t{}", gathered.line(number)).unwrap();
        }
        out.flush().unwrap();
        println!(
            "{RECORDS} records, {} MB of text",
            gathered.text.len() / 1_000_000
        );
        gathered
    }
}

/// The million lines, which tests that run at once share; the last one takes the file away.
pub fn million() -> Arc<Text> {
    static TEXT: Mutex<Weak<Text>> = Mutex::new(Weak::new());
    let mut shared = TEXT.lock().unwrap();
    shared.upgrade().unwrap_or_else(|| {
        let text = Arc::new(Text::gather());
        *shared = Arc::downgrade(&text);
        text
    })
}

/// Fails the test unless `consumed`, of lines `PARTITION<tab>NUMBER<tab>LINE`, holds each record once, unchanged, and
/// in the order of sending within each partition.
pub fn check(text: &Text, consumed: &Path) {
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = 0;
    for line in BufReader::with_capacity(1 << 20, File::open(consumed).unwrap()).lines() {
        let line = line.expect("consumed records are the text that was sent");
        let mut fields = line.splitn(3, '\t');
        let (partition, key, value) = (
            fields.next().unwrap(),
            fields.next().unwrap(),
            fields.next().unwrap(),
        );
        let number: usize = key
            .parse()
            .unwrap_or_else(|_| panic!("record {count} has the key {key:?}"));
        assert_eq!(
            value,
            text.line(number),
            "record {number} of partition {partition}"
        );
        match last.get_mut(partition) {
            None => drop(last.insert(partition.to_owned(), number)),
            Some(before) => {
                assert!(
                    *before < number,
                    "partition {partition}: {number} comes after {before}"
                );
                *before = number;
            }
        }
        count += 1;
    }
    assert_eq!(
        count, RECORDS,
        "each record comes once: numbers ascend, so none can come twice"
    );
    assert_eq!(last.len(), 4, "the keys reach every partition");
}

/// Text that every client takes for one record: no carriage return (Java's reader ends a line there), no NUL.
fn is_one_record(line: &str) -> bool {
    (1..=1000).contains(&line.len()) && !line.contains(['\r', '\0'])
}

/// The files below `path`, in the order of their names, without build outputs and caches.
fn files(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else {
        return Vec::new();
    };
    let mut found: Vec<_> = entries.flatten().collect();
    found.sort_by_key(|entry| entry.file_name());
    let mut files = Vec::new();
    for entry in found {
        let name = entry.file_name().to_string_lossy().into_owned();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && name != "target" && !name.starts_with('.') => {
                files.extend(self::files(&entry.path()));
            }
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files
}
