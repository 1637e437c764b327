//! `GET /v1/documents/{id}/evidence`: everything that shows why the document stands, as one ZIP: the file, every
//! decision and the enrolment of the key that signed it, the journal with the proof of each line's place in the tree.

use std::io::{Seek, Write};

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tokio_util::io::ReaderStream;
use trinhky_domain::Document;
use trinhky_domain::audit::Checkpoint;
use trinhky_domain::ids::DocumentId;
use trinhky_domain::signing::DecisionKind;
use trinhky_pades::source::Source;
use trinhky_protos::device::EnrolmentStatement;
use trinhky_protos::problem::Problem;
use trinhky_protos::seal::SignatureEvidenceView;
use trinhky_protos::signing::{DECISION_TYP, DecisionClaims};
use trinhky_store::Tx;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{show, take_number};
use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::extract::Path;
use crate::{blocking, checkpoints, jws, pdfs};

/// The evidence of a document.
#[utoipa::path(
    get,
    path = "/v1/documents/{id}/evidence",
    tag = "document",
    params(("id" = String, Path)),
    responses((status = 200, content_type = "application/zip"), (status = 404, description = "`not_found`", body = Problem))
)]
pub(super) async fn evidence(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
) -> ApiResult<Response> {
    checkpoints::settle(&app).await?;
    let mut tx = app.store.read().await?;
    let document = show::mine(&mut tx, id, &caller.actor).await?;
    let source = pdfs::source(&app, &mut tx, document.head.sha256).await?;
    let papers = papers(&app, &mut tx, &document).await?;
    drop(tx);
    let file = blocking(move || pack(&source, &papers)).await??;
    let body = Body::from_stream(ReaderStream::new(tokio::fs::File::from_std(file)));
    let name = format!("attachment; filename=\"{id}.zip\"");
    let headers = [(header::CONTENT_TYPE, "application/zip".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, body).into_response())
}

struct Paper {
    name: String,
    bytes: Vec<u8>,
}

async fn papers(app: &App, tx: &mut Tx, document: &Document) -> ApiResult<Vec<Paper>> {
    let mut papers = Vec::new();
    let mut add = |name: String, bytes: Vec<u8>| papers.push(Paper { name, bytes });
    let view = show::view(tx, document).await?;
    add("document.json".to_owned(), serde_json::to_vec_pretty(&view).map_err(ApiError::internal)?);
    let mut witnessed = Vec::new();
    for found in take_number::evidence(tx, document).await? {
        let field = &found.field;
        witnessed.extend(seen_by(&found));
        add(format!("decisions/{field}.jws"), found.decision.into_bytes());
        add(format!("enrolments/{field}.json"), found.enrolment_statement.0);
        add(format!("enrolments/{field}.p7s"), found.enrolment_cms.0);
    }
    // What the leader decided about signatures that came too late: adopted into this file, or given up.
    for decided in tx.decisions_of(document.id).await? {
        if decided.kind != DecisionKind::Approve {
            add(format!("late/{}-{}.jws", decided.kind, decided.attempt), decided.jws.into_bytes());
        }
    }
    // Proofs lead to the newest root that is vouched for.
    let (size, note) = tx.checkpoint().await?.unwrap_or_default();
    let mut proofs = Vec::new();
    for (place, line) in tx.journal_of(document.id).await?.into_iter().enumerate() {
        if let Some(index) = line.index.filter(|index| *index < size) {
            let proof = tx.prove(index, size).await?;
            proofs
                .push(serde_json::json!({ "line": place, "index": index, "size": size, "path": proof.path }));
        }
        add(format!("journal/{place:04}.json"), line.bytes);
    }
    // Each device named the checkpoint it had seen: the newest log begins with every one of them.
    let mut consistency = Vec::new();
    for seen in witnessed.into_iter().filter(|seen| *seen <= size) {
        consistency.push(tx.prove_consistency(seen, size).await?);
    }
    let consistency = serde_json::json!({ "proofs": consistency });
    add(
        "journal/consistency.json".to_owned(),
        serde_json::to_vec_pretty(&consistency).map_err(ApiError::internal)?,
    );
    add("journal/checkpoint.txt".to_owned(), note.into_bytes());
    let key = checkpoints::public_key(&app.keys.audit).map_err(ApiError::internal)?;
    add("journal/key.der".to_owned(), key);
    let proofs = serde_json::json!({ "size": size, "proofs": proofs });
    add("journal/proofs.json".to_owned(), serde_json::to_vec_pretty(&proofs).map_err(ApiError::internal)?);
    Ok(papers)
}

/// The size of the journal that the device had seen when it decided.
fn seen_by(evidence: &SignatureEvidenceView) -> Option<u64> {
    let statement: EnrolmentStatement = serde_json::from_slice(&evidence.enrolment_statement.0).ok()?;
    let decision =
        jws::verify::<DecisionClaims>(&evidence.decision, &statement.public_key, DECISION_TYP).ok()?;
    Some(Checkpoint::parse(decision.claims().checkpoint.as_deref()?)?.size)
}

/// Into a file without a name, so that memory does not grow with the document.
fn pack(source: &dyn Source, papers: &[Paper]) -> ApiResult<std::fs::File> {
    let stored = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .large_file(source.len() >= u64::from(u32::MAX));
    let mut zip = ZipWriter::new(tempfile::tempfile().map_err(ApiError::internal)?);
    zip.start_file("released.pdf", stored).map_err(ApiError::internal)?;
    let mut buffer = vec![0; 256 * 1024];
    let mut at = 0;
    while at < source.len() {
        let count = usize::try_from(source.len() - at).unwrap_or(usize::MAX).min(buffer.len());
        let part = buffer.get_mut(..count).unwrap_or_default();
        source.read_at(at, part).map_err(ApiError::internal)?;
        zip.write_all(part).map_err(ApiError::internal)?;
        at += count as u64;
    }
    for paper in papers {
        zip.start_file(paper.name.as_str(), stored).map_err(ApiError::internal)?;
        zip.write_all(&paper.bytes).map_err(ApiError::internal)?;
    }
    let mut file = zip.finish().map_err(ApiError::internal)?;
    file.rewind().map_err(ApiError::internal)?;
    Ok(file)
}
