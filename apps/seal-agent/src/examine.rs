//! Everything that must hold before the token signs; [`Sealable`] is the proof, and only [`examine`] makes one.

use time::OffsetDateTime;
use trinhky_mobile_core::check_manifest;
use trinhky_pades::changes::{TailExpectation, TailRefused, check_tail};
use trinhky_pades::cms::{self, ID_DATA, SignedAttributes};
use trinhky_pades::crypto;
use trinhky_pades::intake::ingest;
use trinhky_pades::manifest::{FieldKind, Manifest};
use trinhky_pades::pdf::Limits;
use trinhky_pades::x509::path::{PathInputs, PathProblem, RevocationMode, validate};
use trinhky_pades::x509::{Certificate, TrustAnchors};
use trinhky_protos::document::DocumentView;
use trinhky_protos::seal::SealTaskView;

use crate::checks::{Check, Trail};
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
    /// How many pages the document has.
    pub(crate) pages: u32,
}

/// Checks the whole task over the bytes of its base; `trail` tells how far it came.
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
    trail: &mut Trail,
) -> Result<Sealable, Error> {
    if task.document != document.id || task.base != document.head {
        return Err(Error::Document("the task is for another document or another head".into()));
    }
    trail.pass(Check::Base);
    let leaders = check_leaders(&task, &document, base, config, anchors, now, trail)?;
    let manifest = check_manifest(&document, &task.manifest.0)
        .map_err(|error| Error::Document(format!("the manifest: {error}")))?;
    check_fills(&task, &manifest)?;
    trail.pass(Check::Fields);
    let organisation = check_organisation(&task, anchors, now)?;
    trail.pass(Check::Certificate);

    let ingested = ingest(&base, &Limits::default()).map_err(|error| Error::Document(error.to_string()))?;
    let fills: Vec<(&str, &str)> =
        task.fills.iter().map(|fill| (fill.field.as_str(), fill.text.as_str())).collect();
    let expected = TailExpectation { field: &task.field, fills: &fills, manifest: Some(&manifest) };
    let review = check_tail(&base, &ingested.index, &task.tail.0, &expected).map_err(tail_refused)?;
    let content = trinhky_mobile_core::byte_range_digest(&ingested.midstate, &task.tail.0, &review)
        .map_err(|error| Error::Tail { changes_page: false, why: error.to_string() })?;
    let attributes = cms::signed_attributes(&content, organisation.as_der(), ID_DATA)
        .map_err(|error| Error::Certificate(error.to_string()))?;
    trail.pass(Check::Appended);
    Ok(Sealable { task, document, leaders, organisation, attributes, pages: manifest.pages })
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
        let fill = task.fills.iter().find(|fill| fill.field == name).map(|fill| fill.text.as_str());
        // Drawn now, or at provisioning when the number came before the signature: exactly one of the two.
        let drawn = match (fill, declared.text.as_deref()) {
            (Some(text), None) | (None, Some(text)) => text,
            (Some(_), Some(_)) => return Err(wrong(format!("{name} would be filled twice"))),
            (None, None) => return Err(wrong(format!("{name} would stay empty"))),
        };
        let right = match kind {
            FieldKind::Number => drawn == declared.to_draw(&task.number),
            _ => same_day(drawn, &task.date),
        };
        if !right {
            return Err(wrong(format!("{name} would say {drawn:?}")));
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
    validate(&organisation, &inputs, crypto::pure()).map_err(|failure| match failure.problem {
        PathProblem::Expired(_) | PathProblem::NotYetValid(_) => {
            Error::CertificateExpired(failure.problem.to_string())
        }
        problem => Error::Certificate(problem.to_string()),
    })?;
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
    use super::*;
    use crate::checks::Outcome;
    use crate::testing::{Case, LEADER, NOW, config};

    fn examined(case: &Case) -> Result<Sealable, Error> {
        let anchors = case.authority.anchors();
        examined_by(case, &config(), &anchors)
    }

    fn examined_by(case: &Case, config: &Config, anchors: &TrustAnchors) -> Result<Sealable, Error> {
        let mut trail = Trail::plan([LEADER]);
        let result =
            examine(case.task.clone(), case.document.clone(), &case.base, config, anchors, NOW, &mut trail);
        // The list says what the examination says: everything but the journal, or up to the failure.
        let passed = trail.rows().iter().filter(|row| row.outcome == Outcome::Passed).count();
        assert_eq!(passed == trail.rows().len() - 1, result.is_ok(), "{trail:?}");
        result
    }

    fn refused(spoil: impl FnOnce(&mut Case)) -> String {
        let mut case = Case::new();
        spoil(&mut case);
        let error = examined(&case).expect_err("must be refused");
        format!("{}: {error}", error.code())
    }

    #[test]
    fn an_honest_task_may_be_sealed() {
        let sealable = examined(&Case::new()).unwrap();
        assert_eq!(sealable.leaders.len(), 1);
        assert_eq!(sealable.leaders[0].name, LEADER);
    }

    #[test]
    fn a_document_the_leader_did_not_sign_is_not_sealed() {
        assert!(refused(Case::unsigned).starts_with("leader_signature_missing"));
    }

    #[test]
    fn a_signature_under_other_roots_or_by_an_unlisted_leader_is_not_sealed() {
        let other = crate::testing::Authority::new();
        let case = Case::new();
        let examined =
            |config: &Config, anchors: &TrustAnchors| examined_by(&case, config, anchors).unwrap_err();
        assert_eq!(examined(&config(), &other.anchors()).code(), "leader_signature_missing");
        let mut listed = config();
        listed.leaders[0].certificates = vec![trinhky_protos::HexDigest([9; 32])];
        assert_eq!(examined(&listed, &case.authority.anchors()).code(), "leader_signature_missing");
        listed.leaders[0].name = "Trần Thị Bình".into();
        listed.leaders[0].certificates.clear();
        assert_eq!(examined(&listed, &case.authority.anchors()).code(), "leader_signature_missing");
    }

    #[test]
    fn a_signature_without_its_decision_is_not_sealed() {
        let reason = refused(|case| case.task.evidence.clear());
        assert!(reason.starts_with("leader_signature_missing"), "{reason}");
        let reason = refused(Case::decide_with_a_foreign_key);
        assert!(reason.contains("its decision does not stand"), "{reason}");
    }

    #[test]
    fn a_device_that_another_sim_enrolled_decides_nothing() {
        let reason = refused(|case| {
            let another = case.authority.issue(LEADER);
            case.enrol_by(&another);
        });
        assert!(reason.contains("enrolled by another certificate"), "{reason}");
    }

    #[test]
    fn an_enrolment_cms_that_is_a_document_signature_is_none() {
        let reason = refused(|case| {
            let statement = trinhky_pades::Digest::of(&case.task.evidence[0].enrolment_statement.0);
            case.task.evidence[0].enrolment_cms.0 = case.leader.cms(&statement, ID_DATA);
        });
        assert!(reason.contains("its enrolment does not stand"), "{reason}");
    }

    #[test]
    fn a_decision_about_anything_else_seals_nothing() {
        let digest = trinhky_protos::HexDigest([9; 32]);
        let decide =
            |change: fn(&mut trinhky_protos::signing::DecisionClaims)| refused(|case| case.decide(change));
        for (what, reason) in [
            ("document", decide(|claims| claims.document = trinhky_protos::ids::DocumentId::at(NOW, 99))),
            ("bundle", decide(|claims| claims.files[0].length += 1)),
            ("recipients", decide(|claims| claims.recipients.clear())),
            ("urgency", decide(|claims| claims.urgency = "urgent".into())),
            ("capacity", decide(|claims| claims.capacity = "KT.".into())),
            ("number", decide(|claims| claims.number = Some("30/QĐ-UBND".into()))),
        ] {
            assert!(reason.contains(&format!("another {what}")), "{what}: {reason}");
        }
        for (what, reason) in [
            ("head", refused(|case| case.decide(|claims| claims.head = digest))),
            ("revision", refused(|case| case.decide(|claims| claims.tail = digest))),
            ("digest", refused(|case| case.decide(|claims| claims.dtbs = digest))),
            ("certificate", refused(|case| case.decide(|claims| claims.certificate = digest))),
        ] {
            assert!(
                reason.starts_with("leader_signature_missing") && reason.contains(what),
                "{what}: {reason}"
            );
        }
    }

    #[test]
    fn an_attachment_or_recipient_added_after_the_decision_seals_nothing() {
        let reason = refused(|case| {
            let mut added = case.document.files[0].clone();
            added.role = "attachment".into();
            case.document.files.push(added);
        });
        assert!(reason.contains("another bundle"), "{reason}");
        let reason = refused(|case| case.document.recipients.clear());
        assert!(reason.contains("another recipients"), "{reason}");
    }

    #[test]
    fn a_number_or_date_that_is_not_the_tasks_seals_nothing() {
        for number in ["30/QĐ-UBND", "29", ""] {
            let reason = refused(|case| case.task.number = number.into());
            assert!(reason.starts_with("tail_forbidden"), "{number}: {reason}");
        }
        let reason = refused(|case| case.task.date = "2026-03-03".into());
        assert!(reason.starts_with("tail_forbidden"), "{reason}");
        let reason = refused(|case| case.task.fills[0].text = "30/QĐ-UBND".into());
        assert!(reason.starts_with("tail_forbidden"), "{reason}");
        let reason = refused(|case| {
            case.task.number = "30/QĐ-UBND".into();
            case.task.fills[0].text = "30/QĐ-UBND".into();
        });
        assert!(reason.contains("DocNumber"), "the tail draws another: {reason}");
        let reason = refused(|case| drop(case.task.fills.pop()));
        assert!(reason.starts_with("tail_forbidden"), "{reason}");
    }

    #[test]
    fn another_base_field_or_certificate_seals_nothing() {
        let reason = refused(|case| case.document.head.length += 1);
        assert!(reason.starts_with("base_changed"), "{reason}");
        let reason = refused(|case| case.task.field = "Signer1".into());
        assert!(reason.starts_with("tail_forbidden"), "{reason}");
        let reason = refused(|case| {
            case.task.certificate.0 = crate::testing::Authority::new().issue("UBND tỉnh Thử").certificate;
        });
        assert!(reason.starts_with("certificate_invalid"), "{reason}");
    }

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
