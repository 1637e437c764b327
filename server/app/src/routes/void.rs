//! `POST /v1/attempts/{id}/void`: the leader gives up a signature that came after its wish was withdrawn. The sealed value is
//! destroyed in the same commit; what was decided stays.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use trinhky_domain::ids::AttemptId;
use trinhky_domain::signing::DecisionKind;
use trinhky_protos::problem::Problem;
use trinhky_protos::signing::{AttemptView, DecisionRequest};

use super::{deciding, held};
use crate::app::App;
use crate::auth::caller::Caller;
use crate::dossier::Dossier;
use crate::error::ApiResult;
use crate::extract::{IdempotencyKey, Json, Path};
use crate::notices;
use crate::once::Once;

/// Give up a late signature of mine.
#[utoipa::path(
    post,
    path = "/v1/attempts/{id}/void",
    tag = "signing",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = DecisionRequest,
    responses(
        (status = 200, body = AttemptView),
        (status = 403, description = "`device_unknown`", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 409, description = "`attempt_ended`, `wrong_state`, `stale`, `decision_replayed`, `decision_expired`", body = Problem),
        (status = 422, description = "`decision_invalid`, `missing_metadata`: a reason is due", body = Problem),
    )
)]
pub(super) async fn void(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<AttemptId>,
    key: IdempotencyKey,
    Json(request): Json<DecisionRequest>,
) -> ApiResult<Response> {
    let now = app.clock.now();
    let once = Once::new(&caller.actor, "void", &id, key, &request)?;
    let mut tx = app.store.begin().await?;
    if let Some(answer) = once.seen(&mut tx, now).await? {
        return Ok(answer);
    }
    let attempt = deciding::own(&mut tx, &caller.actor, id).await?;
    let said = held::read(&mut tx, &caller.actor, &request.jws).await?;
    let document = deciding::document_of(&mut tx, &attempt).await?;
    let dossier = Dossier::of(&mut tx, id).await?;
    let actor = said.actor(&caller);
    let held = document.held(&actor, attempt)?;
    let decision = said.decides(&mut tx, DecisionKind::Void, &held, &dossier, now).await?;
    let reason = said.claims.reason.as_deref().unwrap_or_default();
    let change = held.void(&actor, reason, decision)?;
    notices::apply(&mut tx, &change, &*app.random, now).await?;
    deciding::finish(tx, once, StatusCode::OK, id).await
}
