//! Usage as CSV (RFC 4180), safe to open in a spreadsheet.

use std::fmt::Write;

use super::UsageSum;

const HEADER: &str = "period_start,period_end,cluster,principal,bytes_in,bytes_out,produced_bytes,fetched_bytes,requests,\
    connections_peak,storage_byte_hours,partition_hours,cost\r\n";

pub(super) fn write(rows: &[UsageSum]) -> String {
    let mut text = String::with_capacity(HEADER.len() + rows.len() * 160);
    text.push_str(HEADER);
    for row in rows {
        let cluster = cell(row.cluster.as_deref().unwrap_or_default());
        let principal = cell(row.principal.as_deref().unwrap_or_default());
        // Writing into a text does not fail.
        let _ = write!(
            text,
            "{},{},{cluster},{principal},{},{},{},{},{},{},{},{},{}\r\n",
            row.period_start,
            row.period_end,
            row.bytes_in,
            row.bytes_out,
            row.produced_bytes,
            row.fetched_bytes,
            row.requests,
            row.connections_peak,
            row.storage_byte_hours,
            row.partition_hours,
            row.cost,
        );
    }
    text
}

/// A text as a cell. What a spreadsheet would take for a formula gets an apostrophe in front, as spreadsheets themselves write it.
pub(super) fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let text = if formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    match text.contains(['"', ',', '\r', '\n', '\'']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use firn_runtime::Timestamp;

    use super::*;
    use crate::rules::Moment;

    #[test]
    fn a_row_has_a_line_and_as_many_cells_as_the_header() {
        let row = UsageSum {
            period_start: Moment(Timestamp(0)),
            period_end: Moment(Timestamp(3_600_000)),
            cluster: Some("clu_x".to_owned()),
            principal: None,
            bytes_in: 1,
            bytes_out: 2,
            produced_bytes: 3,
            fetched_bytes: 4,
            requests: 5,
            connections_peak: 6,
            storage_byte_hours: 7.5,
            partition_hours: 0.1,
            cost: "0.25".to_owned(),
        };
        let text = write(&[row]);
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0].split(',').count(), lines[1].split(',').count());
        assert_eq!(
            lines[1],
            "1970-01-01T00:00:00.000Z,1970-01-01T01:00:00.000Z,clu_x,,1,2,3,4,5,6,7.5,0.1,0.25"
        );
    }

    #[test]
    fn no_name_becomes_a_formula_or_a_cell_of_its_own() {
        assert_eq!(cell("User:a"), "User:a");
        assert_eq!(cell("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!(cell("@a"), "\"'@a\"");
        assert_eq!(cell("User:a,b\r\nc"), "\"User:a,b\r\nc\"");
    }
}
