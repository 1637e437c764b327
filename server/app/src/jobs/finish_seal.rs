//! Finishing a seal whose CMS is here, when time stamp or revocation did not answer within the clerk's request.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use trinhky_domain::ids::{DocumentId, SealId};
use trinhky_store::{Job, Tx};

use super::{Outcome, patience};
use crate::app::App;
use crate::error::ApiResult;
use crate::sealing;

/// The kind of these jobs.
pub const KIND: &str = "finish_seal";

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    document: DocumentId,
    seal: SealId,
}

/// Asks for it, in the transaction that keeps the CMS. The clerk's request goes on by itself, so the job waits as long as
/// a lease: two at once would ask for two time stamps.
///
/// # Errors
/// What the store says.
pub async fn enqueue(app: &App, tx: &mut Tx, document: DocumentId, seal: SealId) -> ApiResult<()> {
    let urgency = tx.document(document).await?.particulars.urgency;
    let lease = Duration::from_secs(app.config.jobs.lease_seconds);
    super::enqueue_after(app, tx, lease, KIND, &seal, &Payload { document, seal }, urgency).await.map(drop)
}

/// Looks whether it can be finished now.
///
/// # Errors
/// What is worth a retry and a look.
pub(super) async fn run(app: &App, job: &Job) -> ApiResult<Outcome> {
    let Payload { document, seal } = super::payload(job)?;
    Ok(match sealing::finish(app, document, seal).await? {
        sealing::Outcome::Sealed => Outcome::Done,
        sealing::Outcome::Waits(_) => patience(app, job.runs),
    })
}
