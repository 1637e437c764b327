//! SHA-256 (FIPS 180-4) of files, kept resumable.
//!
//! A signature covers the whole file, but everything before the appended revision is known from the day of the
//! upload. So the state of the hash at the end of the base ([`Midstate`]) is stored beside it, and each later
//! preparation hashes only its own tail, whatever the size of the file.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{
    Digest as _, Sha256,
    digest::common::hazmat::{SerializableState as _, SerializedState},
};
use thiserror::Error;

use crate::source::{Source, SourceError};

/// A SHA-256 value; lower-case hex in text and JSON.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// The text is not a digest or a midstate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected {expected_bytes} bytes in hex")]
pub struct NotHex {
    expected_bytes: usize,
}

impl FromStr for Digest {
    type Err = NotHex;

    fn from_str(text: &str) -> Result<Self, NotHex> {
        from_hex(text).map(Self)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// The state of SHA-256 after a number of bytes: plain data that can be stored and resumed.
///
/// As text: `sha256:1:<length>:<104 bytes in hex>`; the `1` is the version of this form.
#[derive(Clone, PartialEq, Eq)]
pub struct Midstate {
    state: [u8; STATE],
    len: u64,
}

impl Midstate {
    /// The state before the first byte.
    pub fn start() -> Self {
        Hasher::new().midstate()
    }

    /// How many bytes were hashed to get here.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether this is the state before the first byte.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The hash, ready for the bytes that follow.
    pub fn resume(&self) -> Hasher {
        let state = SerializedState::<Sha256>::from(self.state);
        // Every state of this length was checked when the value was made.
        let hash = Sha256::deserialize(&state).unwrap_or_default();
        Hasher { hash, len: self.len }
    }
}

impl fmt::Display for Midstate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:1:{}:", self.len)?;
        self.state.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Midstate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Midstate({self})")
    }
}

impl FromStr for Midstate {
    type Err = NotHex;

    fn from_str(text: &str) -> Result<Self, NotHex> {
        let wrong = NotHex { expected_bytes: STATE };
        let (len, state) =
            text.strip_prefix("sha256:1:").and_then(|rest| rest.split_once(':')).ok_or(wrong)?;
        let len: u64 = len.parse().map_err(|_| wrong)?;
        let state: [u8; STATE] = from_hex(state)?;
        let hash = Sha256::deserialize(&SerializedState::<Sha256>::from(state)).map_err(|_| wrong)?;
        // The state counts blocks itself: a length that does not fit it is a mixed-up value.
        let resumed = Hasher { hash, len };
        if resumed.counted() == len { Ok(Self { state, len }) } else { Err(wrong) }
    }
}

impl Serialize for Midstate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Midstate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A running SHA-256 that knows how far it is.
#[derive(Clone)]
pub struct Hasher {
    hash: Sha256,
    len: u64,
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

impl Hasher {
    /// Before the first byte.
    pub fn new() -> Self {
        Self { hash: Sha256::new(), len: 0 }
    }

    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.len += bytes.len() as u64;
    }

    /// Takes in `start .. end` of a source, a chunk at a time.
    ///
    /// # Errors
    /// As [`Source::read_at`].
    pub fn update_from(&mut self, source: &dyn Source, start: u64, end: u64) -> Result<(), SourceError> {
        let mut buf = vec![0; CHUNK.min(usize::try_from(end.saturating_sub(start)).unwrap_or(CHUNK))];
        let mut at = start;
        while at < end {
            let n = usize::try_from(end - at).unwrap_or(CHUNK).min(buf.len());
            let (chunk, _) = buf.split_at_mut(n);
            source.read_at(at, chunk)?;
            self.update(chunk);
            at += n as u64;
        }
        Ok(())
    }

    /// How many bytes were taken in.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was taken in yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The state as plain data; the hash can go on.
    pub fn midstate(&self) -> Midstate {
        Midstate { state: self.hash.serialize().into(), len: self.len }
    }

    /// The digest of everything taken in.
    pub fn finish(self) -> Digest {
        Digest(self.hash.finalize().into())
    }

    /// The length by the state's own block counter and buffer position.
    fn counted(&self) -> u64 {
        let state: [u8; STATE] = self.hash.serialize().into();
        let mut blocks = [0; 8];
        blocks.copy_from_slice(&state[32..40]);
        u64::from_le_bytes(blocks).wrapping_mul(64).wrapping_add(u64::from(state[40]))
    }
}

/// One pass over a whole source: its digest and its midstate.
///
/// # Errors
/// As [`Source::read_at`].
pub fn hash_source(source: &dyn Source) -> Result<(Digest, Midstate), SourceError> {
    let mut hasher = Hasher::new();
    hasher.update_from(source, 0, source.len())?;
    let midstate = hasher.midstate();
    Ok((hasher.finish(), midstate))
}

/// The digest of a base (known by its midstate) with `tail` behind it.
pub fn resume(midstate: &Midstate, tail: &[u8]) -> Digest {
    let mut hasher = midstate.resume();
    hasher.update(tail);
    hasher.finish()
}

fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], NotHex> {
    let wrong = NotHex { expected_bytes: N };
    let bytes = text.as_bytes();
    if bytes.len() != 2 * N {
        return Err(wrong);
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
        let &[high, low] = pair else { return Err(wrong) };
        let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok()).ok_or(wrong);
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Ok(out)
}

const STATE: usize = 104;
const CHUNK: usize = 1 << 18;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_empty_digest_is_the_known_one() {
        let known = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), known);
        assert_eq!(known.parse::<Digest>().unwrap(), Digest::of(b""));
        assert!("e3b0".parse::<Digest>().is_err());
    }

    #[test]
    fn a_midstate_with_a_wrong_length_is_refused() {
        let (_, midstate) = hash_source(&vec![7; 100]).unwrap();
        let text = midstate.to_string();
        assert_eq!(text.parse::<Midstate>().unwrap(), midstate);
        assert!(text.replace(":100:", ":101:").parse::<Midstate>().is_err());
    }

    proptest! {
        #[test]
        fn resuming_equals_one_pass(base in proptest::collection::vec(any::<u8>(), 0..300), tail in proptest::collection::vec(any::<u8>(), 0..300)) {
            let (digest, midstate) = hash_source(&base).unwrap();
            prop_assert_eq!(digest, Digest::of(&base));
            let stored: Midstate = midstate.to_string().parse().unwrap();
            prop_assert_eq!(resume(&stored, &tail), Digest::of(&[base, tail].concat()));
        }
    }
}
