//! Signatures that a file already carries when it is taken in: an invalid one is refused, before anybody is asked to
//! put a valid one beside it.
//!
//! Trust is not asked here: a file signed under a foreign root, or with an expired certificate, may be taken in and is
//! shown as such. What was broken or changed after signing may not.

use thiserror::Error;

use crate::{
    source::Source,
    verify::{Report, SignatureReport, SubIndication, Unreadable, VerifyPolicy, verify},
};

/// Why a signed file is not taken in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignedRefused {
    /// It cannot be read, or is encrypted.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// One of its signatures is broken, or was broken by a later change.
    #[error(
        "the file already carries an invalid signature in field {field} ({reason}); ask for the original file"
    )]
    InvalidSignaturePresent {
        /// The field.
        field: String,
        /// The code of the check that failed.
        reason: String,
    },
}

impl SignedRefused {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(unreadable) => unreadable.code(),
            Self::InvalidSignaturePresent { .. } => "invalid_signature_present",
        }
    }
}

/// The report about the signatures a file carries; none is fine.
///
/// # Errors
/// [`SignedRefused`] if one of them is invalid.
pub fn intake_check(source: &dyn Source, policy: &VerifyPolicy<'_>) -> Result<Report, SignedRefused> {
    let report = verify(source, policy)?;
    match report.signatures.iter().find_map(broken) {
        Some((field, reason)) => Err(SignedRefused::InvalidSignaturePresent { field, reason }),
        None => Ok(report),
    }
}

/// Integrity and form, and revocation or validity that is proven; never a mere lack of material.
fn broken(one: &SignatureReport) -> Option<(String, String)> {
    let lacking = matches!(
        one.sub_indication,
        Some(
            SubIndication::NoCertificateChainFound
                | SubIndication::NoSigningCertificateFound
                | SubIndication::CryptoConstraintsFailureNoPoe
        )
    );
    let checks = &one.checks;
    let mut failed = vec![&checks.integrity, &checks.signature];
    if one.sub_indication == Some(SubIndication::Revoked) {
        failed.push(&checks.certificate);
    }
    let found = failed.into_iter().find(|check| !check.ok)?;
    let reason = found.reason.clone().unwrap_or_default();
    (!lacking || reason == "changed_after_signing" || reason == "digest_mismatch")
        .then(|| (one.field.clone(), reason))
}
