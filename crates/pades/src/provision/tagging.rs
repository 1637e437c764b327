//! Structure for the new widgets of a tagged document (ISO 32000-2, 14.7 and 14.8.4.7.3): PDF/UA asks that every widget
//! lie in a `Form` element that the structure tree can find, and every other annotation in an `Annot` element. The
//! elements that are there stay as they are; theirs are only the list of the parent's kids, which grows at its end, and
//! the tree of parents, which gets one more leaf.

use super::replaced::{Replaced, Role};
use crate::{
    intake::Refusal,
    look,
    pdf::{Dict, Increment, ObjRef, Object, View},
};

/// New elements on their way into the tree.
pub(super) struct Tagging {
    tree_id: ObjRef,
    tree: Dict,
    /// The element that takes the new ones, if it is not the tree itself.
    parent: Option<(ObjRef, Dict)>,
    /// The next free key of the parent tree.
    next: i64,
    elements: Vec<ObjRef>,
    parents: Vec<Object>,
}

impl Tagging {
    /// Of a document whose structure tree can take elements; `None` if it is not tagged, or if its parent tree says
    /// nothing that can be relied on: then it is left alone.
    pub(super) fn of(view: &View<'_, '_>, root: &Dict) -> Result<Option<Self>, Refusal> {
        let Some(Object::Ref(tree_id)) = root.get("StructTreeRoot") else { return Ok(None) };
        let Object::Dict(tree) = view.get(*tree_id)? else { return Ok(None) };
        if !tree.is_type(b"StructTreeRoot") {
            return Ok(None);
        }
        let Some(next) = next_key(view, &tree)? else { return Ok(None) };
        let parent = match view.items(&tree, "K")?.as_slice() {
            [Object::Ref(only)] => match view.get(*only)? {
                Object::Dict(element) if is_element(&element) => Some((ObjRef::new(only.number), element)),
                _ => None,
            },
            _ => None,
        };
        let tree_id = ObjRef::new(tree_id.number);
        Ok(Some(Self { tree_id, tree, parent, next, elements: Vec::new(), parents: Vec::new() }))
    }

    /// Writes the element of a widget; answers with the widget's `/StructParent`.
    pub(super) fn form(&mut self, out: &mut Increment, widget: ObjRef, page: ObjRef) -> i64 {
        self.element(out, Dict::new().with("S", Object::name("Form")), widget, page)
    }

    /// Writes the element of an annotation that says this; answers with its `/StructParent`. PDF 1.4, and PDF/A-1 with it,
    /// does not know `Annot` yet: there it is a paragraph.
    pub(super) fn annotation(
        &mut self,
        out: &mut Increment,
        (id, page): (ObjRef, ObjRef),
        says: &str,
        pdfa_part: Option<u8>,
    ) -> i64 {
        let kind = if pdfa_part == Some(1) { "P" } else { "Annot" };
        let element = Dict::new().with("S", Object::name(kind)).with("Alt", look::text_object(says));
        self.element(out, element, id, page)
    }

    fn element(&mut self, out: &mut Increment, element: Dict, of: ObjRef, page: ObjRef) -> i64 {
        let object = Dict::new().with("Type", Object::name("OBJR")).with("Obj", of).with("Pg", page);
        let id = out.allot();
        let element = element
            .with("Type", Object::name("StructElem"))
            .with("P", self.parent.as_ref().map_or(self.tree_id, |(id, _)| *id))
            .with("Pg", page)
            .with("K", object);
        out.object(id, &Object::Dict(element));
        let key = self.next;
        self.next += 1;
        self.elements.push(id);
        self.parents.extend([Object::Int(key), Object::Ref(id)]);
        key
    }

    /// Puts the elements into the tree.
    pub(super) fn finish(
        mut self,
        view: &View<'_, '_>,
        out: &mut Increment,
        replaced: &mut Replaced,
    ) -> Result<(), Refusal> {
        if self.elements.is_empty() {
            return Ok(());
        }
        if let Some((id, mut element)) = self.parent.take() {
            let kids =
                view.items(&element, "K")?.into_iter().chain(self.elements.iter().copied().map(Object::Ref));
            element.set("K", kids.collect::<Vec<_>>());
            replaced.put(id.number, Role::StructureElement, Object::Dict(element))?;
        } else {
            let kids = view
                .items(&self.tree, "K")?
                .into_iter()
                .chain(self.elements.iter().copied().map(Object::Ref));
            self.tree.set("K", kids.collect::<Vec<_>>());
        }
        let mut parents = view.dict(&self.tree, "ParentTree")?;
        if parents.contains("Kids") {
            let (first, last) = (self.parents.first().cloned(), Object::Int(self.next - 1));
            let limits: Vec<Object> = first.into_iter().chain([last]).collect();
            let leaf = Dict::new().with("Limits", limits).with("Nums", self.parents);
            let leaf_id = out.allot();
            out.object(leaf_id, &Object::Dict(leaf));
            let mut kids = view.array(&parents, "Kids")?;
            kids.push(Object::Ref(leaf_id));
            parents.set("Kids", kids);
        } else {
            let mut numbers = view.array(&parents, "Nums")?;
            numbers.extend(self.parents);
            parents.set("Nums", numbers);
        }
        let parents_id = out.allot();
        replaced.put(parents_id.number, Role::ParentTree, Object::Dict(parents))?;
        self.tree.set("ParentTree", parents_id);
        self.tree.set("ParentTreeNextKey", self.next);
        replaced.put(self.tree_id.number, Role::StructureTree, Object::Dict(self.tree))
    }
}

/// A structure element, and nothing else (Table 355).
fn is_element(dict: &Dict) -> bool {
    dict.contains("S")
        && dict.contains("P")
        && dict.get("Type").is_none_or(|kind| kind.is_name(b"StructElem"))
}

/// A key beyond all that the parent tree has; `None` if its keys are not in order.
fn next_key(view: &View<'_, '_>, tree: &Dict) -> Result<Option<i64>, Refusal> {
    let mut node = view.dict(tree, "ParentTree")?;
    for _ in 0..MOST_LEVELS {
        if let Some(last) = view.array(&node, "Kids")?.last() {
            node = match view.resolve(last)? {
                Object::Dict(kid) => kid,
                _ => return Ok(None),
            };
            continue;
        }
        let numbers = view.array(&node, "Nums")?;
        let keys: Option<Vec<i64>> = numbers.chunks_exact(2).map(|pair| pair.first()?.as_int()).collect();
        let Some(keys) = keys.filter(|keys| keys.is_sorted()) else { return Ok(None) };
        let beyond = keys.last().map_or(0, |last| last.saturating_add(1));
        let said = view.value(tree, "ParentTreeNextKey")?.as_int().unwrap_or(0);
        return Ok(Some(beyond.max(said)).filter(|key| (0..MOST_KEYS).contains(key)));
    }
    Ok(None)
}

const MOST_LEVELS: usize = 16;
const MOST_KEYS: i64 = 1 << 31;
