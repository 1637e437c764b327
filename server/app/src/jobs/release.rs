//! Releasing a document when the material for years could not be collected within the clerk's request.

use serde::{Deserialize, Serialize};
use trinhky_domain::ids::{DocumentId, PersonId};
use trinhky_domain::people::{Actor, Client};
use trinhky_store::{Job, Tx};

use super::{Outcome, patience};
use crate::app::App;
use crate::error::ApiResult;
use crate::releasing;

/// The kind of these jobs.
pub const KIND: &str = "release";

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    document: DocumentId,
    clerk: PersonId,
}

/// Asks for it.
///
/// # Errors
/// What the store says.
pub async fn enqueue(app: &App, tx: &mut Tx, document: DocumentId, clerk: PersonId) -> ApiResult<()> {
    let urgency = tx.document(document).await?.particulars.urgency;
    super::enqueue(app, tx, KIND, &document, &Payload { document, clerk }, urgency).await.map(drop)
}

/// Looks whether it can be released now.
///
/// # Errors
/// What is worth a retry and a look.
pub(super) async fn run(app: &App, job: &Job) -> ApiResult<Outcome> {
    let Payload { document, clerk } = super::payload(job)?;
    let person = app.store.read().await?.person(clerk).await?;
    let actor = Actor {
        person: person.id,
        office: person.office,
        roles: person.roles,
        device: None,
        client: Client::Web,
    };
    Ok(match releasing::release(app, document, &actor).await? {
        releasing::Outcome::Released => Outcome::Done,
        releasing::Outcome::Waits => patience(app, job.runs),
    })
}
