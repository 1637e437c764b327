//! A file as its revisions, read lazily: opening reads the cross-reference chain, everything else when asked.
//!
//! [`File::latest`] and [`File::at`] give views: the document as a reader sees it at the end of a revision. A view
//! resolves references only through what that revision and the older ones say, so a signed revision can be looked
//! at exactly as its signer saw it. A file whose chain is broken is opened by a scan and says so
//! ([`Oddities::repaired`]); nobody may sign or accept a signature in such a file.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    ops::Range,
    rc::Rc,
};

use super::{
    chain::{Chain, Revision, read_chain},
    error::PdfError,
    filter::{self, Decoded},
    indirect::{self, Indirect, header_at, read_indirect, with_window},
    lexer::Spans,
    limits::Limits,
    object::{Dict, ObjRef, Object, Stream},
    objstm::Container,
    repair,
    xref::{Entry, Place},
};
use crate::source::Source;

/// An open file.
pub struct File<'a> {
    source: &'a dyn Source,
    limits: Limits,
    chain: Chain,
    oddities: Oddities,
    containers: RefCell<VecDeque<(u64, Rc<Container>)>>,
    inflated: Cell<u64>,
}

/// What is unusual about the structure of a file, in the order a reader meets it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent findings, each on its own")]
pub struct Oddities {
    /// Bytes before `%PDF-`.
    pub junk_before_header: u64,
    /// Bytes other than white space behind the last `%%EOF`.
    pub junk_after_eof: u64,
    /// The last revision does not end with `startxref`, number and `%%EOF`.
    pub no_eof: bool,
    /// Tables with `/XRefStm`.
    pub hybrid: bool,
    /// Linearised (Annex F): two sections form the first save.
    pub linearised: bool,
    /// A cross-reference section was read tolerantly.
    pub sloppy_xref: bool,
    /// The chain was unusable; the objects were found by a scan.
    pub repaired: bool,
}

impl<'a> File<'a> {
    /// Opens a file; a broken chain is replaced by a scan.
    ///
    /// # Errors
    /// [`PdfError::NoHeader`], [`PdfError::NoDocument`], [`PdfError::Limit`], or the source's own.
    pub fn open(source: &'a dyn Source, limits: &Limits) -> Result<Self, PdfError> {
        match Self::open_strict(source, limits) {
            Err(error @ (PdfError::NoHeader | PdfError::Source(_) | PdfError::Limit(_))) => Err(error),
            Err(_) => Self::open_by_scan(source, limits),
            Ok(file) => Ok(file),
        }
    }

    /// Opens a file by its cross-reference chain alone: what verification and signing rely on.
    ///
    /// # Errors
    /// As [`File::open`], and whatever is wrong with the chain or the catalog.
    pub fn open_strict(source: &'a dyn Source, limits: &Limits) -> Result<Self, PdfError> {
        let header = find_header(source, limits)?;
        // Offsets count from the header or from the first byte: both kinds of writers exist.
        let mut last = PdfError::NoDocument("the cross-reference chain is broken");
        for shift in if header == 0 { vec![0] } else { vec![0, header] } {
            let chain = match read_chain(source, shift, limits) {
                Ok(chain) => chain,
                Err(error @ PdfError::Limit(_)) => return Err(error),
                Err(error) => {
                    last = error;
                    continue;
                }
            };
            let file = Self::with_chain(source, limits, chain, header);
            match file.latest().check_catalog() {
                Ok(()) => return Ok(file),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Opens a file by scanning it for objects, whatever its cross-reference says.
    ///
    /// # Errors
    /// As [`File::open`].
    pub fn open_by_scan(source: &'a dyn Source, limits: &Limits) -> Result<Self, PdfError> {
        let header = find_header(source, limits)?;
        let chain = repair::scan(source, header, limits)?;
        let mut file = Self::with_chain(source, limits, chain, header);
        file.oddities.repaired = true;
        file.latest().check_catalog()?;
        Ok(file)
    }

    fn with_chain(source: &'a dyn Source, limits: &Limits, chain: Chain, header: u64) -> Self {
        let last = chain.revisions.last();
        let end = last.map_or(0, |revision| revision.end);
        let oddities = Oddities {
            junk_before_header: header,
            junk_after_eof: junk_behind(source, end),
            no_eof: last.is_none_or(|revision| revision.eof == revision.startxref_at.unwrap_or(revision.eof)),
            hybrid: chain.hybrid,
            linearised: chain.split_first,
            sloppy_xref: chain.sloppy,
            repaired: false,
        };
        let (containers, inflated) = (RefCell::default(), Cell::new(0));
        Self { source, limits: limits.clone(), chain, oddities, containers, inflated }
    }

    /// The bytes.
    pub fn source(&self) -> &'a dyn Source {
        self.source
    }

    /// The bounds the file was opened with.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// All revisions, oldest first.
    pub fn revisions(&self) -> &[Revision] {
        &self.chain.revisions
    }

    /// The offset that the last `startxref` names.
    pub fn startxref(&self) -> u64 {
        self.chain.startxref
    }

    /// What is unusual about the structure.
    pub fn oddities(&self) -> &Oddities {
        &self.oddities
    }

    /// Whether any revision's trailer has `/Encrypt`.
    pub fn is_encrypted(&self) -> bool {
        self.chain.revisions.iter().any(|revision| revision.trailer.contains("Encrypt"))
    }

    /// The bytes that revision `index` appended: from the end of the one before it to its own end.
    pub fn revision_bytes(&self, index: usize) -> Option<Range<u64>> {
        let end = self.chain.revisions.get(index)?.end;
        let start =
            index.checked_sub(1).and_then(|before| self.chain.revisions.get(before)).map_or(0, |r| r.end);
        Some(start..end)
    }

    /// The document as it is now.
    pub fn latest(&self) -> View<'_, 'a> {
        View { file: self, revision: self.chain.revisions.len().saturating_sub(1) }
    }

    /// The document at the end of revision `index` (the latest if there is no such revision).
    pub fn at(&self, index: usize) -> View<'_, 'a> {
        View { file: self, revision: index.min(self.chain.revisions.len().saturating_sub(1)) }
    }

    /// The keys of the dictionary of the indirect object at `offset`, with the absolute place of each value, in file
    /// order and with duplicates: for checks on raw bytes such as the gap of a signature.
    ///
    /// # Errors
    /// [`PdfError`] if no indirect dictionary stands there.
    pub fn dict_spans(&self, offset: u64) -> Result<Spans<u64>, PdfError> {
        with_window(self.source, offset, &self.limits, |lexer| {
            lexer.unsigned()?;
            lexer.unsigned()?;
            lexer.take_keyword(b"obj")?;
            let spans = lexer.dict_spans()?;
            let absolute = |span: Range<usize>| offset + span.start as u64..offset + span.end as u64;
            Ok(spans.into_iter().map(|(key, span)| (key, absolute(span))).collect())
        })
    }

    fn container(&self, number: u32, offset: u64) -> Result<Rc<Container>, PdfError> {
        if let Some((_, held)) = self.containers.borrow().iter().find(|(at, _)| *at == offset) {
            return Ok(Rc::clone(held));
        }
        let indirect =
            read_indirect(self.source, offset, &self.limits, &mut |reference| self.plain_length(reference))?;
        let Object::Stream(stream) = &indirect.object else {
            return Err(PdfError::Wrong("an object stream"));
        };
        if indirect.id.number != number {
            return Err(PdfError::Wrong("an object stream's number"));
        }
        let container = Rc::new(Container::read(self.source, stream, &self.limits)?);
        self.spend(container.size())?;
        let mut held = self.containers.borrow_mut();
        held.push_front((offset, Rc::clone(&container)));
        while held.len() > 1 && held.iter().map(|(_, c)| c.size()).sum::<usize>() > CONTAINERS {
            held.pop_back();
        }
        Ok(container)
    }

    /// An indirect `/Length`: looked up in the latest revision, and only as a plain integer.
    fn plain_length(&self, reference: ObjRef) -> Option<u64> {
        let Place::At { offset, .. } = self.latest().place(reference.number) else { return None };
        let value = read_indirect(self.source, offset, &self.limits, &mut |_| None).ok()?;
        (value.id == reference).then_some(())?;
        u64::try_from(value.object.as_int()?).ok()
    }

    fn spend(&self, bytes: usize) -> Result<(), PdfError> {
        let spent = self.inflated.get().saturating_add(bytes as u64);
        self.inflated.set(spent);
        if spent > self.limits.inflated_total {
            return Err(PdfError::Limit("the file expands to too many bytes"));
        }
        Ok(())
    }
}

/// The document at the end of one revision.
#[derive(Clone, Copy)]
pub struct View<'f, 'a> {
    file: &'f File<'a>,
    revision: usize,
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

    /// Where `number` is, and the revision that put it there; `None` if no revision mentions it.
    pub fn located(&self, number: u32) -> Option<(Place, usize)> {
        let mut revisions = self.revisions().iter().enumerate().rev();
        revisions.find_map(|(index, revision)| revision.entry(number).map(|place| (place, index)))
    }

    /// The highest number any revision mentions, plus one.
    pub fn size(&self) -> u32 {
        let last = |revision: &Revision| revision.entries.last().map_or(0, Entry::number);
        self.revisions().iter().map(last).max().unwrap_or(0).saturating_add(1)
    }

    /// All numbers in use, ascending.
    pub fn numbers(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = match self.revisions() {
            [only] => only.entries.iter().map(Entry::number).collect(),
            many => many.iter().flat_map(|revision| revision.entries.iter().map(Entry::number)).collect(),
        };
        numbers.sort_unstable();
        numbers.dedup();
        numbers.retain(|&number| number != 0 && self.place(number) != Place::Free);
        numbers
    }

    /// The object; [`Object::Null`] if there is none of this number and generation (7.3.10).
    ///
    /// # Errors
    /// [`PdfError`] if what stands at its place is not this object.
    pub fn get(&self, reference: ObjRef) -> Result<Object, PdfError> {
        match self.place(reference.number) {
            Place::Free => Ok(Object::Null),
            Place::At { generation, .. } if generation != reference.generation => Ok(Object::Null),
            Place::At { offset, .. } => Ok(self.indirect_at(reference.number, offset)?.object),
            Place::InStream { .. } if reference.generation != 0 => Ok(Object::Null),
            Place::InStream { container, index } => {
                let Place::At { offset, .. } = self.place(container) else {
                    return Err(PdfError::Wrong("an object stream"));
                };
                let container = self.file.container(container, offset)?;
                container.object(index as usize, reference.number, &self.file.limits)
            }
        }
    }

    /// The object with its extent in the file; `None` if it is free or within an object stream.
    ///
    /// # Errors
    /// As [`View::get`].
    pub fn indirect(&self, number: u32) -> Result<Option<Indirect>, PdfError> {
        match self.place(number) {
            Place::At { offset, .. } => self.indirect_at(number, offset).map(Some),
            _ => Ok(None),
        }
    }

    fn indirect_at(&self, number: u32, offset: u64) -> Result<Indirect, PdfError> {
        let file = self.file;
        let indirect = read_indirect(file.source, offset, &file.limits, &mut |length| self.length(length))?;
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
                let value = read_indirect(self.file.source, offset, &self.file.limits, &mut |_| None).ok()?;
                (value.id == reference).then_some(value.object)?
            }
            Place::InStream { .. } => self.get(reference).ok()?,
            Place::Free => return None,
        };
        u64::try_from(value.as_int()?).ok()
    }

    /// Follows references until there is a value.
    ///
    /// # Errors
    /// [`PdfError::Limit`] if references lead to references too often; otherwise as [`View::get`].
    pub fn resolve(&self, object: &Object) -> Result<Object, PdfError> {
        let Object::Ref(mut reference) = *object else { return Ok(object.clone()) };
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

    fn check_catalog(&self) -> Result<(), PdfError> {
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
        let limits = &self.file.limits;
        let raw = usize::try_from(stream.len).ok().filter(|&len| len <= limits.inflated_len);
        let raw = self.file.source.slice(stream.at, raw.ok_or(PdfError::Limit("one stream is too long"))?)?;
        let mut dict = Dict::new();
        for key in ["Filter", "DecodeParms"] {
            if let Some(value) = stream.dict.get(key) {
                dict.set(key, self.resolve_deep(value, 3)?);
            }
        }
        let decoded = filter::decode(&dict, raw, limits.inflated_len)?;
        self.file.spend(decoded.data.len())?;
        Ok(decoded)
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

/// The offset of `%PDF-` within the first 1,024 bytes.
fn find_header(source: &dyn Source, limits: &Limits) -> Result<u64, PdfError> {
    if source.len() > limits.file_len {
        return Err(PdfError::Limit("the file is too long"));
    }
    let len = source.len().min(1024 + 5);
    let window = source.slice(0, usize::try_from(len).unwrap_or_default())?;
    memchr::memmem::find(&window, b"%PDF-").map(|at| at as u64).ok_or(PdfError::NoHeader)
}

/// Bytes behind `end` unless they are all white space (looked at up to 64 KiB).
fn junk_behind(source: &dyn Source, end: u64) -> u64 {
    let rest = source.len().saturating_sub(end);
    let looked = usize::try_from(rest.min(1 << 16)).unwrap_or_default();
    match source.slice(end, looked) {
        Ok(bytes) if rest == looked as u64 && bytes.iter().all(|&b| super::lexer::is_space(b)) => 0,
        _ => rest,
    }
}

/// The first occurrence of `word` at or behind `at` in a source.
///
/// # Errors
/// [`PdfError::Source`] if the medium fails.
pub fn find(source: &dyn Source, at: u64, word: &[u8]) -> Result<Option<u64>, PdfError> {
    indirect::find(source, at, word)
}

const CONTAINERS: usize = 16 << 20;
