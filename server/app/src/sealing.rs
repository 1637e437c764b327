//! Finishing the organisation's signature: certificate and revocation, time stamp, embedding, and every signature of the
//! result verified before the document counts as sealed. Run within the clerk's request, and by a job when a service was
//! down meanwhile.

use trinhky_domain::Edge;
use trinhky_domain::document::{Head, State};
use trinhky_domain::ids::{DocumentId, SealId};
use trinhky_domain::people::{Actor, Client};
use trinhky_domain::seal::SealTask;
use trinhky_pades::cms::{self, CheckedCms, ID_DATA, SignatureValue};
use trinhky_pades::complete::SignedTail;
use trinhky_pades::source::Concat;
use trinhky_pades::x509::path::Purpose;
use trinhky_protos::Base64Bytes;
use trinhky_protos::problem::Code;
use trinhky_store::{Layout, StoredFile, Tx};

use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::pdfs::{self, Site};
use crate::routes::leaders_messages;
use crate::seal_dossier::SealDossier;
use crate::stop::stop_at;
use crate::trust::{self, Trust, Untrusted};
use crate::verifying::{Verifier, material_of};
use crate::{blocking, notices, stamping};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Sealed.
    Sealed,
    /// It waits for this, visibly; try again.
    Waits(&'static str),
}

/// Finishes the seal whose CMS is in the dossier.
///
/// # Errors
/// What cannot be mended by waiting; the dossier keeps the CMS.
pub async fn finish(app: &App, id: DocumentId, seal: SealId) -> ApiResult<Outcome> {
    let mut tx = app.store.read().await?;
    let document = tx.document(id).await?;
    if document.state != (State::Sealing { seal }) {
        // Somebody was faster, or prepared another seal.
        return Ok(Outcome::Sealed);
    }
    let task = tx.seal_task(seal).await?;
    let dossier = SealDossier::of(&mut tx, seal).await?;
    let mut messages = leaders_messages(&mut tx, &document).await?;
    let source = pdfs::source(app, &mut tx, task.head).await?;
    drop(tx);
    let checked = check(&dossier)?;
    match trust::standing(app, checked.certificate(), &[], Purpose::DocumentSigning).await {
        Err(Untrusted::Unavailable(_)) => return waits(app, seal, "revocation").await,
        other => other?,
    };
    let stamped = match stamping::stamp(app, &checked).await {
        Ok(stamped) => stamped,
        Err(error) => {
            tracing::warn!(%error, document = %id, "the seal waits");
            return waits(app, seal, "timestamp").await;
        }
    };
    let message = stamped.cms.as_der().to_vec();
    messages.push(message.clone());
    let material = match material_of(app, &messages).await {
        Err(Untrusted::Unavailable(_)) => return waits(app, seal, "revocation").await,
        other => other?,
    };
    let verifier = Verifier::of(app);
    let blobs = app.blobs.clone();
    let (signed, tail, checks) = blocking(move || {
        let signed = dossier.prepared.complete(&stamped.cms).map_err(ApiError::internal)?;
        let checks = verifier.checks(&Concat::new(&source, &signed.tail), &material)?;
        let tail = blobs.keep(&signed.tail).map_err(ApiError::internal)?;
        Ok::<_, ApiError>((signed, tail, checks))
    })
    .await??;
    stop_at(Edge::SealedWritten);

    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let document = tx.document(id).await?;
    if document.state != (State::Sealing { seal }) {
        // The job and the clerk's request ran side by side, and the other one has committed.
        return Ok(Outcome::Sealed);
    }
    keep_revision(&mut tx, &task, &signed, tail.sha256, app).await?;
    let actor = clerk(&mut tx, &task).await?;
    let head = Head { sha256: pdfs::domain(signed.sha256), length: signed.len };
    let change = document.sealing(&actor)?.sealed(&actor, &task, head, &checks, now)?;
    match notices::apply(&mut tx, &change, &*app.random, now).await {
        Err(lost) if lost.code() == Code::Stale => {
            drop(tx);
            return sealed_meanwhile(app, id, seal).await?.ok_or(lost);
        }
        applied => applied?,
    }
    let mut dossier = SealDossier::of(&mut tx, seal).await?;
    dossier.waiting_for = None;
    dossier.stamped = Some(Base64Bytes(message));
    dossier.keep(&mut tx, seal).await?;
    tx.commit().await?;
    stop_at(Edge::SealedCommitted);
    Ok(Outcome::Sealed)
}

/// PostgreSQL lets job and request both read the row before either writes it; whoever comes second finds it sealed.
async fn sealed_meanwhile(app: &App, id: DocumentId, seal: SealId) -> ApiResult<Option<Outcome>> {
    let document = app.store.read().await?.document(id).await?;
    Ok((document.state != (State::Sealing { seal })).then_some(Outcome::Sealed))
}

/// The CMS in the dossier, checked against what was prepared: byte for byte what we would make of its signature value, so
/// that nothing stands in the file that the signature does not cover and nobody checked, such as an issuer's certificate.
///
/// # Errors
/// [`Code::SignatureInvalid`]; [`Code::CmsMismatch`]; [`Code::WrongState`] without a CMS.
pub fn check(dossier: &SealDossier) -> ApiResult<CheckedCms> {
    let cms = dossier.cms.as_ref().ok_or(ApiError::new(Code::WrongState))?;
    let (digest, certificate) = (&dossier.prepared.digest, &dossier.certificate.0);
    let checked = cms::check(&cms.0, digest, certificate, Trust::provider()).map_err(|error| {
        let code = match error {
            cms::CmsRefused::OtherCertificate => Code::CertificateMismatch,
            _ => Code::SignatureInvalid,
        };
        ApiError::new(code).with(error.to_string())
    })?;
    let invalid =
        |error: &dyn std::fmt::Display| ApiError::new(Code::SignatureInvalid).with(error.to_string());
    let attributes = cms::signed_attributes(digest, certificate, ID_DATA).map_err(|error| invalid(&error))?;
    let value =
        SignatureValue::from_raw(checked.signature_value(), certificate).map_err(|error| invalid(&error))?;
    let chain: Vec<&[u8]> = dossier.chain.iter().map(|issuer| issuer.0.as_slice()).collect();
    let ours = cms::assemble(&attributes, &value, certificate, &chain).map_err(|error| invalid(&error))?;
    if ours == cms.0 { Ok(checked) } else { Err(Code::CmsMismatch.into()) }
}

/// The embedded message of a finished seal.
///
/// # Errors
/// [`Code::WrongState`] before it is finished.
pub fn stamped_in(dossier: &SealDossier) -> ApiResult<Vec<u8>> {
    dossier.stamped.as_ref().map(|cms| cms.0.clone()).ok_or(ApiError::new(Code::WrongState))
}

async fn waits(app: &App, seal: SealId, what: &'static str) -> ApiResult<Outcome> {
    let mut tx = app.store.begin().await?;
    SealDossier::note_waiting(&mut tx, seal, Some(what)).await?;
    tx.commit().await?;
    Ok(Outcome::Waits(what))
}

async fn keep_revision(
    tx: &mut Tx,
    task: &SealTask,
    signed: &SignedTail,
    tail: trinhky_domain::Digest,
    app: &App,
) -> ApiResult<()> {
    let base = tx.file(task.head).await?;
    let site = Site { midstate: signed.midstate.clone(), index: signed.index.clone() };
    let file = StoredFile {
        sha256: pdfs::domain(signed.sha256),
        length: signed.len,
        layout: Layout::Appended { base: task.head, tail, tail_length: signed.tail.len() as u64 },
        pages: base.pages,
        remarks: "{}".to_owned(),
        midstate: Some(site.to_row()?),
        index: None,
        manifest: base.manifest,
        by: Some(task.clerk),
        at: app.clock.now(),
    };
    Ok(tx.add_file(&file).await?)
}

/// The clerk whose token signed, as the rules see them.
async fn clerk(tx: &mut Tx, task: &SealTask) -> ApiResult<Actor> {
    let person = tx.person(task.clerk).await?;
    Ok(Actor {
        person: person.id,
        office: person.office,
        roles: person.roles,
        device: None,
        client: Client::Native,
    })
}
