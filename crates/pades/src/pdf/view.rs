//! The document at the end of one revision: references resolved, streams decoded.

use std::{borrow::Cow, cmp::Reverse, collections::BinaryHeap, iter::Peekable, rc::Rc};

use super::{
    chain::Revision,
    error::PdfError,
    file::File,
    filter::{self, Decoded},
    indirect::{Indirect, header_at, integer_at},
    object::{Dict, ObjRef, Object, Stream},
    xref::{Entry, Place},
};

/// The document at the end of one revision.
#[derive(Clone, Copy)]
pub struct View<'f, 'a> {
    pub(super) file: &'f File<'a>,
    pub(super) revision: usize,
}

impl<'f, 'a> View<'f, 'a> {
    /// The file.
    pub fn file(&self) -> &'f File<'a> {
        self.file
    }

    /// The revision this view ends with.
    pub fn revision(&self) -> usize {
        self.revision
    }

    fn revisions(&self) -> &'f [Revision] {
        self.file.chain.revisions.get(..=self.revision).unwrap_or_default()
    }

    /// The trailer that counts.
    pub fn trailer(&self) -> &'f Dict {
        static EMPTY: Dict = Dict::new();
        self.revisions().last().map_or(&EMPTY, |revision| &revision.trailer)
    }

    /// Where `number` is.
    pub fn place(&self, number: u32) -> Place {
        self.located(number).map_or(Place::Free, |(place, _)| place)
    }

    /// Where `number` is, and the revision that put it there; `None` if no revision mentions it. No object has the number
    /// 0 (7.5.4).
    pub fn located(&self, number: u32) -> Option<(Place, usize)> {
        if number == 0 {
            return None;
        }
        let revisions = self.revisions();
        if self.file.revisions().len() > FEW {
            let index = self.file.mentions().last(number, self.revision)?;
            return revisions.get(index)?.entry(number).map(|place| (place, index));
        }
        let mut revisions = revisions.iter().enumerate().rev();
        revisions.find_map(|(index, revision)| revision.entry(number).map(|place| (place, index)))
    }

    /// The highest number any revision mentions, plus one.
    pub fn size(&self) -> u32 {
        let last = |revision: &Revision| revision.entries.last().map_or(0, Entry::number);
        self.revisions().iter().map(last).max().unwrap_or(0).saturating_add(1)
    }

    /// All numbers in use, ascending.
    pub fn numbers(&self) -> Vec<u32> {
        let mut numbers = Vec::new();
        self.each_in_use(&mut |number, _| numbers.push(number));
        numbers
    }

    /// Calls `seen` with every number in use and its place, ascending: the revisions' sorted lists are merged.
    pub(crate) fn each_in_use(&self, seen: &mut dyn FnMut(u32, Place)) {
        if let [only] = self.revisions() {
            let mut in_use = |entry: &Entry| match (entry.number(), entry.place()) {
                (0, _) | (_, Place::Free) => {}
                (number, place) => seen(number, place),
            };
            return only.entries.iter().for_each(&mut in_use);
        }
        let lists = self.revisions().iter().rev().map(|revision| revision.entries.iter().peekable());
        let mut lists: Vec<_> = lists.collect();
        // The lowest number of each list, of equal ones the newest first, since that counts.
        let mut next: BinaryHeap<Reverse<(u32, usize)>> = BinaryHeap::with_capacity(lists.len());
        let first = |list: &mut Peekable<_>| list.peek().map(|entry: &&Entry| entry.number());
        next.extend(
            lists.iter_mut().enumerate().filter_map(|(age, list)| Some(Reverse((first(list)?, age)))),
        );
        let mut done = 0;
        while let Some(Reverse((number, age))) = next.pop() {
            let Some(list) = lists.get_mut(age) else { break };
            let behind = next.peek().map_or(u32::MAX, |Reverse((other, _))| *other);
            let mut number = number;
            // On as far as no other list has a say.
            loop {
                let place = list.next().map_or(Place::Free, Entry::place);
                if number != done && place != Place::Free {
                    seen(number, place);
                }
                done = number;
                match first(list) {
                    Some(following) if following < behind => number = following,
                    following => {
                        next.extend(following.map(|number| Reverse((number, age))));
                        break;
                    }
                }
            }
        }
    }

    /// Entries with every object that lies in the file itself, in the order of the file; others may be among them. Most
    /// files have one revision, and its objects in the order of their numbers: then nothing is copied.
    pub(crate) fn in_file_order(&self) -> Cow<'f, [Entry]> {
        if let [only] = self.revisions()
            && only.entries.iter().filter_map(Entry::placed).is_sorted_by_key(|(offset, _)| offset)
        {
            return Cow::Borrowed(&only.entries);
        }
        let mut entries = Vec::new();
        self.each_in_use(&mut |number, place| {
            if matches!(place, Place::At { .. }) {
                entries.push(Entry::new(number, place));
            }
        });
        // Nearly in order already, which the stable sort makes use of.
        entries.sort_by_key(Entry::placed);
        Cow::Owned(entries)
    }

    /// The object; [`Object::Null`] if there is none of this number and generation (7.3.10).
    ///
    /// # Errors
    /// [`PdfError`] if what stands at its place is not this object.
    pub fn get(&self, reference: ObjRef) -> Result<Object, PdfError> {
        self.file.within_limits()?;
        match self.place(reference.number) {
            Place::Free => Ok(Object::Null),
            Place::At { generation, .. } if generation != reference.generation => Ok(Object::Null),
            Place::At { offset, .. } => {
                let read = self.indirect_at(reference.number, offset)?;
                Ok(Rc::try_unwrap(read).map_or_else(|kept| kept.object.clone(), |own| own.object))
            }
            Place::InStream { .. } if reference.generation != 0 => Ok(Object::Null),
            Place::InStream { container, index } => {
                let Place::At { offset, .. } = self.place(container) else {
                    return Err(PdfError::Wrong("an object stream"));
                };
                self.file.contained((container, offset), index as usize, reference.number)
            }
        }
    }

    /// The object with its extent in the file; `None` if it is free or within an object stream.
    ///
    /// # Errors
    /// As [`View::get`].
    pub fn indirect(&self, number: u32) -> Result<Option<Indirect>, PdfError> {
        match self.place(number) {
            Place::At { offset, .. } => {
                self.indirect_at(number, offset).map(|read| Some(Rc::unwrap_or_clone(read)))
            }
            _ => Ok(None),
        }
    }

    fn indirect_at(&self, number: u32, offset: u64) -> Result<Rc<Indirect>, PdfError> {
        let indirect = self.file.indirect_at(offset, &mut |length| self.length(length))?;
        if indirect.id.number == number {
            Ok(indirect)
        } else {
            Err(PdfError::Malformed {
                at: offset,
                what: "another object stands where the cross-reference points",
            })
        }
    }

    /// An indirect `/Length` as this revision sees it.
    fn length(&self, reference: ObjRef) -> Option<u64> {
        let value = match self.place(reference.number) {
            Place::At { offset, .. } => {
                let (id, value) = integer_at(self.file.source, offset)?;
                return (id == reference).then_some(value);
            }
            Place::InStream { .. } => self.get(reference).ok()?,
            Place::Free => return None,
        };
        u64::try_from(value.as_int()?).ok()
    }

    /// Whether the object is at the very index of its object stream that the cross-reference says. `true` for objects
    /// outside of object streams.
    pub(crate) fn is_strictly_held(&self, number: u32) -> bool {
        let Place::InStream { container, index } = self.place(number) else { return true };
        let Place::At { offset, .. } = self.place(container) else { return false };
        let Ok(held) = self.file.container(container, offset) else { return false };
        held.holds(index as usize, number)
    }

    /// Follows references until there is a value.
    ///
    /// # Errors
    /// [`PdfError::Limit`] if references lead to references too often; otherwise as [`View::get`].
    pub fn resolve(&self, object: &Object) -> Result<Object, PdfError> {
        let Object::Ref(mut reference) = *object else {
            self.file.work(object.size())?;
            return Ok(object.clone());
        };
        for _ in 0..self.file.limits.depth {
            match self.get(reference)? {
                Object::Ref(next) => reference = next,
                value => return Ok(value),
            }
        }
        Err(PdfError::Limit("references lead to references"))
    }

    /// The value of `key`, resolved; [`Object::Null`] if absent.
    ///
    /// # Errors
    /// As [`View::resolve`].
    pub fn value(&self, dict: &Dict, key: &str) -> Result<Object, PdfError> {
        dict.get(key).map_or(Ok(Object::Null), |value| self.resolve(value))
    }

    /// The dictionary under `key`; empty if there is none.
    ///
    /// # Errors
    /// As [`View::resolve`].
    pub fn dict(&self, dict: &Dict, key: &str) -> Result<Dict, PdfError> {
        Ok(match self.value(dict, key)? {
            Object::Dict(value) => value,
            Object::Stream(stream) => stream.dict,
            _ => Dict::new(),
        })
    }

    /// The array under `key`; empty if there is none.
    ///
    /// # Errors
    /// As [`View::resolve`].
    pub fn array(&self, dict: &Dict, key: &str) -> Result<Vec<Object>, PdfError> {
        Ok(match self.value(dict, key)? {
            Object::Array(items) => items,
            _ => Vec::new(),
        })
    }

    /// The items under `key`, of which a single one may stand without its array, as they are; empty if there is none.
    ///
    /// # Errors
    /// As [`View::resolve`].
    pub(crate) fn items(&self, dict: &Dict, key: &str) -> Result<Vec<Object>, PdfError> {
        let Some(value) = dict.get(key) else { return Ok(Vec::new()) };
        Ok(match self.resolve(value)? {
            Object::Array(items) => items,
            _ => vec![value.clone()],
        })
    }

    /// The reference to the catalog.
    ///
    /// # Errors
    /// [`PdfError::Wrong`] if the trailer has none.
    pub fn root_ref(&self) -> Result<ObjRef, PdfError> {
        self.trailer().get("Root").and_then(Object::as_ref).ok_or(PdfError::Wrong("the trailer's /Root"))
    }

    /// The catalog.
    ///
    /// # Errors
    /// [`PdfError::Wrong`] if it is no dictionary.
    pub fn root(&self) -> Result<Dict, PdfError> {
        match self.get(self.root_ref()?)? {
            Object::Dict(dict) => Ok(dict),
            _ => Err(PdfError::Wrong("the catalog")),
        }
    }

    pub(super) fn check_catalog(&self) -> Result<(), PdfError> {
        if self.file.is_encrypted() {
            return Ok(()); // the caller refuses it by that reason
        }
        let root = self.root()?;
        match self.value(&root, "Pages")? {
            Object::Dict(_) => Ok(()),
            _ => Err(PdfError::NoDocument("the catalog has no pages")),
        }
    }

    /// A stream's data, decoded.
    ///
    /// # Errors
    /// As [`filter::decode`]; [`PdfError::Limit`] once all decoded streams together exceed the limit.
    pub fn decode(&self, stream: &Stream) -> Result<Decoded, PdfError> {
        self.file.within_limits()?;
        let limits = &self.file.limits;
        let raw = usize::try_from(stream.len).ok().filter(|&len| len <= limits.inflated_len);
        let raw = self.file.source.slice(stream.at, raw.ok_or(PdfError::Limit("one stream is too long"))?)?;
        let mut dict = Dict::new();
        for key in ["Filter", "DecodeParms"] {
            if let Some(value) = stream.dict.get(key) {
                dict.set(key, self.resolve_deep(value, 3)?);
            }
        }
        let mut cost = 0;
        let decoded = filter::decode_at(&dict, raw, limits.inflated_len, &mut cost);
        self.file.spend(cost)?;
        decoded
    }

    /// Resolves references within arrays and dictionaries down to `depth`.
    fn resolve_deep(&self, object: &Object, depth: usize) -> Result<Object, PdfError> {
        let mut value = self.resolve(object)?;
        if let Some(depth) = depth.checked_sub(1) {
            match &mut value {
                Object::Array(items) => {
                    for item in items {
                        *item = self.resolve_deep(item, depth)?;
                    }
                }
                Object::Dict(dict) => {
                    for item in dict.values_mut() {
                        *item = self.resolve_deep(item, depth)?;
                    }
                }
                _ => {}
            }
        }
        Ok(value)
    }

    /// The numbers whose cross-reference entry does not lead to an object header of that number.
    ///
    /// # Errors
    /// [`PdfError::Source`] if the medium fails.
    pub fn misplaced(&self, most: usize) -> Result<Vec<u32>, PdfError> {
        let mut wrong = Vec::new();
        for number in self.numbers() {
            if let Place::At { offset, generation } = self.place(number)
                && header_at(self.file.source, offset)? != Some(ObjRef { number, generation })
            {
                wrong.push(number);
                if wrong.len() >= most {
                    break;
                }
            }
        }
        Ok(wrong)
    }
}

/// So many revisions are looked through one by one.
const FEW: usize = 8;
