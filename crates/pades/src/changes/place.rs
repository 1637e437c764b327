//! Where fields lie: whether a new one covers what was there, and whether number and date are in their places
//! ([`crate::place`]: ô 3 and ô 4 of page 1) and over nothing else.

use std::collections::BTreeMap;

use super::{
    fields::{Field, rectangle},
    step::Delta,
};
use crate::{
    index::FieldSite,
    manifest::FieldKind,
    pdf::{Dict, Kind, ObjRef, Object, Page, PdfError, Rect, View},
    place::{date_area, number_area},
};

/// Overlap that may come from rounding and from the generous boxes of words, in points.
const SLACK: f64 = 1.0;
const WORD_SLACK: f64 = 2.0;

/// Most of a page that a new field may take.
const LARGEST: f64 = 0.5;

/// Whether the widget of a new signature field covers an annotation or a field of its page, or half the page. Over the
/// frames of other signatures it may lie: that is where a seal goes, and where many a program puts the next signature.
pub(super) fn covers_something(
    delta: &Delta<'_, '_>,
    old: &BTreeMap<u32, Field>,
    field: &Field,
) -> Result<bool, PdfError> {
    let Some(own) = rect(&field.dict) else { return Ok(false) };
    let Some(id) = page_of(&delta.new, field)? else { return Ok(false) };
    let Object::Dict(page) = delta.old.get(id)? else { return Ok(false) };
    let (width, height) = delta.old.page(id)?.displayed_size();
    let large = own.width() * own.height() > LARGEST * width * height;
    let is_signature = |id: u32| old.get(&id).is_some_and(|field| field.kind == b"Sig");
    Ok(large || covers_annotation(&delta.old, &page, &own, &is_signature)?)
}

/// The page whose annotations name this widget: what its `/P` says is nobody's promise.
fn page_of(view: &View<'_, '_>, field: &Field) -> Result<Option<ObjRef>, PdfError> {
    let names = |id: ObjRef| -> Result<bool, PdfError> {
        let Object::Dict(page) = view.get(id)? else { return Ok(false) };
        let annotations = view.array(&page, "Annots")?;
        Ok(annotations.iter().filter_map(Object::as_ref).any(|widget| widget.number == field.object))
    };
    let stated = field.dict.get("P").and_then(Object::as_ref);
    if let Some(stated) = stated
        && names(stated)?
    {
        return Ok(Some(stated));
    }
    for id in view.pages()? {
        if names(id)? {
            return Ok(Some(id));
        }
    }
    Ok(stated)
}

/// The page (from 1; 0 for none) of a widget and its rectangle as displayed.
pub(super) fn shown(view: &View<'_, '_>, field: &Field) -> Result<(u32, Rect), PdfError> {
    let own = rect(&field.dict).unwrap_or(Rect { x0: 0.0, y0: 0.0, x1: 0.0, y1: 0.0 });
    let stated = field.dict.get("P").and_then(Object::as_ref);
    for (index, id) in view.pages()?.iter().enumerate() {
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

/// Whether a declared field (number or date) that is shown at `place` on page `number` lies in its ô on page 1 and
/// over no other widget, annotation or word.
pub(super) fn is_in_place(
    view: &View<'_, '_>,
    field: &Field,
    kind: FieldKind,
    (number, place): (u32, Rect),
    site: Option<&FieldSite>,
) -> Result<bool, PdfError> {
    let Some(first) = view.pages()?.first().copied() else { return Ok(false) };
    let page = view.page(first)?;
    let (width, height) = page.displayed_size();
    let area = if kind == FieldKind::Number { number_area(width, height) } else { date_area(width, height) };
    // A rectangle that is no rectangle (NaN) fails every comparison.
    let inside = number == 1
        && place.width() > 0.0
        && place.height() > 0.0
        && place.height() <= (TALLEST * height).max(ONE_LINE)
        && place.x0 >= area.x0 - SLACK
        && place.x1 <= area.x1 + SLACK
        && place.y0 >= area.y0 - SLACK
        && place.y1 <= area.y1 + SLACK;
    Ok(inside
        && !covers_annotation(view, &page.dict, &page.to_page(place), &|id| id == field.object)?
        && !covers_words(view, &page, &place, site))
}

/// Two lines of 14 points on A4, with room, as a part of the page's height.
const TALLEST: f64 = 0.06;

/// One line as provisioning draws it, in points, however small the page.
const ONE_LINE: f64 = 20.0;

/// Text is drawn within the slots: the day, the month and the year of a date go between words of the page.
fn covers_words(view: &View<'_, '_>, page: &Page, place: &Rect, site: Option<&FieldSite>) -> bool {
    let slots: Vec<Rect> = match site.map(|site| site.slots.as_slice()) {
        None | Some([]) => vec![*place],
        Some(slots) => slots.iter().map(|slot| moved(&slot.rect, place)).collect(),
    };
    let lines = view.text_lines(page);
    // Dots and lines ask to be written on.
    let pieces = lines.iter().flat_map(|line| line.pieces(false)).filter(|(kind, _)| *kind != Kind::Filler);
    let mut words = pieces.map(|(_, word)| word.rect);
    words.any(|word| slots.iter().any(|slot| covers(slot, &word, WORD_SLACK)))
}

fn moved(slot: &Rect, place: &Rect) -> Rect {
    Rect { x0: slot.x0 + place.x0, y0: slot.y0 + place.y0, x1: slot.x1 + place.x0, y1: slot.y1 + place.y0 }
}

/// Whether one of the page's annotations is covered, but for those that do not count.
fn covers_annotation(
    view: &View<'_, '_>,
    page: &Dict,
    own: &Rect,
    except: &dyn Fn(u32) -> bool,
) -> Result<bool, PdfError> {
    for annotation in view.array(page, "Annots")? {
        if annotation.as_ref().is_some_and(|widget| except(widget.number)) {
            continue;
        }
        let Ok(Object::Dict(annotation)) = view.resolve(&annotation) else { continue };
        if rect(&annotation).is_some_and(|other| covers(own, &other, SLACK)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn rect(dict: &Dict) -> Option<Rect> {
    let [x0, y0, x1, y1] = rectangle(dict)?;
    Some(Rect { x0, y0, x1, y1 }.normalised())
}

fn covers(one: &Rect, other: &Rect, slack: f64) -> bool {
    one.intersection(other).is_some_and(|common| common.width() > slack && common.height() > slack)
}
