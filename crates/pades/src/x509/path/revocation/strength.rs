//! Whether the signature on an answer or a list still gave assurance when that demonstrably existed (EN 319 102-1
//! 5.2.8.4, with the dates of [`Weakness::assured_until`]).
//!
//! A "good" that anybody could have made is no "good"; a "revoked" counts whatever signed it: whoever forges that harms
//! nobody's trust.

use std::fmt;

use time::OffsetDateTime;

use super::super::rules;
use super::Validation;
use crate::crypto::Weakness;
use crate::digest::Digest;
use crate::ocsp::CheckedStatus;
use crate::x509::Certificate;

/// Since when stored answers and lists demonstrably exist: what a later time stamp covers.
pub trait Existence: fmt::Debug {
    /// The earliest proven time for the DER with this SHA-256; `None`: only that it is here now.
    fn proven(&self, sha256: &Digest) -> Option<OffsetDateTime>;
}

impl Validation<'_> {
    /// The first of `weaknesses` that had been found out when what has this digest demonstrably existed.
    pub(super) fn outdated(
        self,
        sha256: impl FnOnce() -> Digest,
        weaknesses: &[Weakness],
    ) -> Option<Weakness> {
        if weaknesses.is_empty() {
            return None;
        }
        let proven = self.inputs.existence.and_then(|existence| existence.proven(&sha256()));
        let existed = proven.unwrap_or(self.inputs.now);
        weaknesses.iter().copied().find(|weakness| weakness.assured_until() <= existed)
    }

    /// The same for an OCSP answer, and for the certificate of whom `issuer` delegated.
    pub(super) fn outdated_answer(self, found: &CheckedStatus, issuer: &Certificate) -> Option<Weakness> {
        let mut weaknesses = found.response.weaknesses(&found.responder);
        if found.responder != *issuer {
            let delegation = rules::weaknesses(&[found.responder.clone(), issuer.clone()]);
            weaknesses.extend(delegation.into_iter().map(|(_, weakness)| weakness));
        }
        self.outdated(|| found.response.sha256(), &weaknesses)
    }
}
