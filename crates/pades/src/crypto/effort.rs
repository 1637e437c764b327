//! What checking one file may cost: counted, not measured, so that a file has the same answer on every machine.
//!
//! Each search and each list has bounds of its own; here is the one over all of them, for a hostile file multiplies them:
//! signatures by certificates by lists. A signature value that was checked once is not checked again. When the effort is
//! spent, nothing more is found to hold, and whoever asks says so.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{CryptoError, Provider, PublicKey, SignatureAlgorithm};
use crate::digest::Digest;

/// What one file may cost, in about microseconds. A file with fifty signatures, their time stamps, chains and revocation
/// takes a fiftieth of it.
const WHOLE: u64 = 2_000_000;
/// How many bytes are hashed in one microsecond.
const HASHED: usize = 256;

/// How much effort is left for a file, and which signature values were checked already.
#[derive(Debug)]
pub(crate) struct Effort {
    left: AtomicU64,
    checked: Mutex<HashMap<Digest, Result<(), CryptoError>>>,
}

impl Default for Effort {
    fn default() -> Self {
        Self { left: AtomicU64::new(WHOLE), checked: Mutex::default() }
    }
}

impl Effort {
    /// Takes `cost` from what is left; false, now and ever after, once there is not enough.
    pub(crate) fn spend(&self, cost: usize) -> bool {
        let cost = u64::try_from(cost).unwrap_or(u64::MAX);
        let taken =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(cost));
        if taken.is_err() {
            self.left.store(0, Ordering::Relaxed);
        }
        taken.is_ok() && !self.is_spent()
    }

    /// Whether something was left out for want of effort.
    pub(crate) fn is_spent(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    /// Begins anew, without forgetting what was checked.
    pub(crate) fn renew(&self) {
        self.left.store(WHOLE, Ordering::Relaxed);
    }

    /// `provider`, at the expense of this effort.
    pub(crate) fn metered<'e>(&'e self, provider: &'e dyn Provider) -> Metered<'e> {
        Metered { effort: self, provider }
    }

    /// The answer of `check`, which is told by `parts`; asked once.
    pub(crate) fn once(
        &self,
        parts: &[&[u8]],
        cost: usize,
        check: impl FnOnce() -> Result<(), CryptoError>,
    ) -> Result<(), CryptoError> {
        if !self.spend(parts.iter().map(|part| part.len()).sum::<usize>() / HASHED) {
            return Err(CryptoError::TooMany);
        }
        let checked = || self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        let key = together(parts);
        if let Some(known) = checked().get(&key) {
            return *known;
        }
        if !self.spend(cost) {
            return Err(CryptoError::TooMany);
        }
        let answer = check();
        if answer != Err(CryptoError::TooMany) {
            checked().insert(key, answer);
        }
        answer
    }
}

/// A provider that counts what it does and does nothing twice.
#[derive(Clone, Copy)]
pub(crate) struct Metered<'e> {
    effort: &'e Effort,
    provider: &'e dyn Provider,
}

impl Provider for Metered<'_> {
    fn name(&self) -> &'static str {
        self.provider.name()
    }

    fn verify_digest(
        &self,
        algorithm: SignatureAlgorithm,
        key: &PublicKey<'_>,
        digest: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        let (kind, bytes) = match key {
            PublicKey::Rsa { der, schemes, .. } => (format!("{algorithm:?} {schemes:?}"), *der),
            PublicKey::P256(point) => (format!("{algorithm:?} 256"), *point),
            PublicKey::P384(point) => (format!("{algorithm:?} 384"), *point),
            PublicKey::P521(point) => (format!("{algorithm:?} 521"), *point),
            PublicKey::Ed25519(point) => (format!("{algorithm:?}"), point.as_slice()),
        };
        self.effort.once(&[kind.as_bytes(), bytes, digest, signature], cost(key), || {
            self.provider.verify_digest(algorithm, key, digest, signature)
        })
    }

    fn verify_ed25519(&self, key: &[u8; 32], message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        self.effort.once(&[key, message, signature], cost(&PublicKey::Ed25519(key)), || {
            self.provider.verify_ed25519(key, message, signature)
        })
    }

    fn verify_message(
        &self,
        algorithm: SignatureAlgorithm,
        key: &PublicKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        if !self.effort.spend(1 + message.len() / HASHED) {
            return Err(CryptoError::TooMany);
        }
        match (algorithm.hash(), key) {
            (Some(hash), _) => self.verify_digest(algorithm, key, &hash.digest(message), signature),
            (None, PublicKey::Ed25519(key)) => self.verify_ed25519(key, message, signature),
            (None, _) => Err(CryptoError::WrongKey),
        }
    }
}

/// One check with this key, in pure Rust.
fn cost(key: &PublicKey<'_>) -> usize {
    match key {
        PublicKey::Rsa { modulus, .. } => modulus.len() * modulus.len() / 1024,
        PublicKey::Ed25519(_) => 60,
        PublicKey::P256(_) => 150,
        PublicKey::P384(_) => 400,
        PublicKey::P521(_) => 800,
    }
}

/// The digest of parts, none of which can pass for a piece of another.
fn together(parts: &[&[u8]]) -> Digest {
    let mut whole = Vec::new();
    for part in parts {
        whole.extend_from_slice(&part.len().to_be_bytes());
        whole.extend_from_slice(part);
    }
    Digest::of(&whole)
}

#[cfg(test)]
mod tests {
    use super::{Effort, WHOLE};

    #[test]
    fn what_is_spent_stays_spent() {
        let effort = Effort::default();
        assert!(effort.spend(usize::try_from(WHOLE).unwrap() - 1) && !effort.is_spent());
        assert!(!effort.spend(2) && effort.is_spent());
        assert!(!effort.spend(0) && !effort.spend(1));
        effort.renew();
        assert!(effort.spend(1));
    }
}
