//! The bytes of a provisioned base: a clean file copied with some objects replaced, or any file written anew from
//! its reachable objects. Both stream: one object or one block is in memory at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    ops::Range,
};

use crate::{
    digest::{Digest, Hasher, Midstate},
    intake::{Ingested, Refusal},
    look,
    pdf::{
        Dict, Entry, Increment, ObjRef, Object, PdfError, Place, Revision, SectionKind, Stream, View,
        is_space,
    },
    source::Source,
    survey::{ACTIVE, Survey},
};

/// What is to differ from the source.
pub(crate) struct Replacement {
    /// Objects that take the place of others, or are new, by number; generation 0.
    pub(crate) objects: BTreeMap<u32, Object>,
    /// New objects, written from offset 0 on.
    pub(crate) new: Increment,
    /// What the trailer carries.
    pub(crate) trailer: Dict,
}

/// What was written.
pub(crate) struct Written {
    pub(crate) sha256: Digest,
    pub(crate) len: u64,
    pub(crate) midstate: Midstate,
    pub(crate) startxref: u64,
    pub(crate) size: u32,
    pub(crate) kind: SectionKind,
    pub(crate) trailer: Dict,
    /// Where replaced and new objects are, and (in a file written anew) the form's widgets.
    pub(crate) offsets: BTreeMap<u32, u64>,
}

/// Copies a clean single-revision file. The bytes of replaced objects become blanks, so that nothing of the old state
/// can come back; the cross-reference at the end is written anew.
pub(crate) fn copy(
    view: &View<'_, '_>,
    ingested: &Ingested,
    replacement: Replacement,
    out: &mut dyn io::Write,
) -> Result<Written, Refusal> {
    let source = view.file().source();
    let Some(revision) = view.file().revisions().first() else {
        return Err(Refusal::Broken("it has no cross-reference".to_owned()));
    };
    let section = revision.sections.first().copied();
    let xref_at = section.map_or(ingested.len, |section| section.at);
    let mut inc = Increment::new(xref_at, replacement.new.next());
    inc.expect(revision.entries.len());
    inc.note(Entry::new(0, Place::Free));
    let mut blanks = Vec::new();
    for entry in &revision.entries {
        let replaced = replacement.objects.contains_key(&entry.number());
        if replaced && let Some(indirect) = view.indirect(entry.number())? {
            blanks.push(indirect.start..indirect.end);
        }
        let is_section = section.and_then(|s| s.id).is_some_and(|id| id.number == entry.number());
        if !replaced && !is_section && entry.number() != 0 {
            inc.note(*entry);
        }
    }
    blanks.sort_by_key(|blank| blank.start);
    let mut sink = Sink { out, hasher: Hasher::new() };
    let mut at = 0;
    for blank in blanks {
        sink.from(source, at, blank.start.max(at))?;
        sink.spaces(blank.end.saturating_sub(blank.start.max(at)))?;
        at = blank.end.max(at);
    }
    sink.from(source, at, xref_at)?;
    let last = source.slice(xref_at.saturating_sub(1), 1)?;
    if !last.first().is_some_and(|&byte| is_space(byte) && byte != b' ') {
        inc.raw(b"\n");
    }
    let mut offsets = BTreeMap::new();
    add(&mut inc, replacement.objects, replacement.new, &mut offsets);
    sink.finish(inc, revision.kind(), replacement.trailer, offsets)
}

/// Whether [`copy`] can do it: every object lies before the one cross-reference section.
pub(crate) fn can_copy(view: &View<'_, '_>) -> bool {
    let [revision] = view.file().revisions() else { return false };
    let [section] = revision.sections.as_slice() else { return false };
    revision.entries.iter().all(|entry| match entry.place() {
        Place::At { offset, generation } => {
            let own = section.id.is_some_and(|id| id.number == entry.number());
            generation == 0 && (own || offset < section.at)
        }
        _ => true,
    })
}

/// A number behind all those of new objects that an object to be replaced names already, and that lead nowhere in the
/// source: what is new must not come to stand there.
pub(crate) fn number_behind_dangling(view: &View<'_, '_>, replacement: &Replacement) -> Option<u32> {
    let fresh = replacement.new.first()..replacement.new.next();
    let mut named = Vec::new();
    for &number in replacement.objects.keys() {
        if let Ok(object) = view.get(ObjRef::new(number)) {
            references(&object, &mut named);
        }
    }
    named.into_iter().filter(|number| fresh.contains(number)).max().map(|number| number + 1)
}

/// Whether every object is written as strict readers want it: header, `endobj`, right lengths, `endstream` where it
/// belongs, no key twice, every reference to something. What is not is better written anew than signed.
pub(crate) fn is_strict(view: &View<'_, '_>) -> Result<bool, Refusal> {
    let source = view.file().source();
    let start = source.slice(0, 9)?;
    if !matches!(
        start.as_slice(),
        [b'%', b'P', b'D', b'F', b'-', b'1' | b'2', b'.', b'0'..=b'9', b'\r' | b'\n']
    ) {
        return Ok(false);
    }
    Ok(view.all_plain(&mut |number| is_strict_object(view, number))?)
}

fn is_strict_object(view: &View<'_, '_>, number: u32) -> Result<bool, PdfError> {
    let object = match view.place(number) {
        Place::Free => return Ok(true),
        Place::InStream { .. } => match view.get(ObjRef::new(number)) {
            Ok(object) if view.is_strictly_held(number) => object,
            _ => return Ok(false),
        },
        Place::At { .. } => match view.indirect(number) {
            Ok(Some(indirect)) if indirect.closed => indirect.object,
            _ => return Ok(false),
        },
    };
    if let Object::Stream(stream) = &object
        && !ends_properly(view.file().source(), stream)?
    {
        return Ok(false);
    }
    Ok(plain(view, &object))
}

/// The data is as long as said and followed by at most one line end and `endstream`.
fn ends_properly(source: &dyn Source, stream: &Stream) -> Result<bool, PdfError> {
    let end = stream.at + stream.len;
    let behind = source.slice(end, usize::try_from((source.len() - end).min(11)).unwrap_or(0))?;
    let behind = behind.strip_prefix(b"\r\n").or(behind.strip_prefix(b"\n")).or(behind.strip_prefix(b"\r"));
    let direct = source.slice(end, usize::try_from((source.len() - end).min(9)).unwrap_or(0))?;
    let closed = behind.is_some_and(|behind| behind.starts_with(b"endstream")) || direct == b"endstream";
    Ok(closed && !stream.repaired)
}

/// No key twice, no reference to nothing.
fn plain(view: &View<'_, '_>, object: &Object) -> bool {
    match object {
        Object::Ref(reference) => view.place(reference.number) != Place::Free,
        Object::Array(items) => items.iter().all(|item| plain(view, item)),
        Object::Dict(dict) => !dict.has_duplicates() && dict.iter().all(|(_, value)| plain(view, value)),
        Object::Stream(stream) => {
            !stream.dict.has_duplicates() && stream.dict.iter().all(|(_, value)| plain(view, value))
        }
        _ => true,
    }
}

/// Writes the reachable objects one after another, each with generation 0 and its right length, scripts left out.
pub(crate) fn anew(
    view: &View<'_, '_>,
    survey: &Survey,
    replacement: Replacement,
    out: &mut dyn io::Write,
) -> Result<Written, Refusal> {
    let source = view.file().source();
    let mut sink = Sink { out, hasher: Hasher::new() };
    let mut inc = Increment::new(0, replacement.new.next());
    inc.raw(header(view)?.as_bytes());
    inc.raw(b"\n%\xe2\xe3\xcf\xd3\n");
    inc.note(Entry::new(0, Place::Free));
    let fresh = replacement.new.first()..replacement.new.next();
    let old = Old { view, fresh, replaced: &replacement.objects };
    let mut offsets = BTreeMap::new();
    let interesting: BTreeSet<u32> = survey.fields.iter().map(|field| field.id.number).collect();
    let mut seen = vec![false; replacement.new.next() as usize + 1];
    let mut stack: Vec<u32> = Vec::new();
    references(&Object::Dict(replacement.trailer.clone()), &mut stack);
    for object in replacement.objects.values() {
        references(object, &mut stack);
    }
    stack.reverse();
    // Streams lie side by side; where one contains the next, each would be written as often as it is deep.
    let mut room = source.len().saturating_mul(2);
    let mut most_waiting = WAITING;
    while let Some(number) = stack.pop() {
        let fresh = seen.get_mut(number as usize).is_some_and(|seen| !std::mem::replace(seen, true));
        if !fresh || number >= old.fresh.start || replacement.objects.contains_key(&number) {
            continue;
        }
        // What cannot be read is `null` to every viewer; said aloud, no reference dangles.
        let mut object = old.read(number).unwrap_or(Object::Null);
        strip(view, &mut object)?;
        if let (Some(name), Object::Dict(field)) = (survey.renamed.get(&number), &mut object) {
            field.set("T", look::text_object(name));
        }
        old.normalise(&mut object, false);
        let before = stack.len();
        references(&object, &mut stack);
        if let Some(added) = stack.get_mut(before..) {
            added.reverse();
        }
        if stack.len() > most_waiting {
            // What comes up earlier is nearer to the end.
            let mut known = seen.clone();
            stack.reverse();
            stack.retain(|number| {
                known.get_mut(*number as usize).is_some_and(|known| !std::mem::replace(known, true))
            });
            stack.reverse();
            most_waiting = WAITING.max(2 * stack.len());
        }
        let id = ObjRef::new(number);
        let at = match &object {
            Object::Stream(stream) => {
                let left = room.checked_sub(stream.len);
                room = left.ok_or(Refusal::TooComplex("streams within each other"))?;
                let at = inc.open_stream(id, &stream.dict, stream.len);
                sink.bytes(&inc.drain())?;
                sink.from(source, stream.at, stream.at + stream.len)?;
                inc.skip(stream.len);
                inc.close_stream();
                at
            }
            plain => inc.object(id, plain),
        };
        if interesting.contains(&number) {
            offsets.insert(number, at);
        }
        if inc.bytes().len() > BLOCK {
            sink.bytes(&inc.drain())?;
        }
    }
    let mut objects = replacement.objects.clone();
    for object in objects.values_mut() {
        strip(view, object)?;
        old.normalise(object, true);
    }
    let mut trailer = Object::Dict(replacement.trailer.clone());
    old.normalise(&mut trailer, true);
    let kind = view.file().revisions().last().map_or(SectionKind::Table, Revision::kind);
    add(&mut inc, objects, replacement.new, &mut offsets);
    sink.finish(inc, kind, trailer.as_dict().cloned().unwrap_or_default(), offsets)
}

/// Puts replaced objects and the new ones behind what is there.
fn add(
    inc: &mut Increment,
    objects: BTreeMap<u32, Object>,
    new: Increment,
    offsets: &mut BTreeMap<u32, u64>,
) {
    for (number, object) in objects {
        offsets.insert(number, inc.object(ObjRef::new(number), &object));
    }
    for (number, at) in inc.append(new) {
        offsets.insert(number, at);
    }
}

struct Old<'v, 'f, 'a> {
    view: &'v View<'f, 'a>,
    /// The numbers of new objects.
    fresh: Range<u32>,
    replaced: &'v BTreeMap<u32, Object>,
}

impl Old<'_, '_, '_> {
    /// An object that cannot be read is `null`, as it is for every viewer.
    fn read(&self, number: u32) -> Option<Object> {
        let generation = match self.view.place(number) {
            Place::Free => return None,
            Place::At { generation, .. } => generation,
            Place::InStream { .. } => 0,
        };
        self.view.get(ObjRef { number, generation }).ok().filter(|object| !object.is_null())
    }

    /// Makes every reference one of generation 0, and `null` where it led nowhere: a dangling reference must not come
    /// to mean a new object, so only what was made here may name one.
    fn normalise(&self, object: &mut Object, may_name_new: bool) {
        match object {
            Object::Ref(reference) => {
                let number = reference.number;
                let new =
                    (may_name_new && self.fresh.contains(&number)) || self.replaced.contains_key(&number);
                let live = match self.view.place(number) {
                    Place::Free => false,
                    Place::At { generation, .. } => generation == reference.generation,
                    Place::InStream { .. } => reference.generation == 0,
                };
                *object = if new || live { Object::Ref(ObjRef::new(number)) } else { Object::Null };
            }
            Object::Array(items) => items.iter_mut().for_each(|item| self.normalise(item, may_name_new)),
            Object::Dict(dict) => self.normalise_dict(dict, may_name_new),
            Object::Stream(stream) => self.normalise_dict(&mut stream.dict, may_name_new),
            _ => {}
        }
    }

    fn normalise_dict(&self, dict: &mut Dict, may_name_new: bool) {
        dict.values_mut().for_each(|value| self.normalise(value, may_name_new));
        dict.tidy();
    }
}

fn references(object: &Object, found: &mut Vec<u32>) {
    match object {
        Object::Ref(reference) => found.push(reference.number),
        Object::Array(items) => items.iter().for_each(|item| references(item, found)),
        Object::Dict(dict) => dict.iter().for_each(|(_, value)| references(value, found)),
        Object::Stream(stream) => {
            for (key, value) in stream.dict.iter() {
                if key != b"Length" {
                    references(value, found);
                }
            }
        }
        _ => {}
    }
}

/// Takes out of the catalog what would act on its own.
pub(crate) fn strip_catalog(view: &View<'_, '_>, root: &mut Dict) -> Result<(), PdfError> {
    root.remove("AA");
    if let Object::Dict(action) = view.value(root, "OpenAction")?
        && !view.value(&action, "S")?.is_name(b"GoTo")
    {
        root.remove("OpenAction");
    }
    let mut names = view.dict(root, "Names")?;
    if names.remove("JavaScript").is_some() {
        root.set("Names", names);
    }
    Ok(())
}

/// Takes scripts and active actions out of annotations, fields, pages and actions.
fn strip(view: &View<'_, '_>, object: &mut Object) -> Result<(), PdfError> {
    match object {
        Object::Dict(dict) => {
            let annotation = dict.contains("Subtype") && dict.contains("Rect");
            let field = dict.contains("FT")
                || (dict.contains("T") && (dict.contains("Kids") || dict.contains("Parent")));
            if annotation || field || dict.is_type(b"Page") {
                dict.remove("AA");
            }
            if annotation {
                let action = view.dict(dict, "A")?;
                let kind = view.value(&action, "S")?;
                if kind.as_name().is_some_and(|kind| kind == b"JavaScript" || ACTIVE.contains(&kind)) {
                    dict.remove("A");
                }
            }
            let script = dict.contains("JS") && dict.get("S").is_some_and(|kind| kind.is_name(b"JavaScript"));
            let starts = dict.get("S").and_then(Object::as_name).is_some_and(|kind| STARTS.contains(&kind));
            if script || (starts && !dict.contains("P")) {
                *object = Object::Dict(Dict::new());
                return Ok(());
            }
            for value in dict.values_mut() {
                strip(view, value)?;
            }
        }
        Object::Array(items) => {
            for item in items {
                strip(view, item)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// The header line of the source, or that of PDF 1.7 if it makes no sense.
fn header(view: &View<'_, '_>) -> Result<String, Refusal> {
    let at = view.file().oddities().junk_before_header;
    let bytes = view.file().source().slice(at, 8)?;
    let known = matches!(bytes.as_slice(), [b'%', b'P', b'D', b'F', b'-', b'1' | b'2', b'.', b'0'..=b'9']);
    Ok(if known { String::from_utf8_lossy(&bytes).into_owned() } else { "%PDF-1.7".to_owned() })
}

/// The output, hashed as it passes.
struct Sink<'w> {
    out: &'w mut dyn io::Write,
    hasher: Hasher,
}

impl Sink<'_> {
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.hasher.update(bytes);
        self.out.write_all(bytes).map_err(|error| Refusal::Write(error.to_string()))
    }

    fn from(&mut self, source: &dyn Source, start: u64, end: u64) -> Result<(), Refusal> {
        let mut buf = vec![0; BLOCK.min(usize::try_from(end.saturating_sub(start)).unwrap_or(BLOCK))];
        let mut at = start;
        while at < end {
            let n = usize::try_from(end - at).unwrap_or(BLOCK).min(buf.len());
            let (block, _) = buf.split_at_mut(n);
            source.read_at(at, block)?;
            self.bytes(block)?;
            at += n as u64;
        }
        Ok(())
    }

    fn spaces(&mut self, count: u64) -> Result<(), Refusal> {
        let mut left = count;
        while left > 0 {
            let n = left.min(1024);
            self.bytes(&vec![b' '; usize::try_from(n).unwrap_or(1024)])?;
            left -= n;
        }
        Ok(())
    }

    fn finish(
        mut self,
        inc: Increment,
        kind: SectionKind,
        trailer: Dict,
        offsets: BTreeMap<u32, u64>,
    ) -> Result<Written, Refusal> {
        let finished = inc.finish(kind, &trailer, None);
        self.bytes(&finished.bytes)?;
        let (len, midstate) = (self.hasher.len(), self.hasher.midstate());
        let (startxref, size) = (finished.startxref, finished.size);
        Ok(Written { sha256: self.hasher.finish(), len, midstate, startxref, size, kind, trailer, offsets })
    }
}

/// Actions that reach outside (12.6.4); structure elements have `/P`, actions have not.
const STARTS: [&[u8]; 3] = [b"Launch", b"SubmitForm", b"ImportData"];
/// So many references may wait, the same again and again or not.
const WAITING: usize = 4 << 20;
const BLOCK: usize = 1 << 18;
