//! A CMS from its parts. Deterministic: phone and server make identical bytes from the same signature value.

use der::Encode;
use der::asn1::{AnyRef, OctetStringRef};
use thiserror::Error;

use super::types::{
    ContentInfo, EncapsulatedContent, IssuerAndSerial, SignedData, SignerIdentifier, SignerInfo,
};
use super::{SignatureValue, SignedAttributes};
use crate::asn1::{Algorithm, Raw, RawSet, wrap};
use crate::digest::Digest;
use crate::oid;
use crate::x509::{Certificate, CertificateError};

/// Why no CMS can be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AssembleError {
    /// A certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The structure cannot be encoded.
    #[error("the signature cannot be encoded: {0}")]
    Encoding(#[from] der::Error),
}

/// What a time stamp with the authority's certificates takes at most, by what is met in the field: RSA-4096 authorities
/// with European chains reach 11 kB.
const TIMESTAMP_BYTES: usize = 12 * 1024;

/// How many bytes the CMS will take at most, known before anybody is asked to sign: a signature that would not fit its
/// placeholder must be refused while nobody has entered a PIN for it.
///
/// # Errors
/// [`AssembleError`] if a certificate cannot be read.
pub fn estimated_length(
    signer_certificate: &[u8],
    chain: &[&[u8]],
    with_timestamp: bool,
) -> Result<usize, AssembleError> {
    let signer = Certificate::from_der(signer_certificate)?;
    let attributes = super::signed_attributes(&Digest([0; 32]), signer_certificate, super::ID_DATA)?;
    let certificates: usize = chain.iter().map(|certificate| certificate.len()).sum();
    // No kind of value is longer than the modulus, or than two halves with their headers.
    let value = signer.public_key().ok().and_then(|key| key.rsa_bits()).map_or(160, |bits| bits as usize / 8);
    // Names, algorithms and headers around it all.
    let rest = signer.issuer().as_der().len() + signer.serial().len() + 512;
    let stamp = if with_timestamp { TIMESTAMP_BYTES } else { 0 };
    Ok(signer.as_der().len() + certificates + attributes.as_der().len() + value + rest + stamp)
}

/// The detached CMS of `signature` over `attributes`: version 1, one signer, SHA-256, certificates sorted as DER wants.
///
/// `chain` may hold the issuers; the signer's certificate and repeated ones are taken once. Nothing is verified here:
/// that is [`super::check`], whose proof is what the rest of the crate accepts.
///
/// # Errors
/// [`AssembleError`] if a certificate cannot be read.
pub fn assemble(
    attributes: &SignedAttributes,
    signature: &SignatureValue,
    signer_certificate: &[u8],
    chain: &[&[u8]],
) -> Result<Vec<u8>, AssembleError> {
    let signer = Certificate::from_der(signer_certificate)?;
    let mut certificates = vec![signer.as_der().to_vec()];
    for certificate in chain {
        certificates.push(Certificate::from_der(certificate)?.as_der().to_vec());
    }
    certificates.sort();
    certificates.dedup();

    // RFC 5754 2: SHA-256 is written without parameters.
    let digest_algorithm = Algorithm { oid: oid::SHA_256, parameters: None };
    let digest_algorithm_der = digest_algorithm.to_der()?;
    let serial = wrap(0x02, signer.serial());
    let signature_algorithm = signature.algorithm().identifier_der()?;
    let signer_info = SignerInfo {
        version: 1,
        sid: SignerIdentifier::Issuer(IssuerAndSerial {
            issuer: Raw(signer.issuer().as_der()),
            serial: Raw(&serial),
        }),
        digest_algorithm,
        signed_attributes: Some(RawSet(attributes.content()?)),
        signature_algorithm: Raw(&signature_algorithm),
        signature: OctetStringRef::new(signature.as_bytes())?,
        unsigned_attributes: None,
    };
    let signed_data = SignedData {
        version: if attributes.content_type() == oid::DATA { 1 } else { 3 },
        digest_algorithms: RawSet(&digest_algorithm_der),
        content: EncapsulatedContent { content_type: attributes.content_type(), content: None },
        certificates: Some(RawSet(&certificates.concat())),
        crls: None,
        signers: RawSet(&signer_info.to_der()?),
    }
    .to_der()?;
    let info =
        ContentInfo { content_type: oid::SIGNED_DATA, content: AnyRef::try_from(signed_data.as_slice())? };
    Ok(info.to_der()?)
}
