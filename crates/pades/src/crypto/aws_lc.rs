//! The provider on AWS-LC. What AWS-LC does not offer (RSA-1024 with SHA-384, PSS with an odd salt, SHA-1 on P-384:
//! history only) goes to the pure provider where that is compiled in.

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA1_ASN1, ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1,
    ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA1_ASN1,
    ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ED25519,
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA384, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};

use super::{CryptoError, HashAlgorithm, Provider, PublicKey, SignatureAlgorithm, ed25519};

pub(super) struct AwsLc;

impl Provider for AwsLc {
    fn name(&self) -> &'static str {
        "aws-lc"
    }

    fn verify_digest(
        &self,
        algorithm: SignatureAlgorithm,
        key: &PublicKey<'_>,
        digest: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        if !key.admits(algorithm) {
            return Err(CryptoError::WrongKey);
        }
        let hash = algorithm.hash().ok_or(CryptoError::NeedsMessage)?;
        let Some(method) = method(algorithm, key) else { return fallback(algorithm, key, digest, signature) };
        let hash = match hash {
            HashAlgorithm::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            HashAlgorithm::Sha256 => &digest::SHA256,
            HashAlgorithm::Sha384 => &digest::SHA384,
            HashAlgorithm::Sha512 => &digest::SHA512,
        };
        let digest = Digest::import_less_safe(digest, hash).map_err(|_| CryptoError::BadSignature)?;
        let bytes = match key {
            PublicKey::Rsa { der, .. } => der,
            PublicKey::P256(point) | PublicKey::P384(point) | PublicKey::P521(point) => point,
            PublicKey::Ed25519(_) => return Err(CryptoError::NeedsMessage),
        };
        let key = UnparsedPublicKey::new(method, bytes).parse().map_err(|_| CryptoError::BadKey)?;
        key.verify_digest_sig(&digest, signature).map_err(|_| CryptoError::BadSignature)
    }

    fn verify_ed25519(&self, key: &[u8; 32], message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let value = signature.try_into().map_err(|_| CryptoError::BadSignature)?;
        // AWS-LC refuses an S that is too large and compares R as bytes, but takes points of small order.
        if !ed25519::are_strict_points(key, value) {
            return Err(CryptoError::BadSignature);
        }
        UnparsedPublicKey::new(&ED25519, key).verify(message, value).map_err(|_| CryptoError::BadSignature)
    }
}

fn method(algorithm: SignatureAlgorithm, key: &PublicKey<'_>) -> Option<&'static dyn VerificationAlgorithm> {
    use HashAlgorithm::{Sha1, Sha256, Sha384, Sha512};
    let long = key.rsa_bits().is_some_and(|bits| bits >= 2048);
    let found: &'static dyn signature::VerificationAlgorithm = match (algorithm, key) {
        (SignatureAlgorithm::RsaPkcs1(Sha1), _) => &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (SignatureAlgorithm::RsaPkcs1(Sha256), _) => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        (SignatureAlgorithm::RsaPkcs1(Sha384), _) if long => &RSA_PKCS1_2048_8192_SHA384,
        (SignatureAlgorithm::RsaPkcs1(Sha512), _) => &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        (SignatureAlgorithm::RsaPss { hash: Sha256, salt_length: 32 }, _) if long => {
            &RSA_PSS_2048_8192_SHA256
        }
        (SignatureAlgorithm::RsaPss { hash: Sha384, salt_length: 48 }, _) if long => {
            &RSA_PSS_2048_8192_SHA384
        }
        (SignatureAlgorithm::RsaPss { hash: Sha512, salt_length: 64 }, _) if long => {
            &RSA_PSS_2048_8192_SHA512
        }
        (SignatureAlgorithm::Ecdsa(Sha1), PublicKey::P256(_)) => &ECDSA_P256_SHA1_ASN1,
        (SignatureAlgorithm::Ecdsa(Sha256), PublicKey::P256(_)) => &ECDSA_P256_SHA256_ASN1,
        (SignatureAlgorithm::Ecdsa(Sha384), PublicKey::P256(_)) => &ECDSA_P256_SHA384_ASN1,
        (SignatureAlgorithm::Ecdsa(Sha512), PublicKey::P256(_)) => &ECDSA_P256_SHA512_ASN1,
        (SignatureAlgorithm::Ecdsa(Sha256), PublicKey::P384(_)) => &ECDSA_P384_SHA256_ASN1,
        (SignatureAlgorithm::Ecdsa(Sha384), PublicKey::P384(_)) => &ECDSA_P384_SHA384_ASN1,
        (SignatureAlgorithm::Ecdsa(Sha512), PublicKey::P384(_)) => &ECDSA_P384_SHA512_ASN1,
        (SignatureAlgorithm::Ecdsa(Sha1), PublicKey::P521(_)) => &ECDSA_P521_SHA1_ASN1,
        (SignatureAlgorithm::Ecdsa(Sha256), PublicKey::P521(_)) => &ECDSA_P521_SHA256_ASN1,
        (SignatureAlgorithm::Ecdsa(Sha384), PublicKey::P521(_)) => &ECDSA_P521_SHA384_ASN1,
        (SignatureAlgorithm::Ecdsa(Sha512), PublicKey::P521(_)) => &ECDSA_P521_SHA512_ASN1,
        _ => return None,
    };
    Some(found)
}

#[cfg(feature = "pure")]
fn fallback(
    algorithm: SignatureAlgorithm,
    key: &PublicKey<'_>,
    digest: &[u8],
    signature: &[u8],
) -> Result<(), CryptoError> {
    super::pure().verify_digest(algorithm, key, digest, signature)
}

#[cfg(not(feature = "pure"))]
fn fallback(
    _algorithm: SignatureAlgorithm,
    _key: &PublicKey<'_>,
    _digest: &[u8],
    _signature: &[u8],
) -> Result<(), CryptoError> {
    Err(CryptoError::Unsupported)
}
