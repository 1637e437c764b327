//! What a field draws: which objects an appearance consists of, and whether it shows the field's value.

use std::collections::{HashMap, HashSet};

use super::{
    ChangeKind,
    drawn::{self, Drawn},
    fields::Field,
    marks::Frame,
    references,
    step::{Delta, object},
    strings::readable,
};
use crate::pdf::{Dict, ObjRef, Object, PdfError, View};

/// Most objects one appearance may consist of.
const COUNT: usize = 4096;
/// Keys that lead out of an appearance, back to pages and fields.
const OUTWARD: [&[u8]; 4] = [b"Parent", b"P", b"StructParent", b"StructParents"];

/// Explains what an appearance was replaced with; answers whether what is drawn may differ.
///
/// New objects are fine, and so are those that the same field's appearance consisted of before and that were
/// replaced in place, if nobody else comes to them, by whatever way. An older form or image that was not part of it may
/// not be drawn: it is how hidden content of a signed file is brought up later.
pub(super) fn compare(
    delta: &mut Delta<'_, '_>,
    owner: u32,
    was: Option<&Object>,
    is: Option<&Object>,
) -> Result<bool, PdfError> {
    let Some(is) = is else { return Ok(was.is_some()) };
    if was == Some(is) && !delta.has_unexplained_replaced() {
        return Ok(false);
    }
    let before = match was {
        Some(was) => reachable(&delta.old, was)?,
        None => HashSet::new(),
    };
    let mut changed = was != Some(is);
    if let Some(left) = was.and_then(Object::as_ref).filter(|_| changed) {
        // The dictionary that the field gives up was its own.
        delta.explain_loose(left.number, owner);
    }
    let mut seen = HashSet::new();
    let mut waiting: Vec<(u32, u32)> = Vec::new();
    let mut links = Vec::new();
    let mut replaced = HashSet::new();
    below(is, &mut |reference| waiting.push((owner, reference.number)));
    while let Some((from, number)) = waiting.pop() {
        if number == owner {
            continue;
        }
        let mine = before.contains(&number);
        links.push((from, number));
        if delta.is_replaced(number) && mine {
            changed = true;
            replaced.insert(number);
        } else if delta.is_added(number) {
            changed = true;
            delta.explain(number);
        }
        if !seen.insert(number) {
            continue;
        }
        if seen.len() > COUNT {
            return Err(PdfError::Limit("objects of an appearance"));
        }
        let value = object(&delta.new, number)?;
        if !mine && !delta.is_added(number) {
            if is_drawable(&value) {
                delta.forbid(ChangeKind::FormFill, "appearance_uses_old_content", &format!("{number} 0 R"));
            }
            continue;
        }
        below(&value, &mut |reference| waiting.push((number, reference.number)));
    }
    for &(from, to) in leading_to(&links, replaced) {
        delta.explain_loose(to, from);
    }
    Ok(changed)
}

/// Those of `links` (who refers to whom) that lead to one of `ends`: from whoever refers to it, from whoever refers to
/// that, and so on.
fn leading_to(links: &[(u32, u32)], ends: HashSet<u32>) -> impl Iterator<Item = &(u32, u32)> {
    let mut to_here: HashMap<u32, Vec<u32>> = HashMap::new();
    for &(from, to) in links {
        to_here.entry(to).or_default().push(from);
    }
    let mut waiting: Vec<u32> = ends.iter().copied().collect();
    let mut on_the_way = ends;
    while let Some(number) = waiting.pop() {
        for &from in to_here.get(&number).into_iter().flatten() {
            if on_the_way.insert(from) {
                waiting.push(from);
            }
        }
    }
    links.iter().filter(move |(_, to)| on_the_way.contains(to))
}

fn is_drawable(object: &Object) -> bool {
    object.as_stream().is_some_and(|stream| {
        stream.dict.get("Subtype").is_some_and(|kind| kind.is_name(b"Form") || kind.is_name(b"Image"))
    })
}

fn reachable(view: &View<'_, '_>, from: &Object) -> Result<HashSet<u32>, PdfError> {
    let mut seen = HashSet::new();
    let mut waiting = Vec::new();
    below(from, &mut |reference| waiting.push(reference.number));
    while let Some(number) = waiting.pop() {
        if !seen.insert(number) {
            continue;
        }
        if seen.len() > COUNT {
            return Err(PdfError::Limit("objects of an appearance"));
        }
        below(&object(view, number)?, &mut |reference| waiting.push(reference.number));
    }
    Ok(seen)
}

fn below(object: &Object, seen: &mut dyn FnMut(ObjRef)) {
    let dict = match object {
        Object::Dict(dict) => dict,
        Object::Stream(stream) => &stream.dict,
        other => return references::of(other, seen),
    };
    for (_, value) in dict.iter().filter(|(key, _)| !OUTWARD.contains(key)) {
        references::of(value, seen);
    }
}

/// `/DR` of the form: fonts and the like may be added under new names, nothing may be replaced.
pub(super) fn default_resources(
    delta: &mut Delta<'_, '_>,
    was: Option<&Object>,
    is: &Object,
) -> Result<(), PdfError> {
    let (before, after) = delta.follow(was, is)?;
    let empty = Dict::new();
    let (before, after) = (before.as_dict().unwrap_or(&empty), after.as_dict().unwrap_or(&empty));
    for (category, was, is) in Delta::pairs(before, after) {
        let subject = format!("DR/{}", String::from_utf8_lossy(category));
        let Some(is) = is else {
            delta.forbid(ChangeKind::Other, "form_changed", &subject);
            continue;
        };
        let (was, is) = delta.follow(was, is)?;
        let (Some(was), Some(is)) = (was.as_dict().or(was.is_null().then_some(&empty)), is.as_dict()) else {
            if was != is {
                delta.forbid(ChangeKind::Other, "form_changed", &subject);
            }
            continue;
        };
        for (_, was, is) in Delta::pairs(was, is) {
            match (was, is) {
                (None, Some(new)) => explain_all(delta, new)?,
                (was, is) if was == is => {}
                // No viewer draws a field with an XObject of the form's resources; some writers number theirs anew.
                (Some(_), Some(new)) if category == b"XObject" => explain_all(delta, new)?,
                _ => delta.forbid(ChangeKind::Other, "form_changed", &subject),
            }
        }
    }
    Ok(())
}

fn explain_all(delta: &mut Delta<'_, '_>, value: &Object) -> Result<(), PdfError> {
    let mut added = Vec::new();
    references::of(value, &mut |reference| added.push(reference.number));
    added.into_iter().try_for_each(|number| delta.explain_new(number))
}

/// What a field shows.
pub(super) struct Shown {
    /// One of these, each also without white space.
    texts: Vec<(String, String)>,
    /// A list box, which draws all its options.
    among_others: bool,
}

impl Shown {
    /// One of these texts; `among_others`: in a list box, which draws all its options.
    pub(super) fn new(mut texts: Vec<String>, among_others: bool) -> Self {
        texts.sort_unstable();
        texts.dedup();
        let texts = texts.into_iter().map(|text| (tight(&text), text)).map(|(tight, text)| (text, tight));
        Self { texts: texts.collect(), among_others }
    }
}

/// Whether the widget's normal appearance draws one of the texts, white space aside, and nothing else but a frame:
/// without a text, not even that where there was none.
pub(super) fn shows(
    delta: &Delta<'_, '_>,
    before: Option<&Field>,
    widget: &Field,
    shown: &Shown,
) -> Result<bool, PdfError> {
    let before = before.map_or(Ok(None), |before| what_is_drawn(&delta.old, before))?.unwrap_or_default();
    let Drawn { text: drawn, marks } = what_is_drawn(&delta.new, widget)?.unwrap_or_default();
    let empty = shown.texts.iter().all(|(text, _)| text.is_empty());
    if !marks.is_frame(&before.marks) || (empty && before.marks.is_blank() && !marks.is_blank()) {
        return Ok(false);
    }
    let tight_drawn = tight(&drawn);
    delta.new.file().judged(shown.texts.len() * (1 + tight_drawn.len() / 16))?;
    Ok(shown.texts.iter().any(|(text, tight)| {
        let alone = tight_drawn == *tight || is_same_date(text, &drawn);
        alone || (shown.among_others && tight_drawn.contains(tight))
    }))
}

/// Whether a widget draws anything at all.
pub(super) fn is_blank(view: &View<'_, '_>, widget: &Field) -> Result<bool, PdfError> {
    let drawn = what_is_drawn(view, widget)?.unwrap_or_default();
    Ok(drawn.marks.is_blank() && drawn.text.trim().is_empty())
}

/// Whether a widget draws the text that it drew before; one that drew nothing at all may start.
pub(super) fn same_text(
    delta: &Delta<'_, '_>,
    before: Option<&Field>,
    after: &Field,
) -> Result<bool, PdfError> {
    let Some(before) = before else { return Ok(true) };
    let text = |drawn: Option<Drawn>| drawn.map(|drawn| tight(&drawn.text));
    let before = text(what_is_drawn(&delta.old, before)?).filter(|text| !text.is_empty());
    Ok(before.is_none() || before == text(what_is_drawn(&delta.new, after)?))
}

/// Whether both are the same date and nothing but a date: "ngày 14 tháng 12 năm 2021", 2021-12-14, or "14 12 2021"
/// (or without the year) drawn between the words that the page has.
fn is_same_date(value: &str, drawn: &str) -> bool {
    match (date_numbers(value).as_deref(), date_numbers(drawn).as_deref()) {
        (Some([day, month, year]), Some(drawn)) => drawn == [*day, *month, *year] || drawn == [*day, *month],
        _ => false,
    }
}

/// Day, month and year, as far as they are there; `None` if anything else is.
fn date_numbers(text: &str) -> Option<Vec<u16>> {
    let mut numbers = Vec::new();
    for word in
        text.split(|c: char| c.is_whitespace() || matches!(c, '-' | '/' | ',')).filter(|w| !w.is_empty())
    {
        match word {
            "ngày" | "tháng" | "năm" => {}
            number => numbers.push(number.parse().ok()?),
        }
    }
    // ISO 8601 puts the year first.
    if numbers.len() == 3 && numbers.first().is_some_and(|year| *year > 31) {
        numbers.reverse();
    }
    (2..=3).contains(&numbers.len()).then_some(numbers)
}

fn tight(text: &str) -> String {
    readable(text).replace(' ', "")
}

/// What the normal appearance draws; `None` if there is no appearance.
fn what_is_drawn(view: &View<'_, '_>, widget: &Field) -> Result<Option<Drawn>, PdfError> {
    let Some(appearance) = widget.dict.get("AP") else { return Ok(None) };
    let appearance = view.resolve(appearance)?;
    let normal = match appearance.as_dict() {
        Some(dict) => view.value(dict, "N")?,
        None => Object::Null,
    };
    match &normal {
        Object::Stream(stream) => Ok(Some(drawn::drawn(view, stream, &Frame::of(view, widget)?)?)),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::is_same_date;

    #[test]
    fn a_date_is_drawn_in_parts() {
        for drawn in [" 14 12 2021 ", "14 12", "ngày 14 tháng 12 năm 2021"] {
            assert!(is_same_date("ngày 14 tháng 12 năm 2021", drawn), "{drawn}");
            assert!(is_same_date("2021-12-14", drawn), "{drawn}");
        }
        assert!(is_same_date("2021-03-04", "04 3 2021"));
        for drawn in ["15 12 2021", "14", "12 14", "không 14 12 2021", "14 12 2022", ""] {
            assert!(!is_same_date("ngày 14 tháng 12 năm 2021", drawn), "{drawn}");
        }
        assert!(!is_same_date("không ngày 14 tháng 12 năm 2021", "14 12 2021"));
    }
}
