//! The signed attributes of our signatures (EN 319 122-1 clause 5): content-type, message-digest and
//! signing-certificate-v2, nothing else. No signing-time: PAdES baseline forbids it (the time is that of the stamp).
//!
//! They are the same bytes wherever they are computed: the phone shows the code of *its* bytes, the server makes its own.

use der::Encode;

use crate::asn1::{Algorithm, Oid, Raw, RawSeq, sequence, set_of, wrap};
use crate::crypto::HashAlgorithm;
use crate::digest::Digest;
use crate::oid;
use crate::x509::{Certificate, CertificateError};

use super::types::{Attribute, EssCertId};

/// The attributes that a signer signs, as the DER `SET OF Attribute`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAttributes {
    der: Vec<u8>,
    content_type: Oid,
}

/// The attributes for content with `digest` (SHA-256), to be signed with the key of `signer_certificate` (DER).
///
/// `content_type` is [`super::ID_DATA`] for a PDF, [`super::ID_ENROLMENT`] for an enrolment statement.
///
/// # Errors
/// [`CertificateError`] if the certificate cannot be read.
pub fn signed_attributes(
    digest: &Digest,
    signer_certificate: &[u8],
    content_type: Oid,
) -> Result<SignedAttributes, CertificateError> {
    let certificate = Certificate::from_der(signer_certificate)?;
    Ok(SignedAttributes { der: encode(digest, &certificate, content_type)?, content_type })
}

impl SignedAttributes {
    /// The DER `SET OF Attribute` (tag 0x31): exactly the bytes that the signature covers.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of [`Self::as_der`]: what goes to the SIM (inside a `DigestInfo`) or to a token.
    pub fn dtbs_digest(&self) -> Digest {
        Digest::of(&self.der)
    }

    /// What the content is.
    pub fn content_type(&self) -> Oid {
        self.content_type
    }

    /// Content bytes of the set, without tag and length.
    pub(super) fn content(&self) -> der::Result<&[u8]> {
        Ok(Raw::only(&self.der)?.any()?.value())
    }
}

fn encode(digest: &Digest, certificate: &Certificate, content_type: Oid) -> der::Result<Vec<u8>> {
    let attributes = vec![
        attribute(oid::CONTENT_TYPE, &content_type.to_der()?)?,
        attribute(oid::MESSAGE_DIGEST, &wrap(0x04, digest.as_bytes()))?,
        attribute(oid::SIGNING_CERTIFICATE_V2, &signing_certificate(certificate))?,
    ];
    Ok(set_of(attributes))
}

/// One attribute with one value.
pub(super) fn attribute(oid: Oid, value: &[u8]) -> der::Result<Vec<u8>> {
    Attribute { oid, values: crate::asn1::RawSet(value) }.to_der()
}

/// `SigningCertificateV2` with one `ESSCertIDv2` over SHA-256 (the default, so not written) and the issuer's name
/// and serial number: an old reader finds the certificate by them, and they cost little.
fn signing_certificate(certificate: &Certificate) -> Vec<u8> {
    let directory_name = wrap(0xa4, certificate.issuer().as_der());
    let serial = wrap(0x02, certificate.serial());
    let hash = wrap(0x04, certificate.sha256().as_bytes());
    let issuer_serial = sequence(&[&sequence(&[&directory_name]), &serial]);
    sequence(&[&sequence(&[&sequence(&[&hash, &issuer_serial])])])
}

/// The attributes of a message, read in the order they came.
#[derive(Clone, Debug, Default)]
pub(super) struct AttributeList(pub(super) Vec<(Oid, Vec<Vec<u8>>)>);

impl AttributeList {
    pub(super) fn read(content: crate::asn1::RawSet<'_>) -> der::Result<Self> {
        let mut list = Vec::new();
        for item in content.items()? {
            let attribute = item.parse::<Attribute<'_>>()?;
            let values = attribute.values.items()?.into_iter().map(|value| value.0.to_vec()).collect();
            list.push((attribute.oid, values));
        }
        Ok(Self(list))
    }

    /// All values of all attributes of this type.
    pub(super) fn values(&self, oid: Oid) -> impl Iterator<Item = &[u8]> {
        let matching = self.0.iter().filter(move |(found, _)| *found == oid);
        matching.flat_map(|(_, values)| values.iter().map(Vec::as_slice))
    }

    /// The value of an attribute that must appear once with one value; `None` otherwise.
    pub(super) fn single(&self, oid: Oid) -> Option<&[u8]> {
        let mut attributes = self.0.iter().filter(|(found, _)| *found == oid);
        let (_, values) = attributes.next()?;
        match (attributes.next(), values.as_slice()) {
            (None, [only]) => Some(only),
            _ => None,
        }
    }

    pub(super) fn contains(&self, oid: Oid) -> bool {
        self.0.iter().any(|(found, _)| *found == oid)
    }
}

/// The certificate identifiers of a signing-certificate attribute value: (hash, digest, issuer and serial).
pub(super) struct EssEntry {
    pub(super) hash: Option<HashAlgorithm>,
    pub(super) digest: Vec<u8>,
    pub(super) serial: Option<Vec<u8>>,
}

/// Reads a `SigningCertificate` (`v1`) or `SigningCertificateV2` value.
pub(super) fn ess_entries(value: &[u8], v1: bool) -> der::Result<Vec<EssEntry>> {
    let attribute = Raw::only(value)?.parse::<super::types::SigningCertificate<'_>>()?;
    let mut entries = Vec::new();
    for item in attribute.certificates.items()? {
        let id = item.parse::<EssCertId<'_>>()?;
        let hash = match id.hash_algorithm {
            None if v1 => Some(HashAlgorithm::Sha1),
            None => Some(HashAlgorithm::Sha256),
            Some(_) if v1 => return Err(der::ErrorKind::Failed.into()),
            Some(algorithm) => HashAlgorithm::from_algorithm(&Algorithm { ..algorithm }),
        };
        let serial = match id.issuer_serial {
            Some(serial) => Some(serial.serial.any()?.value().to_vec()),
            None => None,
        };
        entries.push(EssEntry { hash, digest: id.hash.as_bytes().to_vec(), serial });
    }
    Ok(entries)
}

/// Content of a SEQUENCE TLV.
pub(super) fn sequence_content(der: &[u8]) -> der::Result<RawSeq<'_>> {
    Raw::only(der)?.parse()
}
