//! Certificate revocation lists (RFC 5280 clause 5): read, searched, their scope understood (issuing distribution
//! point, indirect lists, deltas). Who may sign one and whether it is fresh is decided in [`crate::x509::path`].

mod entries;

pub use entries::{RevocationReason, Revoked};

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use der::asn1::{AnyRef, BitStringRef, IntRef};
use der::{Decode, Sequence};
use thiserror::Error;
use time::OffsetDateTime;

use crate::asn1::{Algorithm, Raw, RawSeq, rfc5280_time};
use crate::crypto::{CryptoError, Provider, PublicKey, SignatureAlgorithm, Weakness};
use crate::digest::Digest;
use crate::oid;
use crate::x509::extensions::{Extension, reason_flags};
use crate::x509::{Certificate, DistributionPoint, Name};

/// Largest list that is read: a national CA's may hold a million entries.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// A revocation list; cheap to clone.
#[derive(Clone)]
pub struct Crl(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    tbs: Range<usize>,
    entries: Range<usize>,
    issuer: Name,
    this_update: OffsetDateTime,
    next_update: Option<OffsetDateTime>,
    algorithm: Result<SignatureAlgorithm, CryptoError>,
    signature: Vec<u8>,
    number: Option<Vec<u8>>,
    delta_base: Option<Vec<u8>>,
    scope: Option<Scope>,
    understood: bool,
    sha256: OnceLock<Digest>,
    /// What is signed, digested: many keys may be tried.
    digest: OnceLock<Vec<u8>>,
    /// The entries, once somebody looks one up.
    index: OnceLock<der::Result<entries::Index>>,
}

/// `IssuingDistributionPoint` (RFC 5280 5.2.5): which certificates and reasons a list covers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) point: DistributionPoint,
    pub(crate) covers: Covers,
    pub(crate) indirect: bool,
}

/// Which certificates a list is about; the standard allows one of the three restrictions at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Covers {
    #[default]
    All,
    Users,
    Authorities,
    AttributeCertificates,
}

/// Why bytes are not a revocation list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CrlError {
    /// Larger than 64 MiB.
    #[error("the revocation list is larger than 64 MiB")]
    TooLarge,
    /// Not the DER of RFC 5280.
    #[error("the revocation list is not well-formed: {0}")]
    Malformed(#[from] der::Error),
}

#[derive(Sequence)]
struct Outer<'a> {
    tbs: Raw<'a>,
    algorithm: Raw<'a>,
    signature: BitStringRef<'a>,
}

impl Crl {
    /// Reads one DER list.
    ///
    /// # Errors
    /// [`CrlError`].
    pub fn from_der(der: &[u8]) -> Result<Self, CrlError> {
        if der.len() > MAX_BYTES {
            return Err(CrlError::TooLarge);
        }
        let whole = Raw::only(der)?;
        let outer = whole.parse::<Outer<'_>>()?;
        let tbs_start = der.len() - whole.any()?.value().len();
        let mut inner = read_tbs(outer.tbs, outer.algorithm)?;
        inner.entries = inner.entries.start + tbs_start..inner.entries.end + tbs_start;
        inner.tbs = tbs_start..tbs_start + outer.tbs.0.len();
        inner.signature = outer.signature.as_bytes().unwrap_or_default().to_vec();
        inner.der = der.to_vec();
        Ok(Self(Arc::new(inner)))
    }

    /// The DER as received.
    pub fn as_der(&self) -> &[u8] {
        &self.0.der
    }

    /// SHA-256 of the DER.
    pub(crate) fn sha256(&self) -> Digest {
        *self.0.sha256.get_or_init(|| Digest::of(&self.0.der))
    }

    /// Who issued it.
    pub fn issuer(&self) -> &Name {
        &self.0.issuer
    }

    /// When it was made.
    pub fn this_update(&self) -> OffsetDateTime {
        self.0.this_update
    }

    /// When the next one will be there.
    pub fn next_update(&self) -> Option<OffsetDateTime> {
        self.0.next_update
    }

    /// Its number (content bytes of the INTEGER).
    pub fn number(&self) -> Option<&[u8]> {
        self.0.number.as_deref()
    }

    /// Whether it lists only changes to another list.
    pub fn is_delta(&self) -> bool {
        self.0.delta_base.is_some()
    }

    pub(crate) fn delta_base(&self) -> Option<&[u8]> {
        self.0.delta_base.as_deref()
    }

    pub(crate) fn scope(&self) -> Option<&Scope> {
        self.0.scope.as_ref()
    }

    /// Whether every critical extension of the list is understood.
    pub(crate) fn is_understood(&self) -> bool {
        self.0.understood
    }

    /// Checks the signature on it with the key in `issuer_spki`; nothing else about the issuer.
    ///
    /// # Errors
    /// [`CryptoError`].
    pub fn verify_signed_by(&self, issuer_spki: &[u8], provider: &dyn Provider) -> Result<(), CryptoError> {
        let tbs = self.0.der.get(self.0.tbs.clone()).ok_or(CryptoError::BadSignature)?;
        let (algorithm, key) = (self.0.algorithm?, PublicKey::from_spki(issuer_spki)?);
        let Some(hash) = algorithm.hash() else {
            return provider.verify_message(algorithm, &key, tbs, &self.0.signature);
        };
        let digest = self.0.digest.get_or_init(|| hash.digest(tbs));
        provider.verify_digest(algorithm, &key, digest, &self.0.signature)
    }

    /// What is weak about the signature of `signer` on it.
    pub(crate) fn weaknesses(&self, signer: &Certificate) -> Vec<Weakness> {
        signer.weaknesses_of(self.0.algorithm)
    }

    /// The entry for the certificate of `issuer` with `serial` (content bytes), if it is listed.
    ///
    /// # Errors
    /// [`CrlError::Malformed`] if an entry on the way cannot be read or has a critical extension nobody knows: then
    /// the list says nothing (RFC 5280 5.3).
    pub fn lookup(&self, issuer: &Name, serial: &[u8]) -> Result<Option<Revoked>, CrlError> {
        let content = self.0.der.get(self.0.entries.clone()).unwrap_or_default();
        let is_indirect = self.0.scope.as_ref().is_some_and(|scope| scope.indirect);
        let index = self.0.index.get_or_init(|| entries::Index::of(content, &self.0.issuer, is_indirect));
        Ok(index.as_ref().map_err(|error| *error)?.find(content, issuer, serial)?)
    }
}

impl PartialEq for Crl {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.der == other.0.der
    }
}

impl Eq for Crl {}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crl({}, {})", self.issuer(), self.this_update())
    }
}

/// ```text
/// TBSCertList ::= SEQUENCE {
///   version Version OPTIONAL, signature AlgorithmIdentifier, issuer Name, thisUpdate Time, nextUpdate Time OPTIONAL,
///   revokedCertificates SEQUENCE OF SEQUENCE { … } OPTIONAL, crlExtensions [0] EXPLICIT Extensions OPTIONAL }
/// ```
///
/// By hand, because `nextUpdate` is an optional CHOICE of two types and the entries must stay a slice.
fn read_tbs(tbs: Raw<'_>, outer_algorithm: Raw<'_>) -> Result<Inner, CrlError> {
    let content = tbs.any()?.value();
    let start = tbs.0.len() - content.len();
    let mut rest = content;
    let mut next = || -> der::Result<Option<Raw<'_>>> {
        if rest.is_empty() {
            return Ok(None);
        }
        let (raw, after) = Raw::first(rest)?;
        rest = after;
        Ok(Some(raw))
    };
    let missing = || der::Error::from(der::ErrorKind::Failed);
    let mut field = next()?.ok_or_else(missing)?;
    let is_v2 = field.0.first() == Some(&0x02);
    if is_v2 {
        if field.parse::<u8>()? != 1 {
            return Err(missing().into());
        }
        field = next()?.ok_or_else(missing)?;
    }
    let algorithm = if field == outer_algorithm {
        SignatureAlgorithm::from_identifier(&field.parse::<Algorithm<'_>>()?)
    } else {
        Err(CryptoError::Unsupported)
    };
    let issuer = Name::from_raw(next()?.ok_or_else(missing)?)?;
    let this_update = rfc5280_time(next()?.ok_or_else(missing)?.any()?)?;
    let mut inner = Inner {
        der: Vec::new(),
        tbs: 0..0,
        entries: 0..0,
        issuer,
        this_update,
        next_update: None,
        algorithm,
        signature: Vec::new(),
        number: None,
        delta_base: None,
        scope: None,
        understood: true,
        sha256: OnceLock::new(),
        digest: OnceLock::new(),
        index: OnceLock::new(),
    };
    let mut at = next()?;
    if let Some(time) = at.filter(|raw| matches!(raw.0.first(), Some(0x17 | 0x18))) {
        inner.next_update = Some(rfc5280_time(time.any()?)?);
        at = next()?;
    }
    if let Some(list) = at.filter(|raw| raw.0.first() == Some(&0x30)) {
        let length = list.parse::<RawSeq<'_>>()?.0.len();
        at = next()?;
        let after = at.map_or(0, |raw| raw.0.len());
        let end = start + content.len() - after;
        inner.entries = end - length..end;
    }
    if let Some(extensions) = at {
        if extensions.0.first() != Some(&0xa0) || !is_v2 {
            return Err(missing().into());
        }
        inner.take_extensions(Raw::only(extensions.any()?.value())?.parse()?)?;
    }
    if next()?.is_some() { Err(missing().into()) } else { Ok(inner) }
}

impl Inner {
    fn take_extensions(&mut self, list: RawSeq<'_>) -> der::Result<()> {
        for item in list.items()? {
            let extension = item.parse::<Extension<'_>>()?;
            let value = extension.value.as_bytes();
            match extension.oid {
                oid::CRL_NUMBER => self.number = Some(IntRef::from_der(value)?.as_bytes().to_vec()),
                oid::DELTA_CRL => self.delta_base = Some(IntRef::from_der(value)?.as_bytes().to_vec()),
                oid::ISSUING_DISTRIBUTION_POINT => self.scope = Some(Scope::read(value)?),
                oid::AUTHORITY_KEY_IDENTIFIER => {}
                _ => self.understood &= !extension.critical,
            }
        }
        Ok(())
    }
}

impl Scope {
    fn read(value: &[u8]) -> der::Result<Self> {
        let mut scope = Self::default();
        // An empty one (RFC 5280 forbids it, a national CA writes it) restricts nothing.
        for field in RawSeq::from_der(value)?.items()? {
            let content = field.any()?.value();
            let any = field.any()?;
            match field.0.first() {
                Some(0xa0) => scope.point.take_name(content)?,
                Some(0x81) => scope.restrict(Covers::Users, boolean(any)?)?,
                Some(0x82) => scope.restrict(Covers::Authorities, boolean(any)?)?,
                Some(0x83) => scope.point.reasons = Some(reason_flags(content)?),
                Some(0x84) => scope.indirect = boolean(any)?,
                Some(0x85) => scope.restrict(Covers::AttributeCertificates, boolean(any)?)?,
                _ => return Err(der::ErrorKind::Failed.into()),
            }
        }
        Ok(scope)
    }

    fn restrict(&mut self, to: Covers, is_set: bool) -> der::Result<()> {
        match (is_set, self.covers) {
            (false, _) => Ok(()),
            (true, Covers::All) => {
                self.covers = to;
                Ok(())
            }
            (true, _) => Err(der::ErrorKind::Failed.into()),
        }
    }
}

fn boolean(any: AnyRef<'_>) -> der::Result<bool> {
    match any.value() {
        [0xff] => Ok(true),
        [0] => Ok(false),
        _ => Err(der::ErrorKind::Failed.into()),
    }
}
