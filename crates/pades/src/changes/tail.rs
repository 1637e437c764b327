//! One appended revision before it is signed: does it only add this signature, and fill only what was agreed?
//!
//! Asked on the phone before the leader consents and by the seal agent before the token signs, on the very bytes
//! that will be digested. Stricter than what a signature allows later: no security store, no metadata, no object
//! nobody refers to. The base is taken as it is; what it shows is what the signer was shown.
//!
//! What it is not: a check of the certificate or of the base's earlier signatures ([`verify`](crate::verify)).

use std::{collections::BTreeSet, ops::Range};

use thiserror::Error;

use super::{
    AnalysisLimits, Fact,
    fields::{self, Field},
    place,
    step::{object, steps_after},
    strings::{readable, text_string},
};
use crate::{
    index::BaseIndex,
    manifest::{FieldKind, Manifest},
    pdf::{Dict, File, Limits, ObjRef, Object, PdfError, Rect, View},
    source::{Concat, Source},
    verify::{Coverage, structure},
};

/// What the tail should do, and nothing else.
#[derive(Debug, Clone, Default)]
pub struct TailExpectation<'a> {
    /// The signature field that it signs.
    pub field: &'a str,
    /// The text fields that it fills, with their texts: none for a leader, number and date for the seal.
    pub fills: &'a [(&'a str, &'a str)],
    /// The manifest of the provisioned base: then objects and places must be those it names.
    pub manifest: Option<&'a Manifest>,
}

/// A tail that does what was expected.
#[derive(Debug, Clone, PartialEq)]
pub struct TailReview {
    /// The declared text fields (number, date), for display.
    pub declared: Vec<DeclaredField>,
    /// Where the signature will be drawn.
    pub signature: DeclaredField,
    /// Full names of the fields that were signed before.
    pub signed_before: Vec<String>,
    /// `/ByteRange` of the signature: what to digest.
    pub byte_range: [u64; 4],
    /// The gap for the signature, in the whole file, angle brackets included.
    pub contents: Range<u64>,
    /// Whether the gap is still empty (all zeros).
    pub unsigned: bool,
    /// `/M`, as written.
    pub claimed_time: Option<String>,
}

/// A declared field for people: where it is and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredField {
    /// Full name.
    pub name: String,
    /// Page from 1; 0 if it stands on none.
    pub page: u32,
    /// In points from the lower left corner of the page as displayed.
    pub rect: Rect,
    /// Its text with the tail applied, if there is one.
    pub text: Option<String>,
}

/// Why a tail is not signed. Each has a stable code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TailRefused {
    /// Base or tail cannot be read, or the base is not the one the tail was made for.
    #[error("the prepared file cannot be read: {0}; have it prepared again")]
    Unreadable(PdfError),
    /// The tail is not exactly one revision behind the base.
    #[error("the appended part is not one revision behind the file that was shown; have it prepared again")]
    NotOneRevision,
    /// Bytes that belong to nothing.
    #[error("the appended part holds bytes that belong to no object; do not sign")]
    StrayBytes,
    /// The field is not signed by the tail.
    #[error("the appended part does not sign the field {0}; have it prepared again")]
    FieldNotSigned(String),
    /// The signature dictionary, its gap or its range is not as it must be.
    #[error("the prepared signature is malformed ({0}); do not sign")]
    Signature(&'static str),
    /// It certifies the document or locks fields that the provisioning did not lock.
    #[error("the prepared signature certifies or locks the document; do not sign")]
    Certifies,
    /// It changes a page.
    #[error("the appended part changes a page: {0}; do not sign")]
    ChangesPage(String),
    /// It changes something else that was shown or agreed.
    #[error("the appended part changes more than this signature: {0}; do not sign")]
    ChangesOther(String),
    /// A fill is missing, is not expected, or has another text.
    #[error("the appended part fills the field {0} with something else than agreed; do not sign")]
    FillDiffers(String),
    /// A declared field lies outside its place or over other text.
    #[error("the declared field {0} is not in its place on page 1; return the document to the clerk")]
    FieldOutsidePlace(String),
    /// The file is not the one the manifest describes.
    #[error("the file does not agree with its manifest ({0}); have it provisioned again")]
    NotTheManifest(String),
}

impl TailRefused {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "tail_unreadable",
            Self::NotOneRevision => "tail_not_one_revision",
            Self::StrayBytes => "tail_has_stray_bytes",
            Self::FieldNotSigned(_) => "tail_does_not_sign_field",
            Self::Signature(_) => "tail_signature_malformed",
            Self::Certifies => "tail_certifies",
            Self::ChangesPage(_) => "tail_changes_page",
            Self::ChangesOther(_) => "tail_changes_other",
            Self::FillDiffers(_) => "tail_fill_differs",
            Self::FieldOutsidePlace(_) => "field_outside_place",
            Self::NotTheManifest(_) => "manifest_mismatch",
        }
    }
}

impl From<PdfError> for TailRefused {
    fn from(error: PdfError) -> Self {
        Self::Unreadable(error)
    }
}

/// The keys a prepared signature dictionary may have.
const KEYS: [&[u8]; 12] = [
    b"Type",
    b"Filter",
    b"SubFilter",
    b"ByteRange",
    b"Contents",
    b"M",
    b"Name",
    b"Reason",
    b"Location",
    b"ContactInfo",
    b"Prop_Build",
    b"Reference",
];

/// Reviews the revision `tail` behind `base`, whose index is `index`.
///
/// Reads the cross-reference and the objects of the base, never its stream data but for the fields' appearances.
///
/// # Errors
/// [`TailRefused`] for the first thing that is not as expected.
pub fn check_tail(
    base: &dyn Source,
    index: &BaseIndex,
    tail: &[u8],
    expected: &TailExpectation<'_>,
) -> Result<TailReview, TailRefused> {
    let limits = Limits::default();
    let before = File::open_strict(base, &limits)?;
    let whole = Concat { base, tail };
    let file = File::open_strict(&whole, &limits)?;
    one_revision(&before, index, &file, base.len())?;
    let last = file.revisions().len().saturating_sub(1);
    if !structure::stray_bytes(&file, last.saturating_sub(1), 0)?.is_empty() {
        return Err(TailRefused::StrayBytes);
    }
    changes(&file, last, expected)?;
    let signature = signature(&file, last, expected)?;
    let walked = fields::walk(&file.latest())?;
    let declared = in_place(&file.latest(), walked.values(), index)?;
    if let Some(manifest) = expected.manifest {
        agrees(manifest, &walked.values().collect::<Vec<_>>(), index)?;
    }
    let own = walked.values().find(|field| field.name == expected.field && !field.widget_only);
    let own = own.ok_or_else(|| TailRefused::FieldNotSigned(expected.field.to_owned()))?;
    let earlier = fields::walk(&before.latest())?;
    let signed_before = earlier
        .values()
        .filter(|field| field.kind == b"Sig" && field.dict.contains("V"))
        .map(|field| field.name.clone())
        .collect();
    let signature_shown = declared_field(&file.latest(), own)?;
    before.within_limits()?;
    file.within_limits()?;
    Ok(TailReview {
        declared,
        signature: signature_shown,
        signed_before,
        unsigned: signature.contents.iter().all(|&byte| byte == 0),
        claimed_time: signature.text("M"),
        byte_range: signature.range.unwrap_or_default(),
        contents: signature.range.map_or(0..0, |[_, first, resume, _]| first..resume),
    })
}

/// Reviews where the clerk's fields (number, date) lie in a base that nobody has signed yet, as every signer's device
/// will: a document that no leader could sign is refused to whoever makes it.
///
/// # Errors
/// [`TailRefused::FieldOutsidePlace`], [`TailRefused::Unreadable`].
pub fn check_places(base: &dyn Source, index: &BaseIndex) -> Result<Vec<DeclaredField>, TailRefused> {
    let file = File::open_strict(base, &Limits::default())?;
    let walked = fields::walk(&file.latest())?;
    let declared = in_place(&file.latest(), walked.values(), index)?;
    file.within_limits()?;
    Ok(declared)
}

fn in_place<'f>(
    view: &View<'_, '_>,
    fields: impl Iterator<Item = &'f Field>,
    index: &BaseIndex,
) -> Result<Vec<DeclaredField>, TailRefused> {
    let mut declared = Vec::new();
    for field in fields.filter(|field| field.kind == b"Tx") {
        let Some(kind) = clerk_fills(&field.name) else { continue };
        let shown = declared_field(view, field)?;
        let where_ = (shown.page, shown.rect);
        if !place::is_in_place(view, field, kind, where_, index.field(&field.name))? {
            return Err(TailRefused::FieldOutsidePlace(field.name.clone()));
        }
        declared.push(shown);
    }
    Ok(declared)
}

/// What a clerk fills in: number and date.
fn clerk_fills(name: &str) -> Option<FieldKind> {
    [FieldKind::Number, FieldKind::Date].into_iter().find(|kind| kind.name() == name)
}

fn one_revision(
    before: &File<'_>,
    index: &BaseIndex,
    file: &File<'_>,
    base_len: u64,
) -> Result<(), TailRefused> {
    let count = before.revisions().len();
    let same = file.revisions().get(..count) == Some(before.revisions());
    let one_more = file.revisions().len() == count + 1;
    let behind = file.revisions().last().is_some_and(|revision| {
        let sections = revision.sections.iter().all(|section| section.at >= base_len);
        let objects = revision.entries.iter().all(|entry| match entry.place() {
            crate::pdf::Place::At { offset, .. } => offset >= base_len,
            _ => true,
        });
        sections && objects && revision.end == file.source().len()
    });
    let known = index.len == base_len && index.startxref == before.startxref();
    if same && one_more && behind && known { Ok(()) } else { Err(TailRefused::NotOneRevision) }
}

/// The facts of the one step must be the signature and the fills, each once.
fn changes(file: &File<'_>, last: usize, expected: &TailExpectation<'_>) -> Result<(), TailRefused> {
    let steps = steps_after(file, last.saturating_sub(1), &AnalysisLimits::default());
    let [step] = steps.as_slice() else { return Err(TailRefused::NotOneRevision) };
    let mut signed = false;
    let mut filled = BTreeSet::new();
    let mut touched = BTreeSet::new();
    for fact in &step.facts {
        match fact {
            Fact::Signed { field, new_field: false, object, .. } if field == expected.field && !signed => {
                signed = true;
                touched.insert(*object);
            }
            Fact::Filled { field, value, object } => {
                let agreed = expected.fills.iter().find(|(name, _)| name == field);
                if agreed.is_none_or(|(_, text)| readable(text) != readable(value)) {
                    return Err(TailRefused::FillDiffers(field.clone()));
                }
                filled.insert(field.as_str());
                touched.insert(*object);
            }
            Fact::Forbidden { code: "page_changed" | "page_tree_changed", subject, .. } => {
                return Err(TailRefused::ChangesPage(subject.clone()));
            }
            other => return Err(TailRefused::ChangesOther(other.words())),
        }
    }
    if let Some((missing, _)) = expected.fills.iter().find(|(name, _)| !filled.contains(name)) {
        return Err(TailRefused::FillDiffers((*missing).to_owned()));
    }
    if !signed {
        return Err(TailRefused::FieldNotSigned(expected.field.to_owned()));
    }
    let (old, new) = (file.at(last.saturating_sub(1)), file.at(last));
    for &number in step.replaced.iter().filter(|number| !touched.contains(number)) {
        if !only_signature_flags(&old, &new, number)? {
            return Err(TailRefused::ChangesOther(ObjRef::new(number).to_string()));
        }
    }
    Ok(())
}

/// Whether an object differs in nothing but the form's `/SigFlags`.
fn only_signature_flags(old: &View<'_, '_>, new: &View<'_, '_>, number: u32) -> Result<bool, PdfError> {
    let strip = |object: Object| -> Option<Dict> {
        let mut dict = object.as_dict()?.clone();
        if let Some(Object::Dict(form)) = dict.remove("AcroForm") {
            let mut form = form;
            form.remove("SigFlags");
            dict.set("AcroForm", form);
        }
        dict.remove("SigFlags");
        Some(dict)
    };
    let (was, is) = (object(old, number)?, object(new, number)?);
    let form = new.root()?.get("AcroForm").and_then(Object::as_ref).map(|form| form.number);
    let place = form == Some(number) || (form.is_none() && new.root_ref()?.number == number);
    let keeps_form = was.as_dict().map(|dict| dict.contains("AcroForm"))
        == is.as_dict().map(|dict| dict.contains("AcroForm"));
    Ok(place && keeps_form && strip(was).is_some_and(|was| strip(is).is_some_and(|is| is == was)))
}

fn signature(
    file: &File<'_>,
    last: usize,
    expected: &TailExpectation<'_>,
) -> Result<structure::Located, TailRefused> {
    let located = structure::locate(file)?;
    let own = located.into_iter().find(|one| one.field.name == expected.field);
    let own = own.ok_or_else(|| TailRefused::FieldNotSigned(expected.field.to_owned()))?;
    if let Some(problem) = own.problems.first() {
        return Err(TailRefused::Signature(problem));
    }
    if own.revision != last || own.coverage != Coverage::WholeFile {
        return Err(TailRefused::Signature("not_covered"));
    }
    let name = |key: &str, value: &[u8]| own.dict.get(key).is_some_and(|found| found.is_name(value));
    if !name("Type", b"Sig")
        || !name("Filter", b"Adobe.PPKLite")
        || !name("SubFilter", b"ETSI.CAdES.detached")
    {
        return Err(TailRefused::Signature("not_pades"));
    }
    if own.dict.iter().any(|(key, _)| !KEYS.contains(&key)) {
        return Err(TailRefused::Signature("unknown_key"));
    }
    let locks = expected
        .manifest
        .and_then(|manifest| manifest.field(expected.field))
        .is_some_and(|field| field.locks);
    let references = own.dict.get("Reference").and_then(Object::as_array).unwrap_or_default();
    let field_lock = |reference: &Object| {
        reference
            .as_dict()
            .and_then(|dict| dict.get("TransformMethod"))
            .is_some_and(|method| method.is_name(b"FieldMDP"))
    };
    let provisioned_lock = locks || own.field.dict.contains("Lock");
    if own.dict.contains("Reference")
        && !(provisioned_lock && references.iter().all(field_lock) && references.len() == 1)
    {
        return Err(TailRefused::Certifies);
    }
    Ok(own)
}

fn declared_field(view: &View<'_, '_>, field: &Field) -> Result<DeclaredField, PdfError> {
    let (page, rect) = place::shown(view, field)?;
    let text = match field.dict.get("V").map(|value| view.resolve(value)).transpose()? {
        Some(Object::Str(bytes)) if field.kind == b"Tx" => {
            Some(text_string(&bytes)).filter(|text| !text.is_empty())
        }
        _ => None,
    };
    Ok(DeclaredField { name: field.name.clone(), page, rect, text })
}

/// The fields of the file are those of the manifest: same objects, same names.
fn agrees(manifest: &Manifest, fields: &[&Field], index: &BaseIndex) -> Result<(), TailRefused> {
    if index.len < manifest.base_len || index.pages != manifest.pages {
        return Err(TailRefused::NotTheManifest("base".to_owned()));
    }
    for declared in &manifest.fields {
        if !fields.iter().any(|field| field.object == declared.id.number && field.name == declared.name) {
            return Err(TailRefused::NotTheManifest(declared.name.clone()));
        }
    }
    Ok(())
}
