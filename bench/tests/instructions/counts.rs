//! Instructions for each path: the file of the accepted ones, and what is too far from them.

use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// A count that is further from the accepted one, in either direction, fails.
pub const MOST_PERCENT: f64 = 3.0;

const HEADER: &str = "\
# Instructions of one request, on each path that bench/tests/instructions counts. `make test` fails where a count is more
# than 3 % away from here. `make accept-instructions` counts anew and writes this file.
";

/// Instructions of one request, by path, in the order in which they are counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counts(pub Vec<(String, u64)>);

/// One path: what is accepted, and what was counted. `None`: the path is new, or gone.
struct Row<'a> {
    path: &'a str,
    accepted: Option<u64>,
    counted: Option<u64>,
}

impl Row<'_> {
    fn percent(&self) -> Option<f64> {
        let (accepted, counted) = (self.accepted? as f64, self.counted? as f64);
        Some((counted - accepted) / accepted * 100.0)
    }

    /// What is to be said of it; nothing if all is well.
    fn verdict(&self) -> &'static str {
        match self.percent() {
            None if self.accepted.is_none() => "is not in the file",
            None => "is not counted any more",
            Some(percent) if percent > MOST_PERCENT => "MORE",
            Some(percent) if percent < -MOST_PERCENT => "fewer",
            Some(_) => "",
        }
    }
}

impl Counts {
    /// What is accepted; nothing if there is no file yet.
    pub fn read(file: &Path) -> Result<Self, String> {
        match fs::read_to_string(file) {
            Ok(text) => Self::parse(&text).map_err(|error| format!("{}: {error}", file.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("{}: {error}", file.display())),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let row = |line: &str| {
            let (path, count) = line.split_once(' ')?;
            Some((path.to_owned(), count.trim().parse().ok()?))
        };
        lines
            .map(|line| row(line).ok_or_else(|| format!("{line:?} is not a path and a count")))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Makes these the accepted ones.
    pub fn write(&self, file: &Path) -> Result<(), String> {
        let mut text = HEADER.to_owned();
        for (path, count) in &self.0 {
            let _ = writeln!(text, "{path:<30} {count:>9}");
        }
        fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
    }

    fn of(&self, path: &str) -> Option<u64> {
        self.0
            .iter()
            .find(|(known, _)| known == path)
            .map(|(_, count)| *count)
    }

    fn rows<'a>(&'a self, counted: &'a Self) -> impl Iterator<Item = Row<'a>> {
        let now = counted.0.iter().map(|(path, count)| Row {
            path,
            accepted: self.of(path),
            counted: Some(*count),
        });
        let gone = self.0.iter().filter(|(path, _)| counted.of(path).is_none());
        now.chain(gone.map(|(path, count)| Row {
            path,
            accepted: Some(*count),
            counted: None,
        }))
    }

    /// Whether these, which are accepted, and what was counted are close enough.
    pub fn allow(&self, counted: &Self) -> bool {
        self.rows(counted).all(|row| row.verdict().is_empty())
    }

    /// A table of both.
    pub fn compared(&self, counted: &Self) -> String {
        let mut table = format!(
            "{:<30} {:>9} {:>9} {:>8}\n",
            "instructions of one request", "accepted", "counted", "change"
        );
        let shown = |count: Option<u64>| count.map_or("-".into(), |count| count.to_string());
        for row in self.rows(counted) {
            let change = row
                .percent()
                .map_or("-".into(), |percent| format!("{percent:+.2} %"));
            let (accepted, counted) = (shown(row.accepted), shown(row.counted));
            let line = format!(
                "{:<30} {accepted:>9} {counted:>9} {change:>8}  {}",
                row.path,
                row.verdict()
            );
            table.push_str(line.trim_end());
            table.push('\n');
        }
        table
    }
}
