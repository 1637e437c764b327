//! What is asked of the file system, as a trait, because a kill cannot show a missing sync: the recording layer does.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The acts that durability depends on.
pub trait FileLayer: std::fmt::Debug + Send + Sync + 'static {
    /// Makes a new file; an existing one is an error.
    ///
    /// # Errors
    /// What the file system says.
    fn create(&self, path: &Path) -> io::Result<File>;

    /// Writes all bytes.
    ///
    /// # Errors
    /// What the file system says.
    fn write(&self, path: &Path, file: &mut File, bytes: &[u8]) -> io::Result<()>;

    /// Makes the file's bytes survive a power cut.
    ///
    /// # Errors
    /// What the file system says.
    fn sync_file(&self, path: &Path, file: &File) -> io::Result<()>;

    /// Gives a file its name, over an older one of the same name.
    ///
    /// # Errors
    /// What the file system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes the names in a folder survive a power cut.
    ///
    /// # Errors
    /// What the file system says.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// Takes a file away.
    ///
    /// # Errors
    /// What the file system says.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// The real one.
#[derive(Debug, Clone, Copy)]
pub struct Disk;

impl FileLayer for Disk {
    fn create(&self, path: &Path) -> io::Result<File> {
        File::options().write(true).create_new(true).open(path)
    }

    fn write(&self, _: &Path, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync_file(&self, _: &Path, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}

/// One act of the recording layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// A file was made.
    Create(PathBuf),
    /// Bytes were written to it.
    Write(PathBuf),
    /// Its bytes were synced.
    SyncFile(PathBuf),
    /// It got its name.
    Rename(PathBuf, PathBuf),
    /// A folder's names were synced.
    SyncFolder(PathBuf),
    /// A file was taken away.
    Remove(PathBuf),
    /// The test noted a commit of rows.
    Commit,
}

/// A layer that does what [`Disk`] does and keeps the order of what was done.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    acts: Arc<Mutex<Vec<Act>>>,
}

impl Recording {
    /// Notes an act: the caller's commit of rows.
    pub fn note(&self, act: Act) {
        self.acts.lock().unwrap_or_else(PoisonError::into_inner).push(act);
    }

    /// What was done so far, in order.
    pub fn acts(&self) -> Vec<Act> {
        self.acts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl FileLayer for Recording {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.note(Act::Create(path.to_owned()));
        Disk.create(path)
    }

    fn write(&self, path: &Path, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        self.note(Act::Write(path.to_owned()));
        Disk.write(path, file, bytes)
    }

    fn sync_file(&self, path: &Path, file: &File) -> io::Result<()> {
        Disk.sync_file(path, file)?;
        self.note(Act::SyncFile(path.to_owned()));
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Disk.rename(from, to)?;
        self.note(Act::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        Disk.sync_folder(path)?;
        self.note(Act::SyncFolder(path.to_owned()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.note(Act::Remove(path.to_owned()));
        Disk.remove(path)
    }
}
