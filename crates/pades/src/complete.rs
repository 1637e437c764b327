//! The second half of a signature: the checked CMS goes into the gap, and nothing else changes.
//!
//! Only a [`CheckedCms`] goes in, and only `cms::check` makes one: what was not verified cannot be embedded.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    cms::CheckedCms,
    digest::{Digest, Midstate},
    index::BaseIndex,
    prepare::{Gap, Prepared},
};

/// A signed revision: base and tail together are the new file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignedTail {
    /// What is appended to the base.
    #[serde(with = "crate::prepare::base64_bytes")]
    pub tail: Vec<u8>,
    /// SHA-256 of the whole new file.
    pub sha256: Digest,
    /// Length of the whole new file.
    pub len: u64,
    /// The hash at its end.
    pub midstate: Midstate,
    /// What the next revision needs.
    pub index: BaseIndex,
}

/// Why a CMS does not complete a prepared revision. [`CompleteError::code`] is stable.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CompleteError {
    /// It signs other bytes.
    #[error("the signature is over other bytes than were prepared")]
    OtherDigest,
    /// It is by another certificate.
    #[error("the signature is by another certificate than was prepared for")]
    OtherCertificate,
    /// It is larger than the gap.
    #[error("the signature has {len} bytes, but only {room} were kept free; prepare again with more")]
    TooLarge {
        /// Bytes it has.
        len: u64,
        /// Bytes there are.
        room: u64,
    },
    /// The stored value contradicts itself.
    #[error("the prepared revision is damaged: prepare again")]
    Damaged,
}

impl CompleteError {
    /// Stable, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OtherDigest => "other_digest",
            Self::OtherCertificate => "other_certificate",
            Self::TooLarge { .. } => "signature_too_large",
            Self::Damaged => "prepared_damaged",
        }
    }
}

impl Prepared {
    /// Puts the signature into its gap.
    ///
    /// # Errors
    /// [`CompleteError`]; nothing was changed.
    pub fn complete(self, cms: &CheckedCms) -> Result<SignedTail, CompleteError> {
        if *cms.digest() != self.digest {
            return Err(CompleteError::OtherDigest);
        }
        if cms.certificate().sha256() != self.certificate_sha256 {
            return Err(CompleteError::OtherCertificate);
        }
        let revision =
            Waiting { midstate: &self.base_midstate, tail: self.tail, gap: self.contents, next: self.next };
        revision.filled(cms.as_der())
    }
}

/// A revision that waits for what goes into its gap.
pub(crate) struct Waiting<'a> {
    /// The hash at the end of the base.
    pub(crate) midstate: &'a Midstate,
    pub(crate) tail: Vec<u8>,
    pub(crate) gap: Gap,
    /// The index of the new file but for its digest.
    pub(crate) next: BaseIndex,
}

impl Waiting<'_> {
    /// Writes `der` as hex digits into the gap; the rest of it stays zero.
    pub(crate) fn filled(mut self, der: &[u8]) -> Result<SignedTail, CompleteError> {
        let (len, room) = (der.len() as u64, self.gap.hex_len / 2);
        if len > room {
            return Err(CompleteError::TooLarge { len, room });
        }
        let start = usize::try_from(self.gap.at_in_tail).map_err(|_| CompleteError::Damaged)?;
        let digits = usize::try_from(self.gap.hex_len).map_err(|_| CompleteError::Damaged)?;
        let end =
            start.checked_add(digits).and_then(|end| end.checked_add(2)).ok_or(CompleteError::Damaged)?;
        let Some([b'<', gap @ .., b'>']) = self.tail.get_mut(start..end) else {
            return Err(CompleteError::Damaged);
        };
        if gap.iter().fold(0, |other, &digit| other | (digit ^ b'0')) != 0 {
            return Err(CompleteError::Damaged);
        }
        for (pair, byte) in gap.chunks_exact_mut(2).zip(der) {
            pair.copy_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        let mut hasher = self.midstate.resume();
        hasher.update(&self.tail);
        let (len, midstate) = (hasher.len(), hasher.midstate());
        let sha256 = hasher.finish();
        let index = BaseIndex { len, sha256, ..self.next };
        Ok(SignedTail { tail: self.tail, sha256, len, midstate, index })
    }
}

const HEX: [u8; 16] = *b"0123456789abcdef";
