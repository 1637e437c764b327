//! A file on its way in: to scanner and disk at once, counted, and not named yet. Dropped, it is gone.

use axum::extract::Request;
use axum::http::header;
use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::mpsc;
use trinhky_protos::problem::Code;
use trinhky_store::blobs::Writer;

use super::intake::too_large;
use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::gateways::GatewayError;
use crate::gateways::clamd::Verdict;

/// Takes a body in; what the scanner says is the caller's to act on.
pub(super) async fn receive(app: &App, request: Request) -> ApiResult<(Writer, Verdict)> {
    let most = app.config.limits.upload_bytes;
    if announced_length(&request).is_some_and(|length| length > most) {
        return Err(too_large(most));
    }
    let _slot = app.upload_slots.acquire().await.map_err(ApiError::internal)?;
    let mut scan = app.gateways.scanner.begin().await.map_err(unscanned)?;
    let (to_disk, mut chunks) = mpsc::channel::<Bytes>(CHUNKS_UNDER_WAY);
    let blobs = app.blobs.clone();
    let writing = tokio::task::spawn_blocking(move || {
        let mut writer = blobs.create().map_err(ApiError::internal)?;
        while let Some(chunk) = chunks.blocking_recv() {
            std::io::Write::write_all(&mut writer, &chunk).map_err(ApiError::internal)?;
        }
        ApiResult::Ok(writer)
    });
    let mut body = request.into_body().into_data_stream();
    let mut received = 0_u64;
    while let Some(chunk) = body.next().await {
        let broken_off = |error| ApiError::new(Code::Malformed).with("the upload broke off").because(error);
        let chunk = chunk.map_err(broken_off)?;
        received += chunk.len() as u64;
        if received > most {
            return Err(too_large(most));
        }
        scan.feed(&chunk).await.map_err(unscanned)?;
        if to_disk.send(chunk).await.is_err() {
            // The writer has given up; its error is told below.
            break;
        }
    }
    drop(to_disk);
    let writer = writing.await.map_err(ApiError::internal)??;
    let verdict = scan.finish().await.map_err(unscanned)?;
    Ok((writer, verdict))
}

/// What the client says the body will have.
fn announced_length(request: &Request) -> Option<u64> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn unscanned(error: GatewayError) -> ApiError {
    ApiError::new(Code::ScannerUnavailable).retry_after(60).because(error)
}

/// Chunks between network and disk: about half a megabyte.
const CHUNKS_UNDER_WAY: usize = 8;
