//! Checking signatures: algorithms, keys and the provider that does the arithmetic.
//!
//! The provider is a value that the caller passes in (as rustls does it): `aws_lc` on servers, `pure` on phones
//! and in WASM; one suite of tests runs on both. Nothing here can sign: no private key type is named.
//! Old algorithms are computed but *reported* ([`Weakness`]): history stays checkable, and nothing new is made with them
//! (ETSI TS 119 312; NĐ 23/2025 asks for the standards that list has).

mod algorithm;
#[cfg(feature = "aws-lc")]
mod aws_lc;
mod hash;
mod key;
#[cfg(feature = "pure")]
mod pure;

pub use algorithm::SignatureAlgorithm;
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
    /// [`CryptoError`]; `Ok` only for a correct signature.
    fn verify_digest(
        &self,
        algorithm: SignatureAlgorithm,
        key: &PublicKey<'_>,
        digest: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError>;

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
        let key = PublicKey::from_spki(spki_der)?;
        self.verify_digest(algorithm, &key, &algorithm.hash().digest(message), signature)
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
    /// An algorithm outside the supported set (RSA PKCS#1 v1.5 and PSS, ECDSA P-256 and P-384; SHA-1 and SHA-2).
    #[error("the algorithm is not supported")]
    Unsupported,
    /// The public key cannot be read, or its size is outside 1024 to 8192 bits.
    #[error("the public key cannot be used")]
    BadKey,
    /// The algorithm does not belong to this kind of key.
    #[error("the signature algorithm does not fit the kind of key")]
    WrongKey,
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
    let hash = algorithm.hash();
    let mut found = Vec::new();
    if hash.is_weak() {
        found.push(Weakness::Hash(hash));
    }
    if let Some(bits) = key.rsa_bits().filter(|bits| *bits < 2048) {
        found.push(Weakness::RsaBits(bits));
    }
    found
}
