//! Rows and columns, as aligned text or as Markdown.

/// On which side of its column a cell stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A column's name and side.
pub type Column = (String, Side);

/// A table of text.
#[derive(Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

#[derive(Debug)]
enum Row {
    Cells(Vec<String>),
    Title(String),
}

impl Table {
    /// A table without rows.
    pub fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row: a cell for each column.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(Row::Cells(cells));
    }

    /// Adds a line of text that belongs to the rows after it.
    pub fn title(&mut self, text: String) {
        self.rows.push(Row::Title(text));
    }

    /// Lines of text with all columns aligned.
    pub fn aligned(&self) -> String {
        let mut widths: Vec<usize> = self.columns.iter().map(|(name, _)| length(name)).collect();
        for row in &self.rows {
            if let Row::Cells(cells) = row {
                for (width, cell) in widths.iter_mut().zip(cells) {
                    *width = length(cell).max(*width);
                }
            }
        }
        let line = |cells: &mut dyn Iterator<Item = &String>| {
            let mut line = String::new();
            for ((cell, width), (_, side)) in cells.zip(&widths).zip(&self.columns) {
                let padded = match side {
                    Side::Left => format!("  {cell:<width$}"),
                    Side::Right => format!("  {cell:>width$}"),
                };
                line.push_str(&padded);
            }
            line.trim_end().to_owned() + "\n"
        };
        let mut out = line(&mut self.columns.iter().map(|(name, _)| name));
        for row in &self.rows {
            match row {
                Row::Cells(cells) => out.push_str(&line(&mut cells.iter())),
                Row::Title(text) => out.push_str(&format!(" {text}\n")),
            }
        }
        out
    }

    /// A table of Markdown. Cells are taken for Markdown that does no harm in a table: see [`escaped`] and [`code`].
    pub fn markdown(&self) -> String {
        let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
        let sides = self.columns.iter().map(|(_, side)| match side {
            Side::Left => "---",
            Side::Right => "---:",
        });
        let mut out = line(self.columns.iter().map(|(name, _)| name.as_str()).collect());
        out.push_str(&line(sides.collect()));
        for row in &self.rows {
            match row {
                Row::Cells(cells) => out.push_str(&line(cells.iter().map(String::as_str).collect())),
                Row::Title(text) => out.push_str(&line(vec![text.as_str()])),
            }
        }
        out
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// Text that Markdown shows as it is, also in a table.
pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '\n' | '\r' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' => out.extend(['\\', letter]),
            _ => out.push(letter),
        }
    }
    out
}

/// Text in Markdown's code font, also in a table.
pub fn code(text: &str) -> String {
    let text = text
        .replace(['\n', '\r'], " ")
        .replace('`', "'")
        .replace('|', "\\|");
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(vec![
            ("figure".to_owned(), Side::Left),
            ("Kafka".to_owned(), Side::Right),
        ]);
        table.row(vec!["ack p50".to_owned(), "1,230".to_owned()]);
        table.row(vec!["créate".to_owned(), "2".to_owned()]);
        table
    }

    #[test]
    fn columns_are_aligned_under_their_names() {
        let mut table = table();
        assert_eq!(
            table.aligned(),
            "  figure   Kafka\n  ack p50  1,230\n  créate       2\n"
        );
        table.title("a title that is longer than the first column".to_owned());
        assert!(
            table
                .aligned()
                .ends_with("\n a title that is longer than the first column\n")
        );
    }

    #[test]
    fn markdown_has_a_line_for_each_row_and_keeps_text_in_its_cell() {
        let text = table().markdown();
        assert_eq!(
            text,
            "| figure | Kafka |\n| --- | ---: |\n| ack p50 | 1,230 |\n| créate | 2 |\n"
        );
        assert_eq!(escaped("a|b <c> & [d]\n"), "a\\|b &lt;c> &amp; \\[d\\] ");
        assert_eq!(code("a|b <`c`>"), "`a\\|b <'c'>`");
    }
}
