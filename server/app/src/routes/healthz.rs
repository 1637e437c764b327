//! `GET /healthz`: whether this process can serve.

use axum::extract::State;
use trinhky_protos::problem::Code;

use crate::app::App;
use crate::error::{ApiError, ApiResult};

/// Whether this process can serve.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operations",
    security(()),
    responses((status = 200, description = "It can", body = String), (status = 503, description = "It cannot"))
)]
pub(super) async fn healthz(State(app): State<App>) -> ApiResult<&'static str> {
    app.store.ping().await.map_err(|error| ApiError::new(Code::Unavailable).because(error))?;
    Ok("ok\n")
}
