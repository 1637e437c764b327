//! The time-stamp token: a CMS over `TSTInfo` (RFC 3161 2.4.2).

use der::asn1::{AnyRef, IntRef, OctetStringRef};
use der::{Decode, Sequence};
use thiserror::Error;
use time::OffsetDateTime;

use crate::asn1::{Algorithm, Oid, RawSeq, ber, generalized_time};
use crate::cms::{self, CmsMalformed, Finding, SignedMessage};
use crate::crypto::{HashAlgorithm, Provider, Weakness};
use crate::oid;
use crate::x509::Certificate;

/// `MessageImprint ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, hashedMessage OCTET STRING }`
#[derive(Sequence)]
pub(super) struct MessageImprint<'a> {
    pub(super) algorithm: Algorithm<'a>,
    pub(super) digest: &'a OctetStringRef,
}

/// ```text
/// TSTInfo ::= SEQUENCE {
///   version INTEGER { v1(1) }, policy TSAPolicyId, messageImprint MessageImprint, serialNumber INTEGER,
///   genTime GeneralizedTime, accuracy Accuracy OPTIONAL, ordering BOOLEAN DEFAULT FALSE, nonce INTEGER OPTIONAL,
///   tsa [0] GeneralName OPTIONAL, extensions [1] IMPLICIT Extensions OPTIONAL }
/// ```
#[derive(Sequence)]
struct TstInfo<'a> {
    version: u8,
    policy: Oid,
    imprint: MessageImprint<'a>,
    serial: IntRef<'a>,
    time: AnyRef<'a>,
    accuracy: Option<RawSeq<'a>>,
    #[asn1(default = "Default::default")]
    ordering: bool,
    nonce: Option<IntRef<'a>>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    authority: Option<AnyRef<'a>>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    extensions: Option<RawSeq<'a>>,
}

/// A token that was read, not believed.
#[derive(Clone, Debug)]
pub struct Token {
    der: Vec<u8>,
    consumed: usize,
    message: SignedMessage,
    policy: Oid,
    hash: HashAlgorithm,
    imprint: Vec<u8>,
    serial: Vec<u8>,
    time: OffsetDateTime,
    nonce: Option<Vec<u8>>,
}

/// A token that was checked; see the module.
#[derive(Clone, Debug)]
pub struct CheckedToken {
    token: Token,
    certificate: Certificate,
    weaknesses: Vec<Weakness>,
}

/// Why a token is not believed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TokenRefused {
    /// Not a CMS.
    #[error(transparent)]
    Cms(#[from] CmsMalformed),
    /// Its content is not a `TSTInfo`, or names an unsupported hash.
    #[error("the token holds no readable TSTInfo")]
    Content,
    /// Not exactly one signer.
    #[error("the token has {0} signers, not one")]
    Signers(usize),
    /// It is over other data.
    #[error("the time stamp is over other data")]
    Imprint,
    /// The signer's certificate is neither inside nor among those given.
    #[error("the certificate of the time-stamping authority is missing")]
    NoCertificate,
    /// The signed attributes do not bind the certificate (RFC 3161 2.4.2 demands it).
    #[error("the token does not name its signing certificate, or names another one")]
    NotBound,
    /// Digest, signature or content type of the CMS.
    #[error("the signature of the time stamp is wrong: {0}")]
    Signature(&'static str),
    /// The certificate lacks the critical, sole extended key usage timeStamping (RFC 3161 2.3).
    #[error("the certificate is not one for time stamping")]
    Purpose,
    /// The stated time is outside the certificate's validity.
    #[error("the stated time is outside the validity of the authority's certificate")]
    OutsideValidity,
}

impl Token {
    /// Reads a token (`ContentInfo`) at the start of `bytes`.
    ///
    /// # Errors
    /// [`TokenRefused::Cms`] or [`TokenRefused::Content`].
    pub fn parse(bytes: &[u8]) -> Result<Self, TokenRefused> {
        let message = cms::parse(bytes)?;
        let (definite, consumed) = ber::definite(bytes).map_err(CmsMalformed::from)?;
        if message.content_type != oid::TST_INFO {
            return Err(TokenRefused::Content);
        }
        let content = message.content.as_deref().ok_or(TokenRefused::Content)?;
        let info = TstInfo::from_der(content).map_err(|_| TokenRefused::Content)?;
        let hash = HashAlgorithm::from_algorithm(&info.imprint.algorithm).ok_or(TokenRefused::Content)?;
        Ok(Self {
            der: definite.into_owned(),
            consumed,
            policy: info.policy,
            hash,
            imprint: info.imprint.digest.as_bytes().to_vec(),
            serial: info.serial.as_bytes().to_vec(),
            time: generalized_time(info.time).map_err(|_| TokenRefused::Content)?,
            nonce: info.nonce.map(|nonce| nonce.as_bytes().to_vec()),
            message,
        })
    }

    /// Checks everything but trust: `imprint` must be the digest of the stamped bytes under
    /// [`Self::imprint_algorithm`]; `extra` are further certificates to find the authority's in.
    ///
    /// # Errors
    /// [`TokenRefused`].
    pub fn check(
        &self,
        imprint: &[u8],
        extra: &[Certificate],
        provider: &dyn Provider,
    ) -> Result<CheckedToken, TokenRefused> {
        let [signer] = self.message.signers.as_slice() else {
            return Err(TokenRefused::Signers(self.message.signers.len()));
        };
        if self.imprint != imprint {
            return Err(TokenRefused::Imprint);
        }
        if !signer.has_signed_attributes() {
            return Err(TokenRefused::Signature("no signed attributes"));
        }
        let content = self.message.content.as_deref().unwrap_or_default();
        let digest = signer.digest_algorithm.map(|hash| hash.digest(content)).unwrap_or_default();
        let checks = signer.inspect(&self.message, &digest, extra, provider);
        let certificate = checks.certificate.clone().ok_or(TokenRefused::NoCertificate)?;
        if !checks.signing_certificate.is_bound() {
            return Err(TokenRefused::NotBound);
        }
        match (checks.content, checks.signature, checks.content_type) {
            (Finding::Holds, Finding::Holds, Finding::Holds) if checks.repeated_attributes.is_empty() => {}
            _ => return Err(TokenRefused::Signature(checks.sub_indication().unwrap_or("FORMAT_FAILURE"))),
        }
        let purposes = certificate.extensions().extended_key_usage.as_ref();
        if !purposes.is_some_and(crate::x509::ExtendedKeyUsage::is_time_stamping_only) {
            return Err(TokenRefused::Purpose);
        }
        if !certificate.is_valid_at(self.time) {
            return Err(TokenRefused::OutsideValidity);
        }
        Ok(CheckedToken { token: self.clone(), certificate, weaknesses: checks.weaknesses })
    }

    /// The token with definite lengths.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// How many bytes of the input it took.
    pub fn consumed(&self) -> usize {
        self.consumed
    }

    /// The hash of the imprint.
    pub fn imprint_algorithm(&self) -> HashAlgorithm {
        self.hash
    }

    /// The digest that was stamped.
    pub fn imprint(&self) -> &[u8] {
        &self.imprint
    }

    /// The time it states (`genTime`), UTC.
    pub fn time(&self) -> OffsetDateTime {
        self.time
    }

    /// The policy of the authority.
    pub fn policy(&self) -> Oid {
        self.policy
    }

    /// Its serial number (content bytes).
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// The nonce (content bytes of the INTEGER).
    pub fn nonce(&self) -> Option<&Vec<u8>> {
        self.nonce.as_ref()
    }

    /// The certificates inside.
    pub fn certificates(&self) -> &[Certificate] {
        &self.message.certificates
    }

    /// The CMS around it.
    pub fn message(&self) -> &SignedMessage {
        &self.message
    }
}

impl CheckedToken {
    /// The certificate of the authority; not yet proved to be trusted.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The token with definite lengths.
    pub fn as_der(&self) -> &[u8] {
        self.token.as_der()
    }

    /// The time it states (`genTime`), UTC.
    pub fn time(&self) -> OffsetDateTime {
        self.token.time
    }

    /// The hash of the imprint.
    pub fn imprint_algorithm(&self) -> HashAlgorithm {
        self.token.hash
    }

    /// The digest that was stamped.
    pub fn imprint(&self) -> &[u8] {
        &self.token.imprint
    }

    /// The certificates inside: candidates for the authority's chain.
    pub fn certificates(&self) -> &[Certificate] {
        self.token.certificates()
    }

    /// All else that it says.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Algorithms and keys that no longer give assurance.
    pub fn weaknesses(&self) -> &[Weakness] {
        &self.weaknesses
    }
}
