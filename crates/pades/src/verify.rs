//! Verification of signed PDFs: one answer per signature in the words of EN 319 102-1, with the four checks of
//! Kiên Giang Điều 11 khoản 1, and what was changed after each signature.
//!
//! ```text
//! structure   where the signatures are, gap, range, revision        (ISO 32000-2, 12.8; USF, SWA, ISA)
//! hashing     all digests in one reading of the file
//! message     CMS and time stamps, trust aside                      (RFC 5652, RFC 3161, EN 319 142-1)
//! changes     every later revision must explain what it touched     (shadow attacks)
//! trust       chain, revocation, proof of existence                 (RFC 5280, RFC 6960)
//! verdict     one indication per signature, one for the file
//! ```
//!
//! Stricter than the validators in use: bytes in the padding, bytes outside every revision, a swapped certificate,
//! two signers, attached content and a value that is not what is drawn are all refused. Nothing here fetches
//! anything, and the time is an argument. Deep or large files end in an answer, never in a panic or a hang.

mod date;
pub(crate) mod evaluate;
mod hashing;
pub(crate) mod level;
pub(crate) mod material;
mod message;
mod pending;
mod report;
mod stamps;
pub(crate) mod structure;
pub(crate) mod trust;
mod words;

use thiserror::Error;
use time::OffsetDateTime;

pub use self::pending::{Pending, pending};
pub use self::report::{
    Check, Checks, Coverage, Indication, Kind, Level, Report, SignatureReport, Signer, SubIndication, Verdict,
};
use crate::{
    changes::AnalysisLimits,
    crypto::Provider,
    pdf::{File, Limits, PdfError},
    source::Source,
    x509::{Certificate, TrustAnchors},
};

/// What is asked of revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Revocation {
    /// Every certificate below the anchor must have an answer: what our own gates use.
    Require,
    /// Known revocation fails; absent data passes with the remark `revocation_not_checked`.
    #[default]
    IfAvailable,
    /// Not asked at all.
    Off,
}

/// Under what terms a file is verified. Nothing is fetched: all material is here or in the file.
#[derive(Clone)]
pub struct VerifyPolicy<'a> {
    /// Whom to trust.
    pub anchors: &'a TrustAnchors,
    /// Further certificates to build chains from.
    pub certificates: &'a [Certificate],
    /// OCSP responses, DER.
    pub ocsp_responses: &'a [Vec<u8>],
    /// CRLs, DER.
    pub crls: &'a [Vec<u8>],
    /// The time of verification.
    pub at: OffsetDateTime,
    /// What is asked of revocation.
    pub revocation: Revocation,
    /// Who does the arithmetic.
    pub provider: &'a dyn Provider,
    /// What reading may cost.
    pub limits: Limits,
    /// What the difference analysis may cost.
    pub analysis: AnalysisLimits,
}

impl<'a> VerifyPolicy<'a> {
    /// These anchors at this time; revocation if available, no further material, usual limits.
    pub fn new(anchors: &'a TrustAnchors, at: OffsetDateTime, provider: &'a dyn Provider) -> Self {
        Self {
            anchors,
            certificates: &[],
            ocsp_responses: &[],
            crls: &[],
            at,
            revocation: Revocation::default(),
            provider,
            limits: Limits::default(),
            analysis: AnalysisLimits::default(),
        }
    }
}

/// Why a file could not be verified at all.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// Not a PDF, or too broken to find a document in it.
    #[error("the file cannot be read as a PDF: {0}; ask for the original file")]
    Pdf(PdfError),
    /// Encrypted.
    #[error("the file is encrypted; ask for a copy without a password")]
    Encrypted,
}

// The sentence already holds its cause, so the cause is not chained a second time.
impl From<PdfError> for Unreadable {
    fn from(error: PdfError) -> Self {
        Self::Pdf(error)
    }
}

impl Unreadable {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Pdf(_) => "not_a_pdf",
            Self::Encrypted => "encrypted",
        }
    }
}

/// Verifies every signature of a file.
///
/// # Errors
/// [`Unreadable`] if there is no document to look for signatures in. Everything else is part of the report.
pub fn verify(source: &dyn Source, policy: &VerifyPolicy<'_>) -> Result<Report, Unreadable> {
    let file = File::open(source, &policy.limits)?;
    if file.is_encrypted() {
        return Err(Unreadable::Encrypted);
    }
    Ok(evaluate::examine(&file, policy)?.report)
}
