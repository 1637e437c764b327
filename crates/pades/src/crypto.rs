//! Checking signatures: algorithms, keys and the provider that does the arithmetic.
//!
//! The provider is a value that the caller passes in (as rustls does it): `aws_lc` on servers, `pure` on phones
//! and in WASM; one suite of tests runs on both. Nothing here can sign: no private key type is named.
//! Old algorithms are computed but *reported* ([`Weakness`]): history stays checkable, and nothing new is made with them
//! (ETSI TS 119 312; NĐ 23/2025 asks for the standards that list has). P-521 and Ed25519 are sound and met in files of
//! others: they are checked, and nothing new is made with them either ([`PublicKey::may_sign`]).

mod algorithm;
#[cfg(feature = "aws-lc")]
mod aws_lc;
mod ed25519;
mod effort;
mod hash;
mod key;
#[cfg(feature = "pure")]
mod pure;

pub use algorithm::SignatureAlgorithm;
pub(crate) use effort::{Effort, Metered};
pub use hash::{HashAlgorithm, Hasher};
pub use key::{PublicKey, RsaSchemes};

use thiserror::Error;
use time::OffsetDateTime;
use time::macros::datetime;

/// Does the arithmetic of one signature check.
pub trait Provider: Send + Sync {
    /// For logs and reports.
    fn name(&self) -> &'static str;

    /// Checks `signature` over a message whose digest (under `algorithm.hash()`) is `digest`.
    ///
    /// # Errors
    /// [`CryptoError`]; `Ok` only for a correct signature. [`CryptoError::NeedsMessage`] for Ed25519, always.
    fn verify_digest(
        &self,
        algorithm: SignatureAlgorithm,
        key: &PublicKey<'_>,
        digest: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError>;

    /// Checks an Ed25519 `signature` over `message` (RFC 8032 5.1.7, without prehash or context) with the public key
    /// `key`, strictly: S below the order of the group, the equation without the cofactor, R compared as bytes, and
    /// neither the key nor R of small order or encoded in another way than the canonical one.
    ///
    /// # Errors
    /// [`CryptoError::BadSignature`]; `Ok` only for a correct signature.
    fn verify_ed25519(&self, key: &[u8; 32], message: &[u8], signature: &[u8]) -> Result<(), CryptoError>;

    /// Checks `signature` over `message`: over its digest, or over itself where the algorithm has no hash.
    ///
    /// # Errors
    /// [`CryptoError`]; `Ok` only for a correct signature.
    fn verify_message(
        &self,
        algorithm: SignatureAlgorithm,
        key: &PublicKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        match (algorithm.hash(), key) {
            (Some(hash), _) => self.verify_digest(algorithm, key, &hash.digest(message), signature),
            (None, PublicKey::Ed25519(key)) => self.verify_ed25519(key, message, signature),
            (None, _) => Err(CryptoError::WrongKey),
        }
    }

    /// Checks `signature` over `message` with the key in `spki_der` (a DER `SubjectPublicKeyInfo`).
    ///
    /// # Errors
    /// [`CryptoError`]; `Ok` only for a correct signature.
    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        spki_der: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.verify_message(algorithm, &PublicKey::from_spki(spki_der)?, message, signature)
    }
}

/// The provider in pure Rust: for phones and WASM.
#[cfg(feature = "pure")]
#[must_use]
pub fn pure() -> &'static dyn Provider {
    &pure::Pure
}

/// The provider on AWS-LC: for servers.
#[cfg(feature = "aws-lc")]
#[must_use]
pub fn aws_lc() -> &'static dyn Provider {
    &aws_lc::AwsLc
}

/// Why a signature was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CryptoError {
    /// The value does not fit the message and key.
    #[error("the signature value does not belong to this content and key")]
    BadSignature,
    /// An algorithm outside the supported set (RSA PKCS#1 v1.5 and PSS, ECDSA on P-256, P-384 and P-521, each with SHA-1
    /// or SHA-2; Ed25519).
    #[error("the algorithm is not supported")]
    Unsupported,
    /// An Ed25519 signature that was to be checked by the digest of what it covers (RFC 8032 5.1: it is over the message).
    #[error("the signature is over the message itself and cannot be checked by a digest")]
    NeedsMessage,
    /// The public key cannot be read, its size is outside 1024 to 8192 bits (RSA), or its order is small (Ed25519).
    #[error("the public key cannot be used")]
    BadKey,
    /// The algorithm does not belong to this kind of key.
    #[error("the signature algorithm does not fit the kind of key")]
    WrongKey,
    /// Not checked: the file asks for more than is done for one file.
    #[error("the file asks for more checks than are made for one file")]
    TooMany,
}

/// Something about an algorithm or key that no longer gives assurance (ETSI TS 119 312).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Weakness {
    /// SHA-1 or older.
    Hash(HashAlgorithm),
    /// An RSA modulus below 2048 bits.
    RsaBits(u32),
}

impl Weakness {
    /// Until when it gave assurance: a signature proved to exist before then is still good (EN 319 102-1 5.2.8.4).
    ///
    /// The dates of ETSI TS 102 176-1 (SHA-1, RSA-1024) and of its successor TS 119 312 (longer moduli).
    #[must_use]
    pub const fn assured_until(self) -> OffsetDateTime {
        match self {
            Self::Hash(_) | Self::RsaBits(..1536) => datetime!(2009-01-01 0:00 UTC),
            Self::RsaBits(..1900) => datetime!(2016-01-01 0:00 UTC),
            Self::RsaBits(_) => datetime!(2023-01-01 0:00 UTC),
        }
    }
}

/// What is weak about a signature made with `algorithm` and `key`; empty when nothing is.
#[must_use]
pub fn weaknesses(algorithm: SignatureAlgorithm, key: &PublicKey<'_>) -> Vec<Weakness> {
    let mut found = Vec::new();
    if let Some(hash) = algorithm.hash().filter(|hash| hash.is_weak()) {
        found.push(Weakness::Hash(hash));
    }
    if let Some(bits) = key.rsa_bits().filter(|bits| *bits < 2048) {
        found.push(Weakness::RsaBits(bits));
    }
    found
}
