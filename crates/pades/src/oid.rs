//! The object identifiers this crate reads and writes, each once, by its name in the standard.

use const_oid::db::{rfc5280, rfc5911, rfc5912, rfc6960, rfc8410};

use crate::asn1::Oid;

// Hashes and keys: RFC 5754, RFC 5480, RFC 8017, RFC 8410.
pub(crate) const SHA_1: Oid = Oid::known(rfc5912::ID_SHA_1);
pub(crate) const SHA_256: Oid = Oid::known(rfc5912::ID_SHA_256);
pub(crate) const SHA_384: Oid = Oid::known(rfc5912::ID_SHA_384);
pub(crate) const SHA_512: Oid = Oid::known(rfc5912::ID_SHA_512);
pub(crate) const RSA_ENCRYPTION: Oid = Oid::known(rfc5912::RSA_ENCRYPTION);
pub(crate) const RSASSA_PSS: Oid = Oid::known(rfc5912::ID_RSASSA_PSS);
pub(crate) const MGF1: Oid = Oid::known(rfc5912::ID_MGF_1);
pub(crate) const SHA1_WITH_RSA: Oid = Oid::known(rfc5912::SHA_1_WITH_RSA_ENCRYPTION);
pub(crate) const SHA256_WITH_RSA: Oid = Oid::known(rfc5912::SHA_256_WITH_RSA_ENCRYPTION);
pub(crate) const SHA384_WITH_RSA: Oid = Oid::known(rfc5912::SHA_384_WITH_RSA_ENCRYPTION);
pub(crate) const SHA512_WITH_RSA: Oid = Oid::known(rfc5912::SHA_512_WITH_RSA_ENCRYPTION);
pub(crate) const EC_PUBLIC_KEY: Oid = Oid::known(rfc5912::ID_EC_PUBLIC_KEY);
pub(crate) const P256: Oid = Oid::known(rfc5912::SECP_256_R_1);
pub(crate) const P384: Oid = Oid::known(rfc5912::SECP_384_R_1);
pub(crate) const P521: Oid = Oid::known(rfc5912::SECP_521_R_1);
pub(crate) const ECDSA_WITH_SHA1: Oid = Oid::from_content(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1]);
pub(crate) const ECDSA_WITH_SHA256: Oid = Oid::known(rfc5912::ECDSA_WITH_SHA_256);
pub(crate) const ECDSA_WITH_SHA384: Oid = Oid::known(rfc5912::ECDSA_WITH_SHA_384);
pub(crate) const ECDSA_WITH_SHA512: Oid = Oid::known(rfc5912::ECDSA_WITH_SHA_512);
pub(crate) const ED25519: Oid = Oid::known(rfc8410::ID_ED_25519);

// CMS and CAdES: RFC 5652, RFC 5035, RFC 3161, RFC 6960.
pub(crate) const DATA: Oid = Oid::known(rfc5911::ID_DATA);
pub(crate) const SIGNED_DATA: Oid = Oid::known(rfc5911::ID_SIGNED_DATA);
pub(crate) const CONTENT_TYPE: Oid = Oid::known(rfc5911::ID_CONTENT_TYPE);
pub(crate) const MESSAGE_DIGEST: Oid = Oid::known(rfc5911::ID_MESSAGE_DIGEST);
pub(crate) const SIGNING_TIME: Oid = Oid::known(rfc5911::ID_SIGNING_TIME);
pub(crate) const SIGNING_CERTIFICATE: Oid = Oid::known(rfc5911::ID_AA_SIGNING_CERTIFICATE);
pub(crate) const SIGNING_CERTIFICATE_V2: Oid = Oid::known(rfc5911::ID_AA_SIGNING_CERTIFICATE_V_2);
/// id-aa-signatureTimeStampToken, 1.2.840.113549.1.9.16.2.14 (RFC 3161 appendix A).
pub(crate) const SIGNATURE_TIME_STAMP: Oid =
    Oid::from_content(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 14]);
/// id-ct-TSTInfo, 1.2.840.113549.1.9.16.1.4 (RFC 3161 2.4.2).
pub(crate) const TST_INFO: Oid = Oid::from_content(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4]);
pub(crate) const OCSP_BASIC: Oid = Oid::known(rfc6960::ID_PKIX_OCSP_BASIC);
pub(crate) const OCSP_NONCE: Oid = Oid::known(rfc6960::ID_PKIX_OCSP_NONCE);
pub(crate) const OCSP_NO_CHECK: Oid = Oid::known(rfc6960::ID_PKIX_OCSP_NOCHECK);

// Certificates and CRLs: RFC 5280.
pub(crate) const SUBJECT_KEY_IDENTIFIER: Oid = Oid::known(rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER);
pub(crate) const KEY_USAGE: Oid = Oid::known(rfc5280::ID_CE_KEY_USAGE);
pub(crate) const SUBJECT_ALT_NAME: Oid = Oid::known(rfc5280::ID_CE_SUBJECT_ALT_NAME);
pub(crate) const ISSUER_ALT_NAME: Oid = Oid::known(rfc5280::ID_CE_ISSUER_ALT_NAME);
pub(crate) const BASIC_CONSTRAINTS: Oid = Oid::known(rfc5280::ID_CE_BASIC_CONSTRAINTS);
pub(crate) const CRL_NUMBER: Oid = Oid::known(rfc5280::ID_CE_CRL_NUMBER);
pub(crate) const CRL_REASONS: Oid = Oid::known(rfc5280::ID_CE_CRL_REASONS);
pub(crate) const INVALIDITY_DATE: Oid = Oid::from_content(&[0x55, 0x1d, 24]);
pub(crate) const DELTA_CRL: Oid = Oid::known(rfc5280::ID_CE_DELTA_CRL_INDICATOR);
pub(crate) const ISSUING_DISTRIBUTION_POINT: Oid = Oid::known(rfc5280::ID_CE_ISSUING_DISTRIBUTION_POINT);
pub(crate) const CERTIFICATE_ISSUER: Oid = Oid::known(rfc5280::ID_CE_CERTIFICATE_ISSUER);
pub(crate) const NAME_CONSTRAINTS: Oid = Oid::known(rfc5280::ID_CE_NAME_CONSTRAINTS);
pub(crate) const CRL_DISTRIBUTION_POINTS: Oid = Oid::known(rfc5280::ID_CE_CRL_DISTRIBUTION_POINTS);
pub(crate) const CERTIFICATE_POLICIES: Oid = Oid::known(rfc5280::ID_CE_CERTIFICATE_POLICIES);
pub(crate) const ANY_POLICY: Oid = Oid::from_content(&[0x55, 0x1d, 32, 0]);
pub(crate) const POLICY_MAPPINGS: Oid = Oid::known(rfc5280::ID_CE_POLICY_MAPPINGS);
pub(crate) const AUTHORITY_KEY_IDENTIFIER: Oid = Oid::known(rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER);
pub(crate) const POLICY_CONSTRAINTS: Oid = Oid::known(rfc5280::ID_CE_POLICY_CONSTRAINTS);
pub(crate) const EXT_KEY_USAGE: Oid = Oid::known(rfc5280::ID_CE_EXT_KEY_USAGE);
pub(crate) const INHIBIT_ANY_POLICY: Oid = Oid::known(rfc5280::ID_CE_INHIBIT_ANY_POLICY);
pub(crate) const AUTHORITY_INFO_ACCESS: Oid = Oid::known(rfc5280::ID_PE_AUTHORITY_INFO_ACCESS);
pub(crate) const ACCESS_OCSP: Oid = Oid::known(rfc5280::ID_AD_OCSP);
pub(crate) const ACCESS_CA_ISSUERS: Oid = Oid::known(rfc5280::ID_AD_CA_ISSUERS);
pub(crate) const KP_TIME_STAMPING: Oid = Oid::known(rfc5280::ID_KP_TIME_STAMPING);
pub(crate) const KP_SERVER_AUTH: Oid = Oid::known(rfc5280::ID_KP_SERVER_AUTH);
pub(crate) const KP_OCSP_SIGNING: Oid = Oid::known(rfc5280::ID_KP_OCSP_SIGNING);
pub(crate) const ANY_EXTENDED_KEY_USAGE: Oid = Oid::known(rfc5280::ANY_EXTENDED_KEY_USAGE);
