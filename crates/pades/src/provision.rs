//! Making ready, once, before the first signature: every field that a later revision fills or signs is put into the
//! file now, so that later revisions touch nothing else (`manifest.rs`), and an odd structure is written anew.
//!
//! A clean file is copied in one pass with its cross-reference replaced; anything else is rewritten object by object
//! (`rewrite.rs`). Either way the result is one clean revision, and it is the file that every later reader sees.

mod drawing;
mod metadata;
mod replaced;
mod stamping;
mod tagging;

use std::io;

use serde::{Deserialize, Serialize};

use drawing::{Drawing, Drawn};

use crate::{
    changes::fields,
    digest::{Digest, Midstate},
    form_version::FormVersion,
    index::{BaseIndex, FieldSite, FormSite},
    intake::{Finding, Ingested, Refusal},
    look,
    manifest::Manifest,
    pdf::{File, Limits, ObjRef, Object, Rect, View},
    place,
    protection::Protected,
    rewrite::{self, Written},
    source::Source,
    survey::{self, Survey},
    urgency::UrgencyStamp,
};

/// What is to be provisioned.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProvisionPlan {
    /// Số, ký hiệu.
    pub number: Option<TextPlan>,
    /// Ngày tháng năm.
    pub date: Option<TextPlan>,
    /// The signers in the order of signing.
    pub signers: Vec<SignerPlan>,
    /// The organisation's seal.
    pub seal: Option<SealPlan>,
    /// The stamp of urgency, drawn now.
    pub urgency: Option<UrgencyStamp>,
}

impl ProvisionPlan {
    /// The usual document: number, date, `signers` signatures and a seal, placed by the page's own words.
    pub fn standard(signers: u16) -> Self {
        Self {
            number: Some(TextPlan::default()),
            date: Some(TextPlan::default()),
            signers: (0..signers).map(|_| SignerPlan::default()).collect(),
            seal: Some(SealPlan::default()),
            urgency: None,
        }
    }
}

/// A place that a person chose.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PagePlace {
    /// Page from 1.
    pub page: u32,
    /// In points from the lower left corner of the page as displayed.
    pub rect: Rect,
}

/// A text field.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TextPlan {
    /// Where; `None`: by the page's words, else the usual place.
    pub place: Option<PagePlace>,
    /// Drawn now (numbering before the signature); the field is then read-only and nothing fills it later.
    pub text: Option<String>,
    /// Of a number: the symbol it will have, as `QĐ-UBND`. A page with another one printed is refused.
    pub notation: Option<String>,
    /// Of a date: the earliest it can be. A page with an earlier month or year printed is refused.
    pub earliest: Option<time::Date>,
}

/// A signature of an authorised person.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SignerPlan {
    /// Name of the field, if not the usual one.
    pub field: Option<String>,
    /// Where; `None`: between title and name on the page, else the usual place.
    pub place: Option<PagePlace>,
    /// Title as it stands on the page ("CHỦ TỊCH").
    pub title: Option<String>,
    /// Full name as it stands on the page.
    pub name: Option<String>,
    /// Signing locks every field.
    pub locks: bool,
}

/// The seal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SealPlan {
    /// Name of the field, if not the usual one.
    pub field: Option<String>,
    /// Where; `None`: over the left third of the last signer's picture.
    pub place: Option<PagePlace>,
    /// Real size of the seal in millimetres.
    pub diameter_mm: f64,
    /// Name of the organisation, for readers aloud.
    pub organisation: Option<String>,
    /// Sealing locks every field.
    pub locks: bool,
}

impl Default for SealPlan {
    fn default() -> Self {
        Self { field: None, place: None, diameter_mm: 36.0, organisation: None, locks: true }
    }
}

impl SealPlan {
    /// In points.
    pub(crate) fn diameter(&self) -> f64 {
        self.diameter_mm.clamp(10.0, 80.0) * 72.0 / 25.4
    }
}

/// A provisioned base.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provisioned {
    /// SHA-256 of what was written.
    pub sha256: Digest,
    /// Its length.
    pub len: u64,
    /// The hash at its end.
    pub midstate: Midstate,
    /// What preparing needs.
    pub index: BaseIndex,
    /// The declared fields.
    pub manifest: Manifest,
    /// Where the stamp of urgency stands.
    #[serde(default)]
    pub urgency: Option<PagePlace>,
    /// Whether the file was written anew object by object.
    pub normalised: bool,
    /// Why it was, or what else was found.
    pub why: Vec<Finding>,
}

/// Writes the provisioned base of `source` to `out`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use trinhky_pades::*;
/// # let bytes = pdf::minimal();
/// let taken = ingest(&bytes, &pdf::Limits::default())?;
/// let mut base = Vec::new();
/// let made = provision(&bytes, &taken, &ProvisionPlan::standard(1), &mut base)?;
/// assert_eq!(made.sha256, Digest::of(&base));
/// assert!(made.manifest.field("Signer1").is_some());
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Refusal`]; what `out` received until then is to be thrown away.
pub fn provision(
    source: &dyn Source,
    ingested: &Ingested,
    plan: &ProvisionPlan,
    out: &mut dyn io::Write,
) -> Result<Provisioned, Refusal> {
    if ingested.report.signatures > 0 {
        return Err(Refusal::AlreadySigned);
    }
    let limits = Limits { file_len: u64::MAX, ..Limits::default() };
    let repaired = ingested.report.findings.contains(&Finding::Repaired);
    let file =
        if repaired { File::open_by_scan(source, &limits)? } else { File::open_strict(source, &limits)? };
    let view = file.latest();
    let survey = survey::survey(&view)?;
    if !survey.pages_whole {
        return Err(Refusal::Broken("one of its pages cannot be read".to_owned()));
    }
    fields::check(&view)?;
    let placed = place::place(&view, &survey.pages, plan)?;
    for field in &placed {
        if survey.field_names.contains(&field.name) {
            return Err(Refusal::FieldTaken(field.name.clone()));
        }
    }
    let stamp = plan.urgency.map(|stamp| place::stamp(&view, &survey.pages, stamp, &placed)).transpose()?;
    let mut first = ingested.index.size.max(view.size());
    let mut tries = 0..16;
    let (replacement, drawing) = loop {
        let marks = (placed.clone(), stamp);
        let (replacement, drawing) = Drawing::new(&view, &survey, ingested, plan, marks, first).draw()?;
        match (rewrite::number_behind_dangling(&view, &replacement), tries.next()) {
            (None, _) => break (replacement, drawing),
            (Some(next), Some(_)) => first = next,
            (Some(_), None) => return Err(Refusal::TooComplex("too many references to nothing")),
        }
    };
    let mut why = ingested.report.findings.clone();
    let copyable = rewrite::can_copy(&view) && rewrite::is_strict(&view)?;
    if !copyable && !ingested.report.needs_normalising() {
        why.push(Finding::LooseSyntax);
    }
    let normalise = why.iter().any(|finding| finding.normalises());
    let written = if normalise {
        rewrite::anew(&view, &survey, replacement, out)?
    } else {
        rewrite::copy(&view, ingested, replacement, out)?
    };
    // What could not be read any more is missing in what was written.
    file.within_limits()?;
    Ok(finish(ingested, &survey, drawing, written, why, &view))
}

fn finish(
    ingested: &Ingested,
    survey: &Survey,
    drawn: Drawn,
    written: Written,
    why: Vec<Finding>,
    view: &View<'_, '_>,
) -> Provisioned {
    let normalised = why.iter().any(|finding| finding.normalises());
    let mut fields: Vec<FieldSite> = Vec::new();
    for site in survey.fields.iter().cloned().chain(drawn.sites) {
        // Objects that were neither moved nor replaced stay where they were.
        let at = written.offsets.get(&site.id.number).copied().or((!normalised).then_some(site.at));
        let page_id = ObjRef::new(site.page_id.number);
        let name = survey.new_names.get(&site.id.number).cloned().unwrap_or_else(|| site.name.clone());
        fields.extend(at.map(|at| FieldSite { at, page_id, name, id: ObjRef::new(site.id.number), ..site }));
    }
    let index = BaseIndex {
        version: FormVersion,
        len: written.len,
        sha256: written.sha256,
        revisions: 1,
        startxref: written.startxref,
        kind: written.kind,
        ends_line: true,
        size: written.size,
        trailer: BaseIndex::carried(&written.trailer),
        root: drawn.root,
        pages: ingested.report.pages,
        pdfa_part: survey.pdfa_part,
        form: Some(FormSite {
            id: Some(drawn.acroform),
            at: written.offsets.get(&drawn.acroform.number).copied(),
            sig_flags: 3,
            font: Some((drawn.font, look::FORM_FONT_VERSION)),
        }),
        fields,
        dss: view.root().ok().and_then(|root| root.get("DSS").and_then(Object::as_ref)),
        protected: Protected::default(),
    };
    let manifest = Manifest {
        version: FormVersion,
        base_sha256: written.sha256,
        base_len: written.len,
        pages: ingested.report.pages,
        root: drawn.root,
        acroform: drawn.acroform,
        fields_array: drawn.fields_array,
        font: drawn.font,
        fields: drawn.fields,
    };
    Provisioned {
        sha256: written.sha256,
        len: written.len,
        midstate: written.midstate,
        index,
        manifest,
        urgency: drawn.urgency,
        normalised,
        why,
    }
}
