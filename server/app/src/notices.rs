//! Whoever is to be told of a change is told by a job that commits with it: a push may be late, never lost.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use trinhky_domain::Change;
use trinhky_domain::ids::{DocumentId, JobId, PersonId};
use trinhky_store::{NewJob, Tx};

use crate::ambient::Random;
use crate::error::ApiResult;

/// What a `notify` job needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Telling {
    /// Whom.
    pub to: PersonId,
    /// A word of `NoticeKind`.
    pub kind: String,
    /// About which document.
    pub document: DocumentId,
    /// A word of `Urgency`.
    pub urgency: String,
}

/// The kind of these jobs.
pub const KIND: &str = "notify";

/// Applies a change and asks for its notices, in one transaction.
///
/// # Errors
/// What the store says; `Conflict` when a row has moved.
pub async fn apply(tx: &mut Tx, change: &Change, random: &dyn Random, now: OffsetDateTime) -> ApiResult<()> {
    tx.apply(change).await?;
    enqueue(tx, change, random, now).await
}

/// Asks for the notices of a change that was applied in this transaction.
///
/// # Errors
/// What the store says.
pub async fn enqueue(
    tx: &mut Tx,
    change: &Change,
    random: &dyn Random,
    now: OffsetDateTime,
) -> ApiResult<()> {
    for notice in change.notices() {
        let telling = Telling {
            to: notice.to,
            kind: notice.kind.as_str().to_owned(),
            document: notice.document,
            urgency: notice.urgency.as_str().to_owned(),
        };
        tx.enqueue(&NewJob {
            id: JobId::at(now, random.chance()),
            kind: KIND.to_owned(),
            payload: serde_json::to_string(&telling).map_err(crate::error::ApiError::internal)?,
            dedupe: None,
            urgency: notice.urgency,
            run_at: now,
            max_runs: 20,
            created: now,
        })
        .await?;
    }
    Ok(())
}
