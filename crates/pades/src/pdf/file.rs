//! A file as its revisions, read lazily: opening reads the cross-reference chain, everything else when asked.
//!
//! [`File::latest`] and [`File::at`] give views: the document as a reader sees it at the end of a revision. A view
//! resolves references only through what that revision and the older ones say, so a signed revision can be looked
//! at exactly as its signer saw it. A file whose chain is broken is opened by a scan and says so
//! ([`Oddities::repaired`]); nobody may sign or accept a signature in such a file.

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::{HashMap, VecDeque},
    ops::Range,
    rc::Rc,
};

use super::{
    chain::{Chain, Mentions, Revision, read_chain},
    error::PdfError,
    indirect::{self, Indirect, integer_at, read_indirect, with_window},
    lexer::Spans,
    limits::Limits,
    object::{ObjRef, Object, Stream},
    objstm::{Container, Opened, Reader},
    repair,
    view::View,
    xref::Place,
};
use crate::source::{Counted, Source};

/// An open file.
pub struct File<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) limits: Limits,
    pub(super) chain: Chain,
    mentions: OnceCell<Mentions>,
    oddities: Oddities,
    containers: RefCell<VecDeque<(u64, Rc<Container>)>>,
    objects: RefCell<Known>,
    inflated: Cell<u64>,
    work: Cell<u64>,
    /// The first bound that was reached.
    exceeded: Cell<Option<&'static str>>,
}

/// Objects that were read, by offset. An analysis asks for the same few (catalog, form, fields, signatures) again and
/// again, in every revision.
#[derive(Default)]
struct Known {
    /// Each with about how many bytes of memory it takes.
    objects: HashMap<u64, (Rc<Indirect>, usize)>,
    size: usize,
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
        let (containers, objects, inflated, work, exceeded) = Default::default();
        let limits = limits.clone();
        let mentions = OnceCell::new();
        Self { source, limits, chain, mentions, oddities, containers, objects, inflated, work, exceeded }
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

    pub(super) fn mentions(&self) -> &Mentions {
        self.mentions.get_or_init(|| Mentions::of(&self.chain.revisions))
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
        self.within_limits()?;
        let counted = Counted::new(self.source);
        let spans = with_window(&counted, offset, &self.limits, |lexer| {
            lexer.unsigned()?;
            lexer.unsigned()?;
            lexer.take_keyword(b"obj")?;
            let spans = lexer.dict_spans()?;
            let absolute = |span: Range<usize>| offset + span.start as u64..offset + span.end as u64;
            Ok(spans.into_iter().map(|(key, span)| (key, absolute(span))).collect())
        });
        self.parsed(counted.read())?;
        spans
    }

    /// The indirect object at `offset`, read once as long as there is room. `length` resolves an indirect `/Length`.
    pub(super) fn indirect_at(
        &self,
        offset: u64,
        length: &mut dyn FnMut(ObjRef) -> Option<u64>,
    ) -> Result<Rc<Indirect>, PdfError> {
        self.within_limits()?;
        let known = self.objects.borrow().objects.get(&offset).cloned();
        if let Some((known, size)) = known {
            self.work(size)?;
            return Ok(known);
        }
        let mut asked = false;
        let counted = Counted::new(self.source);
        let read = read_indirect(&counted, offset, &self.limits, &mut |reference| {
            asked = true;
            length(reference)
        });
        // What cannot be read may have cost as much as was looked at.
        self.parsed(read.as_ref().map_or(counted.read(), |indirect| indirect.text_len(offset)))?;
        let read = read?;
        let size = read.object.size();
        self.work(size)?;
        let read = Rc::new(read);
        // An indirect length may be another in another revision.
        if !asked && size <= OBJECTS / 4 {
            let mut known = self.objects.borrow_mut();
            if known.size + size > OBJECTS {
                *known = Known::default();
            }
            known.size += size;
            known.objects.insert(offset, (Rc::clone(&read), size));
        }
        Ok(read)
    }

    /// The object `number` at `index` of an object stream.
    pub(super) fn contained(
        &self,
        container: (u32, u64),
        index: usize,
        number: u32,
    ) -> Result<Object, PdfError> {
        let container = self.container(container.0, container.1)?;
        let before = container.decoded();
        let (object, text_len) = container.object(index, number, &self.limits);
        self.spend((container.decoded() - before) as u64)?;
        self.parsed(text_len as u64)?;
        let object = object?;
        self.work(object.size())?;
        Ok(object)
    }

    /// The object stream `number` at `offset`.
    pub(super) fn container(&self, number: u32, offset: u64) -> Result<Rc<Container>, PdfError> {
        if let Some((_, held)) = self.containers.borrow().iter().find(|(at, _)| *at == offset) {
            return Ok(Rc::clone(held));
        }
        let indirect = self.container_stream(number, offset)?;
        let mut cost = 0;
        let container = Container::read(self.source, contained_in(&indirect)?, &self.limits, &mut cost);
        self.spend(cost)?;
        let container = Rc::new(container?);
        let mut held = self.containers.borrow_mut();
        held.push_front((offset, Rc::clone(&container)));
        while held.len() > 1 && held.iter().map(|(_, c)| c.size()).sum::<usize>() > CONTAINERS {
            held.pop_back();
        }
        Ok(container)
    }

    /// The object stream `number` at `offset`, read whole by `reader`.
    pub(super) fn open_container<'r>(
        &self,
        reader: &'r mut Reader,
        number: u32,
        offset: u64,
    ) -> Result<Opened<'r>, PdfError> {
        let indirect = self.container_stream(number, offset)?;
        let mut cost = 0;
        let opened = reader.open(self.source, contained_in(&indirect)?, &self.limits, &mut cost);
        self.spend(cost)?;
        opened
    }

    fn container_stream(&self, number: u32, offset: u64) -> Result<Rc<Indirect>, PdfError> {
        let indirect = self.indirect_at(offset, &mut |reference| self.plain_length(reference))?;
        if indirect.id.number == number {
            Ok(indirect)
        } else {
            Err(PdfError::Wrong("an object stream's number"))
        }
    }

    /// An indirect `/Length`: looked up in the latest revision, and only as a plain integer.
    fn plain_length(&self, reference: ObjRef) -> Option<u64> {
        let Place::At { offset, .. } = self.latest().place(reference.number) else { return None };
        integer_at(self.source, offset).filter(|(id, _)| *id == reference).map(|(_, value)| value)
    }

    /// Counts what was inflated, and what had to be read for that.
    pub(super) fn spend(&self, bytes: u64) -> Result<(), PdfError> {
        let spent = self.inflated.get().saturating_add(bytes);
        self.inflated.set(spent);
        self.bounded(spent, self.limits.inflated_total, "the file expands to too many bytes")
    }

    /// Counts text that was parsed.
    pub(crate) fn parsed(&self, bytes: u64) -> Result<(), PdfError> {
        self.count(bytes.saturating_mul(8))
    }

    /// Counts an object that was read or copied.
    pub(super) fn work(&self, size: usize) -> Result<(), PdfError> {
        self.count(size as u64 + ONE)
    }

    /// Counts comparisons and other steps of an analysis.
    pub(crate) fn judged(&self, steps: usize) -> Result<(), PdfError> {
        self.count((steps as u64).saturating_mul(64))
    }

    fn count(&self, bytes: u64) -> Result<(), PdfError> {
        let done = self.work.get().saturating_add(bytes);
        self.work.set(done);
        let most = self.limits.work.saturating_add(self.source.len().saturating_mul(16));
        self.bounded(done, most, "the file takes too much work to read")
    }

    fn bounded(&self, value: u64, most: u64, what: &'static str) -> Result<(), PdfError> {
        if value > most && self.exceeded.get().is_none() {
            self.exceeded.set(Some(what));
        }
        self.within_limits()
    }

    /// Whether everything that was asked for could be read within the limits. Once one is reached nothing more is read,
    /// and whoever passes over what cannot be read must ask this at the end: what he did not see may have been there.
    ///
    /// # Errors
    /// [`PdfError::Limit`] if one was reached.
    pub fn within_limits(&self) -> Result<(), PdfError> {
        self.exceeded.get().map_or(Ok(()), |what| Err(PdfError::Limit(what)))
    }
}

fn contained_in(indirect: &Indirect) -> Result<&Stream, PdfError> {
    indirect.object.as_stream().ok_or(PdfError::Wrong("an object stream"))
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
const OBJECTS: usize = 4 << 20;
/// What looking for an object costs, however small it is.
const ONE: u64 = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        pdf::{Dict, Increment, SectionKind},
        source::SourceError,
    };

    /// Counts what is read.
    struct Noted(Vec<u8>, Cell<usize>);

    impl Source for Noted {
        fn len(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_at(&self, at: u64, buf: &mut [u8]) -> Result<(), SourceError> {
            self.1.set(self.1.get() + 1);
            self.0.read_at(at, buf)
        }
    }

    fn appended(base: &[u8], number: u32, object: &Object, next: u32) -> Vec<u8> {
        let startxref = File::open(&base, &Limits::default()).unwrap().startxref();
        let mut out = Increment::new(base.len() as u64, next);
        out.object(ObjRef::new(number), object);
        let trailer = Dict::new().with("Root", ObjRef::new(1));
        let finished = out.finish(SectionKind::Table, &trailer, Some(startxref));
        [base, finished.bytes.as_slice()].concat()
    }

    #[test]
    fn what_was_read_is_not_read_again() {
        let source = Noted(crate::pdf::minimal(), Cell::new(0));
        let file = File::open(&source, &Limits::default()).unwrap();
        let first = file.latest().root().unwrap();
        let reads = source.1.get();
        assert_eq!(file.latest().root().unwrap(), first);
        assert_eq!(source.1.get(), reads);
    }

    #[test]
    fn a_stream_is_as_long_as_its_revision_says() {
        let stream =
            "4 0 obj\n<< /Length 5 0 R >>\nstream\nab\nendstream\nendstream\nendobj\n5 0 obj\n2\nendobj\n";
        let minimal = crate::pdf::minimal();
        let at = minimal.len();
        let startxref = File::open(&minimal, &Limits::default()).unwrap().startxref();
        let length = at + stream.find("5 0 obj").unwrap();
        let section = format!(
            "xref\n4 2\n{at:010} 00000 n \n{length:010} 00000 n \ntrailer\n<< /Size 6 /Root 1 0 R /Prev {startxref} >>\nstartxref\n{}\n%%EOF\n",
            at + stream.len()
        );
        let base = [&minimal, stream.as_bytes(), section.as_bytes()].concat();
        let bytes = appended(&base, 5, &Object::Int(12), 6);
        let file = File::open(&bytes, &Limits::default()).unwrap();
        let len = |revision| file.at(revision).get(ObjRef::new(4)).unwrap().as_stream().unwrap().len;
        assert_eq!((len(2), len(1), len(2)), (12, 2, 12));
    }
}
