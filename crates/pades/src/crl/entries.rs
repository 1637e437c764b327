//! The entries of a revocation list (RFC 5280 5.3), walked without building a list.

use der::{Decode, Enumerated};
use time::OffsetDateTime;

use crate::asn1::{Items, Raw, RawSeq, rfc5280_time};
use crate::oid;
use crate::x509::extensions::Extension;
use crate::x509::{GeneralName, Name};

/// What a list or a responder says about a revoked certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// Since when.
    pub at: OffsetDateTime,
    /// Why; unspecified when not told.
    pub reason: RevocationReason,
}

/// `CRLReason` (RFC 5280 5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enumerated)]
#[asn1(type = "ENUMERATED")]
#[repr(u8)]
pub enum RevocationReason {
    /// Not told.
    Unspecified = 0,
    /// The private key may be known to others.
    KeyCompromise = 1,
    /// The CA's private key may be known to others.
    CaCompromise = 2,
    /// Name or other facts changed.
    AffiliationChanged = 3,
    /// Replaced by another certificate.
    Superseded = 4,
    /// No longer needed.
    CessationOfOperation = 5,
    /// Suspended (tạm dừng): may become good again.
    CertificateHold = 6,
    /// In a delta: no longer on hold.
    RemoveFromCrl = 8,
    /// The right to it was withdrawn.
    PrivilegeWithdrawn = 9,
    /// The attribute authority's key may be known to others.
    AaCompromise = 10,
}

impl RevocationReason {
    /// Its name in RFC 5280.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::RemoveFromCrl => "removeFromCRL",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        }
    }
}

/// The entry for (`issuer`, `serial`) in `content`. In an indirect list the issuer of an entry is the one named last
/// before it, and the list's own at first.
pub(super) fn lookup(
    content: &[u8],
    list_issuer: &Name,
    is_indirect: bool,
    issuer: &Name,
    serial: &[u8],
) -> der::Result<Option<Revoked>> {
    let mut current_is_wanted = list_issuer == issuer;
    let mut found = None;
    for entry in Items::new(content)? {
        let content = entry?.parse::<RawSeq<'_>>()?.0;
        let (entry_serial, rest) = Raw::first(content)?;
        let (date, rest) = Raw::first(rest)?;
        let at = rfc5280_time(date.any()?)?;
        let is_wanted_serial = entry_serial.any()?.value() == serial;
        // Every entry is read whole: an unknown critical one voids the whole list (RFC 5280 5.3).
        let mut reason = RevocationReason::Unspecified;
        if !rest.is_empty() {
            let read = entry_extensions(rest)?;
            reason = read.reason;
            if let Some(name) = read.issuer.filter(|_| is_indirect) {
                current_is_wanted = name == *issuer;
            }
        }
        if is_wanted_serial && current_is_wanted && found.is_none() {
            found = Some(Revoked { at, reason });
        }
    }
    Ok(found)
}

struct EntryExtensions {
    reason: RevocationReason,
    issuer: Option<Name>,
}

fn entry_extensions(rest: &[u8]) -> der::Result<EntryExtensions> {
    let mut read = EntryExtensions { reason: RevocationReason::Unspecified, issuer: None };
    for item in Raw::only(rest)?.parse::<RawSeq<'_>>()?.items()? {
        let extension = item.parse::<Extension<'_>>()?;
        let value = extension.value.as_bytes();
        match extension.oid {
            oid::CRL_REASONS => read.reason = RevocationReason::from_der(value)?,
            oid::INVALIDITY_DATE => {}
            oid::CERTIFICATE_ISSUER => {
                let names = GeneralName::list(RawSeq::from_der(value)?.0)?;
                let directory = names.into_iter().find_map(|name| match name {
                    GeneralName::Directory(name) => Some(name),
                    _ => None,
                });
                read.issuer = Some(directory.ok_or(der::ErrorKind::Failed)?);
            }
            _ if extension.critical => return Err(der::ErrorKind::Failed.into()),
            _ => {}
        }
    }
    Ok(read)
}
