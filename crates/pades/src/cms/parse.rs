//! Reads a signed message that anybody made: DER or BER, any number of signers, attached or detached.
//!
//! Lenient about form, strict about size. It decides nothing; [`Signer::inspect`] answers one question at a time.

use thiserror::Error;

use super::attributes::{AttributeList, sequence_content};
use super::types::{ContentInfo, SignedData, SignerIdentifier, SignerInfo};
use crate::asn1::ber::{self, BerError};
use crate::asn1::{Algorithm, Oid, Raw, RawSet, wrap};
use crate::crypto::{CryptoError, HashAlgorithm, SignatureAlgorithm};
use crate::oid;
use crate::x509::{Certificate, Name};

/// Largest message that is read: embedded CRLs make megabytes, nothing makes more.
const MAX_BYTES: usize = 16 * 1024 * 1024;
const MAX_SIGNERS: usize = 64;

/// Why bytes are not a signed message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CmsMalformed {
    /// Larger than 16 MiB.
    #[error("the signature is larger than 16 MiB")]
    TooLarge,
    /// Not BER within the limits.
    #[error("the signature is not BER: {0}")]
    Ber(String),
    /// Another type of message, or not the structure of RFC 5652.
    #[error("the signature is not a CMS signed-data message: {0}")]
    Structure(#[from] der::Error),
    /// Another content type than signed-data.
    #[error("the message is of type {0}, not signed-data")]
    NotSignedData(Oid),
    /// More than 64 signers.
    #[error("the message has more than {MAX_SIGNERS} signers")]
    TooManySigners,
}

impl From<BerError> for CmsMalformed {
    fn from(error: BerError) -> Self {
        Self::Ber(error.to_string())
    }
}

/// A signed message, read.
#[derive(Clone, Debug)]
pub struct SignedMessage {
    /// How many bytes of the input it took; what follows in a `/Contents` must be zeros.
    pub consumed: usize,
    /// Whether it was DER as far as lengths and strings go.
    pub is_definite: bool,
    /// What was signed: id-data, `TSTInfo`, …
    pub content_type: Oid,
    /// The content, if it is attached.
    pub content: Option<Vec<u8>>,
    /// Certificates that could be read, in order.
    pub certificates: Vec<Certificate>,
    /// How many certificates could not be read.
    pub unreadable_certificates: usize,
    /// CRLs (DER), in order.
    pub crls: Vec<Vec<u8>>,
    /// OCSP responses (DER `OCSPResponse`) carried as other revocation information (RFC 5940).
    pub ocsp_responses: Vec<Vec<u8>>,
    /// The signers.
    pub signers: Vec<Signer>,
}

/// How a signer names its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignerId {
    /// Issuer and serial number.
    IssuerSerial(Name, Vec<u8>),
    /// Subject key identifier.
    KeyId(Vec<u8>),
}

/// One signer of a message.
#[derive(Clone, Debug)]
pub struct Signer {
    /// Which certificate it claims.
    pub id: SignerId,
    /// Hash over content and attributes; `None` if it is not supported (MD5, …).
    pub digest_algorithm: Option<HashAlgorithm>,
    /// How the value was made; `Err` if not supported, or if it names another hash than `digest_algorithm`.
    pub signature_algorithm: Result<SignatureAlgorithm, CryptoError>,
    /// The value.
    pub signature: Vec<u8>,
    /// The signed attributes as they are signed: DER SET OF with tag 0x31, in the order they came.
    pub(super) signed_der: Option<Vec<u8>>,
    /// The same in the order of DER (X.690, 11.6), if they came in another: what RFC 5652 5.4 has signed all the same.
    pub(super) signed_sorted: Option<Vec<u8>>,
    pub(super) signed: AttributeList,
    pub(super) unsigned: AttributeList,
}

/// Reads the message at the start of `bytes`.
///
/// # Errors
/// [`CmsMalformed`] if there is none.
pub fn parse(bytes: &[u8]) -> Result<SignedMessage, CmsMalformed> {
    if ber_head_exceeds(bytes) {
        return Err(CmsMalformed::TooLarge);
    }
    let (definite, consumed) = ber::definite(bytes)?;
    let is_definite = matches!(definite, std::borrow::Cow::Borrowed(_));
    let info = Raw::only(&definite)?.parse::<ContentInfo<'_>>()?;
    if info.content_type != oid::SIGNED_DATA {
        return Err(CmsMalformed::NotSignedData(info.content_type));
    }
    let data = info.content.decode_as::<SignedData<'_>>()?;
    let mut message = SignedMessage {
        consumed,
        is_definite,
        content_type: data.content.content_type,
        content: data.content.content.map(|any| any.value().to_vec()),
        certificates: Vec::new(),
        unreadable_certificates: 0,
        crls: Vec::new(),
        ocsp_responses: Vec::new(),
        signers: Vec::new(),
    };
    message.take_certificates(data.certificates)?;
    message.take_revocation(data.crls)?;
    for signer in data.signers.items()? {
        if message.signers.len() == MAX_SIGNERS {
            return Err(CmsMalformed::TooManySigners);
        }
        message.signers.push(Signer::read(signer)?);
    }
    Ok(message)
}

/// Signed attributes in the order of DER; `None` if that is how they came.
fn sorted(attributes: Option<RawSet<'_>>) -> der::Result<Option<Vec<u8>>> {
    let Some(attributes) = attributes else { return Ok(None) };
    let mut items: Vec<&[u8]> = attributes.items()?.iter().map(|item| item.0).collect();
    if items.is_sorted() {
        return Ok(None);
    }
    items.sort_unstable();
    Ok(Some(wrap(0x31, &items.concat())))
}

/// A zero-padded `/Contents` may be large; only the message itself counts.
fn ber_head_exceeds(bytes: &[u8]) -> bool {
    bytes.len() > MAX_BYTES && crate::asn1::der_length(bytes).is_none_or(|length| length > MAX_BYTES)
}

impl SignedMessage {
    fn take_certificates(&mut self, set: Option<RawSet<'_>>) -> Result<(), CmsMalformed> {
        for item in set.map_or(Ok(Vec::new()), RawSet::items)? {
            // Attribute certificates and other formats are tagged and of no use here.
            match Certificate::from_der(item.0) {
                Ok(certificate) => self.certificates.push(certificate),
                Err(_) => self.unreadable_certificates += 1,
            }
        }
        Ok(())
    }

    /// `RevocationInfoChoice ::= CHOICE { crl CertificateList, other [1] IMPLICIT SEQUENCE { format OID, info ANY } }`
    fn take_revocation(&mut self, set: Option<RawSet<'_>>) -> Result<(), CmsMalformed> {
        for item in set.map_or(Ok(Vec::new()), RawSet::items)? {
            if item.0.first() != Some(&0xa1) {
                self.crls.push(item.0.to_vec());
                continue;
            }
            let parts = crate::asn1::items(item.any()?.value(), 2)?;
            // id-ri-ocsp-response, 1.3.6.1.5.5.7.16.2
            let is_ocsp = |raw: &Raw<'_>| raw.0 == [6, 8, 0x2b, 6, 1, 5, 5, 7, 16, 2];
            if let [format, response] = parts.as_slice()
                && is_ocsp(format)
            {
                self.ocsp_responses.push(response.0.to_vec());
            }
        }
        Ok(())
    }

    /// The embedded certificate that `signer` names.
    pub fn certificate_of(&self, signer: &Signer) -> Option<&Certificate> {
        self.certificates.iter().find(|certificate| signer.id.names(certificate))
    }
}

impl SignerId {
    /// Whether it names this certificate.
    pub fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerSerial(issuer, serial) => {
                certificate.issuer() == issuer && certificate.serial() == serial.as_slice()
            }
            Self::KeyId(id) => certificate.extensions().subject_key_id.as_ref() == Some(id),
        }
    }
}

impl Signer {
    fn read(raw: Raw<'_>) -> Result<Self, CmsMalformed> {
        let info = raw.parse::<SignerInfo<'_>>()?;
        let digest_algorithm = HashAlgorithm::from_algorithm(&info.digest_algorithm);
        let id = match info.sid {
            SignerIdentifier::Issuer(id) => {
                SignerId::IssuerSerial(Name::from_raw(id.issuer)?, id.serial.any()?.value().to_vec())
            }
            SignerIdentifier::KeyId(id) => SignerId::KeyId(id.as_bytes().to_vec()),
        };
        let identifier = info.signature_algorithm.parse::<Algorithm<'_>>()?;
        let signature_algorithm = digest_algorithm
            .ok_or(CryptoError::Unsupported)
            .and_then(|hash| SignatureAlgorithm::from_signer(&identifier, hash));
        let read =
            |set: Option<RawSet<'_>>| set.map_or_else(|| Ok(AttributeList::default()), AttributeList::read);
        Ok(Self {
            id,
            digest_algorithm,
            signature_algorithm,
            signature: info.signature.as_bytes().to_vec(),
            // RFC 5652 5.4: the signature covers the attributes with the tag of a SET OF, not [0].
            signed_der: info.signed_attributes.map(|set| wrap(0x31, set.0)),
            signed_sorted: sorted(info.signed_attributes)?,
            signed: read(info.signed_attributes)?,
            unsigned: read(info.unsigned_attributes)?,
        })
    }

    /// Whether there are signed attributes at all.
    pub fn has_signed_attributes(&self) -> bool {
        self.signed_der.is_some()
    }

    /// The types of the signed attributes, in order.
    pub fn signed_attribute_types(&self) -> impl Iterator<Item = Oid> {
        self.signed.0.iter().map(|(oid, _)| *oid)
    }

    /// The values of signed attributes of one type.
    pub fn signed_values(&self, oid: Oid) -> impl Iterator<Item = &[u8]> {
        self.signed.values(oid)
    }

    /// The values of unsigned attributes of one type.
    pub fn unsigned_values(&self, oid: Oid) -> impl Iterator<Item = &[u8]> {
        self.unsigned.values(oid)
    }

    /// The signature time stamps (RFC 3161 tokens); each covers `self.signature`.
    pub fn timestamp_tokens(&self) -> impl Iterator<Item = &[u8]> {
        self.unsigned.values(oid::SIGNATURE_TIME_STAMP)
    }

    /// The claimed signing time (an attribute that PAdES baseline forbids, but others write).
    pub fn claimed_time(&self) -> Option<time::OffsetDateTime> {
        let value = self.signed.single(oid::SIGNING_TIME)?;
        crate::asn1::rfc5280_time(Raw::only(value).ok()?.any().ok()?).ok()
    }

    /// The content of the message-digest attribute, if there is exactly one value.
    pub fn message_digest(&self) -> Option<&[u8]> {
        let value = self.signed.single(oid::MESSAGE_DIGEST)?;
        let raw = Raw::only(value).ok()?;
        Some(raw.parse::<&der::asn1::OctetStringRef>().ok()?.as_bytes())
    }

    /// The content-type attribute, if there is exactly one value.
    pub fn content_type(&self) -> Option<Oid> {
        Raw::only(self.signed.single(oid::CONTENT_TYPE)?).ok()?.parse().ok()
    }

    /// Revocation values that Adobe puts among the signed attributes (1.2.840.113583.1.1.8):
    /// (CRLs, OCSP responses), DER each.
    pub fn adobe_revocation(&self) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        const ADOBE_REVOCATION: Oid = Oid::from_content(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x2f, 1, 1, 8]);
        let (mut crls, mut responses) = (Vec::new(), Vec::new());
        let Some(value) = self.signed.single(ADOBE_REVOCATION) else { return (crls, responses) };
        let fields = sequence_content(value).and_then(crate::asn1::RawSeq::items).unwrap_or_default();
        for field in fields {
            let list = match field.0.first() {
                Some(0xa0) => &mut crls,
                Some(0xa1) => &mut responses,
                _ => continue,
            };
            let inner = field.any().and_then(|any| sequence_content(any.value())?.items());
            list.extend(inner.unwrap_or_default().into_iter().map(|raw| raw.0.to_vec()));
        }
        (crls, responses)
    }
}
