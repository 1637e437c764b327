//! Who refers to what: one linear pass over every version of every object, looking only for watched numbers.
//!
//! Building an index of all references of a file is what makes other validators take minutes on a file of 300,000
//! objects. Here each object version is read once, and a reference costs a few hash lookups.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    ChangeKind, Fact,
    step::{Step, Touched, Watch, forbidden, object},
};
use crate::pdf::{Dict, File, ObjRef, Object, PdfError, Place};

/// Calls `seen` for every reference within `object`.
pub(super) fn of(object: &Object, seen: &mut dyn FnMut(ObjRef)) {
    match object {
        Object::Ref(reference) => seen(*reference),
        Object::Array(items) => items.iter().for_each(|item| of(item, seen)),
        Object::Dict(dict) => of_dict(dict, seen),
        Object::Stream(stream) => of_dict(&stream.dict, seen),
        _ => {}
    }
}

fn of_dict(dict: &Dict, seen: &mut dyn FnMut(ObjRef)) {
    dict.iter().for_each(|(_, value)| of(value, seen));
}

/// Calls `seen` for every reference within a trailer that the walk does not follow: it knows the catalog and the
/// document information, and the file's identity shows nothing.
fn of_trailer(trailer: &Dict, seen: &mut dyn FnMut(ObjRef)) {
    for (key, value) in trailer.iter() {
        if !matches!(key, b"Root" | b"Info" | b"ID") {
            of(value, seen);
        }
    }
}

/// Judges what the walk left open: leftovers, objects replaced in place, and dangling references that were filled.
pub(super) fn resolve(
    file: &File<'_>,
    signed: usize,
    watches: &[Watch],
    steps: &mut [Step],
) -> Result<(), PdfError> {
    let wanted: HashSet<u32> = watches
        .iter()
        .flat_map(|watch| watch.added.iter().chain(watch.left.keys()).chain(watch.loose.keys()))
        .copied()
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let mut found: HashMap<usize, Found> = HashMap::new();
    let base = file.at(signed);
    let mut replaced_in: HashMap<u32, usize> = HashMap::new();
    for revision in (signed + 1..file.revisions().len()).rev() {
        for entry in file.revisions().get(revision).map(|r| r.entries.as_slice()).unwrap_or_default() {
            // The version that revision wrote, seen by the steps after it until it is replaced again.
            let number = entry.number();
            let until = replaced_in.insert(number, revision).unwrap_or(usize::MAX);
            if number == 0 || entry.place() == Place::Free {
                continue;
            }
            let value = object(&file.at(revision), number)?;
            if is_structure(&value) {
                continue;
            }
            let counted = counted(&value, &wanted);
            file.judged(counted.len() * watches.len())?;
            for (to, count) in counted {
                for watch in watches.iter().filter(|w| w.revision >= revision && w.revision <= until) {
                    let found = found.entry(watch.revision).or_default();
                    let (before, after) = (watch.revision > revision, watch.revision < until);
                    found.judge(watch, (number, to, count), before, after);
                }
            }
        }
    }
    for number in base.referring(&|number| wanted.contains(&number))? {
        let value = match object(&base, number) {
            Ok(value) => value,
            Err(error @ PdfError::Limit(_)) => return Err(error),
            // What cannot be read was not shown to the signer either; it cannot refer to anything.
            Err(_) => continue,
        };
        if is_structure(&value) {
            continue;
        }
        let until = replaced_in.get(&number).copied().unwrap_or(usize::MAX);
        let counted = counted(&value, &wanted);
        file.judged(counted.len() * watches.len())?;
        for (to, count) in counted {
            for watch in watches.iter().filter(|w| w.revision <= until) {
                let found = found.entry(watch.revision).or_default();
                found.judge(watch, (number, to, count), true, watch.revision < until);
            }
        }
    }
    for watch in watches {
        let Some(step) = steps.iter_mut().find(|step| step.revision == watch.revision) else { continue };
        let mut found = found.remove(&watch.revision).unwrap_or_default();
        of_trailer(file.at(watch.revision).trailer(), &mut |reference| {
            found.judge(watch, (TRAILER, reference.number, 1), false, true);
        });
        found.report(file, watch, step)?;
    }
    Ok(())
}

/// How often `object` refers to each of those that are wanted.
fn counted(object: &Object, wanted: &HashSet<u32>) -> BTreeMap<u32, usize> {
    let mut counted = BTreeMap::new();
    of(object, &mut |reference| {
        if wanted.contains(&reference.number) {
            *counted.entry(reference.number).or_default() += 1;
        }
    });
    counted
}

/// Cross-reference streams refer as trailers do: to the catalog and the document information.
fn is_structure(object: &Object) -> bool {
    object.as_stream().is_some_and(|stream| stream.dict.is_type(b"XRef"))
}

/// What the pass found for one step.
#[derive(Default)]
struct Found {
    dangling: HashSet<u32>,
    in_use: HashSet<u32>,
    /// How often whom refers to what was replaced in place.
    uses: HashMap<(u32, u32), usize>,
    /// Who refers to which leftover, among the leftovers themselves.
    between: Vec<(u32, u32)>,
}

impl Found {
    /// Object `from` refers to `to` so many times; `before`: in the document before the step, `after`: still after it.
    fn judge(&mut self, watch: &Watch, (from, to, count): (u32, u32, usize), before: bool, after: bool) {
        if before && watch.added.contains(&to) {
            self.dangling.insert(to);
        }
        if !after || watch.retired.contains(&from) {
            return;
        }
        if watch.left.contains_key(&to) {
            if watch.left.contains_key(&from) {
                self.between.push((from, to));
            } else {
                self.in_use.insert(to);
            }
        }
        if watch.loose.contains_key(&to) {
            *self.uses.entry((to, from)).or_default() += count;
        }
    }

    fn report(mut self, file: &File<'_>, watch: &Watch, step: &mut Step) -> Result<(), PdfError> {
        // A leftover that is in use makes everything it refers to in use.
        let mut leads_to: HashMap<u32, Vec<u32>> = HashMap::new();
        for &(from, to) in &self.between {
            leads_to.entry(from).or_default().push(to);
        }
        let mut waiting: Vec<u32> = self.in_use.iter().copied().collect();
        while let Some(number) = waiting.pop() {
            for &to in leads_to.get(&number).into_iter().flatten() {
                if self.in_use.insert(to) {
                    waiting.push(to);
                }
            }
        }
        let mut unused = 0;
        let most = step.facts.len() + NAMED;
        let mut left: Vec<(&u32, &Touched)> = watch.left.iter().collect();
        left.sort_unstable_by_key(|(number, _)| **number);
        for (&number, &how) in left {
            if !self.in_use.contains(&number) {
                unused += 1;
                continue;
            }
            if step.facts.len() >= most {
                continue;
            }
            let fact = match how {
                Touched::Freed => forbidden(ChangeKind::Other, "object_removed", &format!("{number} 0 R")),
                Touched::Added | Touched::Replaced => {
                    changed(&object(&file.at(watch.revision), number)?, number)
                }
            };
            step.facts.push(fact);
        }
        if unused > 0 {
            step.facts.push(Fact::Unreferenced { count: unused });
        }
        let allowed = |to: &u32, from: &u32| watch.loose.get(to)?.get(from).copied();
        let shared: HashSet<u32> = self
            .uses
            .iter()
            .filter(|((to, from), count)| allowed(to, from).is_none_or(|allowed| **count > allowed))
            .map(|((to, _), _)| *to)
            .collect();
        for (found, code) in [(shared, "replaced_object_shared"), (self.dangling, "hidden_reference")] {
            let mut numbers: Vec<u32> = found.into_iter().collect();
            numbers.sort_unstable();
            for number in numbers.into_iter().take(NAMED) {
                step.facts.push(forbidden(ChangeKind::Other, code, &format!("{number} 0 R")));
            }
        }
        Ok(())
    }
}

/// Names what kind of content an unexplained object is.
fn changed(object: &Object, number: u32) -> Fact {
    let subject = format!("{number} 0 R");
    let dict = object.as_dict();
    let is = |key: &str, names: &[&[u8]]| {
        dict.and_then(|dict| dict.get(key)?.as_name()).is_some_and(|name| names.contains(&name))
    };
    if is("Type", &[b"Page"]) {
        forbidden(ChangeKind::Other, "page_changed", &subject)
    } else if is("Type", &[b"Pages"]) {
        forbidden(ChangeKind::Other, "page_tree_changed", &subject)
    } else if is("Type", &[b"Sig", b"DocTimeStamp"]) {
        forbidden(ChangeKind::Signature, "signature_replaced", &subject)
    } else if is("Type", &[b"Annot"])
        || dict.is_some_and(|dict| dict.contains("Rect") && dict.contains("Subtype"))
    {
        forbidden(ChangeKind::Annotation, "annotation_changed", &subject)
    } else {
        forbidden(ChangeKind::Other, "content_changed", &subject)
    }
}

/// Of objects that may not be what they are, so many are named.
const NAMED: usize = 1000;
/// Who refers where a trailer does: no object has this number.
const TRAILER: u32 = 0;
