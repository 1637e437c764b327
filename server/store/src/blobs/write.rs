//! Writing: hashed in passing, named by what came out, durable before anyone hears of it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use trinhky_domain::Digest;

use super::{BlobError, Blobs, Disk, FileLayer};

/// Bytes that are on disk under their name and will survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Their name.
    pub sha256: Digest,
    /// How many.
    pub length: u64,
}

/// A file being written; dropped without [`finish`](Self::finish) it is gone. Synchronous: use it on a blocking task.
#[derive(Debug)]
pub struct Writer<L: FileLayer = Disk> {
    blobs: Blobs<L>,
    path: PathBuf,
    file: File,
    hash: Sha256,
    length: u64,
    named: bool,
}

impl<L: FileLayer> Blobs<L> {
    /// Begins a new file.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub fn create(&self) -> Result<Writer<L>, BlobError> {
        for _ in 0..MAX_NAMES {
            let number = self.inner.next.fetch_add(1, Ordering::Relaxed);
            let path = self.temporary().join(format!("{}-{number}", std::process::id()));
            match self.inner.layer.create(&path) {
                Ok(file) => {
                    return Ok(Writer {
                        blobs: self.clone(),
                        path,
                        file,
                        hash: Sha256::new(),
                        length: 0,
                        named: false,
                    });
                }
                // Left by an older process of this number, or in use by one in another container: never touched here.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::Error::from(io::ErrorKind::AlreadyExists).into())
    }

    /// Keeps bytes that are at hand. Synchronous.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub fn keep(&self, bytes: &[u8]) -> Result<Written, BlobError> {
        let mut writer = self.create()?;
        writer.write_all(bytes)?;
        writer.finish()
    }

    /// Keeps what a stream brings, up to `limit` bytes. Only a few chunks are in memory at a time.
    ///
    /// # Errors
    /// [`BlobError::TooLong`], or [`BlobError::Io`] when sender or disk fails; nothing is kept then.
    pub async fn put<S, E>(&self, mut chunks: S, limit: u64) -> Result<Written, BlobError>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (sender, mut receiver) = mpsc::channel::<Option<Bytes>>(CHUNKS_IN_MEMORY);
        let blobs = self.clone();
        let writing = tokio::task::spawn_blocking(move || {
            let mut writer = blobs.create()?;
            loop {
                match receiver.blocking_recv() {
                    Some(Some(chunk)) if writer.length + chunk.len() as u64 > limit => {
                        return Err(BlobError::TooLong { limit });
                    }
                    Some(Some(chunk)) => writer.write_all(&chunk)?,
                    Some(None) => return writer.finish(),
                    // The sender gave up half way.
                    None => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                }
            }
        });
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Ok(chunk) => {
                    if sender.send(Some(chunk)).await.is_err() {
                        // The writer has stopped and says why below.
                        break;
                    }
                }
                Err(error) => {
                    drop(sender);
                    let _ = writing.await;
                    return Err(io::Error::other(error).into());
                }
            }
        }
        let _ = sender.send(None).await;
        drop(sender);
        writing.await.map_err(io::Error::other)?
    }
}

impl<L: FileLayer> Writer<L> {
    /// Makes the bytes durable under their name. Only after this may a row name them.
    ///
    /// # Errors
    /// [`BlobError::Io`]; nothing is kept then.
    pub fn finish(mut self) -> Result<Written, BlobError> {
        let sha256 = Digest(self.hash.clone().finalize().into());
        let layer = &self.blobs.inner.layer;
        layer.sync_file(&self.path, &self.file)?;
        let target = self.blobs.path(sha256);
        let folder = target.parent().map_or_else(|| self.blobs.inner.root.clone(), PathBuf::from);
        if !folder.is_dir() {
            fs::create_dir_all(&folder)?;
            layer.sync_folder(&self.blobs.inner.root)?;
        }
        // Over a file of the same name, if there is one: the same bytes, but young again, so the sweep spares them.
        layer.rename(&self.path, &target)?;
        self.named = true;
        layer.sync_folder(&folder)?;
        Ok(Written { sha256, length: self.length })
    }
}

impl<L: FileLayer> Writer<L> {
    pub(super) fn path(&self) -> &std::path::Path {
        &self.path
    }

    pub(super) const fn length(&self) -> u64 {
        self.length
    }
}

impl<L: FileLayer> Write for Writer<L> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.blobs.inner.layer.write(&self.path, &mut self.file, bytes)?;
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<L: FileLayer> Drop for Writer<L> {
    fn drop(&mut self) {
        if !self.named {
            // Best effort: what stays behind is swept later.
            let _ = self.blobs.inner.layer.remove(&self.path);
        }
    }
}

const CHUNKS_IN_MEMORY: usize = 4;
const MAX_NAMES: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blobs::{Act, Recording};
    use futures::stream;

    #[test]
    fn a_file_is_synced_and_named_and_its_folder_synced_before_anyone_hears_of_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let recording = Recording::default();
        let blobs = Blobs::open_on(folder.path(), recording.clone()).expect("opens");
        let written = blobs.keep(b"abc").expect("kept");
        recording.note(Act::Commit);
        let target = blobs.path(written.sha256);
        let parent = target.parent().expect("a folder").to_owned();
        let acts = recording.acts();
        let place = |wanted: &dyn Fn(&Act) -> bool| acts.iter().position(wanted).expect("it was done");
        let write = place(&|act| matches!(act, Act::Write(_)));
        let sync = place(&|act| matches!(act, Act::SyncFile(_)));
        let rename = place(&|act| matches!(act, Act::Rename(_, to) if *to == target));
        let folder_sync = place(&|act| *act == Act::SyncFolder(parent.clone()));
        let commit = place(&|act| *act == Act::Commit);
        assert!(write < sync && sync < rename && rename < folder_sync && folder_sync < commit, "{acts:?}");
        let root_sync = place(&|act| *act == Act::SyncFolder(folder.path().to_owned()));
        assert!(root_sync < commit, "the new folder's own name is synced too");
    }

    #[test]
    fn a_writer_that_is_dropped_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = Blobs::open(folder.path()).expect("opens");
        let mut writer = blobs.create().expect("begins");
        writer.write_all(b"half").expect("writes");
        drop(writer);
        assert_eq!(fs::read_dir(folder.path().join("tmp")).expect("reads").count(), 0);
    }

    #[test]
    fn another_process_with_the_same_number_is_not_disturbed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (Blobs::open(folder.path()), Blobs::open(folder.path()));
        let mut first = one.expect("opens").create().expect("begins");
        let mut second = other.expect("opens").create().expect("begins");
        first.write_all(b"first").expect("writes");
        second.write_all(b"second").expect("writes");
        let names = [first.finish().expect("kept").sha256, second.finish().expect("kept").sha256];
        assert_eq!(names, [b"first".as_slice(), b"second"].map(Digest::of));
    }

    #[tokio::test]
    async fn a_stream_is_kept_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = Blobs::open(folder.path()).expect("opens");
        let chunks = || stream::iter((0..100u8).map(|n| Ok::<_, io::Error>(Bytes::from(vec![n; 1_000]))));
        let written = blobs.put(chunks(), 100_000).await.expect("kept");
        assert_eq!(written.length, 100_000);
        assert!(blobs.contains(written.sha256));
        let refused = blobs.put(chunks(), 99_999).await.expect_err("too long");
        assert!(matches!(refused, BlobError::TooLong { limit: 99_999 }));
        let broken = chunks().take(3).chain(stream::iter([Err(io::Error::other("the line broke"))]));
        assert!(matches!(blobs.put(broken, 100_000).await, Err(BlobError::Io(_))));
        assert_eq!(fs::read_dir(folder.path().join("tmp")).expect("reads").count(), 0);
    }
}
