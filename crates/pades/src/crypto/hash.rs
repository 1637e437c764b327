//! The hash functions that signatures name, and one streaming hasher over all of them (FIPS 180-4).

use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::asn1::{Algorithm, Oid};
use crate::oid;

/// A hash function that a signature may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HashAlgorithm {
    /// SHA-1: history only.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    /// From the identifier in a `digestAlgorithm`; `None` for one that is not supported (MD5 among them).
    #[must_use]
    pub fn from_oid(oid: Oid) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512].into_iter().find(|hash| hash.oid() == oid)
    }

    pub(crate) fn from_algorithm(algorithm: &Algorithm<'_>) -> Option<Self> {
        Self::from_oid(algorithm.oid).filter(|_| algorithm.parameters_empty())
    }

    /// Its object identifier.
    #[must_use]
    pub const fn oid(self) -> Oid {
        match self {
            Self::Sha1 => oid::SHA_1,
            Self::Sha256 => oid::SHA_256,
            Self::Sha384 => oid::SHA_384,
            Self::Sha512 => oid::SHA_512,
        }
    }

    /// Length of its output in bytes.
    #[must_use]
    pub const fn output_length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Whether it no longer resists collisions.
    #[must_use]
    pub const fn is_weak(self) -> bool {
        matches!(self, Self::Sha1)
    }

    /// The digest of `bytes`.
    #[must_use]
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        let mut hasher = Hasher::new(self);
        hasher.update(bytes);
        hasher.finish()
    }
}

/// A digest in the making.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha1(Sha1),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    /// An empty one.
    #[must_use]
    pub fn new(algorithm: HashAlgorithm) -> Self {
        Self(match algorithm {
            HashAlgorithm::Sha1 => State::Sha1(Sha1::new()),
            HashAlgorithm::Sha256 => State::Sha256(Sha256::new()),
            HashAlgorithm::Sha384 => State::Sha384(Sha384::new()),
            HashAlgorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// Takes in more of the message.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha1(state) => state.update(bytes),
            State::Sha256(state) => state.update(bytes),
            State::Sha384(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// The digest.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        match self.0 {
            State::Sha1(state) => state.finalize().to_vec(),
            State::Sha256(state) => state.finalize().to_vec(),
            State::Sha384(state) => state.finalize().to_vec(),
            State::Sha512(state) => state.finalize().to_vec(),
        }
    }
}
