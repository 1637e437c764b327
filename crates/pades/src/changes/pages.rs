//! Pages and their annotations: a page may only get widgets of new signature fields.

use std::collections::{HashMap, HashSet};

use super::{
    ChangeKind,
    fields::added_to,
    step::{Delta, object},
};
use crate::pdf::{Dict, Object, PdfError};

/// Notes everything that happened to pages and to the arrays of their annotations.
pub(super) fn compare(delta: &mut Delta<'_, '_>) -> Result<(), PdfError> {
    let mut arrays = HashSet::new();
    for number in delta.unexplained() {
        if !delta.is_replaced(number) {
            continue;
        }
        match (object(&delta.old, number)?, object(&delta.new, number)?) {
            (Object::Dict(old), Object::Dict(new)) if old.is_type(b"Page") => {
                page(delta, number, &old, &new)?;
            }
            // A mark that iText leaves in the page tree.
            (Object::Dict(old), Object::Dict(new)) if old.is_type(b"Pages") && only_marked(&old, &new) => {
                delta.explain(number);
            }
            (Object::Array(_), Object::Array(_)) => {
                arrays.insert(number);
            }
            _ => {}
        }
    }
    arrays.retain(|number| !delta.is_explained(*number));
    if arrays.is_empty() {
        return Ok(());
    }
    // An indirect array of annotations was replaced while its page stayed: find the page.
    let mut owners = HashMap::new();
    for id in delta.old.pages()? {
        let Object::Dict(page) = delta.old.get(id)? else { continue };
        if let Some(array) =
            page.get("Annots").and_then(Object::as_ref).filter(|array| arrays.contains(&array.number))
        {
            owners.insert(array.number, (id.number, page));
        }
    }
    for (owner, page) in owners.into_values() {
        annotations(delta, owner, page.get("Annots"), page.get("Annots"))?;
    }
    Ok(())
}

fn only_marked(old: &Dict, new: &Dict) -> bool {
    let mut new = new.clone();
    new.remove("ITXT").is_some() && new == *old
}

fn page(delta: &mut Delta<'_, '_>, number: u32, old: &Dict, new: &Dict) -> Result<(), PdfError> {
    delta.explain(number);
    for (key, was, is) in Delta::pairs(old, new) {
        match key {
            b"Annots" => annotations(delta, number, was, is)?,
            _ if was == is => {}
            // The order in which the Tab key walks: Acrobat sets it with the first field.
            b"Tabs" if was.is_none() => {}
            _ => {
                let subject = format!("{number} 0 R/{}", String::from_utf8_lossy(key));
                delta.forbid(ChangeKind::Other, "page_changed", &subject);
            }
        }
    }
    Ok(())
}

fn annotations(
    delta: &mut Delta<'_, '_>,
    owner: u32,
    was: Option<&Object>,
    is: Option<&Object>,
) -> Result<(), PdfError> {
    let subject = format!("{owner} 0 R/Annots");
    let Some(is) = is else {
        if was.is_some() {
            delta.forbid(ChangeKind::Annotation, "annotation_changed", &subject);
        }
        return Ok(());
    };
    let (before, after) = delta.follow(was, is)?;
    if let Some(array) = is.as_ref().filter(|array| delta.is_replaced(array.number) && was == Some(is)) {
        delta.explain_loose(array.number, owner);
    }
    let (before, after) = (before.as_array().unwrap_or_default(), after.as_array().unwrap_or_default());
    // Some programs name a widget once more that was there already.
    let known: HashSet<u32> = before.iter().filter_map(Object::as_ref).map(|id| id.number).collect();
    let expected = |item: &&Object| {
        item.as_ref().is_some_and(|id| delta.widgets.contains(&id.number) || known.contains(&id.number))
    };
    if !added_to(before, after).is_some_and(|added| added.iter().all(expected)) {
        delta.forbid(ChangeKind::Annotation, "annotation_changed", &subject);
    }
    Ok(())
}
