//! Taking away what no row names: uploads that were refused, revisions whose commit never came, half-written files.

use std::fs;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use trinhky_domain::Digest;

use super::{BlobError, Blobs, FileLayer};

impl<L: FileLayer> Blobs<L> {
    /// Takes away files that were last written before `older_than` ago and that `referenced` does not know; says how
    /// many. Young files are spared, since their row may be about to be written. `now` is the file system's clock.
    ///
    /// A file is first moved aside and asked about again, so that an upload of the same bytes at this very moment is not
    /// lost: its rename makes the file young, and young files are moved back.
    ///
    /// # Errors
    /// [`BlobError::Io`], or what `referenced` failed with, as `Io`.
    pub async fn sweep<F, Fut, E>(
        &self,
        now: SystemTime,
        older_than: Duration,
        referenced: F,
    ) -> Result<u64, BlobError>
    where
        F: Fn(Digest) -> Fut,
        Fut: Future<Output = Result<bool, E>>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let limit = now.checked_sub(older_than).unwrap_or(SystemTime::UNIX_EPOCH);
        let mut swept = 0;
        for path in files_in(&self.temporary())? {
            if is_older(&path, limit)? {
                self.inner.layer.remove(&path)?;
                swept += 1;
            }
        }
        for folder in folders_in(&self.inner.root)? {
            for path in files_in(&folder)? {
                let Some(sha256) = named(&path) else { continue };
                if !is_older(&path, limit)? || referenced(sha256).await.map_err(io::Error::other)? {
                    continue;
                }
                let aside = self.temporary().join(format!("swept-{sha256}"));
                self.inner.layer.rename(&path, &aside)?;
                if is_older(&aside, limit)? && !referenced(sha256).await.map_err(io::Error::other)? {
                    self.inner.layer.remove(&aside)?;
                    swept += 1;
                } else {
                    self.inner.layer.rename(&aside, &path)?;
                    self.inner.layer.sync_folder(&folder)?;
                }
            }
        }
        Ok(swept)
    }
}

fn is_older(path: &Path, limit: SystemTime) -> io::Result<bool> {
    match fs::metadata(path).and_then(|metadata| metadata.modified()) {
        Ok(modified) => Ok(modified < limit),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Only names we gave: whatever else lies there is not ours to take away.
fn named(path: &Path) -> Option<Digest> {
    path.file_name()?.to_str()?.parse().ok()
}

fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    entries(folder, fs::Metadata::is_file)
}

fn folders_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let folders = entries(folder, fs::Metadata::is_dir)?;
    Ok(folders.into_iter().filter(|path| path.file_name().is_some_and(|name| name.len() == 2)).collect())
}

fn entries(folder: &Path, wanted: fn(&fs::Metadata) -> bool) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.metadata().is_ok_and(|metadata| wanted(&metadata)) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_old_files_that_no_row_names_are_swept() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = Blobs::open(folder.path()).expect("opens");
        let kept = blobs.keep(b"named by a row").expect("kept").sha256;
        let lost = blobs.keep(b"named by none").expect("kept").sha256;
        std::mem::forget(blobs.create().expect("half written"));
        let referenced = |sha256| async move { Ok::<_, io::Error>(sha256 == kept) };
        let written =
            fs::metadata(blobs.path(lost)).and_then(|metadata| metadata.modified()).expect("a time");
        let soon = written + Duration::from_mins(1);
        assert_eq!(blobs.sweep(soon, Duration::from_hours(1), referenced).await.expect("swept"), 0);
        let later = written + Duration::from_hours(2);
        assert_eq!(blobs.sweep(later, Duration::from_hours(1), referenced).await.expect("swept"), 2);
        assert!(blobs.contains(kept) && !blobs.contains(lost));
    }
}
