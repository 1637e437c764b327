//! The signing-certificate attributes (RFC 2634 5.4, RFC 5035): they bind the signature to one certificate, so that
//! another certificate over the same key cannot be put in its place.

use super::attributes::{AttributeList, ess_entries};
use crate::oid;
use crate::x509::Certificate;

/// What the signing-certificate attribute says about a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EssCheck {
    /// Version 2, and its first entry is this certificate.
    MatchesV2,
    /// Only version 1 (SHA-1), and its first entry is this certificate.
    MatchesV1,
    /// Neither attribute is there: not an ETSI signature.
    Absent,
    /// It names another certificate, or an unknown hash.
    Mismatch,
    /// It cannot be read, or is there twice.
    Malformed,
}

impl EssCheck {
    /// Whether the certificate is bound.
    #[must_use]
    pub const fn is_bound(self) -> bool {
        matches!(self, Self::MatchesV2 | Self::MatchesV1)
    }
}

pub(super) fn check(attributes: &AttributeList, certificate: &Certificate) -> EssCheck {
    let (v2, v1) =
        (attributes.contains(oid::SIGNING_CERTIFICATE_V2), attributes.contains(oid::SIGNING_CERTIFICATE));
    match (v2, v1) {
        (false, false) => EssCheck::Absent,
        (true, false) => one(attributes, certificate, false),
        (false, true) => one(attributes, certificate, true),
        // RFC 5035 4: if both are there, both must hold.
        (true, true) => match (one(attributes, certificate, false), one(attributes, certificate, true)) {
            (EssCheck::MatchesV2, EssCheck::MatchesV1) => EssCheck::MatchesV2,
            (EssCheck::Malformed, _) | (_, EssCheck::Malformed) => EssCheck::Malformed,
            _ => EssCheck::Mismatch,
        },
    }
}

fn one(attributes: &AttributeList, certificate: &Certificate, v1: bool) -> EssCheck {
    let oid = if v1 { oid::SIGNING_CERTIFICATE } else { oid::SIGNING_CERTIFICATE_V2 };
    let Some(Ok(entries)) = attributes.single(oid).map(|value| ess_entries(value, v1)) else {
        return EssCheck::Malformed;
    };
    // The first entry is the signer's certificate; further ones name its chain.
    let Some(first) = entries.first() else { return EssCheck::Malformed };
    let digest_matches = first.hash.is_some_and(|hash| hash.digest(certificate.as_der()) == first.digest);
    let serial_matches = first.serial.as_ref().is_none_or(|serial| serial == certificate.serial());
    match (digest_matches && serial_matches, v1) {
        (true, false) => EssCheck::MatchesV2,
        (true, true) => EssCheck::MatchesV1,
        (false, _) => EssCheck::Mismatch,
    }
}
