//! A row of `target/bench/results.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One measured thing beside its floor and its peer. Times are milliseconds of processor
/// time unless `unit` says otherwise.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    /// `operation/size/style`.
    pub name: String,
    /// The median.
    pub value: f64,
    /// Of `value`, `floor`, `peer`, `min`, `median` and `max`.
    pub unit: &'static str,
    /// One SHA-256 pass over the same file (`openssl dgst`), median of the runs around this measurement.
    pub floor: Option<f64>,
    /// Inflating every object stream of the file and doing nothing with it, median of the same run; 0 without any.
    pub inflate: f64,
    /// pyHanko doing the same, median of the same run.
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
    /// Every peer by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub peers: BTreeMap<String, PeerFigure>,
    /// The peers that are not here, and why.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub not_measured: BTreeMap<String, String>,
}

/// What a peer took.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct PeerFigure {
    /// Milliseconds, median.
    pub ms: f64,
    /// It was stopped at the limit: `ms` is what it took at least.
    pub at_least: bool,
    /// Peak resident memory of its process, in kB, as far as known.
    pub peak_kb: Option<u64>,
}

impl Row {
    /// A row of milliseconds.
    pub(crate) fn of(
        name: String,
        times: &[f64],
        floor: Option<f64>,
        peers: BTreeMap<String, PeerFigure>,
        peak_kb: Option<u64>,
    ) -> Self {
        let value = median(times);
        let peer = peers.get(PYHANKO).map(|figure| figure.ms);
        let ratio = |other: Option<f64>| other.filter(|other| *other > 0.0).map(|other| value / other);
        Self {
            name,
            value,
            unit: "ms",
            floor,
            inflate: 0.0,
            peer,
            ratio_to_floor: ratio(floor),
            ratio_to_peer: ratio(peer),
            runs: times.len(),
            min: times.iter().copied().fold(f64::INFINITY, f64::min),
            median: value,
            max: times.iter().copied().fold(0.0, f64::max),
            peak_kb,
            peers,
            not_measured: BTreeMap::new(),
        }
    }

    /// Operation, size and style.
    pub(crate) fn parts(&self) -> (&str, &str, &str) {
        let mut parts = self.name.split('/');
        let mut part = || parts.next().unwrap_or_default();
        (part(), part(), part())
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:<24} {:>10.3} ms", self.name, self.value)?;
        if let Some(ratio) = self.ratio_to_floor {
            write!(f, "   floor ×{ratio:<6.2}")?;
        }
        if self.inflate > 0.0 {
            write!(f, "   inflating {:.1} ms", self.inflate)?;
        }
        for (name, figure) in &self.peers {
            let sign = if figure.at_least { "≥ " } else { "" };
            write!(f, "   {name} {sign}{:.1} ms (÷{:.1})", figure.ms, figure.ms / self.value.max(1e-6))?;
        }
        write!(f, "   {} kB", self.peak_kb.unwrap_or_default())
    }
}

/// The peer that the ratio is to.
pub(crate) const PYHANKO: &str = "pyhanko";

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
        let row = Row::of("a/b/c".into(), &[3.0, 1.0, 2.0], Some(4.0), BTreeMap::new(), None);
        assert!((row.value - 2.0).abs() < f64::EPSILON);
        assert_eq!(row.ratio_to_floor, Some(0.5));
        assert_eq!(row.ratio_to_peer, None);
        assert_eq!(row.parts(), ("a", "b", "c"));
    }
}
