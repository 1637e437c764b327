//! The stored form of an attempt: versioned, and wary of what it reads back.
//!
//! A row that says `Sending` was written by a process that is gone. Whether its request left is unknown, so
//! it is read as `Indeterminate`; this is the one place where that happens, and the reason why a crash can
//! never ask a phone twice.

use serde::{Deserialize, Serialize};

use super::{Attempt, Prepared, State, Timing, Trouble};
use crate::ids::ApTransId;

/// All versions there have been.
#[derive(Serialize, Deserialize)]
#[serde(tag = "version")]
pub(super) enum Stored {
    /// The first.
    #[serde(rename = "1")]
    V1(V1),
}

#[derive(Serialize, Deserialize)]
pub(super) struct V1 {
    ap_trans_id: ApTransId,
    terms: Prepared,
    timing: Timing,
    at: State,
    #[serde(default)]
    withdrawn: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_trouble: Option<Trouble>,
}

/// A row that no version of this program wrote.
#[derive(Debug, thiserror::Error)]
#[error("stored attempt: {0}")]
pub(super) struct Corrupt(#[from] super::InvalidTiming);

impl TryFrom<Stored> for Attempt {
    type Error = Corrupt;

    fn try_from(Stored::V1(row): Stored) -> Result<Self, Corrupt> {
        let (state, trouble) = match row.at {
            State::Sending { since, .. } => {
                (State::Indeterminate { since, watch: None }, Some(Trouble::Restarted))
            }
            other => (other, row.last_trouble),
        };
        Ok(Self {
            ap_trans_id: row.ap_trans_id,
            terms: row.terms,
            timing: row.timing.checked()?,
            state,
            withdrawn: row.withdrawn,
            trouble,
        })
    }
}

impl From<Attempt> for Stored {
    fn from(attempt: Attempt) -> Self {
        Self::V1(V1 {
            ap_trans_id: attempt.ap_trans_id,
            terms: attempt.terms,
            timing: attempt.timing,
            at: attempt.state,
            withdrawn: attempt.withdrawn,
            last_trouble: attempt.trouble,
        })
    }
}
