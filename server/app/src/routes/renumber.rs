//! `POST /v1/documents/{id}/renumber`: the number of a year that has ended, still unsigned in its base, is void; the next one
//! is taken and the base made anew. The worker does so by itself (`jobs::sweep`); the clerk need not wait for it.

use std::ops::ControlFlow;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use trinhky_domain::ids::DocumentId;
use trinhky_protos::document::DocumentView;
use trinhky_protos::problem::Problem;

use super::acting;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::ApiResult;
use crate::extract::{IdempotencyKey, IfMatch, Path};
use crate::numbering;
use crate::once::Once;

/// Replace a number of last year, before the first leader signs.
#[utoipa::path(
    post,
    path = "/v1/documents/{id}/renumber",
    tag = "document",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = DocumentView),
        (status = 403, description = "`not_the_clerk`", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 409, description = "`wrong_state`: it has no number, or one of this year; `stale`", body = Problem),
    )
)]
pub(super) async fn renumber(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
    if_match: IfMatch,
    key: IdempotencyKey,
) -> ApiResult<Response> {
    let now = app.clock.now();
    let once = Once::new(&caller.actor, "renumber", &id, key, &())?;
    let (mut tx, document) = match acting::begin(&app, &caller.actor, id, if_match, &once, now).await? {
        ControlFlow::Continue(begun) => begun,
        ControlFlow::Break(answer) => return Ok(answer),
    };
    document.must_renumber(Some(&caller.actor), now)?;
    numbering::renumber(&app, &mut tx, document, Some(&caller.actor), now).await?;
    acting::finish(tx, once, StatusCode::OK, id).await
}
