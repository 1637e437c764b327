//! One revision against the one before it: every touched object must be explained, top-down from the trailer.
//!
//! The walk follows only the places where a signed document may grow. An object is *explained* when such a place
//! accounts for all of its difference; *loose* when it was replaced in place and may therefore be referred to only
//! from where it was explained. Who refers to what is found by one linear pass over all object versions
//! ([`references`](super::references)), never by an index of the whole file.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{ChangeKind, Fact, dss, fields, pages, references, structure, xmp};
use crate::{
    pdf::{Dict, Entry, File, ObjRef, Object, PdfError, Place, Stream, View},
    source::Source,
};

/// What one analysis may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalysisLimits {
    /// Most objects that one revision may touch.
    pub touched: usize,
    /// Most revisions behind the oldest signature.
    pub revisions: usize,
    /// Deepest reference chain below a new object.
    pub depth: usize,
}

impl Default for AnalysisLimits {
    fn default() -> Self {
        Self { touched: 200_000, revisions: 512, depth: 64 }
    }
}

/// Most facts of one revision, and of all.
const FACTS: usize = 10_000;
const ALL_FACTS: usize = 100_000;

/// What one revision did.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Index of the revision, from 0.
    pub revision: usize,
    /// What it did, in the order of the walk.
    pub facts: Vec<Fact>,
    /// Numbers of the objects that existed before and differ now.
    pub replaced: Vec<u32>,
}

/// The steps from revision `signed` (index from 0) to the latest.
///
/// Never fails: what cannot be read or is too large becomes a forbidden fact of its step.
pub fn steps_after(file: &File<'_>, signed: usize, limits: &AnalysisLimits) -> Vec<Step> {
    let count = file.revisions().len();
    let mut steps = Vec::new();
    let mut watches = Vec::new();
    for revision in signed + 1..count {
        let facts: usize = steps.iter().map(|step: &Step| step.facts.len()).sum();
        if revision - signed > limits.revisions || facts > ALL_FACTS {
            steps.push(Step { revision, facts: vec![too_much()], replaced: Vec::new() });
            break;
        }
        let mut delta = Delta::between(file, revision, limits);
        let walked = delta.as_mut().map_or_else(|error| Err(error.clone()), Delta::walk);
        match (delta, walked) {
            (Ok(delta), Ok(())) => {
                let (step, watch) = delta.finish();
                steps.push(step);
                watches.push(watch);
            }
            (delta, Err(error)) => {
                let mut facts = delta.map(|delta| delta.facts).unwrap_or_default();
                facts.push(unreadable(&error));
                steps.push(Step { revision, facts, replaced: Vec::new() });
            }
            (Err(_), Ok(())) => {}
        }
    }
    if let Err(error) = references::resolve(file, signed, &watches, &mut steps)
        && let Some(step) = steps.last_mut()
    {
        step.facts.push(unreadable(&error));
    }
    if let Err(error) = file.within_limits()
        && let Some(step) = steps.last_mut()
    {
        step.facts.push(unreadable(&error));
    }
    steps
}

/// The catalogs of the revisions before this one that are not its own.
fn retired_by(file: &File<'_>, revision: usize) -> HashSet<u32> {
    let root = |revision: usize| file.at(revision).root_ref().ok().map(|root| root.number);
    let own = root(revision);
    (0..revision).filter_map(root).filter(|&root| Some(root) != own).collect()
}

pub(super) fn too_much() -> Fact {
    forbidden(ChangeKind::Other, "too_much_to_analyse", "")
}

fn unreadable(error: &PdfError) -> Fact {
    match error {
        PdfError::Limit(_) => too_much(),
        other => forbidden(ChangeKind::Other, "revision_broken", &other.to_string()),
    }
}

pub(super) fn forbidden(kind: ChangeKind, code: &'static str, subject: &str) -> Fact {
    Fact::Forbidden { kind, code, subject: subject.to_owned() }
}

/// How a revision touched a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touched {
    /// There was no such object.
    Added,
    /// There was another.
    Replaced,
    /// It is gone.
    Freed,
}

/// A key, and what the old and the new dictionary have under it.
pub(super) type Pair<'d> = (&'d [u8], Option<&'d Object>, Option<&'d Object>);

/// What the reference pass has to look for in one step.
pub(super) struct Watch {
    /// The step's revision.
    pub(super) revision: usize,
    /// New objects: nothing older may refer to them.
    pub(super) added: HashSet<u32>,
    /// Objects nobody explained.
    pub(super) left: HashMap<u32, Touched>,
    /// Objects replaced in place: who may refer to them, and how often.
    pub(super) loose: HashMap<u32, HashMap<u32, usize>>,
    /// Catalogs that others took the place of: nobody reads what they refer to any more.
    pub(super) retired: HashSet<u32>,
}

/// The work on one revision.
pub(super) struct Delta<'f, 'a> {
    /// The document before.
    pub(super) old: View<'f, 'a>,
    /// The document after.
    pub(super) new: View<'f, 'a>,
    touched: BTreeMap<u32, Touched>,
    explained: HashSet<u32>,
    loose: HashMap<u32, HashMap<u32, usize>>,
    facts: Vec<Fact>,
    /// The same, to be found at once.
    noted: HashSet<Fact>,
    /// Objects that were replaced and that nobody has explained yet.
    open: usize,
    depth: usize,
    /// Widgets of new signature fields: the only new entries that a page's `/Annots` may get.
    pub(super) widgets: HashSet<u32>,
}

impl<'f, 'a> Delta<'f, 'a> {
    fn between(file: &'f File<'a>, revision: usize, limits: &AnalysisLimits) -> Result<Self, PdfError> {
        let (old, new) = (file.at(revision - 1), file.at(revision));
        let Some(this) = file.revisions().get(revision) else { return Err(PdfError::Wrong("the revision")) };
        if this.entries.len() > limits.touched {
            return Err(PdfError::Limit("touched objects"));
        }
        let own: HashSet<u32> =
            this.sections.iter().filter_map(|section| section.id).map(|id| id.number).collect();
        let containers: HashSet<u32> = this.entries.iter().filter_map(container).collect();
        let mut touched = BTreeMap::new();
        for number in this.entries.iter().map(Entry::number).filter(|&number| number != 0) {
            let before = object(&old, number)?;
            let after = object(&new, number)?;
            let how = match (before.is_null(), after.is_null()) {
                (true, true) => continue,
                // The revision's own cross-reference stream and object streams are structure, not content.
                (true, false) if own.contains(&number) || containers.contains(&number) => continue,
                (true, false) => Touched::Added,
                (false, true) => Touched::Freed,
                (false, false) if same(file, &before, &after)? => continue,
                (false, false) => Touched::Replaced,
            };
            touched.insert(number, how);
        }
        let open = touched.values().filter(|how| **how == Touched::Replaced).count();
        let (explained, loose, facts, noted, widgets) = Default::default();
        let depth = limits.depth;
        Ok(Self { old, new, touched, explained, loose, facts, noted, open, depth, widgets })
    }

    /// Explains what can be explained.
    fn walk(&mut self) -> Result<(), PdfError> {
        self.trailer()?;
        self.catalog()?;
        fields::compare(self)?;
        pages::compare(self)?;
        structure::compare(self)
    }

    fn finish(self) -> (Step, Watch) {
        let left = self
            .touched
            .iter()
            .filter(|(number, _)| !self.explained.contains(number))
            .map(|(&number, &how)| (number, how))
            .collect();
        let of =
            |wanted: Touched| self.touched.iter().filter(move |(_, how)| **how == wanted).map(|(&n, _)| n);
        let revision = self.new.revision();
        let added = of(Touched::Added).collect();
        let retired = retired_by(self.new.file(), revision);
        let watch = Watch { revision, added, left, loose: self.loose, retired };
        let replaced =
            self.touched.iter().filter(|(_, how)| **how != Touched::Added).map(|(&n, _)| n).collect();
        (Step { revision, facts: self.facts, replaced }, watch)
    }

    fn trailer(&mut self) -> Result<(), PdfError> {
        let (old, new) = (self.old.trailer(), self.new.trailer());
        if new.contains("Encrypt") {
            self.forbid(ChangeKind::Other, "trailer_changed", "Encrypt");
        }
        let (was, is) = (self.old.root_ref()?, self.new.root_ref()?);
        if was != is {
            // A catalog written under a number of its own: what it says is compared like any other.
            if self.is_added(is.number) {
                self.explain(is.number);
            } else {
                self.forbid(ChangeKind::Other, "trailer_changed", "Root");
            }
        }
        let (before, after) =
            self.follow_from(0, old.get("Info"), new.get("Info").unwrap_or(&Object::Null))?;
        if before != after {
            self.note(Fact::Information);
        }
        if let Some(reference) = new.get("Info").and_then(Object::as_ref) {
            self.explain_below(reference.number)?;
        }
        Ok(())
    }

    fn catalog(&mut self) -> Result<(), PdfError> {
        let root = self.new.root_ref()?;
        if self.is_touched(root.number) && self.old.root_ref()? == root {
            self.explain(root.number);
        }
        let (old, new) = (self.old.root()?, self.new.root()?);
        for (key, was, is) in Self::pairs(&old, &new) {
            match key {
                b"AcroForm" => {} // looked at with the fields
                b"DSS" => dss::compare(self, root.number, was, is)?,
                b"Metadata" => self.metadata(root.number, was, is)?,
                b"Extensions" => {
                    if let Some(is) = is {
                        let (before, after) = self.follow_from(root.number, was, is)?;
                        if before != after {
                            self.note(Fact::Version);
                        }
                    }
                }
                _ if was == is => {}
                b"Version" => self.note(Fact::Version),
                // A mark that the document is tagged; `false` → `true` changes nothing that is shown.
                b"MarkInfo" | b"Type" if was.is_none() => {}
                b"Pages" => self.forbid(ChangeKind::Other, "page_tree_changed", ""),
                _ => self.forbid(ChangeKind::Other, "catalog_changed", &String::from_utf8_lossy(key)),
            }
        }
        Ok(())
    }

    fn metadata(&mut self, root: u32, was: Option<&Object>, is: Option<&Object>) -> Result<(), PdfError> {
        let Some(is) = is else {
            if was.is_some() {
                self.forbid(ChangeKind::Other, "catalog_changed", "Metadata");
            }
            return Ok(());
        };
        let touched = is.as_ref().is_some_and(|reference| self.is_touched(reference.number));
        if was == Some(is) && !touched {
            return Ok(());
        }
        let (_, after) = self.follow_from(root, was, is)?;
        match after.as_stream() {
            Some(stream)
                if stream.dict.is_type(b"Metadata") && xmp::is_plain(&self.new.decode(stream)?.data) =>
            {
                self.note(Fact::Information);
            }
            _ => self.forbid(ChangeKind::Other, "catalog_changed", "Metadata"),
        }
        Ok(())
    }

    /// All keys of both, each once, with what each has under it.
    pub(super) fn pairs<'d>(old: &'d Dict, new: &'d Dict) -> Vec<Pair<'d>> {
        let mut pairs: BTreeMap<&[u8], (Option<&Object>, Option<&Object>)> = BTreeMap::new();
        // Of a key that stands twice the last value counts, and a `null` is as good as nothing.
        for (key, value) in old.iter() {
            pairs.entry(key).or_default().0 = Some(value).filter(|value| !value.is_null());
        }
        for (key, value) in new.iter() {
            pairs.entry(key).or_default().1 = Some(value).filter(|value| !value.is_null());
        }
        pairs.into_iter().map(|(key, (was, is))| (key, was, is)).collect()
    }

    /// The old and the new value behind a place that may change. An object that took the value's place is explained
    /// if it is new or the very one that stood there before; any other stays for the rest of the analysis.
    pub(super) fn follow(&mut self, was: Option<&Object>, is: &Object) -> Result<(Object, Object), PdfError> {
        let before = was.map_or(Ok(Object::Null), |was| self.old.resolve(was))?;
        let after = self.new.resolve(is)?;
        if let Some(ObjRef { number, .. }) = is.as_ref() {
            match self.touched.get(&number) {
                Some(Touched::Added) => self.explain(number),
                Some(Touched::Replaced) if was == Some(is) => self.explain(number),
                _ => {}
            }
        }
        Ok((before, after))
    }

    /// [`Delta::follow`] for a value that only `owner` may refer to, from this one place.
    pub(super) fn follow_from(
        &mut self,
        owner: u32,
        was: Option<&Object>,
        is: &Object,
    ) -> Result<(Object, Object), PdfError> {
        if let Some(ObjRef { number, .. }) = is.as_ref().filter(|_| was == Some(is))
            && self.is_replaced(number)
        {
            self.explain_loose(number, owner);
        }
        self.follow(was, is)
    }

    pub(super) fn is_touched(&self, number: u32) -> bool {
        self.touched.contains_key(&number)
    }

    pub(super) fn is_added(&self, number: u32) -> bool {
        self.touched.get(&number) == Some(&Touched::Added)
    }

    pub(super) fn is_replaced(&self, number: u32) -> bool {
        self.touched.get(&number) == Some(&Touched::Replaced)
    }

    /// Whether an object that was replaced is not explained yet.
    pub(super) fn has_unexplained_replaced(&self) -> bool {
        self.open > 0
    }

    /// Numbers that were touched and that nobody has explained yet.
    pub(super) fn unexplained(&self) -> Vec<u32> {
        self.touched.keys().filter(|number| !self.explained.contains(number)).copied().collect()
    }

    pub(super) fn explain(&mut self, number: u32) {
        if self.explained.insert(number) && self.is_replaced(number) {
            self.open -= 1;
        }
    }

    /// Explains an object that was replaced in place: `owner` may refer to it, once more for each call.
    pub(super) fn explain_loose(&mut self, number: u32, owner: u32) {
        self.explain(number);
        *self.loose.entry(number).or_default().entry(owner).or_default() += 1;
    }

    pub(super) fn is_explained(&self, number: u32) -> bool {
        self.explained.contains(&number)
    }

    /// Explains a new object and every new object below it.
    pub(super) fn explain_new(&mut self, number: u32) -> Result<(), PdfError> {
        let mut waiting = vec![(number, 0)];
        while let Some((number, depth)) = waiting.pop() {
            if !self.is_added(number) || !self.explained.insert(number) {
                continue;
            }
            if depth > self.depth {
                return Err(PdfError::Limit("nesting of new objects"));
            }
            let mut below = Vec::new();
            references::of(&object(&self.new, number)?, &mut |reference| below.push(reference.number));
            waiting.extend(below.into_iter().map(|number| (number, depth + 1)));
        }
        Ok(())
    }

    /// [`Delta::explain_new`] for everything below an object that itself is explained already.
    fn explain_below(&mut self, number: u32) -> Result<(), PdfError> {
        let mut below = Vec::new();
        references::of(&object(&self.new, number)?, &mut |reference| below.push(reference.number));
        below.into_iter().try_for_each(|number| self.explain_new(number))
    }

    pub(super) fn note(&mut self, fact: Fact) {
        if self.facts.len() > FACTS || !self.noted.insert(fact.clone()) {
            return;
        }
        // Nobody reads so many, and none of them may go unnoticed.
        self.facts.push(if self.facts.len() == FACTS { too_much() } else { fact });
    }

    pub(super) fn forbid(&mut self, kind: ChangeKind, code: &'static str, subject: &str) {
        self.note(forbidden(kind, code, subject));
    }
}

fn container(entry: &Entry) -> Option<u32> {
    match entry.place() {
        Place::InStream { container, .. } => Some(container),
        _ => None,
    }
}

/// The object of this number, whatever its generation.
pub(super) fn object(view: &View<'_, '_>, number: u32) -> Result<Object, PdfError> {
    let generation = match view.place(number) {
        Place::Free => return Ok(Object::Null),
        Place::At { generation, .. } => generation,
        Place::InStream { .. } => 0,
    };
    view.get(ObjRef { number, generation })
}

/// Whether two objects are the same, streams by their raw bytes.
fn same(file: &File<'_>, a: &Object, b: &Object) -> Result<bool, PdfError> {
    match (a, b) {
        (Object::Stream(a), Object::Stream(b)) if a.dict != b.dict || a.len != b.len => Ok(false),
        (Object::Stream(a), Object::Stream(b)) => {
            file.parsed(a.len / 8)?;
            Ok(a.at == b.at || same_bytes(file.source(), a, b)?)
        }
        _ => Ok(a == b),
    }
}

fn same_bytes(source: &dyn Source, a: &Stream, b: &Stream) -> Result<bool, PdfError> {
    const CHUNK: u64 = 64 * 1024;
    let mut done = 0;
    while done < a.len {
        let len = usize::try_from(CHUNK.min(a.len - done)).unwrap_or_default();
        if source.slice(a.at + done, len)? != source.slice(b.at + done, len)? {
            return Ok(false);
        }
        done += len as u64;
    }
    Ok(true)
}
