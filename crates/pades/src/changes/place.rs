//! Where fields lie: whether a new one covers what was there, and whether number and date are in their places.
//!
//! ```text
//!  ┌───────────────┬────────────────┐   Ô 3 (số, ký hiệu) stands in the left half under the issuing organisation,
//!  │ 2  cơ quan    │ 1  quốc hiệu   │   ô 4 (địa danh, ngày tháng năm) in the right half under the national title,
//!  │ 3  Số: …      │ 4  …, ngày …   │   both in the upper third of page 1 (NĐ 30/2020, Phụ lục I, Phần I, Mục IV).
//!  ├───────────────┴────────────────┤
//! ```
//!
//! The decree gives no coordinates and an organisation's name may take several lines, so a place is a part of the
//! page: wide enough for every letterhead of that layout, too high up to reach the text of the document.

use super::{
    fields::{Field, rectangle},
    step::Delta,
};
use crate::pdf::{Dict, Object, PdfError, Rect, View};

/// Overlap that may come from rounding, in points.
const SLACK: f64 = 1.0;
/// The number may reach a little over the middle: long notations do.
const LEFT_COLUMN_ENDS: f64 = 0.55;
/// The date may begin a little before the middle: long place names do.
const RIGHT_COLUMN_BEGINS: f64 = 0.35;
/// The upper third.
const LOWEST: f64 = 2.0 / 3.0;
/// Two lines of 14 points on A4, with room.
const TALLEST: f64 = 0.06;

/// Whether the widget of a new field covers an annotation or a widget of its page.
pub(super) fn covers_something(delta: &Delta<'_, '_>, field: &Field) -> Result<bool, PdfError> {
    let Some(own) = rect(&field.dict) else { return Ok(false) };
    let Some(page) = field.dict.get("P").and_then(Object::as_ref) else { return Ok(false) };
    let Object::Dict(page) = delta.old.get(page)? else { return Ok(false) };
    for annotation in delta.old.array(&page, "Annots")? {
        let Ok(Object::Dict(annotation)) = delta.old.resolve(&annotation) else { continue };
        if rect(&annotation).is_some_and(|other| covers(&own, &other)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The page (from 1; 0 for none) of a widget and its rectangle as displayed.
#[expect(dead_code, reason = "the check of a tail follows")]
pub(super) fn shown(view: &View<'_, '_>, field: &Field) -> Result<(u32, Rect), PdfError> {
    let own = rect(&field.dict).unwrap_or(Rect { x0: 0.0, y0: 0.0, x1: 0.0, y1: 0.0 });
    let pages = view.pages()?;
    let stated = field.dict.get("P").and_then(Object::as_ref);
    for (index, id) in pages.iter().enumerate() {
        let here = match stated {
            Some(page) => page == *id,
            None => match view.get(*id)? {
                Object::Dict(page) => {
                    let annotations = view.array(&page, "Annots")?;
                    annotations.iter().filter_map(Object::as_ref).any(|widget| widget.number == field.object)
                }
                _ => false,
            },
        };
        if here {
            return Ok((u32::try_from(index + 1).unwrap_or(u32::MAX), view.page(*id)?.to_displayed(own)));
        }
    }
    Ok((0, own))
}

/// The ô of the layout that clerks fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Ô 3: số, ký hiệu.
    Number,
    /// Ô 4: địa danh, ngày tháng năm.
    Date,
}

/// Whether a field on page `page` (from 1) lies within its ô, on a first page displayed at `width` × `height`
/// points; `place` in points from its lower left corner.
pub fn is_within(kind: Place, page: u32, place: &Rect, width: f64, height: f64) -> bool {
    let (left, right) = match kind {
        Place::Number => (0.0, width * LEFT_COLUMN_ENDS),
        Place::Date => (width * RIGHT_COLUMN_BEGINS, width),
    };
    // A rectangle that is no rectangle (NaN) fails every comparison.
    page == 1
        && place.width() > 0.0
        && place.height() > 0.0
        && place.height() <= height * TALLEST
        && place.x0 >= left
        && place.x1 <= right
        && place.y0 >= height * LOWEST
        && place.y1 <= height
}

/// Whether a declared field lies in its ô on page 1 and over nothing else.
#[expect(dead_code, reason = "the check of a tail follows")]
pub(super) fn is_in_place(
    view: &View<'_, '_>,
    field: &Field,
    kind: Place,
    number: u32,
    place: &Rect,
) -> Result<bool, PdfError> {
    let Some(first) = view.pages()?.first().copied() else { return Ok(false) };
    let page = view.page(first)?;
    let (width, height) = page.displayed_size();
    if !is_within(kind, number, place, width, height) {
        return Ok(false);
    }
    let own = page.to_page(*place);
    for annotation in view.array(&page.dict, "Annots")? {
        if annotation.as_ref().is_some_and(|widget| widget.number == field.object) {
            continue;
        }
        let Object::Dict(annotation) = view.resolve(&annotation)? else { continue };
        if rect(&annotation).is_some_and(|other| covers(&own, &other)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn rect(dict: &Dict) -> Option<Rect> {
    let [x0, y0, x1, y1] = rectangle(dict)?;
    Some(Rect { x0, y0, x1, y1 }.normalised())
}

fn covers(one: &Rect, other: &Rect) -> bool {
    one.intersection(other).is_some_and(|common| common.width() > SLACK && common.height() > SLACK)
}
