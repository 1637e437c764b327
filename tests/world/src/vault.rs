//! The world's folder: keys and certificates by name, made once and read again by a world restarted on the same folder.
//!
//! `keys/NAME.p8` is PKCS#8 in PEM (what `softhsm2-util --import` wants), `certs/NAME.pem` one certificate. A pool, where
//! one is named, holds what is slow to make and the same in every world: a second world starts in a fraction of the time.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};

use crate::keys::{self, Key, KeyKind};

/// Reads and writes below one folder.
#[derive(Debug, Clone)]
pub(crate) struct Vault {
    dir: PathBuf,
    pool: Option<PathBuf>,
}

impl Vault {
    /// Opens (and makes) the folder, and the pool.
    pub(crate) fn open(dir: &Path, pool: Option<&Path>) -> Result<Self> {
        for root in [Some(dir), pool].into_iter().flatten() {
            for sub in ["keys", "certs", "images"] {
                fs::create_dir_all(root.join(sub))
                    .with_context(|| format!("folder {}", root.join(sub).display()))?;
            }
        }
        Ok(Self { dir: dir.canonicalize().context("world folder")?, pool: pool.map(Path::to_owned) })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn key_path(&self, name: &str) -> PathBuf {
        self.dir.join("keys").join(format!("{name}.p8"))
    }

    pub(crate) fn certificate_path(&self, name: &str) -> PathBuf {
        self.dir.join("certs").join(format!("{name}.pem"))
    }

    /// The key of that name, made on first use.
    pub(crate) fn key(&self, name: &str, kind: KeyKind) -> Result<Key> {
        let path = self.key_path(name);
        if let Ok(text) = fs::read_to_string(&path) {
            return Key::from_pkcs8(kind, keys::from_pem(&text)?).with_context(|| path.display().to_string());
        }
        // Only RSA keys are slow enough to be worth keeping.
        let file = format!("keys/{name}.p8");
        let pooled = if kind == KeyKind::Rsa2048 { self.pooled(&file) } else { None };
        if let Some(text) = pooled {
            let text = String::from_utf8(text).context("pooled key")?;
            write_private(&path, text.as_bytes())?;
            return Key::from_pkcs8(kind, keys::from_pem(&text)?).context("pooled key");
        }
        let key = Key::generate(kind)?;
        write_private(&path, key.pem().as_bytes())?;
        if kind == KeyKind::Rsa2048 {
            self.keep(&file, key.pem().as_bytes())?;
        }
        Ok(key)
    }

    /// The certificate of that name, made on first use.
    pub(crate) fn certificate(&self, name: &str, make: impl FnOnce() -> Result<Vec<u8>>) -> Result<Vec<u8>> {
        let path = self.certificate_path(name);
        if let Ok(text) = fs::read_to_string(&path) {
            return keys::from_pem(&text).with_context(|| path.display().to_string());
        }
        let certificate = make()?;
        self.write(&path, keys::pem("CERTIFICATE", &certificate).as_bytes())?;
        Ok(certificate)
    }

    /// Several certificates in one PEM file.
    pub(crate) fn bundle(&self, name: &str, certificates: &[&[u8]]) -> Result<PathBuf> {
        let path = self.dir.join(format!("{name}.pem"));
        let text: String = certificates.iter().map(|der| keys::pem("CERTIFICATE", der)).collect();
        self.write(&path, text.as_bytes())?;
        Ok(path)
    }

    /// A secret text file (the AP password).
    pub(crate) fn secret(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.dir.join(name);
        write_private(&path, text.as_bytes())?;
        Ok(path)
    }

    /// Makes missing keys side by side: RSA takes most of a first start.
    pub(crate) fn warm(&self, names: &[String], kind: KeyKind) -> Result<()> {
        std::thread::scope(|scope| {
            let workers: Vec<_> =
                names.iter().map(|name| scope.spawn(move || self.key(name, kind).map(drop))).collect();
            workers
                .into_iter()
                .try_for_each(|worker| worker.join().map_err(|_| anyhow!("a key worker panicked"))?)
        })
    }

    /// A file that is made once; it must not depend on this world.
    pub(crate) fn made(&self, name: &str, make: impl FnOnce() -> Result<Vec<u8>>) -> Result<PathBuf> {
        let path = self.dir.join(name);
        if !path.exists() {
            let bytes = if let Some(bytes) = self.pooled(name) {
                bytes
            } else {
                let bytes = make()?;
                self.keep(name, &bytes)?;
                bytes
            };
            self.write(&path, &bytes)?;
        }
        Ok(path)
    }

    fn pooled(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.pool.as_ref()?.join(name)).ok()
    }

    /// Puts a file into the pool at once: another world may be reading.
    fn keep(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let Some(pool) = &self.pool else { return Ok(()) };
        let part = pool.join(format!("{name}.{}", hex::encode(keys::random::<6>()?)));
        write_private(&part, bytes)?;
        fs::rename(&part, pool.join(name)).context("pool")
    }

    /// Any other file, by its path below the folder.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.dir.join(name);
        self.write(&path, bytes)?;
        Ok(path)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        debug_assert!(path.starts_with(&self.dir), "the world writes below its own folder only");
        fs::write(path, bytes).with_context(|| path.display().to_string())
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(|| path.display().to_string())?;
    file.write_all(bytes).with_context(|| path.display().to_string())
}
