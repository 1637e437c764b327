//! Why a document is not raised.

use thiserror::Error;

use crate::{
    complete::CompleteError,
    intake::Refusal,
    pdf::PdfError,
    prepare::PrepareError,
    tsp::TspRefused,
    verify::{Level, SubIndication},
};

/// Why a document is not raised; nothing is to be written. [`UpgradeRefused::code`] is stable.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum UpgradeRefused {
    /// It cannot be taken in.
    #[error(transparent)]
    Intake(#[from] Refusal),
    /// It carries no signature.
    #[error("the file bears no signature; sign it first")]
    NoSignature,
    /// A signature does not hold, and no archive would change that.
    #[error("{reason}")]
    NotValid {
        /// Its field.
        field: String,
        /// Why.
        sub_indication: SubIndication,
        /// For people: Vietnamese, then English.
        reason: String,
    },
    /// The authority gave no time stamp that can be used.
    #[error(transparent)]
    Timestamp(#[from] TspRefused),
    /// The authority did not answer.
    #[error("the time-stamp authority does not answer ({0}); try again later")]
    Unanswered(String),
    /// Neither responder nor list tells whether a certificate was revoked.
    #[error("revocation of {subject} cannot be told ({why}); try again later, or give the data yourself")]
    RevocationUnknown {
        /// Whose.
        subject: String,
        /// Who was asked, and what came of it.
        why: String,
    },
    /// Somebody who has to be believed is not trusted, by what was heard now.
    #[error("{subject} cannot be trusted: {why}")]
    Untrusted {
        /// Who.
        subject: String,
        /// Why not.
        why: String,
    },
    /// All is appended, and yet a signature has not come as far as was asked.
    #[error("the signature in field {field} only reaches {level:?}")]
    NotReached {
        /// Its field.
        field: String,
        /// How far it came.
        level: Level,
    },
    /// A revision cannot be appended.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The token cannot be put in.
    #[error(transparent)]
    Complete(#[from] CompleteError),
    /// A request cannot be encoded.
    #[error("a request cannot be encoded: {0}")]
    Encoding(#[from] der::Error),
    /// The file cannot be read.
    #[error(transparent)]
    Pdf(#[from] PdfError),
}

impl UpgradeRefused {
    /// Stable, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Intake(refusal) => refusal.code(),
            Self::NoSignature => "no_signature",
            Self::NotValid { .. } => "signature_not_valid",
            Self::Timestamp(refused) => refused.code(),
            Self::Unanswered(_) => "timestamp_unavailable",
            Self::RevocationUnknown { .. } => "revocation_unavailable",
            Self::Untrusted { .. } => "not_trusted",
            Self::NotReached { .. } => "level_not_reached",
            Self::Prepare(error) => error.code(),
            Self::Complete(error) => error.code(),
            Self::Encoding(_) => "encoding",
            Self::Pdf(_) => "unreadable",
        }
    }
}
