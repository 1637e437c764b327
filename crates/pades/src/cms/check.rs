//! The gate before embedding: what *we* put into a file passes here or nowhere (strict policy).
//!
//! DER only, one signer, no content, exactly content-type, message-digest and signing-certificate-v2, each once, in
//! canonical order; the very certificate that was pinned; SHA-256 and a key of a kind we sign with and of today's
//! strength. Input from the phone is hostile: everything is recomputed from the digest we hold ourselves and compared
//! byte for byte.

use der::{Decode, Encode};
use thiserror::Error;

use super::ID_DATA;
use super::attributes::AttributeList;
use super::ess::{Binding, EssCheck};
use super::types::{ContentInfo, SignedData, SignerIdentifier, SignerInfo, SigningCertificate};
use crate::asn1::{Algorithm, Oid, Raw, RawSet, wrap};
use crate::crypto::{CryptoError, HashAlgorithm, Provider, SignatureAlgorithm, Weakness, weaknesses};
use crate::digest::Digest;
use crate::oid;
use crate::x509::{Certificate, CertificateError};

const MAX_BYTES: usize = 1024 * 1024;

/// A CMS that was checked: it signs one PDF digest (content type id-data) with one pinned certificate.
///
/// Only [`check`] and [`CheckedCms::add_timestamp`] make one; holding it is the proof that embedding it is safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedCms(pub(super) Checked);

/// A checked statement that is no document signature (its content type is not id-data); cannot be embedded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedStatement(Checked);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checked {
    pub(super) der: Vec<u8>,
    pub(super) digest: Digest,
    pub(super) certificate: Certificate,
    pub(super) signature: Vec<u8>,
    pub(super) has_timestamp: bool,
}

/// Why a CMS is not embedded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CmsRefused {
    /// Larger than 1 MiB.
    #[error("the signature is larger than 1 MiB")]
    TooLarge,
    /// Not DER, bytes after its end, or not the structure of RFC 5652.
    #[error("the signature is not the DER of a signed-data message: {0}")]
    NotDer(#[from] der::Error),
    /// DER, but not the one way we write it (sorted sets, no needless parts).
    #[error("the signature is not in canonical form: {0}")]
    NotCanonical(&'static str),
    /// Another content type than was asked for.
    #[error("the signature is over content of another type")]
    ContentType,
    /// The content is inside.
    #[error("the signature must be detached")]
    Attached,
    /// None, or more than one.
    #[error("the message has {0} signers, not one")]
    Signers(usize),
    /// The certificate expected cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// It names or carries another certificate than the pinned one.
    #[error("the signature is not by the expected certificate")]
    OtherCertificate,
    /// The signed attributes are not exactly those of this digest and certificate.
    #[error("the signed attributes are not those of this document and certificate")]
    Attributes,
    /// It covers another document.
    #[error("the signature is over another document")]
    OtherContent,
    /// An algorithm or kind of key outside what we sign with (RSA, P-256 or P-384; SHA-256).
    #[error("the signature uses an algorithm that is not allowed here")]
    Algorithm,
    /// SHA-1, or RSA below 2048 bits.
    #[error("the signature uses an algorithm or key that is too weak: {0:?}")]
    Weak(Weakness),
    /// Unsigned attributes before we add the time stamp ourselves.
    #[error("the signature carries unsigned attributes")]
    UnsignedAttributes,
    /// The value is wrong.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl CmsRefused {
    /// A stable code for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "cms_too_large",
            Self::NotDer(_) => "cms_not_der",
            Self::NotCanonical(_) => "cms_not_canonical",
            Self::ContentType => "cms_content_type",
            Self::Attached => "cms_attached",
            Self::Signers(_) => "cms_signers",
            Self::Certificate(_) => "certificate_unreadable",
            Self::OtherCertificate => "other_certificate",
            Self::Attributes => "cms_attributes",
            Self::OtherContent => "other_content",
            Self::Algorithm => "algorithm_not_allowed",
            Self::Weak(_) => "algorithm_weak",
            Self::UnsignedAttributes => "cms_unsigned_attributes",
            Self::Crypto(_) => "signature_wrong",
        }
    }
}

/// Checks a detached CMS over a document with `digest`, made with the key of `expected_certificate` (DER).
///
/// Validity and revocation of the certificate are not looked at: see [`crate::x509::path`].
///
/// # Errors
/// [`CmsRefused`]; nothing that fails may be embedded.
pub fn check(
    cms: &[u8],
    digest: &Digest,
    expected_certificate: &[u8],
    provider: &dyn Provider,
) -> Result<CheckedCms, CmsRefused> {
    check_as(cms, digest, expected_certificate, ID_DATA, provider).map(CheckedCms)
}

/// Checks a detached CMS over a statement of our own (`content_type`, for example [`super::ID_ENROLMENT`]).
///
/// # Errors
/// [`CmsRefused`]; [`CmsRefused::ContentType`] also if `content_type` is id-data.
pub fn check_statement(
    cms: &[u8],
    digest: &Digest,
    expected_certificate: &[u8],
    content_type: Oid,
    provider: &dyn Provider,
) -> Result<CheckedStatement, CmsRefused> {
    if content_type == ID_DATA {
        return Err(CmsRefused::ContentType);
    }
    check_as(cms, digest, expected_certificate, content_type, provider).map(CheckedStatement)
}

impl CheckedCms {
    /// The DER to embed.
    pub fn as_der(&self) -> &[u8] {
        &self.0.der
    }

    /// The digest it signs.
    pub fn digest(&self) -> &Digest {
        &self.0.digest
    }

    /// Who signed.
    pub fn certificate(&self) -> &Certificate {
        &self.0.certificate
    }

    /// The signature value: what a time stamp covers.
    pub fn signature_value(&self) -> &[u8] {
        &self.0.signature
    }

    /// Whether it carries a time stamp.
    pub fn has_timestamp(&self) -> bool {
        self.0.has_timestamp
    }
}

impl CheckedStatement {
    /// The DER.
    pub fn as_der(&self) -> &[u8] {
        &self.0.der
    }

    /// The digest it signs.
    pub fn digest(&self) -> &Digest {
        &self.0.digest
    }

    /// Who signed.
    pub fn certificate(&self) -> &Certificate {
        &self.0.certificate
    }
}

fn check_as(
    cms: &[u8],
    digest: &Digest,
    expected_certificate: &[u8],
    content_type: Oid,
    provider: &dyn Provider,
) -> Result<Checked, CmsRefused> {
    if cms.len() > MAX_BYTES {
        return Err(CmsRefused::TooLarge);
    }
    let expected = Certificate::from_der(expected_certificate)?;
    let info = ContentInfo::from_der(cms)?;
    if info.content_type != oid::SIGNED_DATA {
        return Err(CmsRefused::ContentType);
    }
    let data = info.content.decode_as::<SignedData<'_>>()?;
    check_envelope(&data, content_type)?;
    let signers = data.signers.items()?;
    let [signer] = signers.as_slice() else { return Err(CmsRefused::Signers(signers.len())) };
    let signer = signer.parse::<SignerInfo<'_>>()?;
    if signer.unsigned_attributes.is_some() {
        return Err(CmsRefused::UnsignedAttributes);
    }
    check_certificate(&data, &signer, &expected)?;
    let algorithm = check_algorithms(&signer, &expected)?;
    let attributes = signer.signed_attributes.ok_or(CmsRefused::Attributes)?;
    check_attributes(attributes, content_type, digest, &expected)?;
    if info.to_der()? != cms || data.to_der()? != info.content.to_der()? {
        return Err(CmsRefused::NotCanonical("encoding"));
    }
    let signature = signer.signature.as_bytes();
    // RFC 5652 5.4: the value covers the attributes under the tag of a SET OF, not under [0].
    provider.verify(algorithm, expected.spki(), &wrap(0x31, attributes.0), signature)?;
    Ok(Checked {
        der: cms.to_vec(),
        digest: *digest,
        signature: signature.to_vec(),
        certificate: expected,
        has_timestamp: false,
    })
}

fn check_envelope(data: &SignedData<'_>, content_type: Oid) -> Result<(), CmsRefused> {
    if data.content.content_type != content_type {
        return Err(CmsRefused::ContentType);
    }
    if data.content.content.is_some() {
        return Err(CmsRefused::Attached);
    }
    // RFC 5652 5.1: version 3 when the content is not id-data.
    if data.version != if content_type == ID_DATA { 1 } else { 3 } {
        return Err(CmsRefused::NotCanonical("version"));
    }
    if data.crls.is_some() {
        return Err(CmsRefused::NotCanonical("CRLs inside"));
    }
    let algorithms = data.digest_algorithms.items()?;
    let [algorithm] = algorithms.as_slice() else {
        return Err(CmsRefused::NotCanonical("digest algorithms"));
    };
    if HashAlgorithm::from_algorithm(&algorithm.parse::<Algorithm<'_>>()?) != Some(HashAlgorithm::Sha256) {
        return Err(CmsRefused::Algorithm);
    }
    Ok(())
}

fn check_certificate(
    data: &SignedData<'_>,
    signer: &SignerInfo<'_>,
    expected: &Certificate,
) -> Result<(), CmsRefused> {
    let SignerIdentifier::Issuer(id) = &signer.sid else {
        return Err(CmsRefused::NotCanonical("signer identifier"));
    };
    // Byte for byte: a name that merely compares equal is another encoding of it.
    let named = id.issuer.0 == expected.issuer().as_der() && id.serial.any()?.value() == expected.serial();
    let embedded = data.certificates.unwrap_or(RawSet(&[])).items()?;
    if !named || !embedded.iter().any(|raw| raw.0 == expected.as_der()) {
        return Err(CmsRefused::OtherCertificate);
    }
    let sorted = embedded.windows(2).all(|pair| matches!(pair, [a, b] if a.0 < b.0));
    if !sorted {
        return Err(CmsRefused::NotCanonical("certificates are not sorted, or repeated"));
    }
    for raw in embedded {
        Certificate::from_der(raw.0)?;
    }
    Ok(())
}

fn check_algorithms(
    signer: &SignerInfo<'_>,
    expected: &Certificate,
) -> Result<SignatureAlgorithm, CmsRefused> {
    let digest = HashAlgorithm::from_algorithm(&signer.digest_algorithm).ok_or(CmsRefused::Algorithm)?;
    let identifier = signer.signature_algorithm.parse::<Algorithm<'_>>()?;
    let algorithm =
        SignatureAlgorithm::from_signer(&identifier, digest).map_err(|_| CmsRefused::Algorithm)?;
    let key = expected.public_key()?;
    if !key.may_sign() {
        return Err(CmsRefused::Algorithm);
    }
    if let Some(weakness) = weaknesses(algorithm, &key).into_iter().next() {
        return Err(CmsRefused::Weak(weakness));
    }
    let full_salt = !matches!(algorithm, SignatureAlgorithm::RsaPss { salt_length, .. } if salt_length != 32);
    if digest != HashAlgorithm::Sha256 || signer.version != 1 || !full_salt {
        return Err(CmsRefused::Algorithm);
    }
    Ok(algorithm)
}

/// Exactly the three attributes, each once with one value, sorted, about this digest and this certificate.
/// (Ours are byte for byte those of [`super::signed_attributes`]; a ready CMS of a signing service may leave the
/// optional issuer and serial number out.)
fn check_attributes(
    raw: RawSet<'_>,
    content_type: Oid,
    digest: &Digest,
    expected: &Certificate,
) -> Result<(), CmsRefused> {
    let list = AttributeList::read(raw)?;
    let allowed = [oid::CONTENT_TYPE, oid::MESSAGE_DIGEST, oid::SIGNING_CERTIFICATE_V2];
    if list.0.len() != allowed.len() || !allowed.iter().all(|oid| list.single(*oid).is_some()) {
        return Err(CmsRefused::Attributes);
    }
    if list.single(oid::CONTENT_TYPE) != Some(content_type.to_der()?.as_slice()) {
        return Err(CmsRefused::ContentType);
    }
    if list.single(oid::MESSAGE_DIGEST) != Some(wrap(0x04, digest.as_bytes()).as_slice()) {
        return Err(CmsRefused::OtherContent);
    }
    let signing_certificate = list.single(oid::SIGNING_CERTIFICATE_V2).unwrap_or_default();
    let attribute = Raw::only(signing_certificate)?.parse::<SigningCertificate<'_>>()?;
    if attribute.policies.is_some() || attribute.certificates.items()?.len() != 1 {
        return Err(CmsRefused::Attributes);
    }
    if Binding::read(&list).check(expected) != EssCheck::MatchesV2 {
        return Err(CmsRefused::OtherCertificate);
    }
    let sorted = raw.items()?.windows(2).all(|pair| matches!(pair, [a, b] if a.0 < b.0));
    if sorted { Ok(()) } else { Err(CmsRefused::NotCanonical("signed attributes are not sorted")) }
}
