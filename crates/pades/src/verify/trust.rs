//! Whether a certificate may be believed: chain, period and revocation at the time that is proven, else now
//! (EN 319 102-1, 5.2.6 and 5.6.2).

use time::OffsetDateTime;

use super::{
    Revocation, VerifyPolicy,
    material::Material,
    report::{Check, SubIndication},
};
use crate::{
    crypto::Weakness,
    x509::{
        Certificate,
        path::{self, Constraint, Evidence, PathFailure, PathInputs, PathProblem, Purpose, RevocationMode},
    },
};

/// The answer about one certificate.
#[derive(Debug, Clone)]
pub(super) struct Trusted {
    /// For people.
    pub(super) check: Check,
    /// Why not.
    pub(super) sub_indication: Option<SubIndication>,
    /// Whether every certificate below the anchor has an answer about revocation.
    pub(super) revocation_known: bool,
}

impl Trusted {
    /// A no.
    pub(super) fn no(code: &str, sub_indication: SubIndication) -> Self {
        Self { check: Check::fail(code), sub_indication: Some(sub_indication), revocation_known: false }
    }
}

/// Judges a certificate at `proven`, the earliest time at which the signature demonstrably existed; without a
/// proof, at the time of verification.
pub(super) fn certificate(
    certificate: &Certificate,
    purpose: Purpose,
    material: &Material,
    policy: &VerifyPolicy<'_>,
    proven: Option<OffsetDateTime>,
) -> Trusted {
    let at = proven.unwrap_or(policy.at);
    let inputs = PathInputs {
        candidates: &material.certificates,
        revocation: &material.revocation,
        mode: match policy.revocation {
            Revocation::Require => RevocationMode::Require,
            Revocation::IfAvailable => RevocationMode::IfAvailable,
            Revocation::Off => RevocationMode::Off,
        },
        at,
        now: policy.at.max(at),
        purpose,
        ..PathInputs::new(policy.anchors, at)
    };
    let path = match path::validate(certificate, &inputs, policy.provider) {
        Ok(path) => path,
        Err(failure) => {
            let (code, sub) = refusal(&failure, proven.is_some());
            return Trusted::no(code, sub);
        }
    };
    // An anchor is trusted as it is, whatever it signed itself with.
    let links = path.certificates.len().saturating_sub(1);
    if path.weaknesses.iter().any(|(at, weakness)| *at < links && !was_strong(*weakness, proven)) {
        return Trusted::no("weak_algorithm", SubIndication::CryptoConstraintsFailureNoPoe);
    }
    let answered = |evidence: &Evidence| matches!(evidence, Evidence::Ocsp(_) | Evidence::Crls(_));
    let revocation_known = path.evidence.iter().all(answered);
    let check = if revocation_known { Check::pass() } else { Check::pass_with("revocation_not_checked") };
    Trusted { check, sub_indication: None, revocation_known }
}

/// Whether it was still good at the time that is proven (ETSI TS 119 312 and its forerunners: SHA-1 until 2012,
/// RSA below 2048 bits until 2014).
pub(super) fn was_strong(weakness: Weakness, proven: Option<OffsetDateTime>) -> bool {
    let until = match weakness {
        Weakness::Hash(_) => 2012,
        Weakness::RsaBits(_) => 2014,
    };
    proven.is_some_and(|time| time.year() < until)
}

fn refusal(failure: &PathFailure, proven: bool) -> (&'static str, SubIndication) {
    use crate::crl::RevocationReason::CertificateHold;
    match &failure.problem {
        PathProblem::NoChain | PathProblem::TooManyPaths => {
            ("no_certificate_chain", SubIndication::NoCertificateChainFound)
        }
        PathProblem::Expired(_) if proven && failure.is_leaf => {
            ("certificate_expired", SubIndication::Expired)
        }
        PathProblem::Expired(_) => ("certificate_expired", SubIndication::OutOfBoundsNoPoe),
        PathProblem::NotYetValid(_) if failure.is_leaf => {
            ("certificate_not_yet_valid", SubIndication::NotYetValid)
        }
        PathProblem::NotYetValid(_) => ("certificate_not_yet_valid", SubIndication::OutOfBoundsNoPoe),
        PathProblem::Revoked(revoked) if revoked.reason == CertificateHold => {
            ("certificate_suspended", SubIndication::TryLater)
        }
        PathProblem::Revoked(_) if !failure.is_leaf => ("issuer_revoked", SubIndication::RevokedCaNoPoe),
        PathProblem::Revoked(_) if proven => ("certificate_revoked", SubIndication::Revoked),
        PathProblem::Revoked(_) => ("certificate_revoked", SubIndication::RevokedNoPoe),
        PathProblem::RevocationUnknown => ("revocation_unknown", SubIndication::TryLater),
        PathProblem::Constraint(Constraint::Signature) => {
            ("certificate_signature_wrong", SubIndication::CertificateChainGeneralFailure)
        }
        PathProblem::Constraint(Constraint::Purpose) => {
            ("certificate_usage", SubIndication::ChainConstraintsFailure)
        }
        PathProblem::Constraint(_) => ("certificate_constraints", SubIndication::ChainConstraintsFailure),
    }
}
