//! From the last `startxref` back along `/Prev`: the revisions of a file (ISO 32000-2, 7.5.6).
//!
//! A revision is what one act of saving appended. Its sections are one table or stream, plus the `/XRefStm` of a
//! hybrid file (7.5.8.4), or both halves of a linearised file's first save (Annex F), whose first half stands
//! before the second in the file. Revisions are numbered from 0, the oldest.

use super::{
    error::PdfError,
    indirect::with_window,
    limits::Limits,
    object::{Dict, ObjRef, Object},
    xref::{Entry, Place, Section, SectionKind, read_section},
};
use crate::source::Source;

/// What one act of saving added.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    /// The sections, the one that counts first (the one `startxref` names) in front.
    pub sections: Vec<SectionInfo>,
    /// Sorted by number, each number once.
    pub entries: Vec<Entry>,
    /// The trailer that counts for this revision.
    pub trailer: Dict,
    /// Absolute offset of `startxref`, if it follows the section.
    pub startxref_at: Option<u64>,
    /// Absolute offset behind `%%EOF` without its line end; `end` if there is none.
    pub eof: u64,
    /// Absolute offset behind the line end of `%%EOF`: where the next revision begins. Behind the section if
    /// there is no `%%EOF`.
    pub end: u64,
}

/// Where a section lies and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SectionInfo {
    /// Absolute offset.
    pub at: u64,
    /// Absolute offset behind it.
    pub end: u64,
    /// Table or stream.
    pub kind: SectionKind,
    /// Of a stream.
    pub id: Option<ObjRef>,
}

impl Revision {
    /// What this revision says about `number`; `None` if it does not mention it.
    pub fn entry(&self, number: u32) -> Option<Place> {
        // Most sections name a run of numbers without holes: then the place in the list is known.
        let guess = number.checked_sub(self.entries.first()?.number())?;
        if let Some(entry) = self.entries.get(guess as usize).filter(|entry| entry.number() == number) {
            return Some(entry.place());
        }
        let index = self.entries.binary_search_by_key(&number, Entry::number).ok()?;
        self.entries.get(index).map(Entry::place)
    }

    /// The form of the section that counts.
    pub fn kind(&self) -> SectionKind {
        self.sections.first().map_or(SectionKind::Table, |section| section.kind)
    }
}

/// The revisions, oldest first, and what was odd about the chain.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Chain {
    /// Oldest first.
    pub revisions: Vec<Revision>,
    /// The value of the last `startxref`, with `shift` added.
    pub startxref: u64,
    /// A table names an `/XRefStm`.
    pub hybrid: bool,
    /// Two sections form the first revision, as in linearised files.
    pub split_first: bool,
    /// A section had to be read tolerantly.
    pub sloppy: bool,
}

/// Which revisions mention a number: for files of so many that they cannot be asked one by one.
pub(super) struct Mentions(Vec<(u32, u32)>);

impl Mentions {
    pub(super) fn of(revisions: &[Revision]) -> Self {
        let all = (0..).zip(revisions);
        let all = all.flat_map(|(index, revision)| revision.entries.iter().map(move |e| (e.number(), index)));
        let mut all: Vec<(u32, u32)> = all.collect();
        all.sort_unstable();
        Self(all)
    }

    /// The last one up to `revision` that mentions `number`.
    pub(super) fn last(&self, number: u32, revision: usize) -> Option<usize> {
        let revision = u32::try_from(revision).unwrap_or(u32::MAX);
        let behind = self.0.partition_point(|mention| *mention <= (number, revision));
        let (found, index) = self.0.get(behind.checked_sub(1)?)?;
        (*found == number).then_some(*index as usize)
    }
}

/// Follows the chain; `shift` is the number of bytes before the header.
///
/// # Errors
/// [`PdfError`] if `startxref` is missing, leads nowhere or in a circle.
pub(super) fn read_chain(source: &dyn Source, shift: u64, limits: &Limits) -> Result<Chain, PdfError> {
    let stated = last_startxref(source)?;
    let mut chain = Chain { startxref: stated.saturating_add(shift), ..Chain::default() };
    // Newest first, each with the place it names as its `/Prev`.
    let mut groups: Vec<Vec<Section>> = Vec::new();
    let mut seen = Vec::new();
    let mut next = Some(chain.startxref);
    let mut joins = false;
    let mut total = 0;
    let (mut extent, mut trailers) = (0, 0);
    while let Some(at) = next {
        if seen.contains(&at) {
            return Err(PdfError::Wrong("/Prev, which leads in a circle,"));
        }
        seen.push(at);
        if seen.len() > limits.sections {
            return Err(PdfError::Limit("too many revisions"));
        }
        let section = read_section(source, at, shift, limits)?;
        total += section.entries.len();
        if total > 4 * limits.objects as usize {
            return Err(PdfError::Limit("too many cross-reference entries"));
        }
        // Sections lie side by side. Where one contains the next, each is as long as the file.
        extent += section.end.saturating_sub(section.at);
        if extent > source.len().saturating_mul(2) {
            return Err(PdfError::Limit("cross-reference sections within each other"));
        }
        trailers += section.trailer.size();
        if trailers > TRAILERS {
            return Err(PdfError::Limit("the trailers are too long"));
        }
        chain.sloppy |= section.sloppy;
        let offset = |key: &str| {
            let value = section.trailer.get(key).and_then(Object::as_number)?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "saturates; then it leads nowhere"
            )]
            (value > 0.0).then_some((value as u64).saturating_add(shift))
        };
        next = offset("Prev");
        let hybrid = if section.kind == SectionKind::Table { offset("XRefStm") } else { None };
        let mut group = vec![section];
        if let Some(at) = hybrid {
            chain.hybrid = true;
            let hidden = read_section(source, at, shift, limits)?;
            total += hidden.entries.len();
            extent += hidden.end.saturating_sub(hidden.at);
            chain.sloppy |= hidden.sloppy;
            group.push(hidden);
        }
        // A section that stands before the one it continues: the first half of a linearised file.
        let joined_by_next = next.is_some_and(|prev| prev > at);
        match groups.last_mut() {
            Some(last) if joins => {
                last.append(&mut group);
                chain.split_first = true;
            }
            _ => groups.push(group),
        }
        joins = joined_by_next;
    }
    for group in groups.into_iter().rev() {
        chain.revisions.push(revision(source, group, limits)?);
    }
    Ok(chain)
}

fn revision(source: &dyn Source, sections: Vec<Section>, limits: &Limits) -> Result<Revision, PdfError> {
    let trailer = sections.first().map(|section| section.trailer.clone()).unwrap_or_default();
    let infos: Vec<SectionInfo> = sections
        .iter()
        .map(|section| SectionInfo { at: section.at, end: section.end, kind: section.kind, id: section.id })
        .collect();
    let last = infos.iter().map(|info| info.end).max().unwrap_or_default();
    let tail = tail_of(source, last, limits)?;
    let hybrid = sections.first().is_some_and(|section| section.trailer.contains("XRefStm"));
    let mut lists = sections.into_iter().map(|section| section.entries);
    let mut entries = lists.next().unwrap_or_default();
    lists.for_each(|list| entries.extend(list));
    // The sort is stable: of two entries for one number, the one of the section that counts first stays. Objects
    // hidden from old readers are free in a hybrid file's table and in use in its stream.
    if entries.windows(2).any(|pair| matches!(pair, [a, b] if a.number() >= b.number())) {
        if hybrid {
            entries.sort_by_key(|entry| (entry.number(), entry.place() == Place::Free));
        } else {
            entries.sort_by_key(Entry::number);
        }
        entries.dedup_by_key(|entry| entry.number());
    }
    entries.shrink_to_fit();
    let (startxref_at, eof, end) = tail.unwrap_or((None, last, last));
    Ok(Revision { sections: infos, entries, trailer, startxref_at, eof, end })
}

type Tail = (Option<u64>, u64, u64);

/// `startxref N %%EOF` behind a section: offset of the keyword, behind `%%EOF`, and behind its line end.
fn tail_of(source: &dyn Source, at: u64, limits: &Limits) -> Result<Option<Tail>, PdfError> {
    let startxref = with_window(source, at, limits, |lexer| {
        lexer.skip_space();
        let start = at + lexer.pos() as u64;
        if !lexer.take_keyword(b"startxref")? {
            return Ok(None);
        }
        lexer.unsigned()?;
        Ok(Some((start, at + lexer.pos() as u64)))
    });
    let Ok(Some((start, behind))) = startxref else { return Ok(None) };
    let len = usize::try_from((source.len() - behind).min(64)).unwrap_or(64);
    let window = source.slice(behind, len)?;
    let blanks = window.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let Some(rest) = window.get(blanks..).and_then(|rest| rest.strip_prefix(b"%%EOF")) else {
        return Ok(Some((Some(start), behind, behind)));
    };
    let eof = behind + blanks as u64 + 5;
    let line_end = match rest {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    };
    Ok(Some((Some(start), eof, eof + line_end)))
}

/// The number behind the last `startxref`.
fn last_startxref(source: &dyn Source) -> Result<u64, PdfError> {
    for reach in [2048, 1 << 16] {
        let len = source.len().min(reach);
        let at = source.len() - len;
        let window = source.slice(at, usize::try_from(len).unwrap_or_default())?;
        if let Some(found) = memchr::memmem::rfind(&window, b"startxref") {
            let mut lexer = super::lexer::Lexer::new(&window, at, 1);
            lexer.seek(found + 9);
            return Ok(lexer.unsigned()?);
        }
    }
    Err(PdfError::Malformed { at: source.len(), what: "startxref is missing" })
}

/// Most bytes of memory that all trailers may take.
const TRAILERS: usize = 64 << 20;
