//! What the văn thư does with one recipient's copy: `POST /v1/copies/{id}/handed`, `/send` and `/receipts`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use time::OffsetDateTime;
use trinhky_domain::ids::CopyId;
use trinhky_domain::release::{Copy, Receipt};
use trinhky_domain::{Change, Document, Edge, Refused};
use trinhky_protos::copies::{CopyView, ReceiptRequest, SendAgainRequest};
use trinhky_protos::problem::Problem;

use super::show;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::ApiResult;
use crate::extract::{IdempotencyKey, IfMatch, Json, Path};
use crate::jobs::deliver_copy;
use crate::once::Once;
use crate::stop::stop_at;
use crate::{copy_words, notices, wire};

/// Handed over by the clerk: on paper, or by a channel that is not set up here.
#[utoipa::path(
    post,
    path = "/v1/copies/{id}/handed",
    tag = "copy",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = CopyView),
        (status = 403, description = "`not_the_clerk`", body = Problem),
        (status = 409, description = "`wrong_state`, `stale`", body = Problem),
    )
)]
pub(super) async fn hand_over(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<CopyId>,
    if_match: IfMatch,
    key: IdempotencyKey,
) -> ApiResult<Response> {
    let asked = Asked { id, if_match, once: Once::new(&caller.actor, "handed", &id, key, &())? };
    act(&app, &caller, asked, |document, copy, now| document.hand_over(&caller.actor, copy, now)).await
}

/// Sent by e-mail once more, at once; with an address, to that one from now on.
#[utoipa::path(
    post,
    path = "/v1/copies/{id}/send",
    tag = "copy",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = SendAgainRequest,
    responses(
        (status = 200, body = CopyView),
        (status = 403, description = "`not_the_clerk`", body = Problem),
        (status = 409, description = "`wrong_state`, `stale`", body = Problem),
        (status = 422, description = "`missing_metadata`: an address is due", body = Problem),
    )
)]
pub(super) async fn send_again(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<CopyId>,
    if_match: IfMatch,
    key: IdempotencyKey,
    Json(request): Json<SendAgainRequest>,
) -> ApiResult<Response> {
    let to = request.email.as_deref().map(wire::read_email).transpose()?;
    let asked = Asked { id, if_match, once: Once::new(&caller.actor, "send", &id, key, &request)? };
    act(&app, &caller, asked, |document, copy, now| document.send_again(&caller.actor, copy, to, now)).await
}

/// What the receiver answered, by a status code of QCVN 102:2016. Answers that arrive as mail are not read by this server.
#[utoipa::path(
    post,
    path = "/v1/copies/{id}/receipts",
    tag = "copy",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = ReceiptRequest,
    responses(
        (status = 200, body = CopyView),
        (status = 400, description = "`malformed`: no such code", body = Problem),
        (status = 403, description = "`not_the_clerk`", body = Problem),
        (status = 409, description = "`wrong_state`, `stale`", body = Problem),
        (status = 422, description = "`missing_metadata`: a refusal gives its reason", body = Problem),
    )
)]
pub(super) async fn note_receipt(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<CopyId>,
    if_match: IfMatch,
    key: IdempotencyKey,
    Json(request): Json<ReceiptRequest>,
) -> ApiResult<Response> {
    let asked = Asked { id, if_match, once: Once::new(&caller.actor, "receipts", &id, key, &request)? };
    let receipt = Receipt { code: request.code, description: Some(request.note) };
    let answer = act(&app, &caller, asked, |document, copy, now| {
        document.note_receipt(&caller.actor, copy, &receipt, now)
    })
    .await?;
    stop_at(Edge::ReceiptCommitted);
    Ok(answer)
}

struct Asked {
    id: CopyId,
    if_match: IfMatch,
    once: Once,
}

/// One act on one copy, with the job that it may call for, in one transaction.
async fn act(
    app: &App,
    caller: &Caller,
    Asked { id, if_match, once }: Asked,
    decide: impl FnOnce(&Document, Copy, OffsetDateTime) -> Result<Change, Refused>,
) -> ApiResult<Response> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    if let Some(answer) = once.seen(&mut tx, now).await? {
        return Ok(answer);
    }
    let copy = tx.copy(id).await?;
    let document = show::mine(&mut tx, copy.document, &caller.actor).await?;
    if_match.check(copy.version.0.into())?;
    let change = decide(&document, copy, now)?;
    notices::apply(&mut tx, &change, &*app.random, now).await?;
    let copy = tx.copy(id).await?;
    deliver_copy::enqueue(app, &mut tx, &copy, document.particulars.urgency).await?;
    let answer = once.keep(&mut tx, StatusCode::OK, &copy_words::view(&copy)).await?;
    tx.commit().await?;
    Ok(answer)
}
