//! `before_sign`: the number taken when the chain was passed is drawn into a new base, and the document goes on to its
//! first signer (step 2).

use serde::{Deserialize, Serialize};
use trinhky_domain::ids::DocumentId;
use trinhky_domain::{Change, Edge};
use trinhky_store::{Job, Tx};

use super::Outcome;
use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::provisioning::{self, Drawn};
use crate::stop::stop_at;
use crate::{notices, numbering};

/// The kind of these jobs.
pub const KIND: &str = "draw_number";

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    document: DocumentId,
}

/// Asks for it when a change left a document with a number that is not drawn yet.
///
/// # Errors
/// What the store says.
pub async fn enqueue_if_due(app: &App, tx: &mut Tx, change: &Change) -> ApiResult<()> {
    let Some(document) = change.document().map(trinhky_domain::Write::to) else { return Ok(()) };
    if !document.is_drawing_number() {
        return Ok(());
    }
    let payload = Payload { document: document.id };
    super::enqueue(app, tx, KIND, &document.id, &payload, document.particulars.urgency).await.map(drop)
}

/// Makes the new base, unless somebody has.
///
/// # Errors
/// What is worth a retry and a look.
pub(super) async fn run(app: &App, job: &Job) -> ApiResult<Outcome> {
    let Payload { document: id } = super::payload(job)?;
    let mut tx = app.store.read().await?;
    let document = tx.document(id).await?;
    if !document.is_drawing_number() {
        return Ok(Outcome::Done);
    }
    let number = document.number.clone().ok_or_else(|| ApiError::internal(anyhow::anyhow!("no number")))?;
    let drawn = Drawn { number: number.to_string(), date: numbering::date_in_words(number.date) };
    let (original, plan) = provisioning::origin(&mut tx, document.head.sha256).await?;
    let base = provisioning::provision(app, &mut tx, &original, &plan, Some(&drawn)).await?;
    drop(tx);
    stop_at(Edge::NumberedBaseWritten);

    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    base.keep(&mut tx, None, now).await?;
    let document = tx.document(id).await?;
    if !document.is_drawing_number() {
        return Ok(Outcome::Done);
    }
    let bundle = base.as_main_of(document.bundle.clone());
    let change = document.number_drawn(bundle, base.head, base.manifest, now)?;
    notices::apply(&mut tx, &change, &*app.random, now).await?;
    tx.commit().await?;
    Ok(Outcome::Done)
}
