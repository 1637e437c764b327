//! Every leader's signature, decision and enrolment, checked against the agent's own roots and list.
//!
//! ```text
//! signature in the file  ── verified under our roots, by a listed leader's certificate
//!   enrolment statement  ── CMS of our own content type, signed by that very certificate: names person and device key
//!     decision (JWS)     ── signed by that device key: names this document, bundle, recipients, head, tail and DTBS
//!       the signature's revision is the tail decided on, its digest the DTBS decided on
//! ```
//!
//! A server that forged an approval would have to forge a SIM's signature here.

use time::OffsetDateTime;
use trinhky_mobile_core::{bundle_digest, jws, main_file, same_name};
use trinhky_pades::Digest;
use trinhky_pades::cms::{self, ID_DATA, ID_ENROLMENT};
use trinhky_pades::crypto;
use trinhky_pades::verify::{Indication, Kind, SignatureReport, VerifyPolicy, verify};
use trinhky_pades::x509::{Certificate, TrustAnchors};
use trinhky_protos::HexDigest;
use trinhky_protos::device::EnrolmentStatement;
use trinhky_protos::document::{DocumentView, SignerView};
use trinhky_protos::seal::{SealTaskView, SignatureEvidenceView};
use trinhky_protos::signing::{DECISION_TYP, DecisionClaims};

use crate::checks::{Check, Trail};
use crate::config::Config;
use crate::error::Error;
use crate::signatures::placed;

/// A leader whose approval stands; only [`check_leaders`] makes one.
#[derive(Debug, Clone)]
pub(crate) struct Approved {
    pub(crate) field: String,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) at: Option<OffsetDateTime>,
    /// What the SIM signed, as decided: the code on both screens came from it.
    pub(crate) dtbs: HexDigest,
}

/// All leaders of `document`, in order, each with a good signature in `base`.
///
/// # Errors
/// [`Error::Leader`] for the first whose signature, decision or enrolment does not stand; [`Error::Document`].
pub(crate) fn check_leaders(
    task: &SealTaskView,
    document: &DocumentView,
    base: &[u8],
    config: &Config,
    anchors: &TrustAnchors,
    now: OffsetDateTime,
    trail: &mut Trail,
) -> Result<Vec<Approved>, Error> {
    let policy = VerifyPolicy::new(anchors, now, crypto::pure());
    let report = verify(&base, &policy).map_err(|error| Error::Document(error.to_string()))?;
    let signed = report.signatures.len();
    if signed != document.signers.len() || task.evidence.len() != signed {
        let why = format!("{} signatures and {} decisions", signed, task.evidence.len());
        return Err(Error::Leader { field: format!("{} signers", document.signers.len()), why });
    }
    let mut one = |(index, signer): (usize, &SignerView)| {
        let field = format!("Signer{}", index + 1);
        let refused = |why: String| Error::Leader { field: field.clone(), why };
        let signature = report.signatures.iter().find(|signature| signature.field == field);
        let signature = signature.ok_or_else(|| refused("it is not signed".into()))?;
        let evidence = task.evidence.iter().find(|evidence| evidence.field == field);
        let evidence = evidence.ok_or_else(|| refused("its decision is missing".into()))?;
        check_signature(signature, signer, config).map_err(refused)?;
        trail.pass(Check::Signature);
        let certificate = check_enrolment(signature, evidence, signer).map_err(refused)?;
        trail.pass(Check::Enrolment);
        let claims = check_decision(evidence, signer).map_err(refused)?;
        check_claims(&claims, task, document, signer, &certificate).map_err(refused)?;
        trail.pass(Check::Decision);
        check_place(&claims, base, signature, &certificate)?;
        trail.pass(Check::Revision);
        Ok(Approved {
            field: field.clone(),
            name: signature.signer.common_name.clone(),
            title: signer.title.clone(),
            at: signature.timestamp_time,
            dtbs: claims.dtbs,
        })
    };
    document.signers.iter().enumerate().map(&mut one).collect()
}

/// Good under our roots, by a listed leader, who is the signer printed on the page.
fn check_signature(signature: &SignatureReport, signer: &SignerView, config: &Config) -> Result<(), String> {
    if signature.kind != Kind::Approval || signature.indication != Indication::TotalPassed {
        let checks = &signature.checks;
        let reasons = [&checks.signature, &checks.integrity, &checks.certificate];
        let reasons: Vec<_> = reasons.into_iter().filter_map(|check| check.reason.as_deref()).collect();
        return Err(format!(
            "its signature does not stand: {:?} {}",
            signature.sub_indication,
            reasons.join(", ")
        ));
    }
    let (name, digest) = (&signature.signer.common_name, &signature.signer.sha256);
    if !same_name(name, &signer.full_name) {
        return Err(format!("it is signed by {name}, not by {}", signer.full_name));
    }
    let digest: HexDigest = digest.parse().map_err(|_| "its certificate has no digest".to_owned())?;
    if config.knows(name, digest) {
        Ok(())
    } else {
        Err(format!("{name} with certificate {digest} is not in the agent's list of leaders"))
    }
}

/// The statement is signed by the certificate that signed the field.
fn check_enrolment(
    signature: &SignatureReport,
    evidence: &SignatureEvidenceView,
    signer: &SignerView,
) -> Result<Certificate, String> {
    if evidence.person != signer.person {
        return Err("its decision is another person's".into());
    }
    let message = cms::parse(&evidence.enrolment_cms.0).map_err(|error| error.to_string())?;
    let certificate = message
        .certificates
        .into_iter()
        .find(|certificate| certificate.sha256().to_string() == signature.signer.sha256)
        .ok_or("the device was enrolled by another certificate")?;
    let statement = Digest::of(&evidence.enrolment_statement.0);
    cms::check_statement(
        &evidence.enrolment_cms.0,
        &statement,
        certificate.as_der(),
        ID_ENROLMENT,
        crypto::pure(),
    )
    .map_err(|error| format!("its enrolment does not stand: {error}"))?;
    Ok(certificate)
}

/// The decision is signed by the device key that the statement names.
fn check_decision(evidence: &SignatureEvidenceView, signer: &SignerView) -> Result<DecisionClaims, String> {
    let statement: EnrolmentStatement = serde_json::from_slice(&evidence.enrolment_statement.0)
        .map_err(|error| format!("its enrolment statement cannot be read: {error}"))?;
    let decision = jws::verify::<DecisionClaims>(&evidence.decision, &statement.public_key, DECISION_TYP)
        .map_err(|error| format!("its decision does not stand: {error}"))?;
    let claims = decision.claims;
    let device = statement.device;
    if statement.person != signer.person || claims.sub != signer.person {
        Err("its enrolment or decision is another person's".into())
    } else if claims.iss != device || decision.kid != device.to_string() {
        Err("its decision is another device's".into())
    } else if claims.certificate != statement.certificate {
        Err("its decision names another certificate than its enrolment".into())
    } else {
        Ok(claims)
    }
}

/// The decision is about this document as it is about to be sealed.
fn check_claims(
    claims: &DecisionClaims,
    task: &SealTaskView,
    document: &DocumentView,
    signer: &SignerView,
    certificate: &Certificate,
) -> Result<(), String> {
    let differs = [
        ("document", claims.document != task.document),
        ("bundle", claims.bundle != bundle_digest(&document.files) || claims.files != document.files),
        ("recipients", claims.recipients != document.recipients),
        ("urgency", claims.urgency != document.urgency),
        ("capacity", claims.capacity != signer.capacity),
        ("numbering", claims.numbering != document.numbering),
        ("number", claims.number.as_ref().is_some_and(|number| *number != task.number)),
        ("manifest", claims.manifest.0 != Digest::of(&task.manifest.0).0),
        ("certificate", claims.certificate.0 != certificate.sha256().0),
    ];
    match differs.into_iter().find(|(_, differs)| *differs) {
        Some((what, _)) => Err(format!("its decision names another {what}")),
        None => main_file(document).map(|_| ()).map_err(|error| error.to_string()),
    }
}

/// The signature stands on the head, in the revision and over the attributes that were decided on.
fn check_place(
    claims: &DecisionClaims,
    base: &[u8],
    signature: &SignatureReport,
    certificate: &Certificate,
) -> Result<(), Error> {
    let refused = |why: &str| Error::Leader { field: signature.field.clone(), why: why.into() };
    let placed = placed(base, &signature.field, signature.revision)?;
    let attributes = cms::signed_attributes(&placed.content, certificate.as_der(), ID_DATA)
        .map_err(|error| refused(&error.to_string()))?;
    if placed.head != claims.head {
        Err(refused("it stands on another head than was decided on"))
    } else if placed.tail != claims.tail {
        Err(refused("its revision is not the one that was decided on"))
    } else if attributes.dtbs_digest().0 != claims.dtbs.0 {
        Err(refused("it signs another digest than was decided on"))
    } else {
        Ok(())
    }
}
