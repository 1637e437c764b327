//! `POST /v1/documents/{id}/revise`: the corrected content of a draft, or of a document that was given back. A new version:
//! another base is provisioned, every opinion and signature was about the one before and counts no more; a number taken
//! before signing stays with the document and is drawn anew. It is a draft then, to be submitted again.

use std::ops::ControlFlow;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use trinhky_domain::ids::DocumentId;
use trinhky_protos::document::{CreateDocumentRequest, DocumentView};
use trinhky_protos::problem::Problem;

use super::drafting::{self, Drafted};
use super::{acting, show};
use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::ApiResult;
use crate::extract::{IdempotencyKey, IfMatch, Json, Path};
use crate::notices;
use crate::once::Once;

/// Correct a draft, or a document that was given back: by its drafter or the assigned clerk.
#[utoipa::path(
    post,
    path = "/v1/documents/{id}/revise",
    tag = "document",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = CreateDocumentRequest,
    responses(
        (status = 200, body = DocumentView),
        (status = 403, description = "`not_yours`", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 409, description = "`wrong_state`, `stale`", body = Problem),
        (status = 422, description = "as for a new document; `missing_metadata` also when the kind changes after the number was taken", body = Problem),
    )
)]
pub(super) async fn revise(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
    if_match: IfMatch,
    key: IdempotencyKey,
    Json(request): Json<CreateDocumentRequest>,
) -> ApiResult<Response> {
    let now = app.clock.now();
    let actor = &caller.actor;
    let once = Once::new(actor, "revise", &id, key, &request)?;
    let mut tx = app.store.read().await?;
    if let Some(answer) = once.kept(&mut tx).await? {
        return Ok(answer);
    }
    // Who, where and which version first: nobody else makes the server work on a file.
    let document = show::mine(&mut tx, id, actor).await?;
    if_match.check(document.version.0.into())?;
    document.revisable(actor)?;
    drop(tx);
    let Drafted { base, draft, office, people } = drafting::read(&app, &caller, &request).await?;

    let (mut tx, document) = match acting::begin(&app, actor, id, if_match, &once, now).await? {
        ControlFlow::Continue(begun) => begun,
        ControlFlow::Break(answer) => return Ok(answer),
    };
    base.keep(&mut tx, Some(actor), now).await?;
    let profile = app.profile_of(&office)?;
    let change = document.revise(draft, actor, &office, &people, &profile, now)?;
    notices::apply(&mut tx, &change, &*app.random, now).await?;
    acting::finish(tx, once, StatusCode::OK, id).await
}
