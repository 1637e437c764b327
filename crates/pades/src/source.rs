//! Where the bytes of a file come from: positional reads and nothing else.
//!
//! The engine never holds a whole file. A server implements [`Source`] with positional reads, a phone with the
//! bytes it downloaded; [`Concat`] puts an appended revision ("tail") behind a base without copying either.
//! Reads are synchronous; a caller that must not block runs the engine on a blocking task.

use std::cell::Cell;

use thiserror::Error;

/// A read that could not be served.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SourceError {
    /// The range does not lie within the source.
    #[error("{len} bytes at {at} do not lie within the {total} bytes there are")]
    OutOfRange {
        /// First byte asked for.
        at: u64,
        /// Number of bytes asked for.
        len: u64,
        /// Length of the source.
        total: u64,
    },
    /// The medium failed.
    #[error("the file could not be read: {0}")]
    Medium(String),
}

/// Random access to an immutable sequence of bytes.
///
/// The bytes must not change between calls: offsets and digests that were taken stay valid for ever.
pub trait Source {
    /// Length in bytes.
    fn len(&self) -> u64;

    /// Fills `buf` with the bytes from `at` on.
    ///
    /// # Errors
    /// [`SourceError::OutOfRange`] if the range reaches past the end (nothing is filled in part),
    /// [`SourceError::Medium`] if the medium fails.
    fn read_at(&self, at: u64, buf: &mut [u8]) -> Result<(), SourceError>;

    /// Whether there is no byte at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes `at .. at + len` as a fresh vector.
    ///
    /// # Errors
    /// As [`Source::read_at`]; the length is checked before memory is taken.
    fn slice(&self, at: u64, len: usize) -> Result<Vec<u8>, SourceError> {
        check(at, len, self.len())?;
        let mut buf = vec![0; len];
        self.read_at(at, &mut buf)?;
        Ok(buf)
    }
}

impl Source for [u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> Result<(), SourceError> {
        check(at, buf.len(), Source::len(self))?;
        let outside = || SourceError::OutOfRange { at, len: buf.len() as u64, total: Source::len(self) };
        let start = usize::try_from(at).map_err(|_| outside())?;
        let bytes = self.get(start..start + buf.len()).ok_or_else(outside)?;
        buf.copy_from_slice(bytes);
        Ok(())
    }
}

impl Source for Vec<u8> {
    fn len(&self) -> u64 {
        Source::len(self.as_slice())
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> Result<(), SourceError> {
        self.as_slice().read_at(at, buf)
    }
}

impl<T: Source + ?Sized> Source for &T {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> Result<(), SourceError> {
        (**self).read_at(at, buf)
    }
}

/// A base file with an appended revision behind it.
#[derive(Clone, Copy)]
pub struct Concat<'a> {
    /// The bytes that come first.
    pub base: &'a dyn Source,
    /// The bytes that follow them.
    pub tail: &'a [u8],
}

impl<'a> Concat<'a> {
    /// `tail` behind `base`.
    pub fn new(base: &'a dyn Source, tail: &'a [u8]) -> Self {
        Self { base, tail }
    }
}

impl Source for Concat<'_> {
    fn len(&self) -> u64 {
        self.base.len() + self.tail.len() as u64
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> Result<(), SourceError> {
        check(at, buf.len(), Source::len(self))?;
        let base_len = self.base.len();
        if at >= base_len {
            return self.tail.read_at(at - base_len, buf);
        }
        let in_base = usize::try_from(base_len - at).unwrap_or(usize::MAX).min(buf.len());
        let (front, back) = buf.split_at_mut(in_base);
        self.base.read_at(at, front)?;
        if back.is_empty() { Ok(()) } else { self.tail.read_at(0, back) }
    }
}

/// The first `len` bytes of a source: a file as it was at the end of an earlier revision.
#[derive(Clone, Copy)]
pub struct Prefix<'a> {
    source: &'a dyn Source,
    len: u64,
}

impl<'a> Prefix<'a> {
    /// The first `len` bytes of `source` (all of it if it is shorter).
    pub fn new(source: &'a dyn Source, len: u64) -> Self {
        Self { source, len: len.min(source.len()) }
    }
}

impl Source for Prefix<'_> {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> Result<(), SourceError> {
        check(at, buf.len(), self.len)?;
        self.source.read_at(at, buf)
    }
}

/// Counts the bytes that are read of a source.
pub(crate) struct Counted<'a> {
    source: &'a dyn Source,
    read: Cell<u64>,
}

impl<'a> Counted<'a> {
    /// Nothing was read yet.
    pub(crate) fn new(source: &'a dyn Source) -> Self {
        Self { source, read: Cell::new(0) }
    }

    /// Bytes read so far.
    pub(crate) fn read(&self) -> u64 {
        self.read.get()
    }
}

impl Source for Counted<'_> {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> Result<(), SourceError> {
        self.read.set(self.read.get().saturating_add(buf.len() as u64));
        self.source.read_at(at, buf)
    }
}

fn check(at: u64, len: usize, total: u64) -> Result<(), SourceError> {
    let len = len as u64;
    match at.checked_add(len) {
        Some(end) if end <= total => Ok(()),
        _ => Err(SourceError::OutOfRange { at, len, total }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concat_reads_across_the_seam() {
        let base = b"hello ".to_vec();
        let both = Concat::new(&base, b"world");
        assert_eq!(both.len(), 11);
        assert_eq!(both.slice(4, 4).unwrap(), b"o wo");
        assert_eq!(both.slice(0, 6).unwrap(), b"hello ");
        assert_eq!(both.slice(6, 5).unwrap(), b"world");
        assert!(matches!(both.slice(10, 2), Err(SourceError::OutOfRange { .. })));
        assert!(both.slice(u64::MAX, 2).is_err());
    }

    #[test]
    fn a_prefix_ends_where_it_ends() {
        let base = b"hello world".to_vec();
        let prefix = Prefix::new(&base, 5);
        assert_eq!(prefix.slice(0, 5).unwrap(), b"hello");
        assert!(prefix.slice(4, 2).is_err());
    }
}
