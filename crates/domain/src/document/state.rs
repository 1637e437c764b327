//! Where a document is. The enum carries what is known only there; the words are what rows hold.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::codes::codes;
use crate::ids::{AttemptId, DocumentId, PersonId, SealId};

codes! {
    /// The word of a document's state (labels for people: regulations D1).
    StateName "document_state" {
        /// Dự thảo.
        Draft = "draft",
        /// Chờ duyệt nội dung, chờ kiểm tra thể thức.
        InReview = "in_review",
        /// Chờ ký.
        AwaitingSignature = "awaiting_signature",
        /// Đang ký số.
        Signing = "signing",
        /// Chờ cấp số.
        AwaitingNumber = "awaiting_number",
        /// Chờ ký số cơ quan.
        Sealing = "sealing",
        /// Đã ký số cơ quan, chờ phát hành.
        Sealed = "sealed",
        /// Đã phát hành.
        Released = "released",
        /// Bị trả lại.
        Returned = "returned",
        /// Đã rút lại.
        Withdrawn = "withdrawn",
        /// Từ chối ký.
        Rejected = "rejected",
    }
}

/// Where a document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Being filled in.
    Draft,
    /// With the checker of this step; when the step is past the last one, the chain is passed and the number taken
    /// before signing is being drawn into the base.
    InReview {
        /// From 0.
        step: u16,
    },
    /// With the leader.
    AwaitingSignature {
        /// Which signer, from 0.
        signer: u16,
    },
    /// The leader decided; an attempt runs.
    Signing {
        /// Which signer, from 0.
        signer: u16,
        /// Which attempt.
        attempt: AttemptId,
    },
    /// With the văn thư: every leader has signed.
    AwaitingNumber,
    /// Number taken, seal revision prepared.
    Sealing {
        /// Which preparation.
        seal: SealId,
    },
    /// The organisation signed.
    Sealed,
    /// Sent to its recipients.
    Released {
        /// When.
        at: OffsetDateTime,
        /// Whether it was called back.
        recall: Option<Recall>,
        /// The document that replaces it (thay thế).
        replaced_by: Option<DocumentId>,
        /// The document that corrects it (đính chính).
        corrected_by: Option<DocumentId>,
    },
    /// Back with the drafting unit.
    Returned {
        /// Why.
        reason: String,
        /// By whom.
        by: PersonId,
    },
    /// Taken back before its end.
    Withdrawn,
    /// The leader refused.
    Rejected {
        /// Why.
        reason: String,
        /// By whom.
        by: PersonId,
    },
}

/// A recall (thu hồi), R88.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recall {
    /// Why.
    pub reason: String,
    /// By whom.
    pub by: PersonId,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

impl State {
    /// The state's word.
    pub const fn name(&self) -> StateName {
        match self {
            Self::Draft => StateName::Draft,
            Self::InReview { .. } => StateName::InReview,
            Self::AwaitingSignature { .. } => StateName::AwaitingSignature,
            Self::Signing { .. } => StateName::Signing,
            Self::AwaitingNumber => StateName::AwaitingNumber,
            Self::Sealing { .. } => StateName::Sealing,
            Self::Sealed => StateName::Sealed,
            Self::Released { .. } => StateName::Released,
            Self::Returned { .. } => StateName::Returned,
            Self::Withdrawn => StateName::Withdrawn,
            Self::Rejected { .. } => StateName::Rejected,
        }
    }

    /// Whether somebody still has to act on it.
    pub const fn is_open(&self) -> bool {
        !matches!(self, Self::Released { .. } | Self::Withdrawn | Self::Rejected { .. })
    }
}
