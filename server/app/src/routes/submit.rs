//! `POST /v1/documents/{id}/submit`: putting a draft on its chain.

use std::ops::ControlFlow;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use trinhky_domain::Edge;
use trinhky_domain::ids::DocumentId;
use trinhky_protos::document::DocumentView;
use trinhky_protos::problem::Problem;

use super::acting;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::ApiResult;
use crate::extract::{IdempotencyKey, IfMatch, Path};
use crate::once::Once;
use crate::stop::stop_at;
use crate::{jobs, notices, numbering};

/// Put a draft on its chain: to its first checker, or straight to its first signer.
#[utoipa::path(
    post,
    path = "/v1/documents/{id}/submit",
    tag = "document",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = DocumentView),
        (status = 403, description = "`not_yours`", body = Problem),
        (status = 409, description = "`wrong_state`, `stale`", body = Problem),
    )
)]
pub(super) async fn submit(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
    if_match: IfMatch,
    key: IdempotencyKey,
) -> ApiResult<Response> {
    let now = app.clock.now();
    let once = Once::new(&caller.actor, "submit", &id, key, &())?;
    let (mut tx, document) = match acting::begin(&app, &caller.actor, id, if_match, &once, now).await? {
        ControlFlow::Continue(begun) => begun,
        ControlFlow::Break(answer) => return Ok(answer),
    };
    let takes_number = document.next_step_takes_number(now);
    let register = numbering::register_if(takes_number, &app, &mut tx, &document, now).await?;
    let change = document.submit(&caller.actor, register.as_ref(), now)?;
    notices::apply(&mut tx, &change, &*app.random, now).await?;
    jobs::draw_number::enqueue_if_due(&app, &mut tx, &change).await?;
    let answer = acting::finish(tx, once, StatusCode::OK, id).await?;
    if takes_number {
        stop_at(Edge::NumberReserved);
    }
    stop_at(Edge::SubmitCommitted);
    Ok(answer)
}
