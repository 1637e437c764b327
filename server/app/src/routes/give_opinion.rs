//! `POST /v1/documents/{id}/opinions`: a checker passes the document on, or gives it back with the reason.

use std::ops::ControlFlow;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use trinhky_domain::ids::DocumentId;
use trinhky_protos::document::{DocumentView, OpinionRequest};
use trinhky_protos::problem::{Code, Problem};

use super::acting;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::extract::{IdempotencyKey, IfMatch, Json, Path};
use crate::once::Once;
use crate::{jobs, notices, numbering, wire};

/// Give an opinion about exactly these bytes.
#[utoipa::path(
    post,
    path = "/v1/documents/{id}/opinions",
    tag = "document",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = OpinionRequest,
    responses(
        (status = 200, body = DocumentView),
        (status = 403, description = "`not_yours`", body = Problem),
        (status = 409, description = "`wrong_state`, `head_moved`, `stale`", body = Problem),
    )
)]
pub(super) async fn give_opinion(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
    if_match: IfMatch,
    key: IdempotencyKey,
    Json(request): Json<OpinionRequest>,
) -> ApiResult<Response> {
    let now = app.clock.now();
    let once = Once::new(&caller.actor, "opinions", &id, key, &request)?;
    let (mut tx, document) = match acting::begin(&app, &caller.actor, id, if_match, &once, now).await? {
        ControlFlow::Continue(begun) => begun,
        ControlFlow::Break(answer) => return Ok(answer),
    };
    if document.head.sha256 != wire::digest(request.head) {
        return Err(Code::HeadMoved.into());
    }
    // The rules keep an opinion with the whole bundle; the head just compared is its main file's.
    let seen = document.bundle.digest();
    let register =
        numbering::register_if(document.next_step_takes_number(now), &app, &mut tx, &document, now).await?;
    let reviewing = document.reviewing(&caller.actor)?;
    let change = match request.verdict.as_str() {
        "approve" => reviewing.pass(&caller.actor, &request.note, seen, register.as_ref(), now)?,
        "give_back" => reviewing.give_back(&caller.actor, &request.note, seen, now)?,
        _ => return Err(ApiError::new(Code::Malformed).with("verdict: approve or give_back")),
    };
    notices::apply(&mut tx, &change, &*app.random, now).await?;
    jobs::draw_number::enqueue_if_due(&app, &mut tx, &change).await?;
    acting::finish(tx, once, StatusCode::OK, id).await
}
