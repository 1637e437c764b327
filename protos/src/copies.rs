//! What became of each recipient's copy of a released document.
//!
//! ```text
//! GET  /v1/documents/{id}/copies           ─► CopiesView
//! POST /v1/copies/{id}/handed              ─► CopyView   the clerk handed it over: paper, or a channel not set up here
//! POST /v1/copies/{id}/send      {email?}  ─► CopyView   try again now, perhaps to a corrected address
//! POST /v1/copies/{id}/receipts  {code}    ─► CopyView   what the receiver answered (QCVN 102:2016: 01-06, 15, 16)
//! POST /v1/documents/{id}/recall {reason}  ─► DocumentView   thu hồi: every receiver is asked to give it back
//! ```

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use trinhky_domain::ids::{CopyId, DocumentId};

use crate::document::RecipientView;

/// One recipient's copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CopyView {
    /// Its id; the mail's Message-ID is made of it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: CopyId,
    /// Of which document.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub document: DocumentId,
    /// Counts changes; give it back as `If-Match`.
    pub version: u64,
    /// For whom, and where it goes now.
    pub recipient: RecipientView,
    /// `queued`, `undeliverable`, `handed`, `arrived` (01), `accepted` (03), `assigned` (04), `processing` (05), `done`
    /// (06), `refused` (02), `recall_asked` (13), `recalled` (15) or `recall_refused` (16).
    pub state: String,
    /// The state as people say it, e.g. `Đã tiếp nhận`.
    pub state_text: String,
    /// When it came there.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// Why it, or the request to give it back, has not left: `by_hand`, `channel_not_set_up`, `mail_not_set_up`,
    /// `mail_unreachable`, `address_refused`, `too_large` or `recall_waits`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<String>,
    /// A sentence for people: why it waits and what they can do, and what the receiver or the mail server said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// `GET /v1/documents/{id}/copies`, in the recipients' order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CopiesView {
    /// One a recipient; empty before the release.
    pub copies: Vec<CopyView>,
}

/// `POST /v1/copies/{id}/receipts`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptRequest {
    /// `01` … `06`, `15` or `16`.
    pub code: String,
    /// What the receiver said with it; required with `02`.
    #[serde(default)]
    pub note: String,
}

/// `POST /v1/copies/{id}/send`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SendAgainRequest {
    /// The corrected address; without it the same once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}
