//! The structure tree of a tagged document (ISO 32000-2, 14.7): a new signature field may get its `Form` element there,
//! and nothing else may change, since readers aloud read it.
//!
//! ```text
//! /StructTreeRoot ── /K ── … element ── /K [ …, new ]        new: << /S /Form /K << /Type /OBJR /Obj widget >> >>
//!                └── /ParentTree: what it says already, and the new element under a new number
//! ```

use std::collections::{BTreeMap, HashSet};

use super::{
    fields::kept_in_order,
    step::{Delta, object},
};
use crate::pdf::{Dict, Object, PdfError, View};

/// Deepest number tree that is followed.
const DEPTH: usize = 16;
/// Most numbers of one.
const COUNT: usize = 100_000;
/// What a new element may say: no text that would be read instead of what is shown.
const ELEMENT: [&[u8]; 5] = [b"Type", b"S", b"P", b"K", b"Pg"];
/// What a node of a number tree says: whatever else it said, it would be for somebody else.
const NODE: [&[u8]; 4] = [b"Type", b"Nums", b"Kids", b"Limits"];
/// What a reference to an object may say.
const REFERENCE: [&[u8]; 3] = [b"Type", b"Obj", b"Pg"];

/// Explains what new signature fields made of the structure tree; whatever else it finds is left to be judged as any
/// other change.
pub(super) fn compare(delta: &mut Delta<'_, '_>) -> Result<(), PdfError> {
    let (old, new) = (delta.old.root()?, delta.new.root()?);
    let tree = old.get("StructTreeRoot").and_then(Object::as_ref).filter(|_| !delta.widgets.is_empty());
    let Some(tree) = tree.filter(|_| old.get("StructTreeRoot") == new.get("StructTreeRoot")) else {
        return Ok(());
    };
    let (mut grown, mut elements) = (Vec::new(), HashSet::new());
    for number in delta.unexplained() {
        if !delta.is_replaced(number) {
            continue;
        }
        let (Object::Dict(old), Object::Dict(new)) =
            (object(&delta.old, number)?, object(&delta.new, number)?)
        else {
            continue;
        };
        let root = number == tree.number;
        if (root || old.contains("S"))
            && only_grown(&old, &new, root)
            && let Some(added) = new_elements(delta, number, &old, &new)?
        {
            elements.extend(added);
            grown.push(number);
        }
    }
    if elements.is_empty() {
        return Ok(());
    }
    let trees = |view: &View<'_, '_>| -> Result<(Dict, BTreeMap<i64, Object>), PdfError> {
        let tree = view.resolve(&Object::Ref(tree))?.as_dict().cloned().unwrap_or_default();
        let mut numbers = BTreeMap::new();
        if let Some(parents) = tree.get("ParentTree") {
            flatten(view, parents, 0, &mut numbers)?;
        }
        Ok((tree, numbers))
    };
    let ((old_tree, before), (new_tree, after)) = match (trees(&delta.old), trees(&delta.new)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(PdfError::Wrong(_)), _) | (_, Err(PdfError::Wrong(_))) => return Ok(()),
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    let kept = before.iter().all(|(key, was)| {
        after.get(key).is_some_and(|is| {
            delta.old.resolve(was).is_ok_and(|was| delta.new.resolve(is).is_ok_and(|is| was == is))
        })
    });
    let named = |is: &Object| is.as_ref().is_some_and(|element| elements.contains(&element.number));
    if !kept || !after.iter().filter(|(key, _)| !before.contains_key(key)).all(|(_, is)| named(is)) {
        return Ok(());
    }
    for number in grown {
        delta.explain(number);
    }
    elements.into_iter().try_for_each(|number| delta.explain_new(number))?;
    if let Some(parents) = new_tree.get("ParentTree") {
        explain_tree(delta, tree.number, old_tree.get("ParentTree"), parents, 0)?;
    }
    Ok(())
}

/// Whether two versions of an element (or of the root) differ in their kids alone, the root also in its parent tree.
fn only_grown(old: &Dict, new: &Dict, root: bool) -> bool {
    Delta::keys(old, new).iter().all(|key| match key.as_slice() {
        b"K" => true,
        b"ParentTree" | b"ParentTreeNextKey" if root => true,
        key => old.get(key) == new.get(key),
    })
}

/// The kids that `parent` got, if each is the element of a new widget; `None` if one is anything else, or if one that was
/// there is gone.
fn new_elements(
    delta: &Delta<'_, '_>,
    parent: u32,
    old: &Dict,
    new: &Dict,
) -> Result<Option<Vec<u32>>, PdfError> {
    let kids = |view: &View<'_, '_>, dict: &Dict| -> Result<Vec<Object>, PdfError> {
        Ok(match dict.get("K") {
            None => Vec::new(),
            Some(kids) => match view.resolve(kids)? {
                Object::Array(items) => items,
                _ => vec![kids.clone()],
            },
        })
    };
    let (before, after) = (kids(&delta.old, old)?, kids(&delta.new, new)?);
    if !kept_in_order(&before, &after) {
        return Ok(None);
    }
    let mut added = Vec::new();
    for kid in after.iter().filter(|kid| !before.contains(kid)) {
        let Some(id) = kid.as_ref().filter(|id| delta.is_added(id.number)) else { return Ok(None) };
        let Object::Dict(element) = object(&delta.new, id.number)? else { return Ok(None) };
        let plain = element.iter().all(|(key, _)| ELEMENT.contains(&key))
            && element.get("S").is_some_and(|kind| kind.is_name(b"Form"))
            && element.get("P").and_then(Object::as_ref).is_some_and(|above| above.number == parent);
        if !plain || !is_widget(delta, &element)? {
            return Ok(None);
        }
        added.push(id.number);
    }
    Ok(Some(added))
}

/// Whether an element consists of one new widget.
fn is_widget(delta: &Delta<'_, '_>, element: &Dict) -> Result<bool, PdfError> {
    let kid = match delta.new.value(element, "K")? {
        Object::Array(items) => match items.as_slice() {
            [one] => delta.new.resolve(one)?,
            _ => return Ok(false),
        },
        one => one,
    };
    let Object::Dict(kid) = kid else { return Ok(false) };
    let widget = kid.get("Obj").and_then(Object::as_ref);
    Ok(kid.is_type(b"OBJR")
        && kid.iter().all(|(key, _)| REFERENCE.contains(&key))
        && widget.is_some_and(|widget| delta.widgets.contains(&widget.number)))
}

/// All numbers of a number tree with their values as they stand there (7.9.7); [`PdfError::Wrong`] if a node says more.
fn flatten(
    view: &View<'_, '_>,
    node: &Object,
    depth: usize,
    found: &mut BTreeMap<i64, Object>,
) -> Result<(), PdfError> {
    if depth > DEPTH || found.len() > COUNT {
        return Err(PdfError::Limit("the parent tree"));
    }
    let Object::Dict(node) = view.resolve(node)? else { return Ok(()) };
    if !node.iter().all(|(key, _)| NODE.contains(&key)) {
        return Err(PdfError::Wrong("the parent tree"));
    }
    for pair in view.array(&node, "Nums")?.chunks(2) {
        if let [key, value] = pair
            && let Some(key) = view.resolve(key)?.as_int()
        {
            found.insert(key, value.clone());
        }
    }
    view.array(&node, "Kids")?.iter().try_for_each(|kid| flatten(view, kid, depth + 1, found))
}

/// Explains the nodes of a parent tree whose numbers were compared, and the lists in it that were written anew.
fn explain_tree(
    delta: &mut Delta<'_, '_>,
    owner: u32,
    was: Option<&Object>,
    is: &Object,
    depth: usize,
) -> Result<(), PdfError> {
    if depth > DEPTH {
        return Err(PdfError::Limit("the parent tree"));
    }
    let (_, node) = delta.follow_from(owner, was, is)?;
    let owner = is.as_ref().map_or(owner, |node| node.number);
    let Object::Dict(node) = node else { return Ok(()) };
    for value in delta.new.array(&node, "Nums")? {
        if let Some(list) = value.as_ref()
            && delta.is_added(list.number)
            && matches!(object(&delta.new, list.number)?, Object::Array(_))
        {
            delta.explain(list.number);
        }
    }
    for kid in delta.new.array(&node, "Kids")? {
        explain_tree(delta, owner, Some(&kid), &kid, depth + 1)?;
    }
    Ok(())
}
