//! Whether a certificate may be believed: chain, period and revocation at the time that is proven, else now
//! (EN 319 102-1, 5.2.6 and 5.6.2).

use time::OffsetDateTime;

use super::{
    Revocation, VerifyPolicy,
    level::Proofs,
    material::Material,
    report::{Check, SubIndication},
};
use crate::{
    crypto::{Effort, Weakness},
    digest::Digest,
    x509::{
        Certificate,
        path::{
            self, Constraint, Evidence, Existence, PathFailure, PathInputs, PathProblem, Purpose,
            RevocationMode,
        },
    },
};

/// Whose certificate is to be believed, for what, and at which time.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// The certificate.
    pub(crate) certificate: Certificate,
    /// What it was used for.
    pub(crate) purpose: Purpose,
    /// The earliest time at which what it signed demonstrably existed; `None`: nothing proves any.
    pub(crate) proven: Option<OffsetDateTime>,
    /// The time that a time stamp of its states; `None` for a signer of documents.
    pub(crate) stated: Option<OffsetDateTime>,
}

/// The answer about one certificate.
#[derive(Debug, Clone)]
pub(super) struct Trusted {
    /// For people.
    pub(super) check: Check,
    /// Why not.
    pub(super) sub_indication: Option<SubIndication>,
    /// What the answer about revocation rests on, one for each certificate below the anchor.
    pub(super) evidence: Vec<Evidence>,
}

impl Trusted {
    /// A no.
    pub(super) fn no(code: &str, sub_indication: SubIndication) -> Self {
        Self {
            check: Check::fail(code),
            sub_indication: Some(sub_indication),
            evidence: vec![Evidence::Missing],
        }
    }
}

/// Judges a certificate at the time that is proven; without a proof, at the time of verification.
pub(super) fn certificate(
    subject: &Subject,
    held: &Held<'_>,
    policy: &VerifyPolicy<'_>,
    revocation: Revocation,
) -> Trusted {
    let proven = subject.proven;
    let at = proven.unwrap_or(policy.at);
    let inputs = PathInputs {
        candidates: &held.material.certificates,
        revocation: &held.material.revocation,
        existence: Some(held),
        mode: match revocation {
            Revocation::Require => RevocationMode::Require,
            Revocation::IfAvailable => RevocationMode::IfAvailable,
            Revocation::Off => RevocationMode::Off,
        },
        at,
        now: policy.at.max(at),
        purpose: subject.purpose,
        ..PathInputs::new(policy.anchors, at)
    };
    let path = match path::validate_within(&subject.certificate, &inputs, policy.provider, held.effort) {
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
    let known = path.evidence.iter().all(answered);
    let check = if known { Check::pass() } else { Check::pass_with("revocation_not_checked") };
    Trusted { check, sub_indication: None, evidence: path.evidence }
}

/// What there is to believe by, and since when it demonstrably exists: answers and lists since the first document time stamp
/// over the revision that brought them into the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held<'h> {
    pub(crate) material: &'h Material,
    pub(crate) proofs: &'h Proofs,
    /// What may still be done for this file.
    pub(crate) effort: &'h Effort,
}

impl Existence for Held<'_> {
    fn proven(&self, sha256: &Digest) -> Option<OffsetDateTime> {
        self.proofs.of(self.material.brought(sha256)?)
    }
}

/// Whether it still gave assurance at the time that is proven.
pub(super) fn was_strong(weakness: Weakness, proven: Option<OffsetDateTime>) -> bool {
    proven.is_some_and(|time| time < weakness.assured_until())
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
        PathProblem::RevocationWeak(_) => ("revocation_weak", SubIndication::CryptoConstraintsFailureNoPoe),
        PathProblem::Constraint(Constraint::Signature) => {
            ("certificate_signature_wrong", SubIndication::CertificateChainGeneralFailure)
        }
        PathProblem::Constraint(Constraint::Purpose) => {
            ("certificate_usage", SubIndication::ChainConstraintsFailure)
        }
        PathProblem::Constraint(_) => ("certificate_constraints", SubIndication::ChainConstraintsFailure),
    }
}
