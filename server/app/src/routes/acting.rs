//! How every act on a document begins and ends, whatever happens between: an act done before is answered as it was, only
//! whoever has a part in the document goes on, and only on the version they have seen; the answer shows the document as
//! the act left it and is kept in the act's own transaction.

use std::ops::ControlFlow;

use axum::http::StatusCode;
use axum::response::Response;
use time::OffsetDateTime;
use trinhky_domain::Document;
use trinhky_domain::ids::DocumentId;
use trinhky_domain::people::Actor;
use trinhky_store::Tx;

use super::show;
use crate::app::App;
use crate::error::ApiResult;
use crate::extract::IfMatch;
use crate::once::Once;

/// The document, in the transaction that will change it; or, with `Break`, the answer that the act was given before.
///
/// # Errors
/// `idempotency_mismatch`, `not_found`, `stale`.
pub(super) async fn begin(
    app: &App,
    actor: &Actor,
    id: DocumentId,
    if_match: IfMatch,
    once: &Once,
    now: OffsetDateTime,
) -> ApiResult<ControlFlow<Response, (Tx, Document)>> {
    let mut tx = app.store.begin().await?;
    if let Some(answer) = once.seen(&mut tx, now).await? {
        return Ok(ControlFlow::Break(answer));
    }
    let document = show::mine(&mut tx, id, actor).await?;
    if_match.check(document.version.0.into())?;
    Ok(ControlFlow::Continue((tx, document)))
}

/// Commits the act with its answer: the document as it stands now.
///
/// # Errors
/// What the store says; then nothing was done.
pub(super) async fn finish(
    mut tx: Tx,
    once: Once,
    status: StatusCode,
    id: DocumentId,
) -> ApiResult<Response> {
    let document = tx.document(id).await?;
    let view = show::view(&mut tx, &document).await?;
    let answer = once.keep(&mut tx, status, &view).await?;
    tx.commit().await?;
    Ok(answer)
}
