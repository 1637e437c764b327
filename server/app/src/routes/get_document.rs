//! `GET /v1/documents/{id}`: one document.

use axum::extract::State;
use axum::response::Response;
use trinhky_domain::ids::DocumentId;
use trinhky_protos::document::DocumentView;
use trinhky_protos::problem::Problem;

use super::show;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::ApiResult;
use crate::extract::Path;

/// One document; its version is the `ETag`.
#[utoipa::path(
    get,
    path = "/v1/documents/{id}",
    tag = "document",
    params(("id" = String, Path)),
    responses((status = 200, body = DocumentView), (status = 404, description = "`not_found`", body = Problem))
)]
pub(super) async fn get_document(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
) -> ApiResult<Response> {
    let mut tx = app.store.read().await?;
    let document = show::mine(&mut tx, id, &caller.actor).await?;
    Ok(show::tagged(show::view(&mut tx, &document).await?))
}
