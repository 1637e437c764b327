//! A signature that was prepared and not completed yet: its gap is there and empty.

use std::ops::Range;

use super::{
    hashing::{Job, digests},
    report::Coverage,
    structure,
};
use crate::{
    crypto::HashAlgorithm,
    digest::Digest,
    pdf::{File, Limits, PdfError},
    source::Source,
};

/// An empty gap and what will be signed there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Full name of the field.
    pub field: String,
    /// `/ByteRange`.
    pub byte_range: [u64; 4],
    /// The gap, angle brackets included.
    pub contents: Range<u64>,
    /// SHA-256 of everything outside the gap.
    pub digest: Digest,
}

/// The signature of the latest revision that still waits for its value.
///
/// # Errors
/// [`PdfError`] if the file cannot be read.
pub fn pending(source: &dyn Source, limits: &Limits) -> Result<Option<Pending>, PdfError> {
    let file = File::open_strict(source, limits)?;
    let waiting = structure::locate(&file)?.into_iter().find(|one| {
        one.problems.is_empty()
            && one.coverage == Coverage::WholeFile
            && one.contents.iter().all(|&byte| byte == 0)
    });
    file.within_limits()?;
    let Some((one, byte_range)) = waiting.and_then(|one| one.range.map(|range| (one, range))) else {
        return Ok(None);
    };
    let [_, first, resume, _] = byte_range;
    let job = Job { first, resume, end: one.end(), algorithm: HashAlgorithm::Sha256 };
    let (_, found) = digests(source, &[job])?;
    let digest = found.into_iter().next().flatten().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    Ok(digest.map(|digest| Pending {
        field: one.field.name,
        byte_range,
        contents: first..resume,
        digest: Digest(digest),
    }))
}
