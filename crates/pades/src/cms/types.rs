//! The structures of RFC 5652 and RFC 5035 as `der` derives, borrowed from the bytes they are read from.

use der::asn1::{AnyRef, OctetStringRef};
use der::{Choice, Sequence};

use crate::asn1::{Algorithm, Oid, Raw, RawSeq, RawSet};

/// ```text
/// ContentInfo ::= SEQUENCE { contentType ContentType, content [0] EXPLICIT ANY DEFINED BY contentType }
/// ```
#[derive(Sequence)]
pub(crate) struct ContentInfo<'a> {
    pub(crate) content_type: Oid,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(crate) content: AnyRef<'a>,
}

/// ```text
/// SignedData ::= SEQUENCE {
///   version CMSVersion, digestAlgorithms SET OF DigestAlgorithmIdentifier, encapContentInfo EncapsulatedContentInfo,
///   certificates [0] IMPLICIT CertificateSet OPTIONAL, crls [1] IMPLICIT RevocationInfoChoices OPTIONAL,
///   signerInfos SET OF SignerInfo }
/// ```
#[derive(Sequence)]
pub(crate) struct SignedData<'a> {
    pub(crate) version: u8,
    pub(crate) digest_algorithms: RawSet<'a>,
    pub(crate) content: EncapsulatedContent<'a>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    pub(crate) certificates: Option<RawSet<'a>>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub(crate) crls: Option<RawSet<'a>>,
    pub(crate) signers: RawSet<'a>,
}

/// ```text
/// EncapsulatedContentInfo ::= SEQUENCE { eContentType ContentType, eContent [0] EXPLICIT OCTET STRING OPTIONAL }
/// ```
#[derive(Sequence)]
pub(crate) struct EncapsulatedContent<'a> {
    pub(crate) content_type: Oid,
    /// ANY, because PKCS #7 of old held other things than octets here.
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(crate) content: Option<AnyRef<'a>>,
}

/// ```text
/// SignerInfo ::= SEQUENCE {
///   version CMSVersion, sid SignerIdentifier, digestAlgorithm DigestAlgorithmIdentifier,
///   signedAttrs [0] IMPLICIT SET SIZE (1..MAX) OF Attribute OPTIONAL,
///   signatureAlgorithm SignatureAlgorithmIdentifier, signature OCTET STRING,
///   unsignedAttrs [1] IMPLICIT SET SIZE (1..MAX) OF Attribute OPTIONAL }
/// ```
#[derive(Sequence)]
pub(crate) struct SignerInfo<'a> {
    pub(crate) version: u8,
    pub(crate) sid: SignerIdentifier<'a>,
    pub(crate) digest_algorithm: Algorithm<'a>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    pub(crate) signed_attributes: Option<RawSet<'a>>,
    pub(crate) signature_algorithm: Raw<'a>,
    pub(crate) signature: &'a OctetStringRef,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub(crate) unsigned_attributes: Option<RawSet<'a>>,
}

/// ```text
/// SignerIdentifier ::= CHOICE { issuerAndSerialNumber IssuerAndSerialNumber, [0] SubjectKeyIdentifier }
/// ```
#[derive(Choice)]
pub(crate) enum SignerIdentifier<'a> {
    Issuer(IssuerAndSerial<'a>),
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    KeyId(&'a OctetStringRef),
}

/// ```text
/// IssuerAndSerialNumber ::= SEQUENCE { issuer Name, serialNumber CertificateSerialNumber }
/// ```
#[derive(Sequence)]
pub(crate) struct IssuerAndSerial<'a> {
    pub(crate) issuer: Raw<'a>,
    pub(crate) serial: Raw<'a>,
}

/// ```text
/// Attribute ::= SEQUENCE { attrType OBJECT IDENTIFIER, attrValues SET OF AttributeValue }
/// ```
#[derive(Sequence)]
pub(crate) struct Attribute<'a> {
    pub(crate) oid: Oid,
    pub(crate) values: RawSet<'a>,
}

/// ```text
/// SigningCertificateV2 ::= SEQUENCE { certs SEQUENCE OF ESSCertIDv2, policies SEQUENCE OF PolicyInformation OPTIONAL }
/// SigningCertificate   ::= SEQUENCE { certs SEQUENCE OF ESSCertID,   policies SEQUENCE OF PolicyInformation OPTIONAL }
/// ```
#[derive(Sequence)]
pub(crate) struct SigningCertificate<'a> {
    pub(crate) certificates: RawSeq<'a>,
    pub(crate) policies: Option<RawSeq<'a>>,
}

/// ```text
/// ESSCertIDv2 ::= SEQUENCE {
///   hashAlgorithm AlgorithmIdentifier DEFAULT {algorithm id-sha256}, certHash Hash, issuerSerial IssuerSerial OPTIONAL }
/// ```
///
/// `ESSCertID` (version 1) is the same without `hashAlgorithm`, over SHA-1. The first two fields of the same type tag
/// would not collide, so one optional field reads both.
#[derive(Sequence)]
pub(crate) struct EssCertId<'a> {
    pub(crate) hash_algorithm: Option<Algorithm<'a>>,
    pub(crate) hash: &'a OctetStringRef,
    pub(crate) issuer_serial: Option<IssuerSerial<'a>>,
}

/// ```text
/// IssuerSerial ::= SEQUENCE { issuer GeneralNames, serialNumber CertificateSerialNumber }
/// ```
#[derive(Sequence)]
pub(crate) struct IssuerSerial<'a> {
    pub(crate) issuer: RawSeq<'a>,
    pub(crate) serial: Raw<'a>,
}
