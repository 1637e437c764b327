//! Everything that must hold before the token signs; [`Sealable`] is the proof, and only [`examine`] makes one.

use time::OffsetDateTime;
use trinhky_mobile_core::check_manifest;
use trinhky_pades::changes::{TailExpectation, TailRefused, check_tail};
use trinhky_pades::cms::{self, ID_DATA, SignedAttributes};
use trinhky_pades::crypto;
use trinhky_pades::intake::ingest;
use trinhky_pades::manifest::{FieldKind, Manifest};
use trinhky_pades::pdf::Limits;
use trinhky_pades::x509::path::{PathInputs, RevocationMode, validate};
use trinhky_pades::x509::{Certificate, TrustAnchors};
use trinhky_protos::document::DocumentView;
use trinhky_protos::seal::SealTaskView;

use crate::config::Config;
use crate::error::Error;
use crate::leaders::{Approved, check_leaders};

/// A seal that may be made.
#[derive(Debug)]
pub(crate) struct Sealable {
    pub(crate) task: SealTaskView,
    pub(crate) document: DocumentView,
    pub(crate) leaders: Vec<Approved>,
    pub(crate) organisation: Certificate,
    pub(crate) attributes: SignedAttributes,
}

/// Checks the whole task over the bytes of its base.
///
/// # Errors
/// [`Error::Leader`], [`Error::Document`], [`Error::Tail`], [`Error::FieldOutsidePlace`], [`Error::Certificate`].
pub(crate) fn examine(
    task: SealTaskView,
    document: DocumentView,
    base: &[u8],
    config: &Config,
    anchors: &TrustAnchors,
    now: OffsetDateTime,
) -> Result<Sealable, Error> {
    if task.document != document.id || task.base != document.head {
        return Err(Error::Document("the task is for another document or another head".into()));
    }
    let leaders = check_leaders(&task, &document, base, config, anchors, now)?;
    let manifest = check_manifest(&document, &task.manifest.0)
        .map_err(|error| Error::Document(format!("the manifest: {error}")))?;
    check_fills(&task, &manifest)?;
    let organisation = check_organisation(&task, anchors, now)?;

    let ingested = ingest(&base, &Limits::default()).map_err(|error| Error::Document(error.to_string()))?;
    let fills: Vec<(&str, &str)> =
        task.fills.iter().map(|fill| (fill.field.as_str(), fill.text.as_str())).collect();
    let expected = TailExpectation { field: &task.field, fills: &fills, manifest: Some(&manifest) };
    let review = check_tail(&base, &ingested.index, &task.tail.0, &expected).map_err(tail_refused)?;
    let content = trinhky_mobile_core::byte_range_digest(&ingested.midstate, &task.tail.0, &review)
        .map_err(|error| Error::Tail { changes_page: false, why: error.to_string() })?;
    let attributes = cms::signed_attributes(&content, organisation.as_der(), ID_DATA)
        .map_err(|error| Error::Certificate(error.to_string()))?;
    Ok(Sealable { task, document, leaders, organisation, attributes })
}

/// What is filled in is the number and the date of the task, each where it belongs, and nothing that was drawn before.
fn check_fills(task: &SealTaskView, manifest: &Manifest) -> Result<(), Error> {
    let wrong = |why: String| Error::Tail { changes_page: false, why };
    if task.field != FieldKind::Seal.name() {
        return Err(wrong(format!("it signs {}, not the seal's field", task.field)));
    }
    for kind in [FieldKind::Number, FieldKind::Date] {
        let name = kind.name();
        let Some(declared) = manifest.of_kind(kind) else { continue };
        let fill = task.fills.iter().find(|fill| fill.field == name);
        let right = match (fill, &declared.text) {
            (Some(fill), None) if kind == FieldKind::Number => {
                let printed = declared.followed_by.as_deref().unwrap_or_default();
                fill.text == task.number || format!("{}{printed}", fill.text) == task.number
            }
            (Some(fill), None) => same_day(&fill.text, &task.date),
            (None, Some(_)) => true,
            (Some(_), Some(_)) | (None, None) => false,
        };
        if !right {
            return Err(wrong(format!("{name} would say {:?}", fill.map(|fill| fill.text.as_str()))));
        }
    }
    match task.fills.iter().find(|fill| manifest.field(&fill.field).is_none_or(|field| !field.kind.is_text()))
    {
        Some(fill) => Err(wrong(format!("{} is no field for a text", fill.field))),
        None => Ok(()),
    }
}

/// Whether a drawn date (`ngày 02 tháng 3 năm 2026`, `2026-03-02`) is that day.
fn same_day(drawn: &str, date: &str) -> bool {
    let numbers = |text: &str| -> Vec<u32> {
        text.split(|c: char| !c.is_ascii_digit())
            .filter(|part| !part.is_empty())
            .filter_map(|n| n.parse().ok())
            .collect()
    };
    let date = numbers(date);
    let drawn = numbers(drawn);
    date.len() == 3 && (drawn == date || drawn.iter().rev().eq(date.iter()))
}

/// The organisation's certificate is good now under our own roots. Revocation is the server's to ask before release; no
/// network but the server's is reached from this desk.
fn check_organisation(
    task: &SealTaskView,
    anchors: &TrustAnchors,
    now: OffsetDateTime,
) -> Result<Certificate, Error> {
    let read = |der: &[u8]| Certificate::from_der(der).map_err(|error| Error::Certificate(error.to_string()));
    let organisation = read(&task.certificate.0)?;
    let issuers = task.chain.iter().map(|issuer| read(&issuer.0)).collect::<Result<Vec<_>, _>>()?;
    let mut inputs = PathInputs::new(anchors, now);
    inputs.candidates = &issuers;
    inputs.mode = RevocationMode::Off;
    validate(&organisation, &inputs, crypto::pure())
        .map_err(|failure| Error::Certificate(failure.problem.to_string()))?;
    Ok(organisation)
}

fn tail_refused(error: TailRefused) -> Error {
    match error {
        TailRefused::FieldOutsidePlace(field) => Error::FieldOutsidePlace(field),
        TailRefused::ChangesPage(_) => Error::Tail { changes_page: true, why: error.to_string() },
        _ => Error::Tail { changes_page: false, why: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::same_day;

    #[test]
    fn a_drawn_date_is_the_day_whichever_way_it_is_written() {
        for drawn in ["2026-03-02", "02/3/2026", "ngày 02 tháng 3 năm 2026", "02 3 2026"] {
            assert!(same_day(drawn, "2026-03-02"), "{drawn}");
        }
        for drawn in ["2026-03-03", "03/02/2026", "ngày 02 tháng 3 năm 2027", "02/3", "02/3/2026 1", ""] {
            assert!(!same_day(drawn, "2026-03-02"), "{drawn}");
        }
    }
}
