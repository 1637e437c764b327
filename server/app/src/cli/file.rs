//! A file on disk as a [`Source`]: positional reads, so that memory does not grow with it.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use anyhow::Context as _;
use trinhky_pades::{Source, SourceError};

/// An open file that nobody changes meanwhile.
pub(super) struct FileSource {
    file: File,
    len: u64,
}

impl FileSource {
    /// Opens a regular file.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        let metadata = file.metadata().with_context(|| path.display().to_string())?;
        anyhow::ensure!(metadata.is_file(), "{}: not a regular file", path.display());
        Ok(Self { file, len: metadata.len() })
    }

    /// A file that is open already.
    pub(super) fn of(file: File) -> anyhow::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file, len })
    }
}

impl Source for FileSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> Result<(), SourceError> {
        let len = buf.len() as u64;
        if at.checked_add(len).is_none_or(|end| end > self.len) {
            return Err(SourceError::OutOfRange { at, len, total: self.len });
        }
        self.file.read_exact_at(buf, at).map_err(|error| SourceError::Medium(error.to_string()))
    }
}

/// A source in which some bytes are others: a file as it will be once they are written.
pub(super) struct Patched<'a> {
    pub(super) base: &'a dyn Source,
    /// Where the other bytes begin; they lie within the base.
    pub(super) at: u64,
    pub(super) bytes: &'a [u8],
}

impl Source for Patched<'_> {
    fn len(&self) -> u64 {
        self.base.len()
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> Result<(), SourceError> {
        self.base.read_at(at, buf)?;
        let end = at.saturating_add(buf.len() as u64);
        let patched = self.at..self.at.saturating_add(self.bytes.len() as u64);
        let (from, to) = (patched.start.max(at), patched.end.min(end));
        let within = |base: u64| {
            let place = |position: u64| usize::try_from(position.saturating_sub(base)).unwrap_or(usize::MAX);
            place(from)..place(to)
        };
        if from < to
            && let (Some(place), Some(bytes)) = (buf.get_mut(within(at)), self.bytes.get(within(self.at)))
        {
            place.copy_from_slice(bytes);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patched_source_reads_as_the_patched_file() {
        let base: Vec<u8> = (0..12).collect();
        for len in 0..=4 {
            let bytes = vec![255; len];
            for at in 0..=base.len() - len {
                let mut whole = base.clone();
                whole.splice(at..at + len, bytes.iter().copied());
                let patched = Patched { base: &base, at: at as u64, bytes: &bytes };
                for from in 0..base.len() {
                    for to in from..=base.len() {
                        let read = patched.slice(from as u64, to - from).expect("within the file");
                        assert_eq!(read, whole[from..to], "{len} at {at}, {from}..{to}");
                    }
                }
            }
        }
    }
}
