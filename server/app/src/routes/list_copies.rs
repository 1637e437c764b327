//! `GET /v1/documents/{id}/copies`: what became of each recipient's copy, for whoever has a part in the document.

use axum::extract::State;
use trinhky_domain::ids::DocumentId;
use trinhky_protos::copies::CopiesView;
use trinhky_protos::problem::Problem;

use super::show;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::copy_words;
use crate::error::ApiResult;
use crate::extract::Path;

/// The copies of a document, in the recipients' order.
#[utoipa::path(
    get,
    path = "/v1/documents/{id}/copies",
    tag = "copy",
    params(("id" = String, Path)),
    responses(
        (status = 200, body = CopiesView),
        (status = 404, description = "`not_found`", body = Problem),
    )
)]
pub(super) async fn list_copies(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
) -> ApiResult<axum::Json<CopiesView>> {
    let mut tx = app.store.read().await?;
    show::mine(&mut tx, id, &caller.actor).await?;
    let copies = tx.copies_of(id).await?.iter().map(copy_words::view).collect();
    Ok(axum::Json(CopiesView { copies }))
}
