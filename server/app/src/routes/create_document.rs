//! `POST /v1/documents`: a draft from uploaded files. The declared fields are provisioned now, once, so that every later
//! reader sees the very same base; the manifest lists what later revisions may touch.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use trinhky_domain::Edge;
use trinhky_domain::document::Document;
use trinhky_domain::ids::DocumentId;
use trinhky_protos::document::{CreateDocumentRequest, DocumentView};
use trinhky_protos::problem::Problem;

use super::drafting::{self, Drafted};
use super::show;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::ApiResult;
use crate::extract::{IdempotencyKey, Json};
use crate::notices;
use crate::once::Once;
use crate::stop::stop_at;

/// Make a draft from uploaded files.
#[utoipa::path(
    post,
    path = "/v1/documents",
    tag = "document",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = CreateDocumentRequest,
    responses(
        (status = 201, body = DocumentView),
        (status = 422, description = "`classified`, `missing_metadata`, `unknown_signer`, `unknown_person`, `unknown_file`, `bad_place`, `field_outside_place`, `printed_differs`, `unsupported_pdf`, `idempotency_mismatch`", body = Problem),
    )
)]
pub(super) async fn create_document(
    State(app): State<App>,
    caller: Caller,
    key: IdempotencyKey,
    Json(request): Json<CreateDocumentRequest>,
) -> ApiResult<Response> {
    let now = app.clock.now();
    let once = Once::new(&caller.actor, "documents", &caller.actor.office, key, &request)?;
    let Drafted { base, draft, office, people } = drafting::read(&app, &caller, &request).await?;
    stop_at(Edge::UploadWritten);

    let mut tx = app.store.begin().await?;
    if let Some(answer) = once.seen(&mut tx, now).await? {
        return Ok(answer);
    }
    base.keep(&mut tx, Some(&caller.actor), now).await?;
    let profile = app.profile_of(&office)?;
    let id = DocumentId::at(now, app.random.chance());
    let change = Document::draft(id, draft, &caller.actor, &office, &people, &profile, now)?;
    notices::apply(&mut tx, &change, &*app.random, now).await?;
    let document = tx.document(id).await?;
    let view = show::view(&mut tx, &document).await?;
    let answer = once.keep(&mut tx, StatusCode::CREATED, &view).await?;
    tx.commit().await?;
    stop_at(Edge::DraftCommitted);
    Ok(answer)
}
