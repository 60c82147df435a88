//! Numbers as people read them.

/// Three significant digits.
const DIGITS: i32 = 3;
/// No more digits than these follow the point, however small the number is.
const MOST_DECIMALS: usize = 6;

/// A number with three significant digits, as in `0.254` or `12,300`.
pub fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if !value.is_finite() {
        return "?".to_owned();
    }
    // Rounding can add a digit, as from 9.996 to 10.0: what is rounded says how many follow the point.
    let rounded = format!("{value:.2e}");
    let tens = rounded
        .split_once('e')
        .and_then(|(_, tens)| tens.parse().ok())
        .unwrap_or(0);
    let decimals = usize::try_from(DIGITS - 1 - tens).unwrap_or(0).min(MOST_DECIMALS);
    let value: f64 = rounded.parse().unwrap_or(value);
    grouped(&format!("{value:.decimals$}"))
}

/// A number with all its digits, as in `0.05` or `1,000`.
pub fn exact(value: f64) -> String {
    grouped(&value.to_string())
}

/// Commas between thousands.
fn grouped(text: &str) -> String {
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut out = String::new();
    for (index, digit) in whole.char_indices() {
        if index > 0 && (whole.len() - index) % 3 == 0 && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    out + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_significant_digits() {
        let cases = [
            (0.0, "0"),
            (0.012_345, "0.0123"),
            (0.254_4, "0.254"),
            (9.996, "10.0"),
            (42.0, "42.0"),
            (528.6, "529"),
            (999.7, "1,000"),
            (12_345.0, "12,300"),
            (1_234_567.0, "1,230,000"),
            (-123_456.0, "-123,000"),
            (f64::NAN, "?"),
            (f64::INFINITY, "?"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
        assert_eq!(exact(0.05), "0.05");
        assert_eq!(exact(2.0), "2");
        assert_eq!(exact(5000.0), "5,000");
    }
}
