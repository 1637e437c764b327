//! `GET /v1/audit/consistency`: that the journal a device sees now begins with the one it saw before.

use axum::extract::State;
use serde::Deserialize;
use trinhky_protos::audit::ConsistencyView;
use trinhky_protos::problem::Problem;
use utoipa::IntoParams;

use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::ApiResult;
use crate::extract::Query;

/// Between which checkpoints.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Between {
    /// Entries of the journal seen before.
    from: u64,
    /// Entries of the journal seen now.
    to: u64,
}

/// Proof that the journal of `to` entries begins with that of `from`.
#[utoipa::path(
    get,
    path = "/v1/audit/consistency",
    tag = "audit",
    params(Between),
    responses(
        (status = 200, body = ConsistencyView),
        (status = 404, description = "`not_found`: the journal was never that long, or `from` is above `to`", body = Problem),
    )
)]
pub(super) async fn consistency(
    State(app): State<App>,
    _caller: Caller,
    Query(between): Query<Between>,
) -> ApiResult<axum::Json<ConsistencyView>> {
    let mut tx = app.store.read().await?;
    Ok(axum::Json(tx.prove_consistency(between.from, between.to).await?.into()))
}
