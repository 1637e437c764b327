//! `GET /healthz`: whether this process can serve.

use axum::extract::State;

use crate::app::App;
use crate::error::ApiResult;

/// Whether this process can serve.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operations",
    security(()),
    responses((status = 200, description = "It can", body = String), (status = 503, description = "It cannot"))
)]
pub(super) async fn healthz(State(_app): State<App>) -> ApiResult<&'static str> {
    Ok("ok\n")
}
