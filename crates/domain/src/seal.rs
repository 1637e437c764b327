//! The organisation's signature being made: what the seal agent is asked to sign.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::digest::Digest;
use crate::ids::{DocumentId, PersonId, SealId};

/// A prepared seal revision, kept in the same commit as the number it draws.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealTask {
    /// Identity.
    pub id: SealId,
    /// For which document.
    pub document: DocumentId,
    /// The văn thư who signs in person (R55).
    pub clerk: PersonId,
    /// The document's head that the tail is appended to.
    pub head: Digest,
    /// The appended revision, as a file of its own.
    pub tail: Digest,
    /// The digest to be signed: SHA-256 of the signed attributes.
    pub dtbs: Digest,
    /// SHA-256 of the organisation's certificate.
    pub certificate: Digest,
    /// When it was prepared.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// What a check of one signature in the file found. Made by whoever verified the bytes; the rules here compare it with
/// what was assigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureCheck {
    /// Name of the signature field, for instance `Signer1` or `OrgSeal`.
    pub field: String,
    /// SHA-256 of the signer's certificate.
    pub certificate: Digest,
    /// Whether signature, integrity, certificate and later changes all passed.
    pub passed: bool,
    /// The time stamp on the signature, where there is one that verifies.
    pub stamped: Option<OffsetDateTime>,
}

/// The declared field of the organisation's signature.
pub const SEAL_FIELD: &str = "OrgSeal";
