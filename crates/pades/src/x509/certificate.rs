//! One certificate (RFC 5280 4.1): the DER as received, and a view of it that people and code can read.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use der::Sequence;
use der::asn1::{AnyRef, BitStringRef};
use thiserror::Error;
use time::OffsetDateTime;

use super::{Extensions, GeneralName, Name};
use crate::asn1::{Algorithm, Raw, RawSeq, rfc5280_time};
use crate::crypto::{self, CryptoError, HashAlgorithm, Provider, PublicKey, SignatureAlgorithm, Weakness};
use crate::digest::Digest;

/// Largest certificate that is read.
const MAX_BYTES: usize = 128 * 1024;

/// A certificate; cheap to clone.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    tbs: Range<usize>,
    version: u8,
    serial: Vec<u8>,
    issuer: Name,
    subject: Name,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
    spki: Vec<u8>,
    /// The algorithm of the signature on it; `Err` if it is not supported or the two identifiers differ.
    algorithm: Result<SignatureAlgorithm, CryptoError>,
    signature: Vec<u8>,
    extensions: Extensions,
    digests: Digests,
}

/// Digests that others name a certificate or its issuer by, each computed once: a hostile file has them asked for by the
/// million.
#[derive(Default)]
struct Digests {
    whole: [OnceLock<Vec<u8>>; 4],
    issuer: [OnceLock<Vec<u8>>; 4],
    subject: [OnceLock<Vec<u8>>; 4],
    key: [OnceLock<Vec<u8>>; 4],
}

/// The place of a digest.
fn slot(cache: &[OnceLock<Vec<u8>>; 4], hash: HashAlgorithm) -> &OnceLock<Vec<u8>> {
    let [sha1, sha256, sha384, sha512] = cache;
    match hash {
        HashAlgorithm::Sha1 => sha1,
        HashAlgorithm::Sha256 => sha256,
        HashAlgorithm::Sha384 => sha384,
        HashAlgorithm::Sha512 => sha512,
    }
}

/// Why bytes are not a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// Larger than 128 KiB.
    #[error("the certificate is larger than 128 KiB")]
    TooLarge,
    /// Not the DER of RFC 5280.
    #[error("the certificate is not well-formed: {0}")]
    Malformed(#[from] der::Error),
}

#[derive(Sequence)]
struct Outer<'a> {
    tbs: Raw<'a>,
    algorithm: Raw<'a>,
    signature: BitStringRef<'a>,
}

/// `TBSCertificate` (RFC 5280 4.1.2).
#[derive(Sequence)]
struct Tbs<'a> {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", default = "Default::default")]
    version: u8,
    serial: Raw<'a>,
    algorithm: Raw<'a>,
    issuer: Raw<'a>,
    validity: Validity<'a>,
    subject: Raw<'a>,
    spki: Raw<'a>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    issuer_id: Option<BitStringRef<'a>>,
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT", optional = "true")]
    subject_id: Option<BitStringRef<'a>>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<RawSeq<'a>>,
}

#[derive(Sequence)]
struct Validity<'a> {
    not_before: AnyRef<'a>,
    not_after: AnyRef<'a>,
}

impl Certificate {
    /// Reads one DER certificate.
    ///
    /// # Errors
    /// [`CertificateError`] if it is too large, not DER, or a known extension in it is malformed or repeated.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX_BYTES {
            return Err(CertificateError::TooLarge);
        }
        let whole = Raw::only(der)?;
        let outer = whole.parse::<Outer<'_>>()?;
        let tbs = outer.tbs.parse::<Tbs<'_>>()?;
        let start = der.len() - whole.any()?.value().len();
        let algorithm = if outer.algorithm == tbs.algorithm {
            SignatureAlgorithm::from_identifier(&outer.algorithm.parse::<Algorithm<'_>>()?)
        } else {
            // RFC 5280 4.1.1.2: both must be the same.
            Err(CryptoError::Unsupported)
        };
        let extensions = match tbs.extensions {
            Some(extensions) if tbs.version == 2 && !extensions.0.is_empty() => Extensions::read(extensions)?,
            Some(_) => return Err(der::Error::from(der::ErrorKind::Failed).into()),
            None => Extensions::default(),
        };
        // Content as it is: some issuers write needless zero bytes or negative numbers, and it only identifies.
        let serial = match tbs.serial.0 {
            [0x02, ..] => tbs.serial.any()?.value(),
            _ => return Err(der::Error::from(der::ErrorKind::Failed).into()),
        };
        if tbs.version > 2 || (tbs.version == 0 && (tbs.issuer_id.is_some() || tbs.subject_id.is_some())) {
            return Err(der::Error::from(der::ErrorKind::Failed).into());
        }
        Ok(Self(Arc::new(Inner {
            der: der.to_vec(),
            tbs: start..start + outer.tbs.0.len(),
            version: tbs.version,
            serial: serial.to_vec(),
            issuer: Name::from_raw(tbs.issuer)?,
            subject: Name::from_raw(tbs.subject)?,
            not_before: rfc5280_time(tbs.validity.not_before)?,
            not_after: rfc5280_time(tbs.validity.not_after)?,
            spki: tbs.spki.0.to_vec(),
            algorithm,
            signature: outer.signature.as_bytes().unwrap_or_default().to_vec(),
            extensions,
            digests: Digests::default(),
        })))
    }

    /// The DER as received.
    pub fn as_der(&self) -> &[u8] {
        &self.0.der
    }

    /// SHA-256 of the DER.
    pub fn sha256(&self) -> Digest {
        self.digest(HashAlgorithm::Sha256).try_into().map_or_else(|_| Digest::of(&self.0.der), Digest)
    }

    /// The digest of the DER.
    pub(crate) fn digest(&self, hash: HashAlgorithm) -> &[u8] {
        slot(&self.0.digests.whole, hash).get_or_init(|| hash.digest(&self.0.der))
    }

    /// The digest of the issuer's name, as it is written here.
    pub(crate) fn issuer_digest(&self, hash: HashAlgorithm) -> &[u8] {
        slot(&self.0.digests.issuer, hash).get_or_init(|| hash.digest(self.0.issuer.as_der()))
    }

    /// The digest of the subject's name.
    pub(crate) fn subject_digest(&self, hash: HashAlgorithm) -> &[u8] {
        slot(&self.0.digests.subject, hash).get_or_init(|| hash.digest(self.0.subject.as_der()))
    }

    /// The digest of the content of the `subjectPublicKey` bit string; `None` if there is none.
    pub(crate) fn key_digest(&self, hash: HashAlgorithm) -> Option<&[u8]> {
        let slot = slot(&self.0.digests.key, hash);
        match slot.get() {
            Some(known) => Some(known),
            None => self.public_key_bits().ok().map(|bits| slot.get_or_init(|| hash.digest(bits)).as_slice()),
        }
    }

    /// Whose it is.
    pub fn subject(&self) -> &Name {
        &self.0.subject
    }

    /// Who issued it.
    pub fn issuer(&self) -> &Name {
        &self.0.issuer
    }

    /// Content bytes of the serial number.
    pub fn serial(&self) -> &[u8] {
        &self.0.serial
    }

    /// The serial number in lower-case hex, without a leading zero byte.
    pub fn serial_hex(&self) -> String {
        let serial = match self.0.serial.as_slice() {
            [0, rest @ ..] if !rest.is_empty() => rest,
            all => all,
        };
        super::name::hex(serial)
    }

    /// First instant of validity.
    pub fn not_before(&self) -> OffsetDateTime {
        self.0.not_before
    }

    /// Last instant of validity.
    pub fn not_after(&self) -> OffsetDateTime {
        self.0.not_after
    }

    /// Whether `at` lies in its validity.
    pub fn is_valid_at(&self, at: OffsetDateTime) -> bool {
        self.0.not_before <= at && at <= self.0.not_after
    }

    /// The DER `SubjectPublicKeyInfo`.
    pub fn spki(&self) -> &[u8] {
        &self.0.spki
    }

    /// The public key.
    ///
    /// # Errors
    /// [`CryptoError`] for kinds of key that are not supported.
    pub fn public_key(&self) -> Result<PublicKey<'_>, CryptoError> {
        PublicKey::from_spki(&self.0.spki)
    }

    /// What is weak about a signature of this key, made with `algorithm`; nothing if there can be no such signature.
    pub(crate) fn weaknesses_of(&self, algorithm: Result<SignatureAlgorithm, CryptoError>) -> Vec<Weakness> {
        match (algorithm, self.public_key()) {
            (Ok(algorithm), Ok(key)) => crypto::weaknesses(algorithm, &key),
            _ => Vec::new(),
        }
    }

    /// The content of the `subjectPublicKey` bit string, which OCSP and key identifiers digest.
    pub(crate) fn public_key_bits(&self) -> der::Result<&[u8]> {
        let parts = Raw::only(&self.0.spki)?.parse::<RawSeq<'_>>()?.items()?;
        let bits = parts.get(1).ok_or(der::ErrorKind::Failed)?;
        bits.parse::<BitStringRef<'_>>()?.as_bytes().ok_or_else(|| der::ErrorKind::Failed.into())
    }

    /// X.509 version: 1, 2 or 3.
    pub fn version(&self) -> u8 {
        self.0.version + 1
    }

    /// What its extensions say.
    pub fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// The algorithm of the signature on it.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] if it is not supported or the certificate names two.
    pub fn signature_algorithm(&self) -> Result<SignatureAlgorithm, CryptoError> {
        self.0.algorithm
    }

    /// The first e-mail address: alternative name, else in the subject.
    pub fn email(&self) -> Option<&str> {
        let alternative = self.0.extensions.subject_alt_names.iter().find_map(|name| match name {
            GeneralName::Email(address) => Some(address.as_str()),
            _ => None,
        });
        alternative.or_else(|| self.0.subject.email())
    }

    /// Where to ask for its status.
    pub fn ocsp_url(&self) -> Option<&str> {
        self.0.extensions.ocsp_urls.first().map(String::as_str)
    }

    /// Where its CRL is.
    pub fn crl_url(&self) -> Option<&str> {
        let names = self.0.extensions.crl_distribution_points.iter().flat_map(|point| &point.names);
        names.into_iter().find_map(|name| match name {
            GeneralName::Uri(uri) => Some(uri.as_str()),
            _ => None,
        })
    }

    /// Where its issuer's certificate is.
    pub fn ca_issuer_url(&self) -> Option<&str> {
        self.0.extensions.ca_issuer_urls.first().map(String::as_str)
    }

    /// Subject and issuer are the same name.
    pub fn is_self_issued(&self) -> bool {
        self.0.subject == self.0.issuer
    }

    /// Whether its extensions make it a CA.
    pub fn is_ca(&self) -> bool {
        self.0.extensions.basic_constraints.is_some_and(|constraints| constraints.ca)
    }

    /// Checks the signature on it with the key in `issuer_spki`; nothing else about the issuer.
    ///
    /// # Errors
    /// [`CryptoError`].
    pub fn verify_signed_by(&self, issuer_spki: &[u8], provider: &dyn Provider) -> Result<(), CryptoError> {
        let tbs = self.0.der.get(self.0.tbs.clone()).ok_or(CryptoError::BadSignature)?;
        provider.verify(self.0.algorithm?, issuer_spki, tbs, &self.0.signature)
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl Hash for Certificate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest(HashAlgorithm::Sha256).hash(state);
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, serial {})", self.subject(), self.serial_hex())
    }
}
