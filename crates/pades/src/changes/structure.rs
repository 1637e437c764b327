//! The structure tree of a tagged document (ISO 32000-2, 14.7): a new signature field may get its `Form` element there,
//! and nothing else may change, since readers aloud read it.
//!
//! ```text
//! /StructTreeRoot ── /K ── … element ── /K [ …, new ]        new: << /S /Form /K << /Type /OBJR /Obj widget >> >>
//!                └── /ParentTree: what it says already, and the new element under a new number
//! ```

use std::collections::{BTreeMap, HashSet};

use super::{
    fields::added_to,
    step::{Delta, object},
};
use crate::pdf::{Dict, ObjRef, Object, PdfError, View};

/// Most nodes of a parent tree, and most numbers.
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
    let (Some(before), Some(after)) =
        (ParentTree::read(&delta.old, tree)?, ParentTree::read(&delta.new, tree)?)
    else {
        return Ok(());
    };
    if !after.only_adds(&before, &elements, delta) {
        return Ok(());
    }
    for number in grown {
        delta.explain(number);
    }
    elements.into_iter().try_for_each(|number| delta.explain_new(number))?;
    after.explain(&before, delta)
}

/// Whether two versions of an element (or of the root) differ in their kids alone, the root also in its parent tree.
fn only_grown(old: &Dict, new: &Dict, root: bool) -> bool {
    Delta::pairs(old, new).into_iter().all(|(key, was, is)| match key {
        b"K" => true,
        b"ParentTree" | b"ParentTreeNextKey" if root => true,
        _ => was == is,
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
    let (before, after) = (delta.old.items(old, "K")?, delta.new.items(new, "K")?);
    let Some(kids) = added_to(&before, &after) else { return Ok(None) };
    let mut added = Vec::new();
    for kid in kids {
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
    let kids = delta.new.items(element, "K")?;
    let [kid] = kids.as_slice() else { return Ok(false) };
    let kid = delta.new.resolve(kid)?;
    let Object::Dict(kid) = kid else { return Ok(false) };
    let widget = kid.get("Obj").and_then(Object::as_ref);
    Ok(kid.is_type(b"OBJR")
        && kid.iter().all(|(key, _)| REFERENCE.contains(&key))
        && widget.is_some_and(|widget| delta.widgets.contains(&widget.number)))
}

/// The number tree that leads from marked content and widgets to their elements (14.7.5.4).
#[derive(Default)]
struct ParentTree {
    /// The values as they stand there.
    numbers: BTreeMap<i64, Object>,
    /// The nodes, the uppermost first, each with the object that refers to it.
    nodes: Vec<(u32, Object)>,
}

impl ParentTree {
    /// The one of the structure tree `root`; `None` if a node or a number stands twice, or if a node says more.
    fn read(view: &View<'_, '_>, root: ObjRef) -> Result<Option<Self>, PdfError> {
        let mut found = Self::default();
        let mut seen = HashSet::new();
        let parents = view.get(root)?.as_dict().and_then(|root| root.get("ParentTree").cloned());
        let mut waiting: Vec<(u32, Object)> = parents.into_iter().map(|top| (root.number, top)).collect();
        while let Some((owner, at)) = waiting.pop() {
            if found.nodes.len().max(found.numbers.len()) > COUNT {
                return Err(PdfError::Limit("the parent tree"));
            }
            if at.as_ref().is_some_and(|id| !seen.insert(id.number)) {
                return Ok(None);
            }
            let Object::Dict(node) = view.resolve(&at)? else { continue };
            if !node.iter().all(|(key, _)| NODE.contains(&key)) {
                return Ok(None);
            }
            for pair in view.array(&node, "Nums")?.chunks(2) {
                if let [key, value] = pair
                    && let Some(key) = view.resolve(key)?.as_int()
                    && found.numbers.insert(key, value.clone()).is_some()
                {
                    return Ok(None);
                }
            }
            let below = at.as_ref().map_or(owner, |node| node.number);
            waiting.extend(view.array(&node, "Kids")?.into_iter().map(|kid| (below, kid)));
            found.nodes.push((owner, at));
        }
        Ok(Some(found))
    }

    /// Whether it says all that it said before, and besides nothing but `elements`.
    fn only_adds(&self, before: &Self, elements: &HashSet<u32>, delta: &Delta<'_, '_>) -> bool {
        let same = |was: &Object, is: &Object| {
            delta.old.resolve(was).is_ok_and(|was| delta.new.resolve(is).is_ok_and(|is| was == is))
        };
        before.numbers.iter().all(|(key, was)| self.numbers.get(key).is_some_and(|is| same(was, is)))
            && self
                .numbers
                .iter()
                .filter(|(key, _)| !before.numbers.contains_key(key))
                .all(|(_, is)| is.as_ref().is_some_and(|element| elements.contains(&element.number)))
    }

    /// Explains its nodes, and the lists in it that were written anew.
    fn explain(&self, before: &Self, delta: &mut Delta<'_, '_>) -> Result<(), PdfError> {
        let top = before.nodes.first().map(|(_, top)| top);
        for (index, (owner, at)) in self.nodes.iter().enumerate() {
            // Nodes below the uppermost stay where they were, or are new.
            let was = if index == 0 { top } else { Some(at) };
            delta.follow_from(*owner, was, at)?;
        }
        for list in self.numbers.values().filter_map(Object::as_ref) {
            if delta.is_added(list.number) && object(&delta.new, list.number)?.as_array().is_some() {
                delta.explain(list.number);
            }
        }
        Ok(())
    }
}
