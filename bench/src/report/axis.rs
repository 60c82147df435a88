//! Logarithmic axes, and labels that keep clear of each other.

/// The latencies that a plot can show, ms.
const LEAST: f64 = 0.001;
/// Axes that span more tens than this have numbers only at each of them.
const MOST_NUMBERED_TENS: f64 = 3.0;

/// A logarithmic axis of latencies from the bottom to the top of a plot.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    low: f64,
    high: f64,
    bottom: f64,
    top: f64,
}

/// A line of the grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tick {
    /// Its latency, ms.
    pub value: f64,
    /// Whether its number is written.
    pub numbered: bool,
}

impl Latency {
    /// The axis that holds all values, and ends at round numbers.
    pub fn of(values: impl Iterator<Item = f64> + Clone, bottom: f64, top: f64) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min).max(LEAST);
        let most = values.fold(LEAST, f64::max);
        let below = steps().rev().find(|step| *step <= least);
        let above = steps().find(|step| *step > most);
        let low = below.unwrap_or(LEAST);
        Self {
            low,
            high: above.unwrap_or(most).max(low * 2.0),
            bottom,
            top,
        }
    }

    /// Where a latency is.
    pub fn at(&self, value: f64) -> f64 {
        let share = (value.max(self.low) / self.low).log10() / (self.high / self.low).log10();
        self.bottom + (self.top - self.bottom) * share
    }

    /// The grid: 1, 2 and 5 of each ten.
    pub fn ticks(&self) -> Vec<Tick> {
        let wide = (self.high / self.low).log10() > MOST_NUMBERED_TENS;
        let inside = steps().filter(|step| (self.low..=self.high).contains(step));
        let tick = |value: f64| Tick {
            value,
            numbered: !wide || is_ten(value),
        };
        inside.map(tick).collect()
    }
}

/// 1, 2 and 5 of each ten, from less than a plot shows to more than is measured.
fn steps() -> impl DoubleEndedIterator<Item = f64> {
    let step = |tens: i32| [1, 2, 5].map(|digit| format!("{digit}e{tens}").parse().unwrap_or(LEAST));
    (-3..=7).flat_map(step)
}

fn is_ten(value: f64) -> bool {
    (value.log10() - value.log10().round()).abs() < 1e-9
}

/// Where percentiles are, from 0 at the left to 1 at the right end: each further nine takes as much room.
pub fn percentile(quantile: f64) -> f64 {
    const NINES: f64 = 4.0;
    -(1.0 - quantile).log10() / NINES
}

/// Moves positions as little as possible so that they are `gap` apart, in the same order, between `top` and `bottom`.
///
/// What is too close makes a block around its middle.
pub fn apart(wanted: &[f64], gap: f64, top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let offset = |rank: usize| gap * rank as f64;
    // Less its offset, each position must be at least the one before: neighbours that are not are put at their mean.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for (rank, index) in order.iter().enumerate() {
        let mut block = (wanted[*index] - offset(rank), 1);
        while let Some((mean, size)) = blocks.pop_if(|before| before.0 > block.0) {
            let total = mean * size as f64 + block.0 * block.1 as f64;
            block = (total / (size + block.1) as f64, size + block.1);
        }
        blocks.push(block);
    }
    let lowest = (bottom - offset(wanted.len().saturating_sub(1))).max(top);
    let means = blocks
        .iter()
        .flat_map(|(mean, size)| std::iter::repeat_n(*mean, *size));
    let mut placed = vec![0.0; wanted.len()];
    for ((rank, index), mean) in order.iter().enumerate().zip(means) {
        placed[*index] = mean.clamp(top, lowest) + offset(rank);
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_round_numbers_around_all_values() {
        let axis = Latency::of([0.3, 4.0, 70.0].into_iter(), 100.0, 0.0);
        assert!((axis.at(0.2) - 100.0).abs() < 1e-9);
        assert!((axis.at(100.0) - 0.0).abs() < 1e-9);
        assert!(axis.at(1.0) > axis.at(2.0));
        let values: Vec<f64> = axis.ticks().iter().map(|tick| tick.value).collect();
        assert_eq!(values, [0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]);
        assert!(axis.ticks().iter().all(|tick| tick.numbered));
        let wide = Latency::of([0.02, 900.0].into_iter(), 100.0, 0.0);
        let numbered: Vec<f64> = wide
            .ticks()
            .iter()
            .filter(|tick| tick.numbered)
            .map(|tick| tick.value)
            .collect();
        assert_eq!(numbered, [0.1, 1.0, 10.0, 100.0, 1000.0]);
        let same = Latency::of([0.0, 0.0].into_iter(), 100.0, 0.0);
        assert!((same.at(0.0) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn each_nine_of_a_percentile_takes_as_much_room() {
        for (nines, quantile) in [0.0, 0.9, 0.99, 0.999, 0.9999].into_iter().enumerate() {
            assert!((percentile(quantile) - nines as f64 / 4.0).abs() < 1e-9);
        }
    }

    #[test]
    fn positions_that_are_too_close_move_apart_around_their_middle() {
        assert!(apart(&[], 10.0, 0.0, 100.0).is_empty());
        assert_eq!(apart(&[20.0, 60.0], 10.0, 0.0, 100.0), [20.0, 60.0]);
        assert_eq!(apart(&[51.0, 50.0, 80.0], 10.0, 0.0, 100.0), [55.5, 45.5, 80.0]);
        assert_eq!(apart(&[99.0, 99.0, 99.0], 10.0, 0.0, 100.0), [80.0, 90.0, 100.0]);
        assert_eq!(apart(&[1.0, 0.0], 10.0, 0.0, 100.0), [10.0, 0.0]);
    }
}
