//! A row of `target/bench/results.json`.

use serde::Serialize;

/// One measured thing beside its floor and its peer. Times are in milliseconds unless `unit` says otherwise.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    /// `operation/size/style`.
    pub name: String,
    /// The median.
    pub value: f64,
    /// Of `value`, `floor`, `peer`, `min`, `median` and `max`.
    pub unit: &'static str,
    /// One SHA-256 pass over the same file (`openssl dgst`), median of the same run.
    pub floor: Option<f64>,
    /// The peer doing the same, median of the same run.
    pub peer: Option<f64>,
    /// `value / floor`.
    pub ratio_to_floor: Option<f64>,
    /// `value / peer`.
    pub ratio_to_peer: Option<f64>,
    /// How many times it was measured.
    pub runs: usize,
    /// The quickest.
    pub min: f64,
    /// The median.
    pub median: f64,
    /// The slowest.
    pub max: f64,
    /// Peak resident memory of the process that did it, in kB.
    pub peak_kb: Option<u64>,
}

impl Row {
    /// A row of milliseconds.
    pub(crate) fn of(
        name: String,
        times: &[f64],
        floor: Option<f64>,
        peer: Option<f64>,
        peak_kb: Option<u64>,
    ) -> Self {
        let value = median(times);
        let ratio = |other: Option<f64>| other.filter(|other| *other > 0.0).map(|other| value / other);
        Self {
            name,
            value,
            unit: "ms",
            floor,
            peer,
            ratio_to_floor: ratio(floor),
            ratio_to_peer: ratio(peer),
            runs: times.len(),
            min: times.iter().copied().fold(f64::INFINITY, f64::min),
            median: value,
            max: times.iter().copied().fold(0.0, f64::max),
            peak_kb,
        }
    }
}

/// The middle value; 0 of nothing.
pub(crate) fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_of_medians() {
        let row = Row::of("a".into(), &[3.0, 1.0, 2.0], Some(4.0), Some(0.0), None);
        assert!((row.value - 2.0).abs() < f64::EPSILON);
        assert_eq!(row.ratio_to_floor, Some(0.5));
        assert_eq!(row.ratio_to_peer, None);
    }
}
