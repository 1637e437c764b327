//! Immutable files named by the SHA-256 of their bytes, under one folder: `ab/abcdef…`, and `tmp/` for what is being
//! written.
//!
//! The order that makes a row trustworthy: write, sync the file, rename, sync the folder, and only then commit the row
//! that names it. Killed before that, the file is merely unreferenced, and [`Blobs::sweep`] takes it away. Memory never
//! grows with a file: writing streams, reading is positional ([`Segments`] is a `trinhky_pades::Source`).

mod layer;
mod read;
mod sweep;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use trinhky_domain::Digest;

pub use layer::{Act, Disk, FileLayer, Recording};
pub use read::Segments;
pub use write::{Writer, Written};

/// Bytes could not be kept or found.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// More bytes came than are allowed; nothing was kept.
    #[error("longer than the {limit} bytes that are allowed")]
    TooLong {
        /// The limit in bytes.
        limit: u64,
    },
    /// A row names bytes that are not on disk, or not as many as it says.
    #[error("the bytes {0} are not on disk as their row says")]
    Missing(Digest),
    /// The sender or the disk failed; nothing was kept.
    #[error("the bytes could not be read or written: {0}")]
    Io(#[from] std::io::Error),
}

/// The files of one installation. Cheap to clone.
#[derive(Debug)]
pub struct Blobs<L: FileLayer = Disk> {
    inner: Arc<Inner<L>>,
}

#[derive(Debug)]
struct Inner<L> {
    root: PathBuf,
    layer: L,
    /// Names temporary files within this process; the process id tells processes apart.
    next: AtomicU64,
}

impl<L: FileLayer> Clone for Blobs<L> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl Blobs {
    /// Opens the folder, making it where needed.
    ///
    /// # Errors
    /// [`BlobError::Io`] when the folder cannot be made.
    pub fn open(root: &Path) -> Result<Self, BlobError> {
        Self::open_on(root, Disk)
    }
}

impl<L: FileLayer> Blobs<L> {
    /// The same on another file layer: tests record what is done, in which order.
    ///
    /// # Errors
    /// [`BlobError::Io`] when the folder cannot be made.
    pub fn open_on(root: &Path, layer: L) -> Result<Self, BlobError> {
        std::fs::create_dir_all(root.join(TEMPORARY))?;
        let inner = Inner { root: root.to_owned(), layer, next: AtomicU64::new(0) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether the bytes are on disk.
    pub fn contains(&self, sha256: Digest) -> bool {
        self.path(sha256).is_file()
    }

    fn path(&self, sha256: Digest) -> PathBuf {
        let name = sha256.to_string();
        self.inner.root.join(name.get(..2).unwrap_or_default()).join(name)
    }

    fn temporary(&self) -> PathBuf {
        self.inner.root.join(TEMPORARY)
    }
}

const TEMPORARY: &str = "tmp";
