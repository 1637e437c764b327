//! The interactive form (ISO 32000-2, 12.7): which fields there are, and what a revision did to them.
//!
//! A field is told by its object number: a revision that fills a field writes the same object again. What may change
//! is the value, what is drawn, and flags that make the field less changeable; a new field may only be an empty or
//! signed signature field at the root of the form.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    ChangeKind, Fact,
    appearance::{self, Shown},
    step::Delta,
    strings::text_string,
};
use crate::pdf::{Dict, ObjRef, Object, PdfError, View};

/// Deepest nesting of fields that is followed.
const DEPTH: usize = 32;
/// Most fields and widgets of one form.
const COUNT: usize = 100_000;
/// Most bytes of memory that they may take.
const ROOM: usize = 96 << 20;
/// `/Ff` bit 1: the field cannot be edited.
const READ_ONLY: i64 = 1;
/// `/Ff` bit 18: a choice field that shows the chosen option alone.
const COMBO: i64 = 1 << 17;
/// `/F` bits that may be added: Print, `ReadOnly`, Locked, `LockedContents`.
const QUIET_FLAGS: i64 = 4 | 64 | 128 | 512;

/// A field, or a widget of a field that has several.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// Object number.
    pub(crate) object: u32,
    /// Full name: partial names joined by full stops.
    pub(crate) name: String,
    /// `/FT`, inherited.
    pub(crate) kind: Vec<u8>,
    /// Whether it hangs directly below the form.
    pub(crate) root: bool,
    /// Whether it has no name of its own: a widget of its parent.
    pub(crate) widget_only: bool,
    /// The field whose value it shows: itself, or its parent if it is only a widget.
    pub(crate) owner: u32,
    /// Its dictionary.
    pub(crate) dict: Dict,
}

impl Field {
    /// Whether the widget has an area on the page.
    pub(crate) fn visible(&self) -> bool {
        rectangle(&self.dict).is_some_and(|[left, bottom, right, top]| {
            (right - left).abs() > f64::EPSILON && (top - bottom).abs() > f64::EPSILON
        })
    }
}

/// `/Rect` as four numbers.
pub(crate) fn rectangle(dict: &Dict) -> Option<[f64; 4]> {
    let numbers: Vec<f64> = dict.get("Rect")?.as_array()?.iter().filter_map(Object::as_number).collect();
    numbers.try_into().ok()
}

/// All fields and widgets of the form, by object number.
///
/// # Errors
/// [`PdfError::Wrong`] if the form is not a tree of indirect objects, [`PdfError::Limit`] if it is too large, and what
/// reading the objects gives.
pub(crate) fn walk(view: &View<'_, '_>) -> Result<BTreeMap<u32, Field>, PdfError> {
    let mut found = BTreeMap::new();
    let catalog = view.root()?;
    let Some(form) = catalog.get("AcroForm") else { return Ok(found) };
    let form = view.resolve(form)?;
    let Some(fields) = form.as_dict().and_then(|form| form.get("Fields")) else { return Ok(found) };
    let fields = view.resolve(fields)?;
    let mut room = ROOM;
    for item in fields.as_array().unwrap_or_default() {
        below(view, item, None, 0, &mut found, &mut room)?;
    }
    Ok(found)
}

/// Whether [`walk`] can read the form once provisioning has written its list of fields: without what is no field or
/// stands there twice, and every field of the list an object of its own.
///
/// # Errors
/// As [`walk`].
pub(crate) fn check(view: &View<'_, '_>) -> Result<(), PdfError> {
    let form = view.dict(&view.root()?, "AcroForm")?;
    let (mut found, mut listed, mut room) = (BTreeMap::new(), HashSet::new(), ROOM);
    for item in view.array(&form, "Fields")? {
        match &item {
            Object::Ref(id) if listed.insert(id.number) => {
                below(view, &item, None, 0, &mut found, &mut room)?;
            }
            Object::Dict(field) => {
                for kid in view.array(field, "Kids")? {
                    below(view, &kid, None, 1, &mut found, &mut room)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn below(
    view: &View<'_, '_>,
    item: &Object,
    parent: Option<&Field>,
    depth: usize,
    found: &mut BTreeMap<u32, Field>,
    room: &mut usize,
) -> Result<(), PdfError> {
    let ObjRef { number, .. } =
        item.as_ref().ok_or(PdfError::Wrong("a form field, which is no object of its own,"))?;
    if depth > DEPTH || found.len() >= COUNT {
        return Err(PdfError::Limit("form fields"));
    }
    if found.contains_key(&number) {
        return Err(PdfError::Wrong("the form's tree of fields, where one hangs in two places,"));
    }
    let object = view.resolve(item)?;
    let Some(dict) = object.as_dict().cloned() else { return Ok(()) };
    let partial = match dict.get("T") {
        Some(title) => view.resolve(title)?.as_str().map(text_string),
        None => None,
    };
    let name = match (parent, &partial) {
        (Some(parent), Some(partial)) if !parent.name.is_empty() => format!("{}.{partial}", parent.name),
        (_, Some(partial)) => partial.clone(),
        (Some(parent), None) => parent.name.clone(),
        (None, None) => String::new(),
    };
    let kind = match dict.get("FT") {
        Some(kind) => view.resolve(kind)?.as_name().unwrap_or_default().to_vec(),
        None => parent.map(|parent| parent.kind.clone()).unwrap_or_default(),
    };
    let widget_only = partial.is_none() && parent.is_some();
    let owner = parent.filter(|_| widget_only).map_or(number, |parent| parent.owner);
    let kids = match dict.get("Kids") {
        Some(kids) => view.resolve(kids)?,
        None => Object::Null,
    };
    let size = object.size() + 2 * name.len();
    // It is copied, and copied again.
    view.file().judged(size.div_ceil(16))?;
    *room = room.checked_sub(size).ok_or(PdfError::Limit("form fields"))?;
    let field = Field { object: number, name, kind, root: depth == 0, widget_only, owner, dict };
    found.insert(number, field.clone());
    for kid in kids.as_array().unwrap_or_default() {
        below(view, kid, Some(&field), depth + 1, found, room)?;
    }
    Ok(())
}

/// Notes everything that happened to the form.
pub(super) fn compare(delta: &mut Delta<'_, '_>) -> Result<(), PdfError> {
    let old_form = delta.old.root()?.get("AcroForm").cloned();
    let new_form = delta.new.root()?.get("AcroForm").cloned();
    form(delta, old_form.as_ref(), new_form.as_ref())?;
    let old = match walk(&delta.old) {
        Ok(fields) => fields,
        // A form that was broken when it was signed may stay as it is, untouched.
        Err(PdfError::Wrong(_)) => return Ok(()),
        Err(error) => return Err(error),
    };
    let new = match walk(&delta.new) {
        Ok(fields) => fields,
        Err(PdfError::Wrong(_)) => {
            delta.forbid(ChangeKind::Other, "form_changed", "Fields");
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    for field in old.values().filter(|field| !new.contains_key(&field.object)) {
        delta.forbid(ChangeKind::Other, "field_removed", &field.name);
    }
    let names: HashSet<&str> = old.values().map(|field| field.name.as_str()).collect();
    let mut filled = Vec::new();
    for field in new.values() {
        match old.get(&field.object) {
            Some(before) => existing(delta, before, field, &mut filled)?,
            None => added(delta, &old, &new, &names, field)?,
        }
    }
    values(delta, &old, &new, &filled)
}

/// The form's own dictionary.
fn form(delta: &mut Delta<'_, '_>, old: Option<&Object>, new: Option<&Object>) -> Result<(), PdfError> {
    let Some(new) = new else {
        if old.is_some() {
            delta.forbid(ChangeKind::Other, "form_changed", "AcroForm");
        }
        return Ok(());
    };
    let root = delta.new.root_ref()?.number;
    let owner = new.as_ref().map_or(root, |form| form.number);
    let (before, after) = delta.follow_from(root, old, new)?;
    let empty = Dict::new();
    let before = before.as_dict().unwrap_or(&empty);
    let Some(after) = after.as_dict() else {
        delta.forbid(ChangeKind::Other, "form_changed", "AcroForm");
        return Ok(());
    };
    for (key, was, is) in Delta::pairs(before, after) {
        match key {
            b"Fields" => {
                let Some(is) = is else {
                    delta.forbid(ChangeKind::Other, "form_changed", "Fields");
                    continue;
                };
                let (was, is) = delta.follow_from(owner, was, is)?;
                let (was, is) = (was.as_array().unwrap_or_default(), is.as_array().unwrap_or_default());
                if added_to(was, is).is_none() {
                    delta.forbid(ChangeKind::Other, "form_changed", "Fields");
                }
            }
            b"DR" => {
                if let Some(is) = is {
                    appearance::default_resources(delta, was, is)?;
                } else if was.is_some() {
                    delta.forbid(ChangeKind::Other, "form_changed", "DR");
                }
            }
            _ if was == is => {}
            // How what is typed later looks may be said where nothing said it.
            b"DA" | b"Q" if was.is_none() => {}
            b"SigFlags" if flags(was) & !flags(is) == 0 => {}
            b"NeedAppearances" => {
                if is.is_some_and(|is| is.as_bool() != Some(false)) {
                    delta.forbid(ChangeKind::Other, "need_appearances", "");
                }
            }
            _ => delta.forbid(ChangeKind::Other, "form_changed", &String::from_utf8_lossy(key)),
        }
    }
    Ok(())
}

fn flags(object: Option<&Object>) -> i64 {
    object.and_then(Object::as_int).unwrap_or(0)
}

/// What `new` has besides everything of `old` in the same order; `None` if something of that is gone. One pass: lists
/// have as many items as somebody likes.
pub(super) fn added_to<'n>(old: &[Object], new: &'n [Object]) -> Option<Vec<&'n Object>> {
    let mut kept = old.iter().peekable();
    let added = new.iter().filter(|item| kept.next_if(|old| old == item).is_none()).collect();
    kept.next().is_none().then_some(added)
}

/// What of a field changed in one widget, for the check of values against what is drawn.
struct Filled {
    owner: u32,
    value: bool,
    drawn: bool,
    object: u32,
}

fn existing(
    delta: &mut Delta<'_, '_>,
    before: &Field,
    field: &Field,
    filled: &mut Vec<Filled>,
) -> Result<(), PdfError> {
    let signature = field.kind == b"Sig";
    if before.name != field.name || before.kind != field.kind || before.owner != field.owner {
        delta.forbid(ChangeKind::Other, "field_changed", &before.name);
        return Ok(());
    }
    let mut change = Filled { owner: field.owner, value: false, drawn: false, object: field.object };
    if delta.is_touched(field.object) {
        delta.explain(field.object);
        let mut keys_ok = true;
        for (key, was, is) in Delta::pairs(&before.dict, &field.dict) {
            if was == is || may_change(key, was, is, field) {
                change.value |= was != is && key == b"V";
                continue;
            }
            let code = if key == b"Rect" { "field_moved" } else { "field_changed" };
            delta.forbid(
                ChangeKind::Other,
                code,
                &format!("{}/{}", field.name, String::from_utf8_lossy(key)),
            );
            keys_ok = false;
        }
        if !keys_ok {
            return Ok(());
        }
    }
    if signature && change.value {
        return signed(delta, before, field);
    }
    change.drawn = appearance::compare(delta, field.object, before.dict.get("AP"), field.dict.get("AP"))?;
    change.drawn |= before.dict.get("AS") != field.dict.get("AS");
    if signature && change.drawn {
        delta.forbid(ChangeKind::Signature, "field_changed", &format!("{}/AP", field.name));
    } else if change.value || change.drawn {
        filled.push(change);
    }
    Ok(())
}

fn may_change(key: &[u8], was: Option<&Object>, is: Option<&Object>, field: &Field) -> bool {
    let number = |object: Option<&Object>| object.and_then(Object::as_int).unwrap_or(0);
    match key {
        b"V" | b"AP" | b"AS" | b"DA" | b"Q" | b"I" | b"M" => true,
        b"Type" => was.is_none() && is.is_some_and(|is| is.is_name(b"Annot")),
        b"Ff" => {
            number(is) & !READ_ONLY == number(was) & !READ_ONLY
                && number(is) & READ_ONLY >= number(was) & READ_ONLY
        }
        b"F" => number(was) & !number(is) == 0 && number(is) & !number(was) & !QUIET_FLAGS == 0,
        b"P" => was.is_none() && is.and_then(Object::as_ref).is_some(),
        b"RV" => field.kind == b"Tx" && is.is_none(),
        _ => false,
    }
}

/// A signature field's value was set, replaced or taken away.
fn signed(delta: &mut Delta<'_, '_>, before: &Field, field: &Field) -> Result<(), PdfError> {
    let had = before
        .dict
        .get("V")
        .is_some_and(|value| !delta.old.resolve(value).is_ok_and(|value| value.is_null()));
    match (had, field.dict.get("V")) {
        (true, Some(_)) => delta.forbid(ChangeKind::Signature, "signature_replaced", &field.name),
        (true, None) => delta.forbid(ChangeKind::Signature, "signature_removed", &field.name),
        (false, Some(value)) => signature_value(delta, field, value, false)?,
        (false, None) => {}
    }
    appearance::compare(delta, field.object, before.dict.get("AP"), field.dict.get("AP"))?;
    Ok(())
}

fn signature_value(
    delta: &mut Delta<'_, '_>,
    field: &Field,
    value: &Object,
    new_field: bool,
) -> Result<(), PdfError> {
    let Some(reference) = value.as_ref().filter(|reference| delta.is_added(reference.number)) else {
        delta.forbid(ChangeKind::Signature, "signature_replaced", &field.name);
        return Ok(());
    };
    let object = delta.new.resolve(value)?;
    let stamp = object.as_dict().is_some_and(|dict| {
        dict.is_type(b"DocTimeStamp")
            || dict.get("SubFilter").is_some_and(|filter| filter.is_name(b"ETSI.RFC3161"))
    });
    delta.explain_new(reference.number)?;
    let (name, visible) = (field.name.clone(), field.visible());
    delta.note(if stamp {
        Fact::Stamped { field: name, visible }
    } else {
        Fact::Signed { field: name, new_field, visible, object: field.object }
    });
    Ok(())
}

/// A field that the older revision did not have.
fn added(
    delta: &mut Delta<'_, '_>,
    old: &BTreeMap<u32, Field>,
    new: &BTreeMap<u32, Field>,
    names: &HashSet<&str>,
    field: &Field,
) -> Result<(), PdfError> {
    let parent_is_new = new.get(&field.owner).is_some_and(|owner| !old.contains_key(&owner.object));
    let name_taken = !field.widget_only && names.contains(field.name.as_str());
    let place = field.root || (field.widget_only && parent_is_new);
    if field.kind != b"Sig" || !place || name_taken || !delta.is_added(field.object) {
        delta.forbid(ChangeKind::FormFill, "field_added", &field.name);
        if delta.is_added(field.object) {
            delta.explain_new(field.object)?;
        }
        return Ok(());
    }
    delta.explain_new(field.object)?;
    appearance::compare(delta, field.object, None, field.dict.get("AP"))?;
    delta.widgets.insert(field.object);
    if field.dict.contains("AA") || field.dict.contains("A") {
        delta.forbid(ChangeKind::Other, "field_changed", &format!("{}/AA", field.name));
    }
    if field.widget_only {
        return Ok(());
    }
    if field.visible() && super::place::covers_something(delta, old, field)? {
        delta.forbid(ChangeKind::Signature, "field_overlaps", &field.name);
    }
    match field.dict.get("V") {
        Some(value) => signature_value(delta, field, value, true)?,
        // Nobody answers for what it shows.
        None if !appearance::is_blank(&delta.new, field)? => {
            delta.forbid(ChangeKind::Signature, "field_added", &field.name);
        }
        None => delta.note(Fact::NewSignatureField { field: field.name.clone(), visible: field.visible() }),
    }
    Ok(())
}

/// Values against what is drawn, once all widgets of a field were seen.
fn values(
    delta: &mut Delta<'_, '_>,
    old: &BTreeMap<u32, Field>,
    new: &BTreeMap<u32, Field>,
    filled: &[Filled],
) -> Result<(), PdfError> {
    let mut changes: BTreeMap<u32, Vec<&Filled>> = BTreeMap::new();
    for change in filled {
        changes.entry(change.owner).or_default().push(change);
    }
    let mut widgets_of: HashMap<u32, Vec<&Field>> = HashMap::new();
    for widget in
        new.values().filter(|widget| changes.contains_key(&widget.owner) && widget.dict.contains("Rect"))
    {
        widgets_of.entry(widget.owner).or_default().push(widget);
    }
    for (owner, filled) in changes {
        let Some(field) = new.get(&owner) else { continue };
        let value = match field.dict.get("V") {
            Some(value) => delta.new.resolve(value)?,
            None => Object::Null,
        };
        let before = old.get(&owner).and_then(|field| field.dict.get("V"));
        let value_changed = filled.iter().any(|change| change.value)
            && before.map(|before| delta.old.resolve(before)).transpose()?.unwrap_or(Object::Null) != value;
        let widgets = widgets_of.remove(&owner).unwrap_or_default();
        let drawn: HashSet<u32> = filled.iter().filter(|c| c.drawn).map(|c| c.object).collect();
        match field.kind.as_slice() {
            b"Tx" | b"Ch" => {
                let text = value_text(&value);
                let shown = shown(&delta.new, field, &value)?;
                for widget in widgets {
                    if !drawn.contains(&widget.object) {
                        if value_changed {
                            delta.forbid(ChangeKind::FormFill, "value_without_appearance", &field.name);
                        }
                        continue;
                    }
                    // A value that was there all along behind another picture is a swap, not a fill.
                    let swapped =
                        !value_changed && !appearance::same_text(delta, old.get(&widget.object), widget)?;
                    if swapped || !appearance::shows(delta, old.get(&widget.object), widget, &shown)? {
                        delta.forbid(ChangeKind::FormFill, "appearance_not_value", &field.name);
                    }
                }
                delta.note(Fact::Filled { field: field.name.clone(), value: text, object: owner });
            }
            _ => {
                let text = value_text(&value);
                for widget in widgets.iter().filter(|widget| drawn.contains(&widget.object)) {
                    let state = widget.dict.get("AS").and_then(Object::as_name).unwrap_or_default();
                    if widgets.len() == 1 && !state.is_empty() && state != b"Off" && state != text.as_bytes()
                    {
                        delta.forbid(ChangeKind::FormFill, "appearance_not_value", &field.name);
                    }
                }
                if value_changed && drawn.is_empty() && !widgets.is_empty() {
                    delta.forbid(ChangeKind::FormFill, "value_without_appearance", &field.name);
                }
                delta.note(Fact::Filled { field: field.name.clone(), value: text, object: owner });
            }
        }
    }
    Ok(())
}

/// What a field of this value shows: the value itself, or of a choice field what its options call it (12.7.5.4).
fn shown(view: &View<'_, '_>, field: &Field, value: &Object) -> Result<Shown, PdfError> {
    let mut texts = vec![value_text(value)];
    if field.kind == b"Ch" {
        for option in view.array(&field.dict, "Opt")? {
            let option = view.resolve(&option)?;
            if let Some([export, called]) = option.as_array()
                && view.resolve(export)? == *value
            {
                texts.push(value_text(&view.resolve(called)?));
            }
        }
    }
    let among_others = field.kind == b"Ch" && flags(field.dict.get("Ff")) & COMBO == 0;
    Ok(Shown::new(texts, among_others))
}

fn value_text(value: &Object) -> String {
    match value {
        Object::Str(bytes) => text_string(bytes),
        Object::Name(name) => String::from_utf8_lossy(name).into_owned(),
        Object::Array(items) => items.iter().map(value_text).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}
