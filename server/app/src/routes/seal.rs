//! `POST /v1/documents/{id}/seal`: the organisation's CMS, made on the clerk's token. Checked and kept first; when time
//! stamp and revocation answer, the document is sealed before this request ends.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use trinhky_domain::ids::DocumentId;
use trinhky_protos::document::DocumentView;
use trinhky_protos::problem::{Code, Problem};
use trinhky_protos::seal::SealRequest;

use super::show;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::ApiResult;
use crate::extract::{IdempotencyKey, IfMatch, Json, Path};
use crate::once::Once;
use crate::seal_dossier::SealDossier;
use crate::sealing::{self, Outcome};
use crate::{blocking, jobs, wire};

/// Hand in the organisation's signature. The answer's state is `sealed`, or `sealing` with what it waits for.
#[utoipa::path(
    post,
    path = "/v1/documents/{id}/seal",
    tag = "seal",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = SealRequest,
    responses(
        (status = 200, body = DocumentView),
        (status = 403, description = "`not_the_clerk`", body = Problem),
        (status = 409, description = "`wrong_state`, `head_moved`, `signature_broken`, `leader_signature_missing`, `decision_expired`", body = Problem),
        (status = 422, description = "`signature_invalid`, `certificate_mismatch`, `certificate_revoked`, `certificate_expired`", body = Problem),
    )
)]
pub(super) async fn seal(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
    if_match: IfMatch,
    key: IdempotencyKey,
    Json(request): Json<SealRequest>,
) -> ApiResult<Response> {
    let now = app.clock.now();
    let once = Once::new(&caller.actor, "seal", &id, key, &request)?;
    let mut tx = app.store.begin().await?;
    if let Some(answer) = once.seen(&mut tx, now).await? {
        return Ok(answer);
    }
    let document = show::mine(&mut tx, id, &caller.actor).await?;
    if_match.check(document.version.0.into())?;
    if document.head.sha256 != wire::digest(request.base) {
        return Err(Code::HeadMoved.into());
    }
    let seal = document.sealing(&caller.actor)?.seal();
    let mut dossier = SealDossier::of(&mut tx, seal).await?;
    if dossier.expires_at <= now {
        return Err(Code::DecisionExpired.into());
    }
    dossier.cms = Some(request.cms);
    let looked_at = dossier.clone();
    blocking(move || sealing::check(&looked_at).map(drop)).await??;
    // Kept before anything else is done with it: a token's PIN is not asked for twice because a service was down.
    dossier.keep(&mut tx, seal).await?;
    jobs::finish_seal::enqueue(&app, &mut tx, id, seal).await?;
    tx.commit().await?;

    let outcome = sealing::finish(&app, id, seal).await?;
    let mut tx = app.store.begin().await?;
    let document = tx.document(id).await?;
    let view = show::view(&mut tx, &document).await?;
    let answer = match outcome {
        Outcome::Sealed => once.keep(&mut tx, StatusCode::OK, &view).await?,
        Outcome::Waits(_) => once.keep(&mut tx, StatusCode::ACCEPTED, &view).await?,
    };
    tx.commit().await?;
    Ok(answer)
}
