//! The document security store (ETSI EN 319 142-1, 5.4): streams of certificates, CRLs and OCSP responses.
//!
//! It may grow, and it may be replaced: taking material out loses proofs but changes nothing that was signed. What it
//! may not do is hold anything else.

use std::collections::HashSet;

use super::{ChangeKind, Fact, step::Delta};
use crate::pdf::{Dict, ObjRef, Object, PdfError};

/// Notes what happened to `/DSS`.
pub(super) fn compare(
    delta: &mut Delta<'_, '_>,
    root: u32,
    was: Option<&Object>,
    is: Option<&Object>,
) -> Result<(), PdfError> {
    let Some(is) = is else {
        if was.is_some() {
            let since = first_with(delta, &[]);
            delta.note(Fact::SecurityStoreLost { since });
        }
        return Ok(());
    };
    let (before, after) = delta.follow_from(root, was, is)?;
    let empty = Dict::new();
    let before = before.as_dict().unwrap_or(&empty);
    let Some(after) = after.as_dict() else {
        delta.forbid(ChangeKind::LtaUpdate, "security_store_changed", "DSS");
        return Ok(());
    };
    let mut differs = was != Some(is) || before != after;
    no_nulls(delta, before, after);
    for (key, was, is) in Delta::pairs(before, after) {
        match key {
            b"Certs" | b"CRLs" | b"OCSPs" => differs |= streams(delta, was, is)?,
            b"VRI" => differs |= related(delta, was, is)?,
            b"Type" if is.is_none_or(|is| is.is_name(b"DSS")) => {}
            _ if was == is => {}
            _ => {
                delta.forbid(ChangeKind::LtaUpdate, "security_store_changed", &String::from_utf8_lossy(key));
            }
        }
    }
    if differs {
        delta.note(Fact::SecurityStore);
    }
    Ok(())
}

/// A `null` is as good as nothing, and nobody who adds to the store writes one.
fn no_nulls(delta: &mut Delta<'_, '_>, before: &Dict, after: &Dict) {
    let nulls = |dict: &Dict| -> HashSet<Vec<u8>> {
        dict.iter().filter(|(_, value)| value.is_null()).map(|(key, _)| key.to_vec()).collect()
    };
    if !nulls(after).is_subset(&nulls(before)) {
        delta.forbid(ChangeKind::LtaUpdate, "security_store_changed", "DSS");
    }
}

/// An array of references to streams; answers whether it differs.
fn streams(delta: &mut Delta<'_, '_>, was: Option<&Object>, is: Option<&Object>) -> Result<bool, PdfError> {
    let Some(is) = is else { return Ok(was.is_some()) };
    let (before, after) = delta.follow(was, is)?;
    let before = before.as_array().unwrap_or_default();
    let Some(after) = after.as_array() else {
        delta.forbid(ChangeKind::LtaUpdate, "security_store_changed", "DSS");
        return Ok(false);
    };
    let known: HashSet<ObjRef> = before.iter().filter_map(Object::as_ref).collect();
    let is_known = |item: &Object| match item.as_ref() {
        Some(reference) => known.contains(&reference),
        None => false,
    };
    // Where nothing differs, even what does not belong there may stay.
    for item in after.iter().filter(|item| before != after && !is_known(item)) {
        match (item.as_ref(), delta.new.resolve(item)?) {
            (Some(reference), Object::Stream(_)) => delta.explain_new(reference.number)?,
            _ => delta.forbid(ChangeKind::LtaUpdate, "security_store_changed", "DSS"),
        }
    }
    Ok(before != after)
}

/// `/VRI`: material by signature; answers whether it differs.
fn related(delta: &mut Delta<'_, '_>, was: Option<&Object>, is: Option<&Object>) -> Result<bool, PdfError> {
    let Some(is) = is else {
        if was.is_some() {
            let since = first_with(delta, &[b"VRI"]);
            delta.note(Fact::SecurityStoreLost { since });
        }
        return Ok(false);
    };
    let (before, after) = delta.follow(was, is)?;
    let empty = Dict::new();
    let (before, after) = (before.as_dict().unwrap_or(&empty), after.as_dict().unwrap_or(&empty));
    let mut differs = false;
    no_nulls(delta, before, after);
    for (key, was, is) in Delta::pairs(before, after) {
        if key == b"Type" {
            continue;
        }
        let Some(is) = is else {
            let since = first_with(delta, &[b"VRI", key]);
            delta.note(Fact::SecurityStoreLost { since });
            continue;
        };
        let (was, entry) = delta.follow(was, is)?;
        let (was, entry) =
            (was.as_dict().unwrap_or(&empty).clone(), entry.as_dict().unwrap_or(&empty).clone());
        differs |= was != entry;
        no_nulls(delta, &was, &entry);
        for (key, was, is) in Delta::pairs(&was, &entry) {
            match key {
                b"Cert" | b"CRL" | b"OCSP" => differs |= streams(delta, was, is)?,
                b"Type" | b"TU" => differs |= was != is,
                b"TS" => {
                    if let Some(reference) = is.and_then(Object::as_ref) {
                        delta.explain_new(reference.number)?;
                    }
                }
                _ if was == is => {}
                _ => delta.forbid(ChangeKind::LtaUpdate, "security_store_changed", "VRI"),
            }
        }
    }
    Ok(differs)
}

/// The first revision whose security store has this path of keys.
fn first_with(delta: &Delta<'_, '_>, path: &[&[u8]]) -> usize {
    let file = delta.old.file();
    let has = |revision: &usize| {
        let view = file.at(*revision);
        let Ok(mut dict) = view.root().and_then(|root| view.dict(&root, "DSS")) else { return false };
        for key in path {
            match view.dict(&dict, &String::from_utf8_lossy(key)) {
                Ok(below) => dict = below,
                Err(_) => return false,
            }
        }
        !dict.is_empty()
    };
    (0..=delta.old.revision()).find(has).unwrap_or_default()
}
