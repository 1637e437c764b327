//! `OCSPResponse` (RFC 6960 4.2): who answers, what about, and whether they may.

use std::fmt;
use std::sync::{Arc, OnceLock};

use der::asn1::{AnyRef, BitStringRef, OctetStringRef};
use der::{Decode, Enumerated, Sequence};
use thiserror::Error;
use time::OffsetDateTime;

use super::request::CertId;
use crate::asn1::{Algorithm, Oid, Raw, RawSeq, generalized_time};
use crate::crl::{RevocationReason, Revoked};
use crate::crypto::{CryptoError, HashAlgorithm, Provider, SignatureAlgorithm, Weakness};
use crate::digest::Digest;
use crate::oid;
use crate::x509::extensions::Extension;
use crate::x509::{Certificate, Name};

const MAX_BYTES: usize = 1024 * 1024;
const MAX_CERTIFICATES: usize = 16;

/// A response that was read, not believed; cheap to clone.
#[derive(Clone)]
pub struct OcspResponse(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    signed: Vec<u8>,
    algorithm: Result<SignatureAlgorithm, CryptoError>,
    signature: Vec<u8>,
    certificates: Vec<Certificate>,
    responder: Responder,
    produced_at: OffsetDateTime,
    nonce: Option<Vec<u8>>,
    singles: Vec<Single>,
    understood: bool,
    sha256: OnceLock<Digest>,
}

enum Responder {
    Name(Name),
    KeyHash(Vec<u8>),
}

struct Single {
    hash: Option<HashAlgorithm>,
    issuer_name: Vec<u8>,
    issuer_key: Vec<u8>,
    serial: Vec<u8>,
    status: CertificateStatus,
    this_update: OffsetDateTime,
    next_update: Option<OffsetDateTime>,
    understood: bool,
}

/// The status of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// Not revoked.
    Good,
    /// Revoked, or on hold.
    Revoked(Revoked),
    /// The responder does not know it.
    Unknown,
}

/// A status by somebody who may say so. Freshness is the caller's question; see [`super::OcspRequest::accept`].
#[derive(Clone, Debug)]
pub struct CheckedStatus {
    /// What was said.
    pub status: CertificateStatus,
    /// From when it is known to be right.
    pub this_update: OffsetDateTime,
    /// When newer information will be there.
    pub next_update: Option<OffsetDateTime>,
    /// When the answer was signed.
    pub produced_at: OffsetDateTime,
    /// Who signed: the issuer's or a delegated responder's certificate.
    pub responder: Certificate,
    /// The whole answer, for long-term data.
    pub response: OcspResponse,
}

/// Why bytes give no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OcspMalformed {
    /// Larger than 1 MiB.
    #[error("the OCSP response is larger than 1 MiB")]
    TooLarge,
    /// `responseStatus` is not successful: 1 malformedRequest, 2 internalError, 3 tryLater, 5 sigRequired, 6 unauthorized.
    #[error("the OCSP responder reports error {0}")]
    Error(u8),
    /// Not the DER of RFC 6960.
    #[error("the OCSP response is not well-formed: {0}")]
    Malformed(#[from] der::Error),
}

/// Why a response says nothing about a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StatusRefused {
    /// It is about other certificates.
    #[error("the OCSP response is about another certificate")]
    OtherCertificate,
    /// Signed neither by the issuer nor by a responder it delegated.
    #[error("the OCSP responder was not delegated by the issuer")]
    NotDelegated,
    /// The delegated responder's certificate was not valid when it signed.
    #[error("the certificate of the OCSP responder was not valid")]
    ResponderExpired,
    /// A critical extension that is not understood.
    #[error("the OCSP response has a critical extension that is not understood")]
    UnknownExtension,
    /// The signature is wrong.
    #[error("the signature of the OCSP response: {0}")]
    Crypto(#[from] CryptoError),
}

#[derive(Sequence)]
struct RawResponse<'a> {
    status: ResponseStatus,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    bytes: Option<ResponseBytes<'a>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Enumerated)]
#[asn1(type = "ENUMERATED")]
#[repr(u8)]
enum ResponseStatus {
    Successful = 0,
    MalformedRequest = 1,
    InternalError = 2,
    TryLater = 3,
    SigRequired = 5,
    Unauthorized = 6,
}

#[derive(Sequence)]
struct ResponseBytes<'a> {
    kind: Oid,
    response: &'a OctetStringRef,
}

/// `BasicOCSPResponse ::= SEQUENCE { tbsResponseData, signatureAlgorithm, signature, certs [0] EXPLICIT … OPTIONAL }`
#[derive(Sequence)]
struct Basic<'a> {
    data: Raw<'a>,
    algorithm: Algorithm<'a>,
    signature: BitStringRef<'a>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    certificates: Option<RawSeq<'a>>,
}

/// ```text
/// ResponseData ::= SEQUENCE {
///   version [0] EXPLICIT Version DEFAULT v1, responderID ResponderID, producedAt GeneralizedTime,
///   responses SEQUENCE OF SingleResponse, responseExtensions [1] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Sequence)]
struct Data<'a> {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", default = "Default::default")]
    version: u8,
    responder: Raw<'a>,
    produced_at: AnyRef<'a>,
    responses: RawSeq<'a>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<RawSeq<'a>>,
}

/// ```text
/// SingleResponse ::= SEQUENCE {
///   certID CertID, certStatus CertStatus, thisUpdate GeneralizedTime, nextUpdate [0] EXPLICIT GeneralizedTime OPTIONAL,
///   singleExtensions [1] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Sequence)]
struct RawSingle<'a> {
    id: CertId<'a>,
    status: Raw<'a>,
    this_update: AnyRef<'a>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    next_update: Option<AnyRef<'a>>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<RawSeq<'a>>,
}

/// `RevokedInfo ::= SEQUENCE { revocationTime GeneralizedTime, revocationReason [0] EXPLICIT CRLReason OPTIONAL }`
#[derive(Sequence)]
struct RevokedInfo<'a> {
    time: AnyRef<'a>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    reason: Option<RevocationReason>,
}

impl OcspResponse {
    /// Reads a DER `OCSPResponse` (as a responder sends it and a DSS stores it).
    ///
    /// # Errors
    /// [`OcspMalformed`].
    pub fn from_der(der: &[u8]) -> Result<Self, OcspMalformed> {
        if der.len() > MAX_BYTES {
            return Err(OcspMalformed::TooLarge);
        }
        let response = RawResponse::from_der(der)?;
        if response.status != ResponseStatus::Successful {
            return Err(OcspMalformed::Error(response.status as u8));
        }
        let bytes = response.bytes.filter(|bytes| bytes.kind == oid::OCSP_BASIC);
        let bytes = bytes.ok_or_else(|| der::Error::from(der::ErrorKind::Failed))?;
        let basic = Basic::from_der(bytes.response.as_bytes())?;
        let data = basic.data.parse::<Data<'_>>()?;
        let certificates = basic.certificates.map_or(Ok(Vec::new()), RawSeq::items)?;
        if certificates.len() > MAX_CERTIFICATES || data.version != 0 {
            return Err(der::Error::from(der::ErrorKind::Failed).into());
        }
        let (nonce, understood) = extensions(data.extensions)?;
        let singles = data.responses.items()?.into_iter().map(Single::read).collect::<der::Result<_>>()?;
        Ok(Self(Arc::new(Inner {
            der: der.to_vec(),
            signed: basic.data.0.to_vec(),
            algorithm: SignatureAlgorithm::from_identifier(&basic.algorithm),
            signature: basic.signature.as_bytes().unwrap_or_default().to_vec(),
            certificates: certificates.iter().filter_map(|raw| Certificate::from_der(raw.0).ok()).collect(),
            responder: Responder::read(data.responder)?,
            produced_at: generalized_time(data.produced_at)?,
            nonce,
            singles,
            understood,
            sha256: OnceLock::new(),
        })))
    }

    /// The DER as received.
    pub fn as_der(&self) -> &[u8] {
        &self.0.der
    }

    /// SHA-256 of the DER.
    pub(crate) fn sha256(&self) -> Digest {
        *self.0.sha256.get_or_init(|| Digest::of(&self.0.der))
    }

    /// How many statuses it holds.
    pub(crate) fn answers(&self) -> usize {
        self.0.singles.len()
    }

    /// When it was signed.
    pub fn produced_at(&self) -> OffsetDateTime {
        self.0.produced_at
    }

    /// The certificates it carries.
    pub fn certificates(&self) -> &[Certificate] {
        &self.0.certificates
    }

    pub(super) fn nonce(&self) -> Option<&Vec<u8>> {
        self.0.nonce.as_ref()
    }

    /// Serial numbers (content bytes) of the certificates of `issuer` that it speaks about.
    pub fn serials<'a>(&'a self, issuer: &'a Certificate) -> impl Iterator<Item = &'a [u8]> {
        let under = self
            .0
            .singles
            .iter()
            .filter(|single| single.is_under(issuer, |hash| issuer.subject_digest(hash)));
        under.map(|single| single.serial.as_slice())
    }

    /// Who signed it, on behalf of `issuer`.
    ///
    /// # Errors
    /// [`StatusRefused`] if it is nobody who may, or the signature is wrong.
    pub fn signer(
        &self,
        issuer: &Certificate,
        provider: &dyn Provider,
    ) -> Result<Certificate, StatusRefused> {
        let responder = self.responder(issuer, provider)?;
        provider.verify(self.0.algorithm?, responder.spki(), &self.0.signed, &self.0.signature)?;
        Ok(responder)
    }

    /// What is weak about the signature of `responder` on it.
    pub(crate) fn weaknesses(&self, responder: &Certificate) -> Vec<Weakness> {
        responder.weaknesses_of(self.0.algorithm)
    }

    /// What it says about `certificate`, issued by `issuer`; checked but for freshness.
    ///
    /// # Errors
    /// [`StatusRefused`].
    pub fn status(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        provider: &dyn Provider,
    ) -> Result<CheckedStatus, StatusRefused> {
        if certificate.issuer() != issuer.subject() {
            return Err(StatusRefused::OtherCertificate);
        }
        let about = self.0.singles.iter().filter(|single| single.is_about(certificate, issuer));
        // The newest, if it says several things about one certificate.
        let single = about.max_by_key(|single| single.this_update).ok_or(StatusRefused::OtherCertificate)?;
        if !self.0.understood || !single.understood {
            return Err(StatusRefused::UnknownExtension);
        }
        let responder = self.signer(issuer, provider)?;
        Ok(CheckedStatus {
            status: single.status,
            this_update: single.this_update,
            next_update: single.next_update,
            produced_at: self.0.produced_at,
            responder,
            response: self.clone(),
        })
    }

    /// RFC 6960 4.2.2.2: the issuer itself, or a certificate for OCSP signing that the issuer issued directly.
    fn responder(&self, issuer: &Certificate, provider: &dyn Provider) -> Result<Certificate, StatusRefused> {
        if self.0.responder.is(issuer) {
            return Ok(issuer.clone());
        }
        let named = self.0.certificates.iter().filter(|certificate| self.0.responder.is(certificate));
        let mut refused = StatusRefused::NotDelegated;
        for candidate in named {
            let purposes = candidate.extensions().extended_key_usage.as_ref();
            let delegated = candidate.issuer() == issuer.subject()
                && purposes.is_some_and(crate::x509::ExtendedKeyUsage::allows_ocsp_signing)
                && candidate.extensions().unknown_critical.is_empty()
                && candidate.verify_signed_by(issuer.spki(), provider).is_ok();
            if delegated && candidate.is_valid_at(self.0.produced_at) {
                return Ok(candidate.clone());
            }
            if delegated {
                refused = StatusRefused::ResponderExpired;
            }
        }
        Err(refused)
    }
}

impl Responder {
    /// `ResponderID ::= CHOICE { byName [1] EXPLICIT Name, byKey [2] EXPLICIT KeyHash }`
    fn read(raw: Raw<'_>) -> der::Result<Self> {
        let inner = Raw::only(raw.any()?.value())?;
        match raw.0.first() {
            Some(0xa1) => Ok(Self::Name(Name::from_raw(inner)?)),
            Some(0xa2) => Ok(Self::KeyHash(inner.parse::<&OctetStringRef>()?.as_bytes().to_vec())),
            _ => Err(der::ErrorKind::Failed.into()),
        }
    }

    fn is(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Name(name) => certificate.subject() == name,
            // RFC 6960 4.2.1: always SHA-1 of the key bits.
            Self::KeyHash(hash) => certificate.key_digest(HashAlgorithm::Sha1) == Some(hash),
        }
    }
}

impl Single {
    fn read(raw: Raw<'_>) -> der::Result<Self> {
        let single = raw.parse::<RawSingle<'_>>()?;
        let status_content = single.status.any()?.value();
        let status = match single.status.0.first() {
            Some(0x80) => CertificateStatus::Good,
            Some(0xa1) => {
                // [1] IMPLICIT RevokedInfo
                let info = crate::asn1::wrap(0x30, status_content);
                let info = RevokedInfo::from_der(&info)?;
                let reason = info.reason.unwrap_or(RevocationReason::Unspecified);
                CertificateStatus::Revoked(Revoked { at: generalized_time(info.time)?, reason })
            }
            Some(0x82) => CertificateStatus::Unknown,
            _ => return Err(der::ErrorKind::Failed.into()),
        };
        let (_, understood) = extensions(single.extensions)?;
        Ok(Self {
            hash: HashAlgorithm::from_algorithm(&single.id.hash),
            issuer_name: single.id.issuer_name.as_bytes().to_vec(),
            issuer_key: single.id.issuer_key.as_bytes().to_vec(),
            serial: single.id.serial.any()?.value().to_vec(),
            status,
            this_update: generalized_time(single.this_update)?,
            next_update: single.next_update.map(generalized_time).transpose()?,
            understood,
        })
    }

    fn is_about(&self, certificate: &Certificate, issuer: &Certificate) -> bool {
        self.serial == certificate.serial()
            // RFC 6960 4.1.1: the name as the certificate asked about writes its issuer.
            && self.is_under(issuer, |hash| certificate.issuer_digest(hash))
    }

    fn is_under<'n>(&self, issuer: &Certificate, name: impl Fn(HashAlgorithm) -> &'n [u8]) -> bool {
        let Some(hash) = self.hash else { return false };
        self.issuer_name == name(hash) && issuer.key_digest(hash) == Some(&self.issuer_key)
    }
}

/// The nonce among extensions, and whether every critical one is understood.
fn extensions(list: Option<RawSeq<'_>>) -> der::Result<(Option<Vec<u8>>, bool)> {
    let (mut nonce, mut understood) = (None, true);
    for item in list.map_or(Ok(Vec::new()), RawSeq::items)? {
        let extension = item.parse::<Extension<'_>>()?;
        match extension.oid {
            oid::OCSP_NONCE => nonce = Some(extension.value.as_bytes().to_vec()),
            _ => understood &= !extension.critical,
        }
    }
    Ok((nonce, understood))
}

impl fmt::Debug for OcspResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OcspResponse(produced {})", self.0.produced_at)
    }
}
