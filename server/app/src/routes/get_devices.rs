//! `GET /v1/devices` and `GET /v1/devices/{id}`: my devices.

use axum::extract::State;
use trinhky_domain::ids::DeviceId;
use trinhky_protos::device::DeviceView;
use trinhky_protos::problem::{Code, Problem};
use trinhky_store::{Device, DeviceState};

use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::ApiResult;
use crate::extract::Path;

/// My devices, oldest first.
#[utoipa::path(get, path = "/v1/devices", tag = "device", responses((status = 200, body = Vec<DeviceView>)))]
pub(super) async fn list_devices(
    State(app): State<App>,
    caller: Caller,
) -> ApiResult<axum::Json<Vec<DeviceView>>> {
    let devices = app.store.read().await?.devices_of(caller.actor.person).await?;
    Ok(axum::Json(devices.into_iter().map(view).collect()))
}

/// One of my devices.
#[utoipa::path(
    get,
    path = "/v1/devices/{id}",
    tag = "device",
    params(("id" = String, Path)),
    responses((status = 200, body = DeviceView), (status = 404, description = "`not_found`", body = Problem))
)]
pub(super) async fn get_device(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DeviceId>,
) -> ApiResult<axum::Json<DeviceView>> {
    let device = app.store.read().await?.device(id).await?;
    if device.person != caller.actor.person {
        return Err(Code::NotFound.into());
    }
    Ok(axum::Json(view(device)))
}

fn view(device: Device) -> DeviceView {
    let state = match device.state {
        DeviceState::Pending => "pending",
        DeviceState::Enrolled => "active",
        DeviceState::Revoked => "revoked",
    };
    DeviceView {
        id: device.id,
        name: device.name,
        client: device.client.as_str().to_owned(),
        state: state.to_owned(),
        enrolled_at: device.enrolled,
    }
}
