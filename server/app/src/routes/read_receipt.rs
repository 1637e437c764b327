//! `POST /v1/documents/{id}/read`: the reader has opened it.

use axum::extract::State;
use axum::http::StatusCode;
use trinhky_domain::audit::{Entry, Event};
use trinhky_domain::ids::DocumentId;
use trinhky_protos::problem::Problem;

use super::show;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::ApiResult;
use crate::extract::Path;

/// Note that I have opened it.
#[utoipa::path(
    post,
    path = "/v1/documents/{id}/read",
    tag = "document",
    params(("id" = String, Path)),
    responses((status = 204), (status = 404, description = "`not_found`", body = Problem))
)]
pub(super) async fn read_receipt(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
) -> ApiResult<StatusCode> {
    let mut tx = app.store.begin().await?;
    let document = show::mine(&mut tx, id, &caller.actor).await?;
    let entry = Entry::new(Event::DocumentRead, &caller.actor, app.clock.now())
        .about(id)
        .with("head", document.head.sha256);
    tx.record(&entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
