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

use crate::app::App;
use crate::assembling::assemble;
use crate::auth::caller::Caller;
use crate::dossier::Dossier;
use crate::error::{ApiError, ApiResult};
use crate::extract::{IdempotencyKey, Json, Path};
use crate::once::Once;
use crate::stop::stop_at;
use crate::{blocking, views};

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
    let mut tx = app.store.begin().await?;
    if let Some(answer) = once.seen(&mut tx, now).await? {
        return Ok(answer);
    }
    let attempt = tx.attempt(id).await?;
    if attempt.person != caller.actor.person {
        return Err(Code::NotFound.into());
    }
    let AttemptState::SignedRaw { signature, .. } = &attempt.state else {
        return Err(Refused::WrongAttemptState { state: attempt.state.name() }.into());
    };
    let dossier = Dossier::of(&mut tx, id).await?;
    let signature = signature.clone();
    let ours = blocking(move || assemble(&dossier, &signature))
        .await?
        .map_err(|error| ApiError::new(Code::SignatureInvalid).with(error.to_string()))?;
    if ours != request.cms.0 {
        return Err(Code::CmsMismatch.into());
    }
    let change = attempt.verified(ours, CmsFrom::Device, now)?;
    tx.apply(&change).await?;
    let attempt = tx.attempt(id).await?;
    let view = views::attempt(&mut tx, &attempt).await?;
    let answer = once.keep(&mut tx, StatusCode::OK, &view).await?;
    tx.commit().await?;
    stop_at(Edge::VerifiedCommitted);
    Ok(answer)
}
