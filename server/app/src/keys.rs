//! The installation's own keys, each in a file of its own beside the files of documents, made at first need and readable
//! by their owner alone. They are not in the database, so that a copy of the database alone opens nothing.
//!
//! | file | what | used by |
//! |---|---|---|
//! | `at-rest.key` | 32 bytes, AES-256-GCM | second factors, late signatures |
//! | `audit.p8` | P-256, PKCS#8 DER | checkpoints of the journal ([`crate::checkpoints`]) |
//!
//! What is sealed is bound to what it belongs to: another row's bytes do not open. Losing `at-rest.key` means importing
//! every second factor again; it belongs into the backup, apart from the database's.

use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::Context;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

use crate::ambient::Random;

/// The keys of one installation.
pub struct Keys {
    /// Seals what rows must not show.
    pub at_rest: AtRest,
    /// Signs checkpoints of the journal.
    pub audit: EcdsaKeyPair,
}

impl Keys {
    /// Reads the keys in `folder`; what is not there is made.
    ///
    /// # Errors
    /// When a file cannot be read or written, or holds something else; the text names it.
    pub fn open(folder: &Path, random: &dyn Random) -> anyhow::Result<Self> {
        let said = || format!("[keys] folder {}", folder.display());
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(said)?;
        let file = |name: &str| folder.join(name);
        let secret =
            read_or_make(&file("at-rest.key"), || Ok(random.bytes::<32>().to_vec())).with_context(said)?;
        let audit = read_or_make(&file("audit.p8"), || {
            let made = EcdsaKeyPair::generate_pkcs8(
                &ECDSA_P256_SHA256_ASN1_SIGNING,
                &aws_lc_rs::rand::SystemRandom::new(),
            );
            made.map(|made| made.as_ref().to_vec())
                .map_err(|_| io::Error::other("no P-256 key could be made"))
        })
        .with_context(said)?;
        Ok(Self {
            at_rest: AtRest::new(&secret).context("at-rest.key is not 32 bytes").with_context(said)?,
            audit: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &audit)
                .map_err(|_| anyhow::anyhow!("audit.p8 is no P-256 key in PKCS#8"))
                .with_context(said)?,
        })
    }
}

/// Seals and opens, AES-256-GCM under one key.
pub struct AtRest(LessSafeKey);

/// What every sealed value begins with, so that one from before is told apart.
const MARK: &[u8] = b"TK1\0";

/// It was sealed under another key, for another row, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not sealed with this installation's at-rest.key for this row")]
pub struct DoesNotOpen;

impl AtRest {
    fn new(key: &[u8]) -> Option<Self> {
        Some(Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?)))
    }

    /// Seals `plain`, bound to `to`: mark, nonce, ciphertext with its tag.
    ///
    /// # Errors
    /// When the value is too long for one nonce.
    pub fn seal(&self, to: &str, plain: &[u8], random: &dyn Random) -> anyhow::Result<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = random.bytes();
        let mut sealed = plain.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(to), &mut sealed)
            .map_err(|_| anyhow::anyhow!("too long to be sealed"))?;
        Ok([MARK, nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for `to`.
    ///
    /// # Errors
    /// [`DoesNotOpen`].
    pub fn open(&self, to: &str, sealed: &[u8]) -> Result<Vec<u8>, DoesNotOpen> {
        let rest = sealed.strip_prefix(MARK).ok_or(DoesNotOpen)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN).ok_or(DoesNotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| DoesNotOpen)?;
        let mut opened = sealed.to_vec();
        let plain = self.0.open_in_place(nonce, Aad::from(to), &mut opened).map_err(|_| DoesNotOpen)?;
        let length = plain.len();
        opened.truncate(length);
        Ok(opened)
    }

    /// Whether a value was ever sealed, under whichever key.
    pub fn is_sealed(value: &[u8]) -> bool {
        value.starts_with(MARK)
    }
}

/// The bytes of a key file. Made under another name and linked into place: of two processes that start at once, both
/// read the one that was first, and nobody reads half a key.
fn read_or_make(path: &Path, make: impl FnOnce() -> io::Result<Vec<u8>>) -> io::Result<Vec<u8>> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found,
    }
    let fresh = path.with_extension(format!("new-{}", std::process::id()));
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(&make()?)?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&fresh, path);
    std::fs::remove_file(&fresh)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => {
            if let Some(folder) = path.parent() {
                std::fs::File::open(folder)?.sync_all()?;
            }
            std::fs::read(path)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::ambient::SystemRandom;

    #[test]
    fn keys_are_made_once_for_their_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = folder.path().join("keys");
        let first = Keys::open(&keys, &SystemRandom).expect("made");
        let sealed = first.at_rest.seal("row 1", b"secret", &SystemRandom).expect("sealed");
        let again = Keys::open(&keys, &SystemRandom).expect("read");
        assert_eq!(again.at_rest.open("row 1", &sealed).as_deref(), Ok(b"secret".as_slice()));
        for entry in std::fs::read_dir(&keys).expect("a folder") {
            let entry = entry.expect("a file");
            assert_eq!(entry.metadata().expect("readable").permissions().mode() & 0o777, 0o600, "{entry:?}");
        }
        std::fs::write(keys.join("at-rest.key"), b"short").expect("written");
        let error = Keys::open(&keys, &SystemRandom).err().expect("refused");
        assert!(format!("{error:#}").contains("at-rest.key"), "{error:#}");
    }

    #[test]
    fn what_is_sealed_opens_for_its_own_row_alone_and_unchanged() {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = Keys::open(folder.path(), &SystemRandom).expect("made");
        let sealed = keys.at_rest.seal("row 1", b"secret", &SystemRandom).expect("sealed");
        assert!(AtRest::is_sealed(&sealed) && !sealed.windows(6).any(|window| window == b"secret"));
        assert_eq!(keys.at_rest.open("row 2", &sealed), Err(DoesNotOpen));
        for at in 0..sealed.len() {
            let mut spoilt = sealed.clone();
            spoilt[at] ^= 1;
            assert_eq!(keys.at_rest.open("row 1", &spoilt), Err(DoesNotOpen), "byte {at}");
            assert_eq!(keys.at_rest.open("row 1", &sealed[..at]), Err(DoesNotOpen), "{at} bytes");
        }
        assert_eq!(keys.at_rest.open("row 1", b"plain"), Err(DoesNotOpen));
    }
}
