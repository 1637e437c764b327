//! Stored PDFs as `trinhky-pades` wants them: a `trinhky_pades::Source` over base and tails, and what appending needs, kept beside the
//! row so that no file is ever parsed or hashed twice.

use serde::{Deserialize, Serialize};
use trinhky_domain::Digest;
use trinhky_domain::document::Head;
use trinhky_pades::digest::Midstate;
use trinhky_pades::index::BaseIndex;
use trinhky_pades::manifest::Manifest;
use trinhky_pades::provision::Provisioned;
use trinhky_store::Tx;
use trinhky_store::blobs::Segments;

use crate::app::App;
use crate::blocking;
use crate::error::{ApiError, ApiResult};

/// What appending a revision to a stored file needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Site {
    /// The hash at the file's end.
    pub midstate: Midstate,
    /// Where things are in it.
    pub index: BaseIndex,
}

/// A stored file that a revision can be appended to.
pub struct Opened {
    /// Its bytes.
    pub source: Segments,
    /// What appending needs.
    pub site: Site,
    /// Digest and length.
    pub head: Head,
}

impl Site {
    /// As the row keeps it.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn to_row(&self) -> ApiResult<Vec<u8>> {
        serde_json::to_vec(self).map_err(ApiError::internal)
    }
}

impl From<&Provisioned> for Site {
    fn from(made: &Provisioned) -> Self {
        Self { midstate: made.midstate.clone(), index: made.index.clone() }
    }
}

/// Opens the file `sha256` for appending.
///
/// # Errors
/// Not found, or the row is not one that can be appended to.
pub async fn open(app: &App, tx: &mut Tx, sha256: Digest) -> ApiResult<Opened> {
    let file = tx.file(sha256).await?;
    let site = file.midstate.as_deref().unwrap_or_default();
    let site = serde_json::from_slice(site).map_err(ApiError::internal)?;
    let source = app.blobs.source(&tx.segments(sha256).await?).map_err(ApiError::internal)?;
    Ok(Opened { source, site, head: Head { sha256, length: file.length } })
}

/// The bytes of the file `sha256`.
///
/// # Errors
/// Not found, or the disk's.
pub async fn source(app: &App, tx: &mut Tx, sha256: Digest) -> ApiResult<Segments> {
    app.blobs.source(&tx.segments(sha256).await?).map_err(ApiError::internal)
}

/// The same digest in the engine's type.
pub const fn pades(digest: Digest) -> trinhky_pades::Digest {
    trinhky_pades::Digest(digest.0)
}

/// The same digest in the domain's type.
pub const fn domain(digest: trinhky_pades::Digest) -> Digest {
    Digest(digest.0)
}

/// The manifest with this digest: its exact bytes, and read.
///
/// # Errors
/// It is not there, or is no manifest.
pub async fn manifest(app: &App, digest: Digest) -> ApiResult<(Vec<u8>, Manifest)> {
    let blobs = app.blobs.clone();
    let bytes = blocking(move || blobs.small(digest, LARGEST_PART)).await?.map_err(ApiError::internal)?;
    let read = serde_json::from_slice(&bytes).map_err(ApiError::internal)?;
    Ok((bytes, read))
}

/// Manifests and pictures are small; a larger one is no manifest and no picture.
pub const LARGEST_PART: u64 = 16 * 1024 * 1024;
