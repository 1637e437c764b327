//! BER (X.690 clause 8) reduced to definite lengths and primitive strings, so that one DER reader serves both.
//!
//! Foreign signatures are often written as BER streams (indefinite lengths, strings in chunks). Parts that hold
//! neither are copied byte for byte: certificates and signed attributes inside keep the bytes that were signed.
//! This is not a canonicaliser: it does not sort sets and does not touch values.

use std::borrow::Cow;

use thiserror::Error;

use super::push_length;

const MAX_DEPTH: usize = 48;
/// Revocation lists within signatures have hundreds of thousands.
const MAX_ELEMENTS: usize = 4_000_000;

/// Why bytes are not usable BER.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum BerError {
    #[error("the element ends before its length says")]
    Truncated,
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("more than {MAX_ELEMENTS} elements")]
    TooMany,
    #[error("an indefinite length without constructed form, or a string of mixed parts")]
    BadForm,
}

/// The first element of `bytes` with definite lengths, and how many input bytes it took.
pub(crate) fn definite(bytes: &[u8]) -> Result<(Cow<'_, [u8]>, usize), BerError> {
    let mut walk = Walk { bytes, at: 0, elements: 0 };
    let out = walk.element(0)?;
    Ok((out, walk.at))
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    elements: usize,
}

struct Head {
    tag_length: usize,
    tag: u8,
    /// `None`: indefinite.
    length: Option<usize>,
    minimal: bool,
}

impl<'a> Walk<'a> {
    fn element(&mut self, depth: usize) -> Result<Cow<'a, [u8]>, BerError> {
        if depth > MAX_DEPTH {
            return Err(BerError::TooDeep);
        }
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(BerError::TooMany);
        }
        let start = self.at;
        let head = self.head()?;
        let constructed = head.tag & 0x20 != 0;
        let body = self.at;
        let (content, changed) = match (head.length, constructed) {
            (None, false) => return Err(BerError::BadForm),
            (Some(length), false) => {
                let end = body.checked_add(length).ok_or(BerError::Truncated)?;
                let content = self.bytes.get(body..end).ok_or(BerError::Truncated)?;
                self.at = end;
                (Cow::Borrowed(content), !head.minimal)
            }
            (Some(length), true) => {
                let end = body.checked_add(length).filter(|end| *end <= self.bytes.len());
                let end = end.ok_or(BerError::Truncated)?;
                // Children must not read past their parent.
                let inner = self.bytes.get(..end).ok_or(BerError::Truncated)?;
                let outer = std::mem::replace(&mut self.bytes, inner);
                let result = self.children(depth, Some(end), &head);
                self.bytes = outer;
                let (content, changed) = result?;
                (content, changed || !head.minimal)
            }
            (None, true) => {
                let (content, _) = self.children(depth, None, &head)?;
                (content, true)
            }
        };
        let string = constructed && is_string(head.tag);
        if !changed && !string {
            return self.bytes.get(start..self.at).map(Cow::Borrowed).ok_or(BerError::Truncated);
        }
        let tag_bytes = self.bytes.get(start..start + head.tag_length).ok_or(BerError::Truncated)?;
        let mut out = Vec::with_capacity(content.len() + 12);
        out.extend_from_slice(tag_bytes);
        if let (true, Some(first)) = (string, out.first_mut()) {
            *first &= !0x20;
        }
        push_length(&mut out, content.len());
        out.extend_from_slice(&content);
        Ok(Cow::Owned(out))
    }

    /// The content made of the children until `end`, or until the end-of-contents octets.
    fn children(
        &mut self,
        depth: usize,
        end: Option<usize>,
        head: &Head,
    ) -> Result<(Cow<'a, [u8]>, bool), BerError> {
        let start = self.at;
        let string = is_string(head.tag);
        let mut out: Option<Vec<u8>> = (string || end.is_none()).then(Vec::new);
        let mut unused_bits = 0;
        loop {
            match end {
                Some(end) if self.at == end => break,
                None if self.bytes.get(self.at..self.at + 2) == Some(&[0, 0]) => {
                    self.at += 2;
                    break;
                }
                _ => {}
            }
            let child_start = self.at;
            let child = self.element(depth + 1)?;
            if string {
                let chunk = string_chunk(&child, head.tag, &mut unused_bits)?;
                out.get_or_insert_default().extend_from_slice(chunk);
            } else if let Some(out) = &mut out {
                out.extend_from_slice(&child);
            } else if let Cow::Owned(child) = child {
                let mut copied = self.bytes.get(start..child_start).ok_or(BerError::Truncated)?.to_vec();
                copied.extend_from_slice(&child);
                out = Some(copied);
            }
        }
        if head.tag & 0x1f == 3 && string {
            out.get_or_insert_default().insert(0, unused_bits);
        }
        match out {
            Some(out) => Ok((Cow::Owned(out), true)),
            None => Ok((Cow::Borrowed(self.bytes.get(start..self.at).ok_or(BerError::Truncated)?), false)),
        }
    }

    fn head(&mut self) -> Result<Head, BerError> {
        let start = self.at;
        let tag = self.byte()?;
        if tag & 0x1f == 0x1f {
            for extra in 0.. {
                let more = self.byte()? & 0x80 != 0;
                if !more {
                    break;
                }
                if extra == 3 {
                    return Err(BerError::BadForm);
                }
            }
        }
        let tag_length = self.at - start;
        let first = self.byte()?;
        let (length, minimal) = match first {
            0..=0x7f => (Some(usize::from(first)), true),
            0x80 => (None, true),
            0x81..=0x88 => {
                let mut length: u64 = 0;
                let mut minimal = true;
                for nth in 0..first & 0x7f {
                    let byte = self.byte()?;
                    minimal &= nth != 0 || byte != 0;
                    length = (length << 8) | u64::from(byte);
                }
                (Some(usize::try_from(length).map_err(|_| BerError::Truncated)?), minimal && length >= 0x80)
            }
            _ => return Err(BerError::BadForm),
        };
        Ok(Head { tag_length, tag, length, minimal })
    }

    fn byte(&mut self) -> Result<u8, BerError> {
        let byte = *self.bytes.get(self.at).ok_or(BerError::Truncated)?;
        self.at += 1;
        Ok(byte)
    }
}

/// Universal string types that BER may write in chunks.
fn is_string(tag: u8) -> bool {
    tag & 0xc0 == 0 && tag & 0x20 != 0 && matches!(tag & 0x1f, 3 | 4 | 12 | 18..=22 | 26..=28 | 30)
}

/// The bytes that one (already primitive) chunk adds to its string.
fn string_chunk<'c>(child: &'c [u8], parent: u8, unused_bits: &mut u8) -> Result<&'c [u8], BerError> {
    let (raw, _) = super::Raw::first(child).map_err(|_| BerError::BadForm)?;
    let any = raw.any().map_err(|_| BerError::BadForm)?;
    if child.first().copied() != Some(parent & !0x20) || *unused_bits != 0 {
        return Err(BerError::BadForm);
    }
    if parent & 0x1f != 3 {
        return Ok(any.value());
    }
    let (unused, bits) = any.value().split_first().ok_or(BerError::BadForm)?;
    if *unused > 7 {
        return Err(BerError::BadForm);
    }
    *unused_bits = *unused;
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::{BerError, definite};

    #[test]
    fn der_is_untouched() {
        let der = [0x30, 0x05, 0x04, 0x03, 1, 2, 3, 0xff];
        let (out, used) = definite(&der).unwrap();
        assert!(matches!(out, Cow::Borrowed(_)));
        assert_eq!((&*out, used), (&der[..7], 7));
    }

    #[test]
    fn chunks_and_indefinite_lengths_are_joined() {
        let ber = [0x30, 0x80, 0x24, 0x80, 0x04, 1, 7, 0x04, 2, 8, 9, 0, 0, 0x02, 1, 5, 0, 0];
        let (out, used) = definite(&ber).unwrap();
        assert_eq!(used, ber.len());
        assert_eq!(&*out, &[0x30, 8, 0x04, 3, 7, 8, 9, 0x02, 1, 5]);
    }

    #[test]
    fn a_bit_string_in_chunks_keeps_its_unused_bits() {
        let ber = [0x23, 0x80, 0x03, 2, 0, 0xaa, 0x03, 2, 4, 0xf0, 0, 0];
        assert_eq!(&*definite(&ber).unwrap().0, &[0x03, 3, 4, 0xaa, 0xf0]);
    }

    #[test]
    fn bombs_and_lies_are_refused() {
        let deep = [0x30, 0x80].repeat(4000);
        assert_eq!(definite(&deep).unwrap_err(), BerError::TooDeep);
        assert_eq!(definite(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).unwrap_err(), BerError::Truncated);
        assert_eq!(definite(&[0x30, 4, 0x04, 9, 1, 1]).unwrap_err(), BerError::Truncated);
        assert_eq!(definite(&[0x04, 0x80, 0, 0]).unwrap_err(), BerError::BadForm);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok((out, used)) = definite(&bytes) {
                prop_assert!(used <= bytes.len());
                // A second pass changes nothing.
                prop_assert_eq!(&*definite(&out).unwrap().0, &*out);
            }
        }
    }
}
