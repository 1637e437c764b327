//! `POST /v1/documents/{id}/seal`: the organisation's CMS, made on the clerk's token. Checked and kept first; when time
//! stamp and revocation answer, the document is sealed before this request ends.

use std::ops::ControlFlow;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use trinhky_domain::ids::{DocumentId, SealId};
use trinhky_domain::people::Actor;
use trinhky_protos::Base64Bytes;
use trinhky_protos::document::DocumentView;
use trinhky_protos::problem::{Code, Problem};
use trinhky_protos::seal::SealRequest;

use super::{acting, show};
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
        (status = 422, description = "`signature_invalid`, `cms_mismatch`, `certificate_mismatch`, `certificate_revoked`, `certificate_expired`", body = Problem),
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
    let checked = look(&app, &caller.actor, id, &request.cms).await?;

    let (mut tx, document) = match acting::begin(&app, &caller.actor, id, if_match, &once, now).await? {
        ControlFlow::Continue(begun) => begun,
        ControlFlow::Break(answer) => return Ok(answer),
    };
    if document.head.sha256 != wire::digest(request.base) {
        return Err(Code::HeadMoved.into());
    }
    let seal = document.sealing(&caller.actor)?.seal();
    let mut dossier = SealDossier::of(&mut tx, seal).await?;
    if dossier.expires_at <= now {
        return Err(Code::DecisionExpired.into());
    }
    match checked {
        Some((looked_at, result)) if looked_at == seal => result?,
        // Another one was prepared since; whoever asks now does not know it.
        _ => return Err(Code::HeadMoved.into()),
    }
    dossier.cms = Some(request.cms);
    // Kept before anything else is done with it: a token's PIN is not asked for twice because a service was down.
    dossier.keep(&mut tx, seal).await?;
    jobs::finish_seal::enqueue(&app, &mut tx, id, seal).await?;
    tx.commit().await?;

    let outcome = sealing::finish(&app, id, seal).await?;
    let status = match outcome {
        Outcome::Sealed => StatusCode::OK,
        Outcome::Waits(_) => StatusCode::ACCEPTED,
    };
    acting::finish(app.store.begin().await?, once, status, id).await
}

/// Checks the CMS over the seal that is prepared now, before anything is locked; none where no seal is, which is told at
/// its place.
async fn look(
    app: &App,
    actor: &Actor,
    id: DocumentId,
    cms: &Base64Bytes,
) -> ApiResult<Option<(SealId, ApiResult<()>)>> {
    let mut tx = app.store.read().await?;
    let Ok(sealing) = show::mine(&mut tx, id, actor).await?.sealing(actor) else { return Ok(None) };
    let mut dossier = SealDossier::of(&mut tx, sealing.seal()).await?;
    drop(tx);
    dossier.cms = Some(cms.clone());
    let result = blocking(move || sealing::check(&dossier).map(drop)).await?;
    Ok(Some((sealing.seal(), result)))
}
