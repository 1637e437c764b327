//! `PUT` and `DELETE /v1/devices/{id}/push`, `GET /v1/push/key`: where a device is reached by Web Push.

use axum::extract::State;
use axum::http::StatusCode;
use trinhky_domain::ids::DeviceId;
use trinhky_protos::device::{PushKeyView, PushSubscriptionRequest};
use trinhky_protos::problem::{Code, Problem};

use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::extract::{Json, Path};
use crate::gateways::push::Subscription;

/// The key to subscribe with (RFC 8292).
#[utoipa::path(
    get,
    path = "/v1/push/key",
    tag = "device",
    responses((status = 200, body = PushKeyView), (status = 404, description = "`not_found`: push is not set up", body = Problem))
)]
pub(super) async fn push_key(State(app): State<App>, _caller: Caller) -> ApiResult<axum::Json<PushKeyView>> {
    let push = app.gateways.push.as_ref().ok_or(ApiError::new(Code::NotFound))?;
    Ok(axum::Json(PushKeyView { public_key: push.public_key().to_owned() }))
}

/// Push to this device there.
#[utoipa::path(
    put,
    path = "/v1/devices/{id}/push",
    tag = "device",
    params(("id" = String, Path)),
    request_body = PushSubscriptionRequest,
    responses((status = 204), (status = 400, description = "`malformed`", body = Problem), (status = 404, description = "`not_found`", body = Problem))
)]
pub(super) async fn set_push(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DeviceId>,
    Json(request): Json<PushSubscriptionRequest>,
) -> ApiResult<StatusCode> {
    let push = app.gateways.push.as_ref().ok_or(ApiError::new(Code::NotFound))?;
    let subscription =
        Subscription { endpoint: request.endpoint, p256dh: request.p256dh, auth: request.auth };
    push.check(&subscription).map_err(|error| ApiError::new(Code::Malformed).with(error.to_string()))?;
    let stored = trinhky_store::Push {
        endpoint: subscription.endpoint,
        p256dh: subscription.p256dh,
        auth: subscription.auth,
    };
    change(&app, &caller, id, Some(&stored)).await
}

/// Push to this device no more.
#[utoipa::path(
    delete,
    path = "/v1/devices/{id}/push",
    tag = "device",
    params(("id" = String, Path)),
    responses((status = 204), (status = 404, description = "`not_found`", body = Problem))
)]
pub(super) async fn clear_push(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DeviceId>,
) -> ApiResult<StatusCode> {
    change(&app, &caller, id, None).await
}

async fn change(
    app: &App,
    caller: &Caller,
    id: DeviceId,
    push: Option<&trinhky_store::Push>,
) -> ApiResult<StatusCode> {
    let mut tx = app.store.begin().await?;
    if tx.device(id).await?.person != caller.actor.person {
        return Err(Code::NotFound.into());
    }
    tx.set_push(id, push).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
