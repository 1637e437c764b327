//! Certification paths (RFC 5280 clause 6): found among candidates, validated at a given time, with revocation.
//!
//! ```text
//! build ── every path from the leaf to an anchor, bounded ──> rules (signatures, validity, constraints, policies, names)
//!                                                              └─> revocation (OCSP, CRLs) ──> ValidPath
//! ```
//!
//! The first path that passes everything wins; of the failures the one that came furthest is told, in the words of
//! EN 319 102-1 5.2.6 (X.509 certificate validation). Weak algorithms are reported, not refused: whether they were good
//! enough at the time is a matter of proof of existence, which the signature verifier has.

mod build;
mod names;
mod policy;
mod revocation;
mod rules;

pub use policy::PolicyInputs;
pub use revocation::{
    Evidence, Existence, RevocationData, RevocationMode, RevocationStatus, revocation_status,
};

use thiserror::Error;
use time::OffsetDateTime;

use super::{Certificate, TrustAnchors};
use crate::asn1::Oid;
use crate::crl::{Crl, RevocationReason, Revoked};
use crate::crypto::{Effort, Metered, Provider, Weakness};

/// What a path is validated with and against.
#[derive(Clone, Debug)]
pub struct PathInputs<'a> {
    /// What is trusted.
    pub anchors: &'a TrustAnchors,
    /// Certificates that may be links: from the signature, a DSS, configuration.
    pub candidates: &'a [Certificate],
    /// Stored or fetched revocation information.
    pub revocation: &'a RevocationData,
    /// Since when that demonstrably exists; `None`: it is known to be here now, no more.
    pub existence: Option<&'a dyn Existence>,
    /// How much of it is needed.
    pub mode: RevocationMode,
    /// The time for which validity is asked (now, or the time of a time stamp).
    pub at: OffsetDateTime,
    /// The time of asking: nothing dated later is believed. Not before `at`.
    pub now: OffsetDateTime,
    /// What the leaf must be for.
    pub purpose: Purpose,
    /// The policy inputs of RFC 5280 6.1.1.
    pub policies: PolicyInputs,
    /// Most certificates between leaf and anchor, self-issued ones not counted.
    pub max_intermediates: usize,
}

/// What the leaf's key is to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Signing documents: key usage digitalSignature or nonRepudiation where the extension is there; not a certificate
    /// that is only for TLS servers, time stamps or OCSP.
    DocumentSigning,
    /// Time stamps: extended key usage critical and alone.
    TimeStamping,
    /// OCSP responses.
    OcspSigning,
    /// Revocation lists: key usage cRLSign where the extension is there.
    CrlSigning,
    /// Extended key usage with this purpose, or none at all.
    Extended(Oid),
    /// Anything.
    Any,
}

/// A path that holds.
#[derive(Clone, Debug)]
pub struct ValidPath {
    /// From the leaf to the anchor, both included (one element if the leaf is an anchor).
    pub certificates: Vec<Certificate>,
    /// What is known about the revocation of each certificate except the anchor, in the same order.
    pub evidence: Vec<Evidence>,
    /// Weak algorithms and keys, with the place in `certificates` of the certificate whose signature or key it is.
    pub weaknesses: Vec<(usize, Weakness)>,
    /// The policies for which the path is valid; empty if none is asserted.
    pub policies: Vec<Oid>,
}

impl ValidPath {
    /// The anchor it ends at.
    pub fn anchor(&self) -> Option<&Certificate> {
        self.certificates.last()
    }
}

/// Why there is no valid path, and the chain that came furthest.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{problem}")]
pub struct PathFailure {
    /// What is wrong.
    pub problem: PathProblem,
    /// With which certificate; `None` when there is no chain at all.
    pub certificate: Option<Certificate>,
    /// Whether that certificate is the leaf.
    pub is_leaf: bool,
    /// The chain that came furthest, from the leaf.
    pub chain: Vec<Certificate>,
}

/// What is wrong with a path.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PathProblem {
    /// No path from the leaf to an anchor.
    #[error("no certificate chain to a trusted root was found")]
    NoChain,
    /// The search was given up: a set of certificates made to exhaust it.
    #[error("the certificates offer too many possible chains")]
    TooManyPaths,
    /// Past its validity.
    #[error("a certificate of the chain expired on {0}")]
    Expired(OffsetDateTime),
    /// Before its validity.
    #[error("a certificate of the chain is not valid before {0}")]
    NotYetValid(OffsetDateTime),
    /// Revoked at the time asked about.
    #[error("a certificate of the chain was revoked on {}", .0.at)]
    Revoked(Revoked),
    /// No usable revocation information.
    #[error("the revocation of a certificate of the chain cannot be told")]
    RevocationUnknown,
    /// All there is about revocation was signed with an algorithm or key that no longer gives assurance.
    #[error("what tells the revocation of a certificate of the chain is signed too weakly: {0:?}")]
    RevocationWeak(Weakness),
    /// A rule of RFC 5280 clause 6, by its clause.
    #[error("a certificate of the chain breaks a rule: {0}")]
    Constraint(Constraint),
}

/// The rules of RFC 5280 that a path can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Constraint {
    /// 6.1.3 (a)(1).
    #[error("the signature on it is wrong or not supported")]
    Signature,
    /// 6.1.4 (k): an issuer that is no CA.
    #[error("the issuer is not a certification authority")]
    NotCa,
    /// 6.1.4 (n): an issuer whose key may not sign certificates.
    #[error("the issuer's key may not sign certificates")]
    KeyCertSign,
    /// 6.1.4 (l) and (m).
    #[error("the chain is longer than allowed")]
    PathLength,
    /// 6.1.3 (b), (c).
    #[error("a name lies outside what the issuer may certify")]
    Names,
    /// 6.1.3 (f), 6.1.5.
    #[error("no acceptable certificate policy")]
    Policy,
    /// 6.1.4 (o), 6.1.5 (f).
    #[error("a critical extension is not understood")]
    UnknownExtension,
    /// The leaf is not for this use.
    #[error("the certificate is not for this use")]
    Purpose,
}

impl PathFailure {
    /// The main indication of EN 319 102-1.
    #[must_use]
    pub fn indication(&self) -> &'static str {
        // A path problem alone never fails a signature for good: a later time stamp or list may say more. Revocation of
        // the signer's certificate and a stated time before validity do (5.5.4); the verifier decides with its proofs.
        "INDETERMINATE"
    }

    /// The sub-indication of EN 319 102-1 5.2.6, plain `EXPIRED`, `NOT_YET_VALID` and `REVOKED` where the standard
    /// adds `_NO_POE` for want of a proof of existence.
    #[must_use]
    pub fn sub_indication(&self) -> &'static str {
        match (&self.problem, self.is_leaf) {
            (PathProblem::NoChain | PathProblem::TooManyPaths, _) => "NO_CERTIFICATE_CHAIN_FOUND",
            (PathProblem::Expired(_), _) => "EXPIRED",
            (PathProblem::NotYetValid(_), _) => "NOT_YET_VALID",
            // A suspended certificate may become good again (EN 319 102-1 5.2.6.4).
            (
                PathProblem::RevocationUnknown
                | PathProblem::Revoked(Revoked { reason: RevocationReason::CertificateHold, .. }),
                _,
            ) => "TRY_LATER",
            (PathProblem::RevocationWeak(_), _) => "CRYPTO_CONSTRAINTS_FAILURE_NO_POE",
            (PathProblem::Revoked(_), true) => "REVOKED",
            (PathProblem::Revoked(_), false) => "REVOKED_CA_NO_POE",
            (PathProblem::Constraint(Constraint::Signature), _) => "CERTIFICATE_CHAIN_GENERAL_FAILURE",
            (PathProblem::Constraint(_), _) => "CHAIN_CONSTRAINTS_FAILURE",
        }
    }

    /// When the certificate was revoked, if that is the problem.
    #[must_use]
    pub fn revoked(&self) -> Option<Revoked> {
        match self.problem {
            PathProblem::Revoked(revoked) => Some(revoked),
            _ => None,
        }
    }
}

static NO_REVOCATION: RevocationData = RevocationData::none();

impl<'a> PathInputs<'a> {
    /// For signing documents at `at` (which is also now), without candidates and revocation information.
    pub fn new(anchors: &'a TrustAnchors, at: OffsetDateTime) -> Self {
        Self {
            anchors,
            candidates: &[],
            revocation: &NO_REVOCATION,
            existence: None,
            mode: RevocationMode::Require,
            at,
            now: at,
            purpose: Purpose::DocumentSigning,
            policies: PolicyInputs::default(),
            max_intermediates: 10,
        }
    }
}

/// Finds a valid path for `leaf`.
///
/// # Errors
/// [`PathFailure`] with the problem of the path that came furthest.
pub fn validate(
    leaf: &Certificate,
    inputs: &PathInputs<'_>,
    provider: &dyn Provider,
) -> Result<ValidPath, PathFailure> {
    validate_within(leaf, inputs, provider, &Effort::default())
}

/// The same as part of a larger task, at the expense of its effort.
pub(crate) fn validate_within(
    leaf: &Certificate,
    inputs: &PathInputs<'_>,
    provider: &dyn Provider,
    effort: &Effort,
) -> Result<ValidPath, PathFailure> {
    let (provider, known) = (&effort.metered(provider), &revocation::Known::default());
    let validation = Validation { inputs, provider, effort, known, depth: 0 };
    let found = validation.run(leaf);
    if validation.gave_up() {
        // What was left out may be what matters: a revocation, for instance.
        let chain = match found {
            Ok(path) => path.certificates,
            Err(failure) => failure.chain,
        };
        return Err(PathFailure {
            problem: PathProblem::TooManyPaths,
            certificate: None,
            is_leaf: false,
            chain,
        });
    }
    found
}

/// One run; issuers of CRLs are validated in a nested one.
#[derive(Clone, Copy)]
struct Validation<'a> {
    inputs: &'a PathInputs<'a>,
    provider: &'a Metered<'a>,
    effort: &'a Effort,
    /// What was found out about lists and who signs them.
    known: &'a revocation::Known,
    depth: u8,
}

impl Validation<'_> {
    /// Whether anything was left undone because it would have been too much.
    fn gave_up(self) -> bool {
        self.effort.is_spent() || self.known.gave_up()
    }

    /// Whether the signature on `certificate` is by the key of `issuer`.
    fn is_signed(self, certificate: &Certificate, issuer: &Certificate) -> bool {
        let (key, digest) = (issuer.spki(), certificate.sha256());
        self.effort
            .once(&[b"certificate", digest.as_bytes(), key], 1, || {
                certificate.verify_signed_by(key, self.provider)
            })
            .is_ok()
    }

    /// Whether the signature on `list` is by the key of `issuer`.
    fn is_list_signed(self, list: &Crl, issuer: &Certificate) -> bool {
        let (key, digest) = (issuer.spki(), list.sha256());
        self.effort
            .once(&[b"list", digest.as_bytes(), key], 1, || list.verify_signed_by(key, self.provider))
            .is_ok()
    }

    fn run(self, leaf: &Certificate) -> Result<ValidPath, PathFailure> {
        let mut best: Option<PathFailure> = None;
        let mut found = None;
        let search = build::paths(leaf, self, |chain| match self.check(chain) {
            Ok(path) => {
                found = Some(path);
                true
            }
            Err(failure) => {
                if best.as_ref().is_none_or(|known| rank(known) < rank(&failure)) {
                    best = Some(failure);
                }
                false
            }
        });
        if let Some(path) = found {
            return Ok(path);
        }
        if search.exhausted {
            self.known.give_up();
        }
        let nothing = |problem, chain| PathFailure { problem, certificate: None, is_leaf: false, chain };
        Err(match (best, search) {
            (_, build::Search { exhausted: true, longest }) => nothing(PathProblem::TooManyPaths, longest),
            (Some(failure), _) => failure,
            (None, build::Search { longest, .. }) => nothing(PathProblem::NoChain, longest),
        })
    }

    fn check(self, chain: &[Certificate]) -> Result<ValidPath, PathFailure> {
        let failed = |at: usize, problem| PathFailure {
            problem,
            certificate: chain.get(at).cloned(),
            is_leaf: at == 0,
            chain: chain.to_vec(),
        };
        let policies = rules::check(chain, self).map_err(|(at, problem)| failed(at, problem))?;
        let evidence = revocation::check(self, chain).map_err(|(at, problem)| failed(at, problem))?;
        let weaknesses = rules::weaknesses(chain);
        Ok(ValidPath { certificates: chain.to_vec(), evidence, weaknesses, policies })
    }
}

/// How far a path came: what is told is the failure of the most promising one.
fn rank(failure: &PathFailure) -> u8 {
    match failure.problem {
        PathProblem::NoChain | PathProblem::TooManyPaths => 0,
        PathProblem::Constraint(Constraint::Signature) => 1,
        PathProblem::Constraint(_) => 2,
        PathProblem::Expired(_) | PathProblem::NotYetValid(_) => 3,
        PathProblem::RevocationUnknown | PathProblem::RevocationWeak(_) => 4,
        PathProblem::Revoked(_) => 5,
    }
}
