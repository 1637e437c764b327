//! Late signatures: the SIM signed after the wish was withdrawn. The leader sees them, and adopts or gives up each by a
//! decision of its own.
//!
//! ```text
//! GET  /v1/held-signatures                  ─► HeldSignaturesView   every one of mine
//! GET  /v1/attempts/{id}/held?device=…      ─► HeldTaskView         what was signed, for the core to check once more
//! POST /v1/attempts/{id}/adopt    {jws}     ─► AttemptView          it counts: on to time stamp and embedding
//! POST /v1/attempts/{id}/void     {jws}     ─► AttemptView          it is destroyed
//! ```

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use trinhky_domain::ids::{AttemptId, DecisionId, DeviceId, DocumentId, PersonId};

use crate::bytes::HexDigest;
use crate::document::DocumentStateView;
use crate::signing::PrepareResponse;

/// `typ` of the JWS that carries [`HeldClaims`].
pub const HELD_TYP: &str = "trinhky-held+jwt";

/// `GET /v1/held-signatures`: late signatures of mine that wait for my decision, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeldSignaturesView {
    /// All of them.
    pub held: Vec<HeldSignatureView>,
}

/// A late signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeldSignatureView {
    /// The attempt it came of.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub attempt: AttemptId,
    /// The attempt's version; goes into the claims.
    pub version: u64,
    /// The document.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub document: DocumentId,
    /// Trích yếu.
    pub subject: String,
    /// Where the document stands now, and why it was given back.
    pub state: DocumentStateView,
    /// Since when it is held.
    #[serde(with = "time::serde::rfc3339")]
    pub held_at: OffsetDateTime,
    /// Whether it can still be adopted; if not, it can only be given up.
    pub adoptable: bool,
}

/// `GET /v1/attempts/{id}/held`: everything the core needs to check and to decide.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeldTaskView {
    /// The attempt.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub attempt: AttemptId,
    /// See [`HeldSignatureView::version`].
    pub version: u64,
    /// The document.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub document: DocumentId,
    /// The decision the SIM was asked on, compact JWS.
    pub decision: String,
    /// SHA-256 of the signed attributes.
    pub dtbs: HexDigest,
    /// SHA-256 of this device's previous decision (its compact JWS), if any.
    #[serde(default)]
    pub previous_decision: Option<HexDigest>,
    /// The newest audit checkpoint (C2SP text), if any.
    #[serde(default)]
    pub checkpoint: Option<String>,
    /// What was prepared and signed then, to be checked as if it were to be signed now; absent when it cannot be adopted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepared: Option<PrepareResponse>,
}

/// What a leader decides about a late signature, signed by the device key as a compact JWS (ES256, `typ` [`HELD_TYP`], `kid`
/// the device). The attempt's version makes it good once: whatever is done moves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldClaims {
    /// This decision; used once, ever.
    pub jti: DecisionId,
    /// The device.
    pub iss: DeviceId,
    /// The leader.
    pub sub: PersonId,
    /// When signed, seconds since 1970.
    pub iat: i64,
    /// Not good after, seconds since 1970.
    pub exp: i64,
    /// `adopt` or `void`.
    pub act: String,
    /// The attempt decided on.
    pub attempt: AttemptId,
    /// The version of the attempt as shown.
    pub version: u64,
    /// The document.
    pub document: DocumentId,
    /// SHA-256 of the decision the SIM was asked on (its compact JWS).
    pub decision: HexDigest,
    /// SHA-256 of the signed attributes, as checked on the device; what is given up is named as the server told it.
    pub dtbs: HexDigest,
    /// To adopt: the head the signature is for; else none.
    pub head: Option<HexDigest>,
    /// To adopt: SHA-256 of the tail that will be appended; else none.
    pub tail: Option<HexDigest>,
    /// To give up: why; else none.
    pub reason: Option<String>,
    /// `native` or `web`.
    pub client: String,
    /// SHA-256 of this device's previous decision.
    pub previous: Option<HexDigest>,
    /// The newest audit checkpoint this device has seen.
    pub checkpoint: Option<String>,
}
