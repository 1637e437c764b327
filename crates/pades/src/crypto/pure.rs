//! The provider in pure Rust, on the `RustCrypto` crates: verification only.
//!
//! `rsa` has an open advisory about timing of *private-key* operations; no private key is named here.

use rsa::BoxedUint;
use rsa::pkcs1v15::VerifyingKey as Pkcs1Key;
use rsa::pss::VerifyingKey as PssKey;
use rsa::signature::{Error, hazmat::PrehashVerifier};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use super::{CryptoError, HashAlgorithm, Provider, PublicKey, SignatureAlgorithm, ed25519};

pub(super) struct Pure;

impl Provider for Pure {
    fn name(&self) -> &'static str {
        "pure"
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
        if digest.len() != hash.output_length() {
            return Err(CryptoError::BadSignature);
        }
        // A digest may be shorter than the order of the curve (FIPS 186-5 6.4).
        match key {
            PublicKey::Rsa { modulus, exponent, .. } => rsa(algorithm, modulus, exponent, digest, signature),
            PublicKey::P256(point) => {
                use p256::ecdsa::{Signature, VerifyingKey};
                ecdsa(VerifyingKey::from_sec1_bytes(point), Signature::from_der(signature), digest)
            }
            PublicKey::P384(point) => {
                use p384::ecdsa::{Signature, VerifyingKey};
                ecdsa(VerifyingKey::from_sec1_bytes(point), Signature::from_der(signature), digest)
            }
            PublicKey::P521(point) => {
                use p521::ecdsa::{Signature, VerifyingKey};
                ecdsa(VerifyingKey::from_sec1_bytes(point), Signature::from_der(signature), digest)
            }
            PublicKey::Ed25519(_) => Err(CryptoError::NeedsMessage),
        }
    }

    fn verify_ed25519(&self, key: &[u8; 32], message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let value = signature.try_into().map_err(|_| CryptoError::BadSignature)?;
        if !ed25519::are_strict_points(key, value) {
            return Err(CryptoError::BadSignature);
        }
        // RFC 8032 5.1.7: what cannot be decoded makes the signature invalid, the key included.
        let key = ed25519_dalek::VerifyingKey::from_bytes(key).map_err(|_| CryptoError::BadSignature)?;
        let value = ed25519_dalek::Signature::from_bytes(value);
        key.verify_strict(message, &value).map_err(|_| CryptoError::BadSignature)
    }
}

/// The same on every curve; a key that cannot be read is told before a value that cannot.
fn ecdsa<K: PrehashVerifier<S>, S>(
    key: Result<K, Error>,
    value: Result<S, Error>,
    digest: &[u8],
) -> Result<(), CryptoError> {
    let key = key.map_err(|_| CryptoError::BadKey)?;
    let value = value.map_err(|_| CryptoError::BadSignature)?;
    key.verify_prehash(digest, &value).map_err(|_| CryptoError::BadSignature)
}

fn rsa(
    algorithm: SignatureAlgorithm,
    modulus: &[u8],
    exponent: &[u8],
    digest: &[u8],
    signature: &[u8],
) -> Result<(), CryptoError> {
    // RFC 8017 8.1.2 and 8.2.2 step 1: exactly the length of the modulus.
    if signature.len() != modulus.len() {
        return Err(CryptoError::BadSignature);
    }
    let number = |bytes| BoxedUint::from_be_slice_vartime(bytes);
    let key = rsa::PublicKey::new_with_size_limits(number(modulus), number(exponent), 1024..=8192)
        .map_err(|_| CryptoError::BadKey)?;
    let outcome = match algorithm {
        SignatureAlgorithm::RsaPkcs1(hash) => {
            let value =
                rsa::pkcs1v15::Signature::try_from(signature).map_err(|_| CryptoError::BadSignature)?;
            match hash {
                HashAlgorithm::Sha1 => Pkcs1Key::<Sha1>::new(key).verify_prehash(digest, &value),
                HashAlgorithm::Sha256 => Pkcs1Key::<Sha256>::new(key).verify_prehash(digest, &value),
                HashAlgorithm::Sha384 => Pkcs1Key::<Sha384>::new(key).verify_prehash(digest, &value),
                HashAlgorithm::Sha512 => Pkcs1Key::<Sha512>::new(key).verify_prehash(digest, &value),
            }
        }
        SignatureAlgorithm::RsaPss { hash, salt_length } => {
            let value = rsa::pss::Signature::try_from(signature).map_err(|_| CryptoError::BadSignature)?;
            let salt = usize::from(salt_length);
            match hash {
                HashAlgorithm::Sha1 => {
                    PssKey::<Sha1>::new_with_salt_len(key, salt).verify_prehash(digest, &value)
                }
                HashAlgorithm::Sha256 => {
                    PssKey::<Sha256>::new_with_salt_len(key, salt).verify_prehash(digest, &value)
                }
                HashAlgorithm::Sha384 => {
                    PssKey::<Sha384>::new_with_salt_len(key, salt).verify_prehash(digest, &value)
                }
                HashAlgorithm::Sha512 => {
                    PssKey::<Sha512>::new_with_salt_len(key, salt).verify_prehash(digest, &value)
                }
            }
        }
        SignatureAlgorithm::Ecdsa(_) | SignatureAlgorithm::Ed25519 => return Err(CryptoError::WrongKey),
    };
    outcome.map_err(|_| CryptoError::BadSignature)
}
