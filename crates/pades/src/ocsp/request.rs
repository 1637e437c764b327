//! `OCSPRequest` (RFC 6960 4.1) for one certificate, and the check of its answer.

use der::asn1::{AnyRef, OctetStringRef};
use der::{Encode, Sequence};
use thiserror::Error;
use time::{Duration, OffsetDateTime};

use super::response::{CheckedStatus, OcspMalformed, OcspResponse, StatusRefused};
use crate::asn1::{Algorithm, Raw, sequence, wrap};
use crate::crypto::{HashAlgorithm, Provider};
use crate::oid;
use crate::x509::Certificate;

/// How far clocks may differ, and how old an answer without `nextUpdate` may be.
const CLOCK_SKEW: Duration = Duration::minutes(5);
const MAX_AGE: Duration = Duration::hours(1);

/// A request for the status of one certificate.
#[derive(Clone, Debug)]
pub struct OcspRequest {
    der: Vec<u8>,
    nonce: Option<Vec<u8>>,
    certificate: Certificate,
    issuer: Certificate,
}

/// Why an answer gives no status.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OcspRefused {
    /// It cannot be read, or the responder reports an error.
    #[error(transparent)]
    Response(#[from] OcspMalformed),
    /// It carries another nonce than was sent: a replay.
    #[error("the answer is to another request")]
    Nonce,
    /// It is about something else, or not by somebody who may say so.
    #[error(transparent)]
    Status(#[from] StatusRefused),
    /// Not valid yet, or no longer.
    #[error("the answer is not fresh")]
    NotFresh,
}

impl OcspRefused {
    /// A stable code for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Response(_) => "ocsp_unreadable",
            Self::Nonce => "ocsp_nonce",
            Self::Status(_) => "ocsp_not_authoritative",
            Self::NotFresh => "ocsp_not_fresh",
        }
    }
}

/// ```text
/// CertID ::= SEQUENCE {
///   hashAlgorithm AlgorithmIdentifier, issuerNameHash OCTET STRING, issuerKeyHash OCTET STRING, serialNumber INTEGER }
/// ```
#[derive(Sequence)]
pub(super) struct CertId<'a> {
    pub(super) hash: Algorithm<'a>,
    pub(super) issuer_name: &'a OctetStringRef,
    pub(super) issuer_key: &'a OctetStringRef,
    pub(super) serial: Raw<'a>,
}

impl OcspRequest {
    /// Asks for the status of `certificate`, issued by `issuer`. `nonce` must be fresh randomness; `None` for a
    /// responder that only serves answers made beforehand.
    ///
    /// # Errors
    /// A DER error if the issuer's key cannot be read.
    pub fn new(
        certificate: &Certificate,
        issuer: &Certificate,
        nonce: Option<[u8; 16]>,
    ) -> der::Result<Self> {
        // RFC 5019: SHA-1 identifies the issuer here, it protects nothing, and every responder knows it.
        let hash = HashAlgorithm::Sha1;
        let name = hash.digest(certificate.issuer().as_der());
        let key = hash.digest(issuer.public_key_bits()?);
        let serial = wrap(0x02, certificate.serial());
        let id = CertId {
            hash: Algorithm { oid: hash.oid(), parameters: Some(AnyRef::NULL) },
            issuer_name: OctetStringRef::new(&name)?,
            issuer_key: OctetStringRef::new(&key)?,
            serial: Raw(&serial),
        };
        let list = sequence(&[&sequence(&[&id.to_der()?])]);
        let nonce = nonce.map(|nonce| wrap(0x04, &nonce));
        let request = match &nonce {
            None => sequence(&[&list]),
            Some(nonce) => {
                let extension = sequence(&[&oid::OCSP_NONCE.to_der()?, &wrap(0x04, nonce)]);
                sequence(&[&list, &wrap(0xa2, &sequence(&[&extension]))])
            }
        };
        Ok(Self {
            der: sequence(&[&request]),
            nonce,
            certificate: certificate.clone(),
            issuer: issuer.clone(),
        })
    }

    /// The bytes to post as `application/ocsp-request`.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Reads the answer (`application/ocsp-response`), received at `now`, and checks everything about it.
    ///
    /// A missing nonce is tolerated (many responders serve prepared answers); another nonce is not.
    ///
    /// # Errors
    /// [`OcspRefused`].
    pub fn accept(
        &self,
        response: &[u8],
        now: OffsetDateTime,
        provider: &dyn Provider,
    ) -> Result<CheckedStatus, OcspRefused> {
        let response = OcspResponse::from_der(response)?;
        if let (Some(sent), Some(received)) = (&self.nonce, response.nonce())
            && sent != received
        {
            return Err(OcspRefused::Nonce);
        }
        let status = response.status(&self.certificate, &self.issuer, provider)?;
        let until = status.next_update.unwrap_or(status.this_update.saturating_add(MAX_AGE));
        if status.this_update.saturating_sub(CLOCK_SKEW) > now || until.saturating_add(CLOCK_SKEW) < now {
            return Err(OcspRefused::NotFresh);
        }
        Ok(status)
    }
}
