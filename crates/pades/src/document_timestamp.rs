//! The document time stamp (ISO 32000-2, 12.8.5; ETSI EN 319 142-1, 5.4.3): one appended revision whose `/Contents` is an
//! RFC 3161 token over everything else in the file. It proves that all that lies before it existed at that time; over a
//! security store it makes B-LTA, and before its own certificate ends a further one takes over ([`Upgrade`]).
//!
//! ```text
//! prepare_timestamp ─▶ PreparedTimestamp ── request(nonce) ─▶ authority ── accept ─▶ CheckedToken ─▶ complete
//!                      plain data: survives a restart                      the only way in
//! ```
//!
//! The field is invisible and new; no page's content, value or appearance is touched. A document time stamp is no
//! signature of a person: it has no `/M`, no name, no lock.
//!
//! [`Upgrade`]: crate::upgrade::Upgrade

use der::Result as DerResult;
use serde::{Deserialize, Serialize};

use crate::{
    complete::{CompleteError, SignedTail, Waiting},
    crypto::HashAlgorithm,
    digest::{Digest, Midstate},
    form_version::FormVersion,
    index::BaseIndex,
    pdf::{Dict, Object},
    prepare::{Appending, Gap, Gapped, PrepareError, Shown},
    source::Source,
    tsp::{CheckedToken, TimestampRequest},
};

/// Bytes kept free for a token: authorities with RSA-4096 keys and long chains answer with up to 12 kB.
const RESERVE: u32 = 16 << 10;

/// A document time stamp that waits for its token; JSON, versioned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreparedTimestamp {
    /// Version of this form.
    pub version: FormVersion<1>,
    /// Name of the field that holds it.
    pub field: String,
    /// SHA-256 of the base.
    pub base_sha256: Digest,
    /// Length of the base.
    pub base_len: u64,
    /// The hash at the end of the base.
    pub base_midstate: Midstate,
    /// What is appended, the gap filled with zeros.
    #[serde(with = "crate::prepare::base64_bytes")]
    pub tail: Vec<u8>,
    /// The gap.
    pub contents: Gap,
    /// `/ByteRange`.
    pub byte_range: [u64; 4],
    /// SHA-256 of everything outside the gap: what the authority stamps.
    pub digest: Digest,
    next: BaseIndex,
}

/// Prepares a document time stamp over the whole file as it is.
///
/// The field's name ends in the first digits of the base's digest: no other time stamp of the file has it.
///
/// # Errors
/// [`PrepareError`].
pub fn prepare_timestamp(
    base: &dyn Source,
    index: &BaseIndex,
    midstate: &Midstate,
    file_id_seed: &[u8; 16],
) -> Result<PreparedTimestamp, PrepareError> {
    if base.len() != index.len || midstate.len() != index.len {
        return Err(PrepareError::WrongBase);
    }
    let digest = index.sha256.to_string();
    let field = format!("DocTimeStamp-{}", digest.get(..12).unwrap_or(&digest));
    let mut appending = Appending::new(base, index);
    let stamp = appending.out.allot();
    let widget = appending.new_widget(&field, Shown::Not)?;
    appending.sign(widget, stamp, None);
    let dict = Dict::new()
        .with("Type", Object::name("DocTimeStamp"))
        .with("Filter", Object::name("Adobe.PPKLite"))
        .with("SubFilter", Object::name("ETSI.RFC3161"));
    let patch = appending.signature(stamp, &dict, RESERVE);
    let Gapped { tail, contents, byte_range, digest, next } =
        appending.finish(patch, midstate, &field, file_id_seed);
    Ok(PreparedTimestamp {
        version: FormVersion,
        field,
        base_sha256: index.sha256,
        base_len: index.len,
        base_midstate: midstate.clone(),
        tail,
        contents,
        byte_range,
        digest,
        next,
    })
}

impl PreparedTimestamp {
    /// What to ask the authority. `nonce` must be fresh randomness; the same request must check the answer.
    ///
    /// # Errors
    /// A DER error, which does not happen for a SHA-256 digest.
    pub fn request(&self, nonce: [u8; 16]) -> DerResult<TimestampRequest> {
        TimestampRequest::of_digest(HashAlgorithm::Sha256, self.digest.0.to_vec(), nonce)
    }

    /// Puts the token into its gap. Whether the authority is *trusted* is the caller's question, asked before.
    ///
    /// # Errors
    /// [`CompleteError`]; nothing was changed.
    pub fn complete(self, token: &CheckedToken) -> Result<SignedTail, CompleteError> {
        if token.imprint_algorithm() != HashAlgorithm::Sha256 || token.imprint() != self.digest.as_bytes() {
            return Err(CompleteError::OtherDigest);
        }
        let revision =
            Waiting { midstate: &self.base_midstate, tail: self.tail, gap: self.contents, next: self.next };
        revision.filled(token.as_der())
    }
}
