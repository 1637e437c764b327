//! The clerk's half: number and date, the organisation's seal, release.
//!
//! ```text
//! POST /v1/documents/{id}/number   ─► SealTaskView   number and date taken (gap-free), one revision prepared
//!   seal agent: leader's signatures, decisions and enrolments against its own roots; the tail only fills number and
//!   date and adds this seal; page 1 in its own window; PIN typed there; the token signs
//! POST /v1/documents/{id}/seal     {cms}
//! POST /v1/documents/{id}/release  ─► DocumentView   200 released, 202 while long-term data is being collected
//! ```

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use trinhky_domain::ids::{DocumentId, PersonId};

use crate::bytes::{Base64Bytes, HexDigest};
use crate::document::FileRefView;

/// What the seal agent needs; answer to `POST /v1/documents/{id}/number` (idempotent: the same number again) and
/// `GET /v1/documents/{id}/seal-task`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SealTaskView {
    /// The document.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub document: DocumentId,
    /// Its version.
    pub version: u64,
    /// The head that bears every leader's signature.
    pub base: FileRefView,
    /// What would be appended: number, date and seal in one revision.
    pub tail: Base64Bytes,
    /// The seal's field, `OrgSeal`.
    pub field: String,
    /// The number as drawn, e.g. `29/2021/QĐ-UBND`.
    pub number: String,
    /// The date, `YYYY-MM-DD`.
    pub date: String,
    /// The texts that the tail fills into declared fields, by field name. Empty when the number was drawn before.
    pub fills: Vec<FilledFieldView>,
    /// The manifest, exact bytes.
    pub manifest: Base64Bytes,
    /// The organisation's certificate, DER.
    pub certificate: Base64Bytes,
    /// Its issuers, DER.
    pub chain: Vec<Base64Bytes>,
    /// One a leader's signature, in order.
    pub evidence: Vec<SignatureEvidenceView>,
    /// After this, prepare again.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// A declared field and the text it gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FilledFieldView {
    /// `DocNumber` or `DocDate`.
    pub field: String,
    /// As drawn.
    pub text: String,
}

/// Why a leader's signature stands: the decision and the enrolment of the key that signed it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignatureEvidenceView {
    /// The leader.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub person: PersonId,
    /// The field signed, e.g. `Signer1`.
    pub field: String,
    /// Compact JWS of the decision.
    pub decision: String,
    /// The enrolment statement, exact bytes.
    pub enrolment_statement: Base64Bytes,
    /// Its CMS, signed by the SIM.
    pub enrolment_cms: Base64Bytes,
    /// `device` or `server`.
    pub cms_from: String,
}

/// `POST /v1/documents/{id}/seal`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SealRequest {
    /// The head that was sealed.
    pub base: HexDigest,
    /// Detached CMS of the organisation, DER.
    pub cms: Base64Bytes,
}

/// A line of the outgoing register (sổ đăng ký văn bản đi, NĐ 30/2020 Phụ lục IV); `GET /v1/registers/{id}/numbers`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegisterLineView {
    /// The serial, from 1.
    pub serial: u64,
    /// The full number as written.
    pub number: String,
    /// `YYYY-MM-DD`.
    pub date: String,
    /// The document that bears it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub document: DocumentId,
    /// Why it was voided, if it was; a void number stays in the book.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void_reason: Option<String>,
}
