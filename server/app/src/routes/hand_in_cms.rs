//! `POST /v1/attempts/{id}/cms`: the detached CMS, assembled on the device from the raw value it verified itself. It
//! must be, byte for byte, what the server would assemble.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use trinhky_domain::ids::AttemptId;
use trinhky_domain::signing::{AttemptState, CmsFrom};
use trinhky_domain::{Edge, Refused};
use trinhky_protos::problem::{Code, Problem};
use trinhky_protos::signing::{AttemptView, CmsRequest};

use super::deciding;
use crate::app::App;
use crate::assembling::assemble;
use crate::auth::caller::Caller;
use crate::dossier::Dossier;
use crate::error::{ApiError, ApiResult};
use crate::extract::{IdempotencyKey, Json, Path};
use crate::once::Once;
use crate::stop::stop_at;
use crate::{blocking, jobs};

/// Hand in the CMS.
#[utoipa::path(
    post,
    path = "/v1/attempts/{id}/cms",
    tag = "signing",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = CmsRequest,
    responses(
        (status = 200, body = AttemptView),
        (status = 409, description = "`attempt_ended`, `wrong_state`", body = Problem),
        (status = 422, description = "`cms_mismatch`, `signature_invalid`", body = Problem),
    )
)]
pub(super) async fn hand_in_cms(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<AttemptId>,
    key: IdempotencyKey,
    Json(request): Json<CmsRequest>,
) -> ApiResult<Response> {
    let now = app.clock.now();
    let once = Once::new(&caller.actor, "cms", &id, key, &request)?;
    // Ours is made before anything is locked; a signature that was received does not change any more.
    let mut tx = app.store.read().await?;
    let attempt = deciding::own(&mut tx, &caller.actor, id).await?;
    let ours = match attempt.state {
        AttemptState::SignedRaw { signature, .. } => {
            let dossier = Dossier::of(&mut tx, id).await?;
            drop(tx);
            Some(blocking(move || assemble(&dossier, &signature)).await?)
        }
        _ => None,
    };

    let mut tx = app.store.begin().await?;
    if let Some(answer) = once.seen(&mut tx, now).await? {
        return Ok(answer);
    }
    let attempt = tx.attempt(id).await?;
    let (AttemptState::SignedRaw { .. }, Some(ours)) = (&attempt.state, ours) else {
        return Err(Refused::WrongAttemptState { state: attempt.state.name() }.into());
    };
    let ours = ours.map_err(|error| ApiError::new(Code::SignatureInvalid).with(error.to_string()))?;
    if ours != request.cms.0 {
        return Err(Code::CmsMismatch.into());
    }
    let change = attempt.verified(ours, CmsFrom::Device, now)?;
    match tx.apply(&change).await {
        // The worker was faster and has made the same bytes: said as it is said to everybody who comes after it.
        Err(trinhky_store::Error::Conflict(_)) => {
            drop(tx);
            let state = app.store.read().await?.attempt(id).await?.state.name();
            return Err(Refused::WrongAttemptState { state }.into());
        }
        applied => applied?,
    }
    jobs::finish_signature::hasten(&app, &mut tx, id).await?;
    let answer = deciding::finish(tx, once, StatusCode::OK, id).await?;
    stop_at(Edge::VerifiedCommitted);
    Ok(answer)
}
