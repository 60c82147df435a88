//! What a case gives: one row of the table.

use std::fmt;

/// Measured values of one thing, and what is aimed at.
pub struct Figure {
    name: String,
    unit: &'static str,
    target: &'static str,
    values: Vec<f64>,
}

impl Figure {
    /// A figure without a target.
    pub fn new(name: impl Into<String>, unit: &'static str, mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self {
            name: name.into(),
            unit,
            target: "",
            values,
        }
    }

    /// What the median should be, as in `<= 3`.
    pub fn target(self, target: &'static str) -> Self {
        Self { target, ..self }
    }

    /// The heading of the table.
    pub fn heading() -> String {
        row(
            "figure",
            ["min", "median", "max"].map(str::to_owned),
            "unit",
            "target",
        )
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |index: usize| self.values.get(index).copied().unwrap_or(f64::NAN);
        let last = self.values.len().saturating_sub(1);
        let values = [at(0), at(last / 2), at(last)].map(|value| format!("{value:.2}"));
        f.write_str(&row(&self.name, values, self.unit, self.target))
    }
}

fn row(name: &str, [min, median, max]: [String; 3], unit: &str, target: &str) -> String {
    format!("{name:<56} {min:>8} {median:>8} {max:>8}  {unit:<9} {target}")
        .trim_end()
        .to_owned()
}
