//! Where the frame of a widget is, and what on the page is a part of it: lines of the border, dividers of a comb, the bar
//! behind an option of a list.

use super::{
    super::fields::Field,
    matrix::{Matrix, Point, Segment},
};
use crate::pdf::{Dict, Object, PdfError, Rect, View};

/// `/Ff` bit 25: as many cells as `/MaxLen` says.
const COMB: i64 = 1 << 24;
/// Deepest nesting of fields.
const DEPTH: usize = 32;
/// What drawing beside an edge may deviate from the border's width, in points.
const SLACK: f64 = 1.0;
/// How far a line may be from upright or level, in points.
const STRAIGHT: f64 = 0.1;
/// Least height of the bar behind an option of a list, in points: lower ones strike through.
const BAR: f64 = 4.0;

/// Where the frame of a widget is.
#[derive(Debug, Clone)]
pub(in crate::changes) struct Frame {
    /// The widget, in the page's coordinates.
    pub(super) area: Rect,
    /// How far from an edge its border reaches.
    pub(super) zone: f64,
    /// Cells of a comb.
    pub(super) cells: Option<u16>,
    /// Whether its cells stand one above the other on the page.
    pub(super) sideways: bool,
    /// A list, which has a bar behind what is chosen.
    pub(super) list: bool,
}

impl Frame {
    /// The frame of a widget.
    ///
    /// # Errors
    /// What reading its entries gives.
    pub(in crate::changes) fn of(view: &View<'_, '_>, widget: &Field) -> Result<Self, PdfError> {
        let dict = &widget.dict;
        let area = Rect::from_object(&view.value(dict, "Rect")?).unwrap_or(Rect::of(0.0, 0.0, 0.0, 0.0));
        let area = area.normalised();
        let style = view.dict(dict, "BS")?;
        let legacy = view.array(dict, "Border")?;
        let width = view.value(&style, "W")?.as_number().or(legacy.get(2).and_then(Object::as_number));
        let raised = matches!(view.value(&style, "S")?.as_name(), Some(b"B" | b"I"));
        let border = width.unwrap_or(1.0).max(0.0) * if raised { 2.0 } else { 1.0 };
        let flags = inherited(view, dict, "Ff")?.as_int().unwrap_or(0);
        let longest = inherited(view, dict, "MaxLen")?.as_int().and_then(|most| u16::try_from(most).ok());
        let turned = view.value(&view.dict(dict, "MK")?, "R")?.as_int().unwrap_or(0);
        Ok(Self {
            area,
            // Whatever border is declared, the middle of the box is for the text.
            zone: (border + SLACK).min(area.width().min(area.height()) / 4.0),
            cells: longest.filter(|_| flags & COMB != 0),
            sideways: turned.rem_euclid(180) == 90,
            list: widget.kind == b"Ch",
        })
    }

    /// Lays the box of an appearance on the widget (12.5.5, algorithm 8.1).
    pub(super) fn lay(&self, bbox: Option<Rect>, matrix: Matrix) -> Matrix {
        let Some(bbox) = bbox.map(Rect::normalised) else {
            return matrix.then(Matrix([1.0, 0.0, 0.0, 1.0, self.area.x0, self.area.y0]));
        };
        let corners = [(bbox.x0, bbox.y0), (bbox.x1, bbox.y0), (bbox.x0, bbox.y1), (bbox.x1, bbox.y1)]
            .map(|corner| matrix.of(corner));
        let (low, high) = corners.iter().fold(
            ((f64::INFINITY, f64::INFINITY), (f64::NEG_INFINITY, f64::NEG_INFINITY)),
            |(low, high), (x, y)| ((low.0.min(*x), low.1.min(*y)), (high.0.max(*x), high.1.max(*y))),
        );
        let scale = |size: f64, of: f64| if of > 0.0 { size / of } else { 1.0 };
        let x = scale(self.area.width(), high.0 - low.0);
        let y = scale(self.area.height(), high.1 - low.1);
        matrix.then(Matrix([x, 0.0, 0.0, y, self.area.x0 - low.0 * x, self.area.y0 - low.1 * y]))
    }

    /// Whether a line, `half` its width to each side, lies within the border.
    pub(super) fn is_border(&self, (a, b): Segment, half: f64) -> bool {
        let (area, zone) = (&self.area, self.zone);
        a.0.max(b.0) + half <= area.x0 + zone
            || a.0.min(b.0) - half >= area.x1 - zone
            || a.1.max(b.1) + half <= area.y0 + zone
            || a.1.min(b.1) - half >= area.y1 - zone
    }

    /// Whether a stroked line is a part of the frame: of the border, or between two cells.
    pub(super) fn is_line(&self, (a, b): Segment, half: f64) -> bool {
        let (level, upright) = ((a.1 - b.1).abs() <= STRAIGHT, (a.0 - b.0).abs() <= STRAIGHT);
        // An acute corner of a stroke may reach far out of the border.
        if (level || upright) && self.is_border((a, b), half) {
            return true;
        }
        let Some(cells) = self.cells.filter(|_| half <= self.zone) else { return false };
        let Rect { x0, y0, x1, y1 } = self.area;
        let (straight, at, ends, along, across) = if self.sideways {
            (level, a.1, (a.0.min(b.0), a.0.max(b.0)), (x0, x1), (y0, y1))
        } else {
            (upright, a.0, (a.1.min(b.1), a.1.max(b.1)), (y0, y1), (x0, x1))
        };
        let whole = ends.0 <= along.0 + self.zone && ends.1 >= along.1 - self.zone;
        let cell = (across.1 - across.0) / f64::from(cells);
        let between = ((at - across.0) / cell).round();
        let even = between >= 1.0
            && between < f64::from(cells)
            && (at - across.0 - between * cell).abs() <= SLACK.min(cell / 4.0);
        straight && whole && even
    }

    /// Whether a filled path is the bar behind an option of a list.
    pub(super) fn is_bar(&self, path: &[Vec<Point>]) -> bool {
        let [corners] = path else { return false };
        let left = |x: f64| x <= self.area.x0 + self.zone;
        let right = |x: f64| x >= self.area.x1 - self.zone;
        let lowest = corners.iter().map(|corner| corner.1).fold(f64::INFINITY, f64::min);
        let highest = corners.iter().map(|corner| corner.1).fold(f64::NEG_INFINITY, f64::max);
        self.list
            && corners.iter().all(|(x, y)| {
                let corner = (y - lowest).abs() <= STRAIGHT || (y - highest).abs() <= STRAIGHT;
                corner && (left(*x) || right(*x))
            })
            && highest - lowest >= BAR
    }

    pub(super) fn middle(&self) -> Point {
        (f64::midpoint(self.area.x0, self.area.x1), f64::midpoint(self.area.y0, self.area.y1))
    }
}

/// An entry of a field or of the nearest above it that has it.
fn inherited(view: &View<'_, '_>, dict: &Dict, key: &str) -> Result<Object, PdfError> {
    let mut dict = dict.clone();
    for _ in 0..DEPTH {
        let found = view.value(&dict, key)?;
        if !found.is_null() {
            return Ok(found);
        }
        let Object::Dict(parent) = view.value(&dict, "Parent")? else { break };
        dict = parent;
    }
    Ok(Object::Null)
}
