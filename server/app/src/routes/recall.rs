//! `POST /v1/documents/{id}/recall`: thu hồi. Every receiver that may have a copy is asked to give it back and to say so
//! (R88, R89); those on e-mail are asked by mail, the others by the clerk. The record stays.

use std::ops::ControlFlow;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use trinhky_domain::ids::DocumentId;
use trinhky_protos::document::{DocumentView, ReasonRequest};
use trinhky_protos::problem::Problem;

use super::acting;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::ApiResult;
use crate::extract::{IdempotencyKey, IfMatch, Json, Path};
use crate::jobs::deliver_copy;
use crate::notices;
use crate::once::Once;

/// Thu hồi: by the assigned clerk, once, with a reason.
#[utoipa::path(
    post,
    path = "/v1/documents/{id}/recall",
    tag = "copy",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = ReasonRequest,
    responses(
        (status = 200, body = DocumentView),
        (status = 403, description = "`not_the_clerk`", body = Problem),
        (status = 409, description = "`wrong_state`, `stale`", body = Problem),
        (status = 422, description = "`missing_metadata`: a reason is due", body = Problem),
    )
)]
pub(super) async fn recall(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
    if_match: IfMatch,
    key: IdempotencyKey,
    Json(request): Json<ReasonRequest>,
) -> ApiResult<Response> {
    let now = app.clock.now();
    let once = Once::new(&caller.actor, "recall", &id, key, &request)?;
    let (mut tx, document) = match acting::begin(&app, &caller.actor, id, if_match, &once, now).await? {
        ControlFlow::Continue(begun) => begun,
        ControlFlow::Break(answer) => return Ok(answer),
    };
    let copies = tx.copies_of(id).await?;
    let urgency = document.particulars.urgency;
    let change = document.recall(&caller.actor, &request.reason, copies, now)?;
    notices::apply(&mut tx, &change, &*app.random, now).await?;
    for copy in tx.copies_of(id).await? {
        deliver_copy::enqueue(&app, &mut tx, &copy, urgency).await?;
    }
    acting::finish(tx, once, StatusCode::OK, id).await
}
