//! Cost against file size and against object count, as SVG on two logarithmic axes, and the check that cost grows no
//! faster than they do: the exponent of the steepest line through the last two points.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;

use crate::row::Row;

/// Linear is 1; between two sizes noise and caches are given a quarter.
const STEEPEST: f64 = 1.25;
/// Below this many milliseconds a difference is noise.
const NOISE: f64 = 0.5;

/// What one pass of SHA-256 takes: drawn for comparison, not judged.
const FLOOR: &str = "floor";

type Series = BTreeMap<String, Vec<(f64, f64)>>;

/// Writes `size-STYLE.svg` and `objects-STYLE.svg` for both styles; answers with what grows too fast, in words.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn all(rows: &[Row], folder: &Path) -> Result<Vec<String>> {
    let mut steep = Vec::new();
    for style in ["table", "stream"] {
        for (axis, unit) in [("size", "bytes"), ("objects", "objects")] {
            let series = series(rows, axis, style);
            if series.values().any(|points| points.len() > 1) {
                let title = format!("Cost against {axis} ({style})");
                std::fs::write(folder.join(format!("{axis}-{style}.svg")), svg(&title, unit, &series))?;
                let ours = series.iter().filter(|(name, _)| *name != FLOOR);
                steep.extend(ours.filter_map(|(name, points)| {
                    let exponent = exponent(points)?;
                    let what = format!("{name} grows with {axis} to the power {exponent:.2} ({style})");
                    (exponent > STEEPEST).then_some(what)
                }));
            }
        }
    }
    Ok(steep)
}

fn series(rows: &[Row], axis: &str, style: &str) -> Series {
    let mut series = Series::new();
    for row in rows {
        let (operation, size, of) = row.parts();
        let x = if axis == "size" { bytes(size) } else { objects(size) };
        if let Some(x) = x.filter(|_| of == style) {
            series.entry(operation.to_owned()).or_default().push((x, row.value));
            if let Some(floor) = row.floor.filter(|_| operation == "ingest") {
                series.entry(FLOOR.to_owned()).or_default().push((x, floor));
            }
        }
    }
    for points in series.values_mut() {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    series
}

fn bytes(size: &str) -> Option<f64> {
    let (number, unit) = size.split_at(size.len().checked_sub(2)?);
    let scale = match unit {
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * scale)
}

fn objects(size: &str) -> Option<f64> {
    Some(size.strip_suffix('k')?.parse::<f64>().ok()? * 1e3)
}

/// Of the last two points; `None` if there are fewer or nothing to be seen between them.
fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    let [.., (x0, y0), (x1, y1)] = points else { return None };
    (*y1 > y0 + NOISE).then(|| (y1 / y0).ln() / (x1 / x0).ln())
}

fn svg(title: &str, unit: &str, series: &Series) -> String {
    let all = || series.values().flatten();
    let range = |values: &mut dyn Iterator<Item = f64>| {
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
        (low.log10().floor(), high.log10().ceil().max(low.log10().floor() + 1.0))
    };
    let (left, right) = range(&mut all().map(|point| point.0));
    let (bottom, top) = range(&mut all().map(|point| point.1.max(0.001)));
    let x = |value: f64| 70.0 + (value.log10() - left) / (right - left) * 560.0;
    let y = |value: f64| 440.0 - (value.max(0.001).log10() - bottom) / (top - bottom) * 380.0;
    let mut out = String::from(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 800 500' font-family='sans-serif' font-size='12'>\n<rect width='800' height='500' fill='white'/>\n",
    );
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    line(format!("<text x='70' y='30' font-size='16'>{title}</text>"));
    line(format!("<text x='590' y='485'>{unit}</text><text x='10' y='50'>ms</text>"));
    for (from, to, horizontal) in [(left, right, true), (bottom, top, false)] {
        let mut power = from;
        while power <= to {
            let value = 10_f64.powf(power);
            if horizontal {
                let at = x(value);
                line(format!(
                    "<path d='M{at:.1} 60V440' stroke='#ddd'/><text x='{at:.1}' y='458' text-anchor='middle'>{value}</text>"
                ));
            } else {
                let at = y(value);
                line(format!(
                    "<path d='M70 {at:.1}H630' stroke='#ddd'/><text x='64' y='{at:.1}' text-anchor='end'>{value}</text>"
                ));
            }
            power += 1.0;
        }
    }
    for (index, (name, points)) in series.iter().enumerate() {
        let colour = COLOURS.get(index % COLOURS.len()).copied().unwrap_or("black");
        let path: Vec<String> = points.iter().map(|&(at, ms)| format!("{:.1},{:.1}", x(at), y(ms))).collect();
        line(format!(
            "<polyline points='{}' fill='none' stroke='{colour}' stroke-width='2'/>",
            path.join(" ")
        ));
        let height = 70 + 20 * index;
        line(format!("<text x='645' y='{height}' fill='{colour}'>{name}</text>"));
    }
    out + "</svg>\n"
}

/// Told apart also by those who see no red and green (Okabe and Ito).
const COLOURS: [&str; 9] =
    ["#000000", "#e69f00", "#56b4e9", "#009e73", "#999933", "#0072b2", "#d55e00", "#cc79a7", "#882255"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_faster_than_linear_is_told() {
        assert_eq!(exponent(&[(1.0, 0.1), (10.0, 0.2)]), None);
        assert!(exponent(&[(10.0, 10.0), (100.0, 101.0)]).is_some_and(|e| (e - 1.0).abs() < 0.01));
        assert!(exponent(&[(10.0, 10.0), (100.0, 1000.0)]).is_some_and(|e| e > STEEPEST));
        assert_eq!((bytes("5MB"), bytes("300k"), objects("300k")), (Some(5e6), None, Some(3e5)));
        let series = Series::from([("ingest".to_owned(), vec![(1e3, 1.0), (1e6, 50.0)])]);
        assert!(svg("t", "bytes", &series).contains("polyline"));
    }

    #[test]
    fn the_floor_is_drawn_and_not_judged() {
        let row = |size: &str, ms: f64, floor: f64| {
            let name = format!("ingest/{size}/table");
            Row::of(name, &[ms], Some(floor), BTreeMap::new(), None)
        };
        let folder = tempfile::tempdir().expect("a folder");
        let steep = |ms: f64, floor: f64| {
            let rows = [row("100MB", 10.0, 10.0), row("1GB", ms, floor)];
            all(&rows, folder.path()).expect("drawn")
        };
        assert_eq!(steep(100.0, 1000.0), Vec::<String>::new());
        assert_eq!(steep(1000.0, 100.0).len(), 1);
        assert!(
            std::fs::read_to_string(folder.path().join("size-table.svg")).expect("svg").contains("floor")
        );
    }
}
