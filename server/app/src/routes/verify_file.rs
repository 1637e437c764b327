//! `POST /v1/verify`: is this PDF signed, by whom, and unchanged since? The file is looked at and thrown away.

use axum::extract::{Request, State};
use trinhky_pades::verify::Revocation;
use trinhky_protos::problem::{Code, Problem};

use super::receive::receive;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::blocking;
use crate::error::{ApiError, ApiResult};
use crate::gateways::clamd::Verdict;
use crate::verifying::{Material, Verifier};

/// Verify a PDF. The answer is the report that `trinhky verify` prints.
#[utoipa::path(
    post,
    path = "/v1/verify",
    tag = "file",
    request_body(content = String, content_type = "application/pdf"),
    responses(
        (status = 200, description = "The report", content_type = "application/json"),
        (status = 413, description = "`too_large`", body = Problem),
        (status = 422, description = "`broken_pdf`, `infected`", body = Problem),
    )
)]
pub(super) async fn verify_file(
    State(app): State<App>,
    _caller: Caller,
    request: Request,
) -> ApiResult<axum::Json<serde_json::Value>> {
    let (writer, verdict) = receive(&app, request).await?;
    if let Verdict::Infected(name) = verdict {
        return Err(ApiError::new(Code::Infected).with(name));
    }
    let verifier = Verifier::of(&app);
    let report = blocking(move || {
        let source = writer.source().map_err(ApiError::internal)?;
        let report = verifier.report(&source, &Material::default(), Revocation::IfAvailable)?;
        serde_json::to_value(report).map_err(ApiError::internal)
    })
    .await??;
    Ok(axum::Json(report))
}
