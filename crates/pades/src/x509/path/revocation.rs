//! Whether a certificate was revoked at the time asked about, from stored OCSP responses and CRLs.
//!
//! Fails closed: one authentic "revoked" outweighs any number of "good". Information dated after the time asked about
//! is good too (a certificate not revoked later was not revoked then), but not once the certificate had expired, since
//! issuers may then drop it, and never from after `now`.
//! A "good" whose signature no longer gives assurance is none, unless it is proven to be older than that (`strength`).
//! A delegated OCSP responder without `id-pkix-ocsp-nocheck` is looked up in the CRLs that are there.

mod lists;
mod strength;

pub use strength::Existence;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use time::{Duration, OffsetDateTime};

use super::{PathInputs, PathProblem, Validation};
use crate::crl::{Crl, CrlError, RevocationReason, Revoked};
use crate::crypto::{Effort, Provider, Weakness};
use crate::ocsp::{CertificateStatus, CheckedStatus, OcspMalformed, OcspResponse};
use crate::x509::Certificate;

/// How far clocks may differ.
const CLOCK_SKEW: Duration = Duration::minutes(5);
/// How long an OCSP answer without `nextUpdate` is good for.
const OCSP_MAX_AGE: Duration = Duration::hours(1);

/// How much revocation information is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationMode {
    /// For every certificate below the anchor.
    Require,
    /// What is there is respected; what is missing is tolerated and reported as [`Evidence::Missing`].
    IfAvailable,
    /// None is looked at.
    Off,
}

/// What the status of a certificate rests on.
#[derive(Clone, Debug)]
pub enum Evidence {
    /// Revocation was not looked at.
    NotChecked,
    /// Nothing usable was there.
    Missing,
    /// An OCSP response says good, or revoked only later.
    Ocsp(Box<CheckedStatus>),
    /// These lists together cover every reason and do not list it, or only later.
    Crls(Vec<Crl>),
}

/// Responses and lists to look in.
#[derive(Clone, Debug, Default)]
pub struct RevocationData {
    /// OCSP responses.
    pub ocsps: Vec<OcspResponse>,
    /// Lists, complete and delta.
    pub crls: Vec<Crl>,
}

impl RevocationData {
    /// Nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self { ocsps: Vec::new(), crls: Vec::new() }
    }

    /// Adds a DER `OCSPResponse`.
    ///
    /// # Errors
    /// [`OcspMalformed`] if it cannot be read; nothing is added then.
    pub fn add_ocsp_der(&mut self, der: &[u8]) -> Result<(), OcspMalformed> {
        self.ocsps.push(OcspResponse::from_der(der)?);
        Ok(())
    }

    /// Adds a DER CRL.
    ///
    /// # Errors
    /// [`CrlError`] if it cannot be read; nothing is added then.
    pub fn add_crl_der(&mut self, der: &[u8]) -> Result<(), CrlError> {
        self.crls.push(Crl::from_der(der)?);
        Ok(())
    }
}

/// What is known about one certificate.
#[derive(Clone, Debug)]
pub enum RevocationStatus {
    /// Not revoked at the time asked about, by this evidence.
    Good(Evidence),
    /// Revoked at that time.
    Revoked(Revoked),
    /// Nothing usable was there.
    Unknown,
    /// What was there is signed with an algorithm or a key that no longer gave assurance.
    Weak(Weakness),
}
use RevocationStatus as Status;

/// The status of one `certificate` alone, below the chain `above` (its issuer first), which is taken as valid.
///
/// For asking about one certificate before a signature is requested; [`super::validate`] asks about whole chains.
pub fn revocation_status(
    certificate: &Certificate,
    above: &[Certificate],
    inputs: &PathInputs<'_>,
    provider: &dyn Provider,
) -> RevocationStatus {
    let (effort, known) = (&Effort::default(), &Known::default());
    let validation = Validation { inputs, provider: &effort.metered(provider), effort, known, depth: 0 };
    match status(validation, certificate, above) {
        // What was left out may have told of a revocation.
        Status::Good(_) if validation.gave_up() => Status::Unknown,
        found => found,
    }
}

/// What was found out in one validation and holds for all of it.
#[derive(Default)]
pub(super) struct Known {
    /// Who else signs lists: the anchor that leads to, and what is weak on the way; by certificate and depth.
    signers: RefCell<HashMap<(Certificate, u8), Option<Signing>>>,
    gave_up: Cell<bool>,
}

/// A path to the signer of a list.
#[derive(Clone)]
pub(super) struct Signing {
    anchor: Option<Certificate>,
    weaknesses: Vec<Weakness>,
}

impl Known {
    /// Whether a search was given up.
    pub(super) fn gave_up(&self) -> bool {
        self.gave_up.get()
    }

    pub(super) fn give_up(&self) {
        self.gave_up.set(true);
    }
}

/// The evidence for each certificate of `chain` but the anchor, checked from the anchor down.
pub(super) fn check(
    validation: Validation<'_>,
    chain: &[Certificate],
) -> Result<Vec<Evidence>, (usize, PathProblem)> {
    let mut evidence = Vec::new();
    for (at, pair) in chain.windows(2).enumerate().rev() {
        let [certificate, _] = pair else { continue };
        if validation.inputs.mode == RevocationMode::Off || validation.depth >= 2 {
            evidence.push(Evidence::NotChecked);
            continue;
        }
        let above = chain.get(at + 1..).unwrap_or_default();
        match status(validation, certificate, above) {
            Status::Revoked(revoked) => return Err((at, PathProblem::Revoked(revoked))),
            Status::Good(found) => evidence.push(found),
            Status::Unknown if validation.inputs.mode == RevocationMode::Require => {
                return Err((at, PathProblem::RevocationUnknown));
            }
            Status::Weak(weakness) if validation.inputs.mode == RevocationMode::Require => {
                return Err((at, PathProblem::RevocationWeak(weakness)));
            }
            Status::Unknown | Status::Weak(_) => evidence.push(Evidence::Missing),
        }
    }
    evidence.reverse();
    Ok(evidence)
}

/// `above` is the rest of the chain: the issuer first, the anchor last.
fn status(validation: Validation<'_>, certificate: &Certificate, above: &[Certificate]) -> Status {
    let by_ocsp = ocsp_status(validation, certificate, above);
    if matches!(by_ocsp, Status::Revoked(_)) {
        return by_ocsp;
    }
    match lists::status(validation, certificate, above) {
        Status::Unknown => by_ocsp,
        Status::Weak(_) | Status::Good(_) if matches!(by_ocsp, Status::Good(_)) => by_ocsp,
        by_list => by_list,
    }
}

fn ocsp_status(validation: Validation<'_>, certificate: &Certificate, above: &[Certificate]) -> Status {
    let Some(issuer) = above.first() else { return Status::Unknown };
    let mut best: Option<CheckedStatus> = None;
    let mut weak = None;
    let answers: usize =
        validation.inputs.revocation.ocsps.iter().map(|response| 4 + response.answers()).sum();
    if !validation.effort.spend(1 + answers / 64) {
        return Status::Unknown;
    }
    for response in &validation.inputs.revocation.ocsps {
        let Ok(found) = response.status(certificate, issuer, validation.provider) else { continue };
        if !responder_stands(validation, &found, above) {
            continue;
        }
        let until = Some(found.next_update.unwrap_or(found.this_update.saturating_add(OCSP_MAX_AGE)));
        match found.status {
            CertificateStatus::Revoked(revoked) => {
                match effect(validation, revoked, found.this_update, until) {
                    Effect::Revoked => return Status::Revoked(revoked),
                    Effect::RevokedLater => {}
                    Effect::Nothing => continue,
                }
            }
            CertificateStatus::Good if covers(validation, certificate, found.this_update, until) => {}
            CertificateStatus::Good | CertificateStatus::Unknown => continue,
        }
        if let Some(weakness) = validation.outdated_answer(&found, issuer) {
            weak = Some(weakness);
        } else if best.as_ref().is_none_or(|known| known.this_update < found.this_update) {
            best = Some(found);
        }
    }
    match best {
        Some(found) => Status::Good(Evidence::Ocsp(Box::new(found))),
        None => weak.map_or(Status::Unknown, Status::Weak),
    }
}

/// The issuer's own certificate is checked as part of the chain; a delegated one by the CRLs at hand.
fn responder_stands(validation: Validation<'_>, found: &CheckedStatus, above: &[Certificate]) -> bool {
    let responder = &found.responder;
    if above.first() == Some(responder) || responder.extensions().ocsp_no_check || validation.depth >= 1 {
        return true;
    }
    !matches!(lists::status(Validation { depth: 1, ..validation }, responder, above), Status::Revoked(_))
}

/// What a revocation means for the time asked about.
enum Effect {
    /// Revoked by then.
    Revoked,
    /// Revoked only after.
    RevokedLater,
    /// A suspension that may have been lifted since.
    Nothing,
}

fn effect(
    validation: Validation<'_>,
    revoked: Revoked,
    this_update: OffsetDateTime,
    until: Option<OffsetDateTime>,
) -> Effect {
    let inputs = validation.inputs;
    if this_update > inputs.now.saturating_add(CLOCK_SKEW) {
        return Effect::Nothing;
    }
    if revoked.at > inputs.at {
        return if this_update >= inputs.at { Effect::RevokedLater } else { Effect::Nothing };
    }
    let is_old = this_update < inputs.at && until.is_none_or(|until| until < inputs.at);
    if revoked.reason == RevocationReason::CertificateHold && is_old {
        return Effect::Nothing;
    }
    Effect::Revoked
}

/// Whether information from `this_update` to `until` speaks about the time asked about.
fn covers(
    validation: Validation<'_>,
    certificate: &Certificate,
    this_update: OffsetDateTime,
    until: Option<OffsetDateTime>,
) -> bool {
    let inputs = validation.inputs;
    if this_update > inputs.now.saturating_add(CLOCK_SKEW) {
        return false;
    }
    if this_update > inputs.at {
        // Later information, while the issuer still had to keep the certificate listed.
        return this_update <= certificate.not_after();
    }
    until.is_some_and(|until| until >= inputs.at)
}
