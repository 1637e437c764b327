//! `POST /v1/documents/{id}/release`: the document leaves the house, once both kinds of signature verify, nothing is
//! outside the leaders' decisions, and the scan passed.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use trinhky_domain::ids::DocumentId;
use trinhky_protos::document::DocumentView;
use trinhky_protos::problem::Problem;

use super::{acting, show};
use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::ApiResult;
use crate::extract::{IdempotencyKey, IfMatch, Path};
use crate::jobs;
use crate::once::Once;
use crate::releasing::{self, Outcome};

/// Release: 200 when it is released, 202 while the material to verify it for years is still being collected.
#[utoipa::path(
    post,
    path = "/v1/documents/{id}/release",
    tag = "seal",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = DocumentView),
        (status = 202, body = DocumentView),
        (status = 403, description = "`not_the_clerk`", body = Problem),
        (status = 409, description = "`wrong_state`, `signature_broken`, `leader_signature_missing`, `outside_decision`", body = Problem),
        (status = 422, description = "`infected`, `certificate_revoked`", body = Problem),
        (status = 503, description = "`scanner_unavailable`", body = Problem),
    )
)]
pub(super) async fn release(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
    if_match: IfMatch,
    key: IdempotencyKey,
) -> ApiResult<Response> {
    let now = app.clock.now();
    let once = Once::new(&caller.actor, "release", &id, key, &())?;
    let mut tx = app.store.read().await?;
    if let Some(answer) = once.kept(&mut tx).await? {
        return Ok(answer);
    }
    let document = show::mine(&mut tx, id, &caller.actor).await?;
    if_match.check(document.version.0.into())?;
    drop(tx);
    let outcome = releasing::release(&app, id, &caller.actor).await?;
    let mut tx = app.store.begin().await?;
    if let Some(answer) = once.seen(&mut tx, now).await? {
        return Ok(answer);
    }
    if outcome == Outcome::Waits {
        jobs::release::enqueue(&app, &mut tx, id, caller.actor.person).await?;
    }
    let status = match outcome {
        Outcome::Released => StatusCode::OK,
        Outcome::Waits => StatusCode::ACCEPTED,
    };
    acting::finish(tx, once, status, id).await
}
