//! `GET /v1/office/forms`: what my office offers to choose from, as its administrator imported it.

use axum::extract::State;
use trinhky_protos::office::OfficeFormsView;

use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};

/// Registers, chains, recipients, units and people to choose from; empty lists where nothing was described.
#[utoipa::path(get, path = "/v1/office/forms", tag = "document", responses((status = 200, body = OfficeFormsView)))]
pub(super) async fn office_forms(
    State(app): State<App>,
    caller: Caller,
) -> ApiResult<axum::Json<OfficeFormsView>> {
    let kept = app.store.read().await?.office_forms(caller.actor.office).await?;
    let forms = kept.map(|text| serde_json::from_str(&text)).transpose().map_err(ApiError::internal)?;
    Ok(axum::Json(forms.unwrap_or_default()))
}
