//! The signing-certificate attributes (RFC 2634 5.4, RFC 5035): they bind the signature to one certificate, so that
//! another certificate over the same key cannot be put in its place.

use super::attributes::{AttributeList, EssEntry, ess_entries};
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

/// The signing-certificate attributes of one signer, read once for however many certificates.
pub(super) struct Binding {
    /// Version 2 and version 1, as far as they are there: the entry of the signer.
    v2: Option<der::Result<EssEntry>>,
    v1: Option<der::Result<EssEntry>>,
}

impl Binding {
    pub(super) fn read(attributes: &AttributeList) -> Self {
        let read = |oid, v1| {
            let missing = || der::Error::from(der::ErrorKind::Failed);
            let signer = || {
                let entries = ess_entries(attributes.single(oid).ok_or_else(missing)?, v1)?;
                // The first entry is the signer's certificate; further ones name its chain.
                entries.into_iter().next().ok_or_else(missing)
            };
            attributes.contains(oid).then(signer)
        };
        Self { v2: read(oid::SIGNING_CERTIFICATE_V2, false), v1: read(oid::SIGNING_CERTIFICATE, true) }
    }

    pub(super) fn check(&self, certificate: &Certificate) -> EssCheck {
        let one = |entry: &der::Result<EssEntry>, matches| match entry {
            Err(_) => EssCheck::Malformed,
            Ok(entry) if entry.names(certificate) => matches,
            Ok(_) => EssCheck::Mismatch,
        };
        let v2 = self.v2.as_ref().map(|entry| one(entry, EssCheck::MatchesV2));
        let v1 = self.v1.as_ref().map(|entry| one(entry, EssCheck::MatchesV1));
        match (v2, v1) {
            (None, None) => EssCheck::Absent,
            (Some(only), None) | (None, Some(only)) => only,
            // RFC 5035 4: if both are there, both must hold.
            (Some(EssCheck::MatchesV2), Some(EssCheck::MatchesV1)) => EssCheck::MatchesV2,
            (Some(EssCheck::Malformed), _) | (_, Some(EssCheck::Malformed)) => EssCheck::Malformed,
            _ => EssCheck::Mismatch,
        }
    }
}

impl EssEntry {
    fn names(&self, certificate: &Certificate) -> bool {
        self.serial.as_ref().is_none_or(|serial| serial == certificate.serial())
            && self.hash.is_some_and(|hash| certificate.digest(hash) == self.digest)
    }
}
