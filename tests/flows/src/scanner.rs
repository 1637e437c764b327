//! The real clamd, with a database of signatures of our own: what it finds is told to it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::process::Child;

use crate::process::command;

/// A running scanner; it ends with this value.
pub struct Clamd {
    folder: TempDir,
    process: Child,
}

impl Clamd {
    /// Starts a scanner that finds `mark`.
    ///
    /// # Errors
    /// clamd is not installed, or opens no socket.
    pub async fn start(mark: &[u8]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("trinhky-clamd-").tempdir()?;
        std::fs::create_dir_all(folder.path().join("database"))?;
        learn(folder.path(), mark)?;
        let process = run(folder.path()).await?;
        Ok(Self { folder, process })
    }

    /// Where it listens, as the settings write it.
    pub fn address(&self) -> String {
        format!("unix:{}", socket(self.folder.path()).display())
    }

    /// From now on it finds `mark` too.
    ///
    /// # Errors
    /// It does not start again.
    pub async fn learns(&mut self, mark: &[u8]) -> Result<()> {
        self.stop().await?;
        learn(self.folder.path(), mark)?;
        self.process = run(self.folder.path()).await?;
        Ok(())
    }

    /// It is not there any more.
    ///
    /// # Errors
    /// It cannot be ended.
    pub async fn stop(&mut self) -> Result<()> {
        self.process.kill().await?;
        // A socket nobody listens on.
        match std::fs::remove_file(socket(self.folder.path())) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("clamd.sock")
}

fn learn(folder: &Path, mark: &[u8]) -> Result<()> {
    let digits = hex::encode(mark);
    let known = format!("Trinhky.Test.{}:0:*:{digits}\n", digits.get(..8).unwrap_or(&digits));
    Ok(std::fs::write(folder.join("database").join(format!("{digits}.ndb")), known)?)
}

async fn run(folder: &Path) -> Result<Child> {
    let settings = folder.join("clamd.conf");
    let text = format!(
        "Foreground yes\nLocalSocket {}\nDatabaseDirectory {}\nTemporaryDirectory {}\nStreamMaxLength 200M\nUser root\n",
        socket(folder).display(),
        folder.join("database").display(),
        folder.display()
    );
    std::fs::write(&settings, text)?;
    let program = ["/usr/sbin/clamd", "/usr/bin/clamd"].into_iter().find(|path| Path::new(path).is_file());
    let mut clamd = command(program.context("clamd is not installed (apt-get install clamav-daemon)")?);
    clamd.arg("--config-file").arg(&settings).stdout(std::process::Stdio::null()).kill_on_drop(true);
    let running = clamd.spawn()?;
    for _ in 0..300 {
        if std::os::unix::net::UnixStream::connect(socket(folder)).is_ok() {
            return Ok(running);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("clamd did not open its socket within thirty seconds")
}
