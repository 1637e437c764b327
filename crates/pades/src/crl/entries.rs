//! The entries of a revocation list (RFC 5280 5.3), walked without building a list.

use std::hash::{BuildHasher, RandomState};

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

/// An entry of a number of one byte and its date.
const SHORTEST: usize = 20;

/// Where the entries of a list are, by issuer and serial number: one reading for however many certificates.
pub(super) struct Index {
    /// The keyed hash of issuer and serial number with the place of the entry, sorted; the first of equals counts.
    places: Vec<(u64, u32)>,
    /// Nobody can choose entries that have the same hash under it.
    keys: RandomState,
}

impl Index {
    /// Of `content`, the entries of a list of `list_issuer`. In an indirect list the issuer of an entry is the one named
    /// last before it, and the list's own at first.
    ///
    /// Every entry is read whole: an unknown critical extension voids the whole list (RFC 5280 5.3).
    pub(super) fn of(content: &[u8], list_issuer: &Name, is_indirect: bool) -> der::Result<Self> {
        let keys = RandomState::new();
        let mut issuer = keys.hash_one(list_issuer);
        let mut places = Vec::with_capacity(content.len() / SHORTEST);
        let mut at = 0;
        for item in Items::new(content)? {
            let item = item?;
            let entry = Entry::read(item)?;
            if let Some(name) = entry.issuer.filter(|_| is_indirect) {
                issuer = keys.hash_one(name);
            }
            places.push((keys.hash_one((issuer, entry.serial)), u32::try_from(at)?));
            at += item.0.len();
        }
        places.sort_unstable();
        places.shrink_to_fit();
        Ok(Self { places, keys })
    }

    /// The entry for (`issuer`, `serial`).
    pub(super) fn find(&self, content: &[u8], issuer: &Name, serial: &[u8]) -> der::Result<Option<Revoked>> {
        let wanted = self.keys.hash_one((self.keys.hash_one(issuer), serial));
        let first = self.places.partition_point(|(hash, _)| *hash < wanted);
        for (_, at) in self.places.iter().skip(first).take_while(|(hash, _)| *hash == wanted) {
            let rest = usize::try_from(*at).ok().and_then(|at| content.get(at..)).unwrap_or_default();
            let entry = Entry::read(Raw::first(rest)?.0)?;
            if entry.serial == serial {
                return Ok(Some(Revoked { at: entry.at, reason: entry.reason }));
            }
        }
        Ok(None)
    }
}

struct Entry<'a> {
    serial: &'a [u8],
    at: OffsetDateTime,
    reason: RevocationReason,
    issuer: Option<Name>,
}

impl<'a> Entry<'a> {
    fn read(raw: Raw<'a>) -> der::Result<Self> {
        let (serial, rest) = Raw::first(raw.parse::<RawSeq<'_>>()?.0)?;
        let (date, rest) = Raw::first(rest)?;
        let (serial, at) = (serial.any()?.value(), rfc5280_time(date.any()?)?);
        if rest.is_empty() {
            return Ok(Self { serial, at, reason: RevocationReason::Unspecified, issuer: None });
        }
        let EntryExtensions { reason, issuer } = entry_extensions(rest)?;
        Ok(Self { serial, at, reason, issuer })
    }
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
