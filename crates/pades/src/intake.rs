//! Taking a file in: one pass that hashes it, checks every cross-reference offset on the way, and says what it is.
//!
//! Refuses what must not be signed (encrypted, truncated, dynamic XFA, broken beyond safe signing) and names what
//! provisioning will have to put right (`pades.md` 6.5 in words: hybrid, repaired, several revisions, junk, scripts).
//! Nothing is copied and memory does not grow with the file.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    digest::{Digest, Hasher, Midstate},
    form_version::FormVersion,
    index::BaseIndex,
    pdf::{
        Dict, Entry, File, Limits, Object, Oddities, PdfError, Place, Revision, SectionKind, UsualHeaders,
        View, header_at,
    },
    source::{Source, SourceError},
    survey,
};

/// A file that was taken in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ingested {
    /// SHA-256 of the file as it came.
    pub sha256: Digest,
    /// Its length.
    pub len: u64,
    /// The hash at its end, to be resumed by an appended revision.
    pub midstate: Midstate,
    /// What appending needs to know.
    pub index: BaseIndex,
    /// What was found.
    pub report: IntakeReport,
}

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntakeReport {
    /// Number of pages.
    pub pages: u32,
    /// Number of revisions.
    pub revisions: u32,
    /// Number of signatures it already carries.
    pub signatures: u32,
    /// Structure.
    pub oddities: Oddities,
    /// Everything a person should know; also what makes normalising necessary.
    pub findings: Vec<Finding>,
}

impl IntakeReport {
    /// Whether provisioning will write the file anew instead of copying it. Never for signed files.
    pub fn needs_normalising(&self) -> bool {
        self.signatures == 0 && self.findings.iter().any(|finding| finding.normalises())
    }
}

/// Something worth knowing about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Tables with `/XRefStm`.
    Hybrid,
    /// The cross-reference was wrong; objects were found by a scan.
    Repaired,
    /// A cross-reference section was read tolerantly.
    SloppyXref,
    /// Linearised: appending would leave stale hints.
    Linearised,
    /// Bytes before the header.
    JunkBeforeHeader,
    /// Bytes behind the last `%%EOF`.
    JunkAfterEof,
    /// It was saved incrementally, so earlier states hide in it.
    SeveralRevisions,
    /// Objects with a generation above 0.
    OldGenerations,
    /// A stream's `/Length` is wrong.
    WrongLength,
    /// Objects that strict readers stumble over: no `endobj`, a key twice, a reference to nothing, a name that is not
    /// escaped.
    LooseSyntax,
    /// Fields that share a name, or have a full stop in theirs (12.7.4.2): they get another.
    FieldNames,
    /// JavaScript, to be stripped.
    JavaScript,
    /// Something happens on opening, printing or leaving, to be stripped.
    AutomaticAction,
    /// A link or button that starts a program, sends data or hides things, to be stripped.
    ActiveAction,
    /// A static XFA form beside the real one, to be stripped.
    StaticXfa,
    /// The form asks viewers to redraw its fields, to be switched off.
    NeedAppearances,
    /// Files are attached within the PDF.
    EmbeddedFiles,
    /// Layers that can be shown or hidden.
    OptionalContent,
    /// It has form fields already.
    HasForm,
}

impl Finding {
    /// Whether it makes writing the file anew necessary.
    pub fn normalises(self) -> bool {
        !matches!(self, Self::EmbeddedFiles | Self::OptionalContent | Self::HasForm | Self::NeedAppearances)
    }
}

/// Why a file is not taken. [`Refusal::code`] is stable.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// It has no bytes.
    #[error("the file is empty")]
    Empty,
    /// It is longer than allowed.
    #[error("the file is longer than the {limit} bytes that are allowed")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// It has no PDF header.
    #[error("this is not a PDF file")]
    NotAPdf,
    /// Its end is missing.
    #[error("the file ends early; upload it again")]
    Truncated,
    /// It is encrypted, perhaps with an empty password.
    #[error("the file is encrypted; save it without a password and upload that")]
    Encrypted,
    /// Its pages are made by an XFA program when it is opened.
    #[error("the file is a dynamic XFA form; print it to PDF and upload that")]
    XfaDynamic,
    /// Objects are missing or contradict each other.
    #[error("the file is damaged beyond safe signing ({0}); print it to PDF and upload that")]
    Broken(String),
    /// It exceeds one of the other limits.
    #[error("the file is too complex to be handled safely ({0})")]
    TooComplex(&'static str),
    /// It carries a signature: nothing may be moved or provisioned any more.
    #[error("the file is already signed, so fields can no longer be provisioned in it")]
    AlreadySigned,
    /// It already has a field of a name that is to be declared.
    #[error("the file already has a field called {0}")]
    FieldTaken(String),
    /// A field is to be placed on a page that does not exist or outside of it.
    #[error("the field {field} does not lie on a page of the file")]
    OffPage {
        /// Its name.
        field: String,
    },
    /// A text to be drawn has characters the font does not have, or is too long.
    #[error("the text for {field} cannot be drawn: {why}")]
    Text {
        /// Its name.
        field: String,
        /// What is wrong with it.
        why: String,
    },
    /// The page has something printed beside a field that contradicts what will be drawn there.
    #[error(
        "the page has “{printed}” printed where the field {field} goes, which is not what it will say; correct the page"
    )]
    Printed {
        /// Its name.
        field: String,
        /// What is printed.
        printed: String,
    },
    /// Something that the base draws would cover what stands on the page.
    #[error("there is no room for the {what} stamp on the page without covering something; give it a place")]
    NoRoom {
        /// What it is.
        what: &'static str,
    },
    /// Reading failed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Writing the result failed.
    #[error("the result could not be written: {0}")]
    Write(String),
}

impl Refusal {
    /// Stable, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLarge { .. } => "too_large",
            Self::NotAPdf => "not_a_pdf",
            Self::Truncated => "truncated",
            Self::Encrypted => "encrypted",
            Self::XfaDynamic => "xfa_dynamic",
            Self::Broken(_) => "broken",
            Self::TooComplex(_) => "too_complex",
            Self::AlreadySigned => "already_signed",
            Self::FieldTaken(_) => "field_taken",
            Self::OffPage { .. } => "field_off_page",
            Self::Text { .. } => "text_not_drawable",
            Self::Printed { .. } => "printed_differs",
            Self::NoRoom { .. } => "no_room",
            Self::Source(_) => "unreadable",
            Self::Write(_) => "unwritable",
        }
    }
}

impl From<PdfError> for Refusal {
    fn from(error: PdfError) -> Self {
        match error {
            PdfError::Source(error) => Self::Source(error),
            PdfError::NoHeader => Self::NotAPdf,
            PdfError::Limit(what) => Self::TooComplex(what),
            other => Self::Broken(other.to_string()),
        }
    }
}

/// Takes a file in.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let bytes = trinhky_pades::pdf::minimal();
/// let taken = trinhky_pades::ingest(&bytes, &trinhky_pades::pdf::Limits::default())?;
/// assert_eq!(taken.report.pages, 1);
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Refusal`]; nothing was written, so there is nothing to undo.
pub fn ingest(source: &dyn Source, limits: &Limits) -> Result<Ingested, Refusal> {
    if source.is_empty() {
        return Err(Refusal::Empty);
    }
    if source.len() > limits.file_len {
        return Err(Refusal::TooLarge { limit: limits.file_len });
    }
    let mut file = open(source, limits)?;
    let (sha256, midstate, misplaced) = hash_and_check(source, &file)?;
    if misplaced && !file.oddities().repaired {
        file = File::open_by_scan(source, limits)?;
    }
    let view = file.latest();
    if view.size() > most_taken(limits) {
        return Err(Refusal::TooComplex("too many objects"));
    }
    let survey = survey::survey(&view)?;
    if survey.dynamic_xfa {
        return Err(Refusal::XfaDynamic);
    }
    if file.oddities().repaired && survey.signatures > 0 {
        return Err(Refusal::Broken("a signed file with a wrong cross-reference".to_owned()));
    }
    if survey.pages.is_empty() {
        return Err(Refusal::Broken("it has no pages".to_owned()));
    }
    let report = IntakeReport {
        pages: u32::try_from(survey.pages.len()).unwrap_or(u32::MAX),
        revisions: u32::try_from(file.revisions().len()).unwrap_or(u32::MAX),
        signatures: survey.signatures,
        oddities: file.oddities().clone(),
        findings: findings(&file, &survey),
    };
    let index = index(&file, &survey, sha256, &report)?;
    Ok(Ingested { sha256, len: source.len(), midstate, index, report })
}

fn open<'a>(source: &'a dyn Source, limits: &Limits) -> Result<File<'a>, Refusal> {
    let opened = File::open(source, limits);
    // Whatever a scan could still find: a file whose end is missing has lost something.
    if !matches!(opened, Err(PdfError::NoHeader)) && !has_end(source)? {
        return Err(Refusal::Truncated);
    }
    let file = opened?;
    if file.is_encrypted() {
        return Err(Refusal::Encrypted);
    }
    Ok(file)
}

/// Whether `%%EOF` (or at least `startxref`) stands near the end.
fn has_end(source: &dyn Source) -> Result<bool, SourceError> {
    let reach = source.len().min(1 << 16);
    let window = source.slice(source.len() - reach, usize::try_from(reach).unwrap_or_default())?;
    let has = |word: &[u8]| memchr::memmem::find(&window, word).is_some();
    Ok(has(b"%%EOF") || has(b"startxref"))
}

/// One pass over the bytes: digest, midstate, and whether any entry leads to something else than its object.
fn hash_and_check(source: &dyn Source, file: &File<'_>) -> Result<(Digest, Midstate, bool), Refusal> {
    let entries = file.latest().in_file_order();
    let mut expected = entries.iter().filter_map(Entry::placed).peekable();
    let mut usual = UsualHeaders::new();
    let mut misplaced = false;
    let mut hasher = Hasher::new();
    let mut buf = vec![0; CHUNK];
    let mut at = 0;
    while at < source.len() {
        let n = usize::try_from(source.len() - at).unwrap_or(CHUNK).min(CHUNK);
        let (chunk, _) = buf.split_at_mut(n);
        source.read_at(at, chunk)?;
        hasher.update(chunk);
        let end = at + n as u64;
        while let Some((offset, id)) = expected.next_if(|(offset, _)| *offset < end) {
            if misplaced {
                continue;
            }
            let within = usize::try_from(offset.saturating_sub(at))
                .ok()
                .and_then(|start| chunk.get(start..start.checked_add(32)?));
            misplaced = match within {
                Some(bytes) if usual.stands(bytes, id) => false,
                Some(bytes) => header_at(&bytes, 0)? != Some(id),
                None => header_at(source, offset)? != Some(id),
            };
        }
        at = end;
    }
    misplaced |= expected.next().is_some();
    let midstate = hasher.midstate();
    Ok((hasher.finish(), midstate, misplaced))
}

fn findings(file: &File<'_>, survey: &survey::Survey) -> Vec<Finding> {
    let odd = file.oddities();
    let mut findings = survey.findings.clone();
    let structure = [
        (odd.hybrid, Finding::Hybrid),
        (odd.repaired, Finding::Repaired),
        (odd.sloppy_xref || odd.no_eof, Finding::SloppyXref),
        (odd.linearised, Finding::Linearised),
        (odd.junk_before_header > 0, Finding::JunkBeforeHeader),
        (odd.junk_after_eof > 0, Finding::JunkAfterEof),
        (file.revisions().len() > 1, Finding::SeveralRevisions),
        (has_generations(&file.latest()), Finding::OldGenerations),
    ];
    findings.extend(structure.into_iter().filter(|(found, _)| *found).map(|(_, finding)| finding));
    findings.sort_unstable();
    findings.dedup();
    findings
}

fn has_generations(view: &View<'_, '_>) -> bool {
    let revisions = view.file().revisions();
    let entries = revisions.iter().flat_map(|revision| &revision.entries);
    entries.into_iter().any(|entry| matches!(entry.place(), Place::At { generation: 1.., .. }))
}

/// How many object numbers a file may have taken: what is signed, with all that is still to come, must be read again.
fn most_taken(limits: &Limits) -> u32 {
    limits.objects - TO_COME.min(limits.objects / 100)
}

/// The index of an open file.
pub(crate) fn index(
    file: &File<'_>,
    survey: &survey::Survey,
    sha256: Digest,
    report: &IntakeReport,
) -> Result<BaseIndex, Refusal> {
    let view = file.latest();
    let source = file.source();
    let len = source.len();
    let last = source.slice(len.saturating_sub(1), 1)?;
    let stated =
        view.trailer().get("Size").and_then(Object::as_int).and_then(|size| u32::try_from(size).ok());
    Ok(BaseIndex {
        version: FormVersion,
        len,
        sha256,
        revisions: report.revisions,
        startxref: file.startxref(),
        kind: file.revisions().last().map_or(SectionKind::Table, Revision::kind),
        ends_line: matches!(last.as_slice(), [b'\n' | b'\r']),
        // A number nobody could reach is a slip.
        size: view.size().max(stated.filter(|&size| size <= most_taken(file.limits())).unwrap_or(0)),
        trailer: BaseIndex::carried(view.trailer()),
        root: view.root_ref()?,
        pages: report.pages,
        pdfa_part: survey.pdfa_part,
        form: survey.form.clone(),
        fields: survey.fields.clone(),
        dss: view.root()?.get("DSS").and_then(Object::as_ref),
        protected: survey.protected.clone(),
    })
}

/// The empty dictionary, for absent parts.
pub(crate) fn dict_of(object: &Object) -> Dict {
    object.as_dict().cloned().unwrap_or_default()
}

const CHUNK: usize = 1 << 18;
/// Numbers for fields, signatures and long-term data.
const TO_COME: u32 = 1 << 12;
