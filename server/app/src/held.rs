//! Late signatures: sealed with a key that stands beside the files, so that a copy of the database alone yields none.
//! AES-256-GCM; the attempt's id is bound in, so that one can never pass for another's.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use trinhky_domain::ids::AttemptId;

use crate::app::App;
use crate::error::{ApiError, ApiResult};

/// Seals a signature value: nonce, then ciphertext with its tag.
///
/// # Errors
/// When the key cannot be read or made.
pub fn seal(app: &App, attempt: &AttemptId, signature: &[u8]) -> ApiResult<Vec<u8>> {
    let failed = |_| ApiError::internal(anyhow::anyhow!("sealing a late signature"));
    let key = key(app).map_err(ApiError::internal)?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).map_err(failed)?);
    let nonce: [u8; NONCE_LEN] = app.random.bytes();
    let mut sealed = signature.to_vec();
    let bound = Aad::from(attempt.to_string());
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound, &mut sealed).map_err(failed)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// The key, made at first need.
fn key(app: &App) -> std::io::Result<[u8; 32]> {
    let path = path(app);
    let made: [u8; 32] = app.random.bytes();
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            file.write_all(&made)?;
            file.sync_all()?;
            Ok(made)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => std::fs::read(&path)?
            .try_into()
            .map_err(|_| std::io::Error::other(format!("{} is not 32 bytes", path.display()))),
        Err(error) => Err(error),
    }
}

fn path(app: &App) -> PathBuf {
    app.config.files_folder().join("held.key")
}
