//! One signature by a leader: prepare, decide, watch, hand in the CMS.
//!
//! ```text
//! POST /v1/documents/{id}/prepare  ─► PrepareResponse   the tail that would be appended; nothing was asked of the SIM
//!   core: base is what was shown, the tail only adds this signature; digest, DTBS, code, SIM text
//! POST /v1/attempts/{id}/decision  {jws}                the device key signs DecisionClaims; the server recomputes all
//! GET  /v1/attempts/{id}?after=V&wait=S                 long poll: AttemptView
//! POST /v1/attempts/{id}/cms       {cms}                the detached CMS, assembled on the device from the raw value
//! ```

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use trinhky_domain::ids::{AttemptId, DecisionId, DeviceId, DocumentId, PersonId};

use crate::bytes::{Base64Bytes, HexDigest};
use crate::document::{BundleFileView, FileRefView, RecipientView};

/// `typ` of the JWS that carries [`DecisionClaims`].
pub const DECISION_TYP: &str = "trinhky-decision+jwt";

/// How long a decision may count, from its `iat` to its `exp`: a quarter of an hour (architecture, section 4), and five
/// minutes for a phone whose clock is off. A longer one would be a prompt that can be raised on some other day.
pub const DECISION_SECONDS: i64 = 20 * 60;

/// How the verification code that both screens show is made (policy, architecture section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum CodeKind {
    /// Four digits, 13 bits of the 32-byte digest, computed by the SIM.
    MobileId4OverDigest,
    /// The same over the DER DigestInfo.
    MobileId4OverDigestInfo,
    /// Six digits over the digest.
    Vn6OverDigest,
    /// Six digits over the DigestInfo.
    Vn6OverDigestInfo,
    /// The SIM computes none: the screen shows no code and says so.
    None,
}

/// `POST /v1/documents/{id}/prepare`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PrepareRequest {
    /// The device that will decide.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub device: DeviceId,
    /// The head the leader has read; another head is `head_moved`.
    pub head: HexDigest,
}

/// Answer to [`PrepareRequest`]: everything the core needs to check and decide.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PrepareResponse {
    /// The wish for this signature; it holds nothing yet.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub attempt: AttemptId,
    /// The bytes the leader has read.
    pub base: FileRefView,
    /// What would be appended, with the empty placeholder.
    pub tail: Base64Bytes,
    /// The signature field, e.g. `Signer1`.
    pub field: String,
    /// The pinned SIM certificate, DER.
    pub certificate: Base64Bytes,
    /// Its issuers, DER.
    pub chain: Vec<Base64Bytes>,
    /// The manifest, exact bytes (JSON) as `trinhky-pades` wrote them; its digest goes into the claims.
    pub manifest: Base64Bytes,
    /// What the SIM will show; the core checks that it speaks of this document.
    pub display_text: String,
    /// How the code is made.
    pub code_kind: CodeKind,
    /// Single-use, goes into the claims.
    pub challenge: String,
    /// SHA-256 of this device's previous decision (its compact JWS), if any.
    #[serde(default)]
    pub previous_decision: Option<HexDigest>,
    /// The newest audit checkpoint (C2SP text), if any.
    #[serde(default)]
    pub checkpoint: Option<String>,
    /// After this, prepare again.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// What a leader decides, signed by the device key as a compact JWS (ES256, `typ` [`DECISION_TYP`], `kid` the device).
///
/// Whoever holds the JWS and the enrolment statement can tell what was approved without asking anyone: the gate
/// rebuilds the SIM request from these claims alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionClaims {
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
    /// The attempt decided on.
    pub attempt: AttemptId,
    /// The server's challenge.
    pub challenge: String,
    /// The document.
    pub document: DocumentId,
    /// [`bundle_digest_input`], digested, of the files below.
    pub bundle: HexDigest,
    /// The bundle as shown, in order.
    pub files: Vec<BundleFileView>,
    /// The recipients as shown.
    pub recipients: Vec<RecipientView>,
    /// The urgency as shown.
    pub urgency: String,
    /// Thẩm quyền ký of this signer.
    pub capacity: String,
    /// How the number is given, as shown.
    pub numbering: String,
    /// The number as drawn in the base, with `before_sign`; else none, also when an earlier round left one.
    pub number: Option<String>,
    /// SHA-256 of the manifest.
    pub manifest: HexDigest,
    /// The head the signature is appended to.
    pub head: HexDigest,
    /// SHA-256 of the tail that was checked.
    pub tail: HexDigest,
    /// SHA-256 of the signed attributes: what the SIM signs.
    pub dtbs: HexDigest,
    /// SHA-256 of the signer's certificate.
    pub certificate: HexDigest,
    /// What the SIM will show, with `%%VC%%`.
    pub display_text: String,
    /// `native` or `web`.
    pub client: String,
    /// SHA-256 of this device's previous decision.
    pub previous: Option<HexDigest>,
    /// The newest audit checkpoint this device has seen.
    pub checkpoint: Option<String>,
}

/// The bytes whose SHA-256 is the bundle digest: one line a file, `role SP sha256 SP length LF`, in order. Names are for
/// people and do not count.
pub fn bundle_digest_input(files: &[BundleFileView]) -> String {
    files.iter().fold(String::new(), |lines, file| {
        lines + &format!("{} {} {}\n", file.role, file.sha256, file.length)
    })
}

/// `POST /v1/attempts/{id}/decision`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DecisionRequest {
    /// Compact JWS of [`DecisionClaims`].
    pub jws: String,
}

/// An attempt as the phone sees it; `GET /v1/attempts/{id}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptView {
    /// The attempt.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: AttemptId,
    /// Rises with every change; give it as `after` to wait for the next.
    pub version: u64,
    /// `document` or `enrolment`.
    pub purpose: String,
    /// `prepared`, `approved`, `sending`, `accepted`, `signed_raw`, `verified`, `stamped`, `embedded`, `declined`,
    /// `expired`, `lapsed`, `undeliverable`, `blocked`, `not_enrolled`, `cert_invalid`, `rejected`, `provider_down`,
    /// `signed_held`, `voided`, `indeterminate`.
    pub state: String,
    /// True when nothing more will happen by itself.
    pub ended: bool,
    /// In `approved`: how many are before it on this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<u32>,
    /// What happened, for people, in Vietnamese.
    pub message: String,
    /// From `signed_raw` on: the raw value of the SIM (PKCS#1 v1.5, or ECDSA).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Base64Bytes>,
    /// True while the server would take the device's CMS.
    pub wants_cms: bool,
    /// `device` or `server`, once assembled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cms_from: Option<String>,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    pub changed_at: OffsetDateTime,
}

/// `POST /v1/attempts/{id}/cms`: byte for byte what the server would assemble, or it is refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CmsRequest {
    /// Detached CMS, DER.
    pub cms: Base64Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundle_digest_counts_order_role_bytes_and_not_names() {
        let file = |role: &str, name: &str, byte: u8| BundleFileView {
            role: role.into(),
            name: name.into(),
            sha256: HexDigest([byte; 32]),
            length: 7,
        };
        let bundle = [file("main", "a.pdf", 1), file("attachment", "b.pdf", 2)];
        let renamed = [file("main", "x.pdf", 1), file("attachment", "y.pdf", 2)];
        let swapped = [bundle[1].clone(), bundle[0].clone()];
        assert_eq!(bundle_digest_input(&bundle), bundle_digest_input(&renamed));
        assert_ne!(bundle_digest_input(&bundle), bundle_digest_input(&swapped));
        assert!(bundle_digest_input(&bundle).starts_with("main 0101"));
    }
}
