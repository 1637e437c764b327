//! `POST /v1/files`: a PDF comes in. It is scanned and written while it is received, read once when it is there, and
//! counts only then: a refused file leaves neither bytes nor row.
//!
//! ```text
//! body ─┬─► scanner ──────────────┐
//!       └─► writer (not yet named) ─► ingest ─► signatures already in it ─► named, synced ─► row
//! ```
//!
//! Memory does not grow with the file: a few chunks are under way at any moment.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use trinhky_domain::Edge;
use trinhky_pades::intake::{Ingested, ingest};
use trinhky_pades::pdf::Limits;
use trinhky_pades::source::Source;
use trinhky_protos::document::UploadedFileView;
use trinhky_protos::problem::{Code, Problem};
use trinhky_store::blobs::Written;
use trinhky_store::{Layout, StoredFile};

use super::intake::{refused, word};
use super::receive::receive;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::blocking;
use crate::error::{ApiError, ApiResult};
use crate::gateways::clamd::Verdict;
use crate::stop::stop_at;
use crate::verifying::Verifier;
use crate::wire;

/// Upload a PDF.
#[utoipa::path(
    post,
    path = "/v1/files",
    tag = "file",
    request_body(content = String, content_type = "application/pdf"),
    responses(
        (status = 201, body = UploadedFileView),
        (status = 413, description = "`too_large`", body = Problem),
        (status = 422, description = "`not_a_pdf`, `truncated`, `encrypted`, `empty_file`, `broken_pdf`, `unsupported_pdf`, `invalid_signature_present`, `infected`", body = Problem),
        (status = 503, description = "`scanner_unavailable`", body = Problem),
    )
)]
pub(super) async fn upload_file(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> ApiResult<(StatusCode, axum::Json<UploadedFileView>)> {
    let most = app.config.limits.upload_bytes;
    let (writer, verdict) = receive(&app, request).await?;
    if let Verdict::Infected(name) = verdict {
        return Err(ApiError::new(Code::Infected).with(name));
    }
    let verifier = Verifier::of(&app);
    let (ingested, written) = blocking(move || {
        let ingested = examine(&writer.source().map_err(ApiError::internal)?, &verifier, most)?;
        let written = writer.finish().map_err(ApiError::internal)?;
        Ok::<_, ApiError>((ingested, written))
    })
    .await??;
    stop_at(Edge::UploadWritten);
    let view = keep(&app, &caller, &ingested, &written).await?;
    Ok((StatusCode::CREATED, axum::Json(view)))
}

/// Reads the file as it stands on disk, not yet named.
fn examine(source: &dyn Source, verifier: &Verifier, most: u64) -> ApiResult<Ingested> {
    let limits = Limits { file_len: most, ..Limits::default() };
    let ingested = ingest(source, &limits).map_err(|refusal| refused(&refusal, most))?;
    if ingested.report.signatures > 0 {
        verifier.every_signature_present_is_valid(source)?;
    }
    Ok(ingested)
}

async fn keep(
    app: &App,
    caller: &Caller,
    ingested: &Ingested,
    written: &Written,
) -> ApiResult<UploadedFileView> {
    let remarks: Vec<String> = ingested.report.findings.iter().copied().map(word).collect();
    let file = StoredFile {
        sha256: written.sha256,
        length: written.length,
        layout: Layout::Whole,
        pages: Some(ingested.report.pages),
        remarks: serde_json::json!({ "intake": remarks }).to_string(),
        midstate: Some(serde_json::to_vec(ingested).map_err(ApiError::internal)?),
        index: None,
        manifest: None,
        by: Some(caller.actor.person),
        at: app.clock.now(),
    };
    let mut tx = app.store.begin().await?;
    tx.add_file(&file).await?;
    tx.commit().await?;
    Ok(UploadedFileView {
        sha256: wire::hex(file.sha256),
        length: file.length,
        pages: ingested.report.pages,
        needs_normalising: ingested.report.needs_normalising(),
        remarks,
    })
}
