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
