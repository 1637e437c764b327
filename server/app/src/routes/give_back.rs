//! `POST /v1/documents/{id}/return`, `/reject`, `/withdraw`: the ways off the chain. While the SIM may be asked, the
//! wish waits for the attempt's end.

use std::ops::ControlFlow;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use trinhky_domain::document::WishKind;
use trinhky_domain::ids::DocumentId;
use trinhky_protos::document::{DocumentView, ReasonRequest};
use trinhky_protos::problem::Problem;

use super::acting;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::ApiResult;
use crate::extract::{IdempotencyKey, IfMatch, Json, Path};
use crate::notices;
use crate::once::Once;

macro_rules! way_out {
    ($(#[$doc:meta])* $name:ident, $path:literal, $kind:expr) => {
        $(#[$doc])*
        #[utoipa::path(
            post,
            path = $path,
            tag = "document",
            params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
            request_body = ReasonRequest,
            responses(
                (status = 200, body = DocumentView),
                (status = 403, description = "`not_yours`", body = Problem),
                (status = 409, description = "`wrong_state`, `stale`", body = Problem),
                (status = 422, description = "`missing_metadata`: a reason is due", body = Problem),
            )
        )]
        pub(super) async fn $name(
            State(app): State<App>,
            caller: Caller,
            Path(id): Path<DocumentId>,
            if_match: IfMatch,
            key: IdempotencyKey,
            Json(request): Json<ReasonRequest>,
        ) -> ApiResult<Response> {
            give_back(&app, &caller, id, if_match, key, request, $kind).await
        }
    };
}

way_out!(
    /// Trả lại: back to the drafting unit, by whose turn it is.
    return_document, "/v1/documents/{id}/return", WishKind::Return
);
way_out!(
    /// Từ chối ký: by the leader whose turn it is.
    reject, "/v1/documents/{id}/reject", WishKind::Reject
);
way_out!(
    /// Rút lại: by the drafter or the assigned clerk.
    withdraw, "/v1/documents/{id}/withdraw", WishKind::Withdraw
);

async fn give_back(
    app: &App,
    caller: &Caller,
    id: DocumentId,
    if_match: IfMatch,
    key: IdempotencyKey,
    request: ReasonRequest,
    kind: WishKind,
) -> ApiResult<Response> {
    let now = app.clock.now();
    let once = Once::new(&caller.actor, kind.as_str(), &id, key, &request)?;
    let (mut tx, document) = match acting::begin(app, &caller.actor, id, if_match, &once, now).await? {
        ControlFlow::Continue(begun) => begun,
        ControlFlow::Break(answer) => return Ok(answer),
    };
    let change = document.give_back(&caller.actor, kind, &request.reason, now)?;
    notices::apply(&mut tx, &change, &*app.random, now).await?;
    acting::finish(tx, once, StatusCode::OK, id).await
}
