//! Releasing: every signature verified once more, the whole bundle scanned, the material to verify it for years collected
//! and appended (B-LT), and then one commit that releases. Run within the clerk's request, and by a job when revocation
//! could not be told meanwhile.

use trinhky_domain::document::{Document, Head, ScanVerdict, State};
use trinhky_domain::ids::{CopyId, DocumentId};
use trinhky_domain::people::Actor;
use trinhky_domain::{Digest, Edge};
use trinhky_pades::dss::{DssContent, DssTail, prepare_dss};
use trinhky_protos::problem::Code;
use trinhky_store::{Layout, Segment, StoredFile, Tx};

use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::gateways::clamd::Verdict;
use crate::jobs::deliver_copy;
use crate::pdfs::{self, Opened, Site};
use crate::routes::leaders_messages;
use crate::seal_dossier::SealDossier;
use crate::stop::stop_at;
use crate::trust::Untrusted;
use crate::verifying::{Material, Verifier, material_of};
use crate::{blocking, notices, sealing};

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Released.
    Released,
    /// The material for years is not complete yet; try again.
    Waits,
}

/// Releases a sealed document on the clerk's word.
///
/// # Errors
/// What cannot be mended by waiting.
pub async fn release(app: &App, id: DocumentId, actor: &Actor) -> ApiResult<Outcome> {
    let mut tx = app.store.read().await?;
    let document = tx.document(id).await?;
    if let State::Released { .. } = document.state {
        return Ok(Outcome::Released);
    }
    document.awaits_release(actor)?;
    let task = tx.seal_task_of(id).await?.ok_or(ApiError::new(Code::WrongState))?;
    let dossier = SealDossier::of(&mut tx, task.id).await?;
    let mut messages = leaders_messages(&mut tx, &document).await?;
    let opened = pdfs::open(app, &mut tx, document.head.sha256).await?;
    let files = bundle_segments(&mut tx, &document).await?;
    let office = tx.office(document.office).await?;
    drop(tx);
    messages.push(sealing::stamped_in(&dossier)?);
    let material = match material_of(app, &messages).await {
        Err(Untrusted::Unavailable(why)) => {
            tracing::warn!(%why, document = %id, "the release waits");
            return waits(app, &task, Some("long_term")).await;
        }
        other => other?,
    };
    let scan = scan(app, files).await?;
    let profile = app.profile_of(&office)?;
    let verifier = Verifier::of(app);
    let head = document.head;
    let (opened, material, checks) = blocking(move || {
        let checks = verifier.checks(&opened.source, &material)?;
        Ok::<_, ApiError>((opened, material, checks))
    })
    .await??;
    // Refused before anything is written.
    document.releasable(actor, &checks, task.certificate, scan, &profile)?;
    let long_term = long_term(app, opened, material).await?;

    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let document = tx.document(id).await?;
    if let State::Released { .. } = document.state {
        // The job and the clerk's request ran side by side, and the other one has committed.
        return Ok(Outcome::Released);
    }
    if document.head != head {
        return Err(Code::HeadMoved.into());
    }
    let releasable = document.releasable(actor, &checks, task.certificate, scan, &profile)?;
    let head = match long_term {
        Some((tail, sha256)) => keep_revision(app, &mut tx, head, &tail, sha256).await?,
        None => head,
    };
    let urgency = releasable.document().particulars.urgency;
    let recipients = releasable.document().particulars.recipients.len();
    let mut copies: Vec<CopyId> = (0..recipients).map(|_| CopyId::at(now, app.random.chance())).collect();
    // Lists are by id: in the recipients' order.
    copies.sort_unstable();
    let change = releasable.release(actor, head, &copies, now)?;
    match notices::apply(&mut tx, &change, &*app.random, now).await {
        // PostgreSQL lets job and request both read the row before either writes it.
        Err(lost) if lost.code() == Code::Stale => {
            drop(tx);
            let state = app.store.read().await?.document(id).await?.state;
            return if matches!(state, State::Released { .. }) { Ok(Outcome::Released) } else { Err(lost) };
        }
        applied => applied?,
    }
    for copy in change.copies() {
        deliver_copy::enqueue(app, &mut tx, copy.to(), urgency).await?;
    }
    SealDossier::note_waiting(&mut tx, task.id, None).await?;
    tx.commit().await?;
    stop_at(Edge::ReleasedCommitted);
    Ok(Outcome::Released)
}

/// The material to verify it for years, as one more revision on disk; `None` when the file holds it all.
async fn long_term(app: &App, opened: Opened, material: Material) -> ApiResult<Option<(DssTail, Digest)>> {
    let blobs = app.blobs.clone();
    let seed = app.random.bytes();
    blocking(move || {
        let Site { index, midstate } = &opened.site;
        let tail = prepare_dss(&opened.source, index, midstate, &content(&material), &seed);
        let Some(tail) = tail.map_err(ApiError::internal)? else { return Ok(None) };
        let written = blobs.keep(&tail.tail).map_err(ApiError::internal)?;
        Ok(Some((tail, written.sha256)))
    })
    .await?
}

async fn waits(app: &App, task: &trinhky_domain::seal::SealTask, what: Option<&str>) -> ApiResult<Outcome> {
    let mut tx = app.store.begin().await?;
    SealDossier::note_waiting(&mut tx, task.id, what).await?;
    tx.commit().await?;
    Ok(Outcome::Waits)
}

async fn bundle_segments(tx: &mut Tx, document: &Document) -> ApiResult<Vec<Vec<Segment>>> {
    let mut files = vec![tx.segments(document.head.sha256).await?];
    for file in document.bundle.released() {
        if document.bundle.main() != Some(file) {
            files.push(tx.segments(file.sha256).await?);
        }
    }
    Ok(files)
}

/// Scans everything that leaves the house, as it leaves.
async fn scan(app: &App, files: Vec<Vec<Segment>>) -> ApiResult<ScanVerdict> {
    if !app.gateways.scanner.is_on() {
        return Ok(ScanVerdict::NotScanned);
    }
    let unscanned = |error| ApiError::new(Code::ScannerUnavailable).retry_after(60).because(error);
    for segments in files {
        let mut scan = app.gateways.scanner.begin().await.map_err(unscanned)?;
        let length: u64 = segments.iter().map(|segment| segment.length).sum();
        let mut stream = Box::pin(app.blobs.stream(&segments, 0..length).map_err(ApiError::internal)?);
        while let Some(chunk) = futures::StreamExt::next(&mut stream).await {
            scan.feed(&chunk.map_err(ApiError::internal)?).await.map_err(unscanned)?;
        }
        match scan.finish().await.map_err(unscanned)? {
            Verdict::Clean => {}
            Verdict::Infected(_) => return Ok(ScanVerdict::Infected),
            Verdict::NotScanned => return Ok(ScanVerdict::NotScanned),
        }
    }
    Ok(ScanVerdict::Clean)
}

fn content(material: &Material) -> DssContent {
    let der = |certificate: &trinhky_pades::x509::Certificate| certificate.as_der().to_vec();
    DssContent {
        certs: material.certificates.iter().map(der).collect(),
        ocsps: material.revocation.ocsps.iter().map(|response| response.as_der().to_vec()).collect(),
        crls: material.revocation.crls.iter().map(|crl| crl.as_der().to_vec()).collect(),
    }
}

async fn keep_revision(
    app: &App,
    tx: &mut Tx,
    base: Head,
    tail: &DssTail,
    tail_sha256: Digest,
) -> ApiResult<Head> {
    let before = tx.file(base.sha256).await?;
    let head = Head { sha256: pdfs::domain(tail.sha256), length: tail.len };
    let site = Site { midstate: tail.midstate.clone(), index: tail.index.clone() };
    let layout =
        Layout::Appended { base: base.sha256, tail: tail_sha256, tail_length: tail.tail.len() as u64 };
    tx.add_file(&StoredFile {
        sha256: head.sha256,
        length: head.length,
        layout,
        pages: before.pages,
        remarks: "{}".to_owned(),
        midstate: Some(site.to_row()?),
        index: None,
        manifest: before.manifest,
        by: None,
        at: app.clock.now(),
    })
    .await?;
    Ok(head)
}
