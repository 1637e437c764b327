//! From the raw signature to the signed document (steps 10 and 11): the CMS by the device or by us, certificate and
//! revocation, time stamp, embedding, the next signer. One step a look; every step is in the row before the next begins.

use serde::{Deserialize, Serialize};
use time::Duration;
use trinhky_domain::document::{Embedded, Head};
use trinhky_domain::ids::AttemptId;
use trinhky_domain::signing::{Attempt, AttemptState, CmsFrom, Failure, Purpose};
use trinhky_domain::{Change, Edge};
use trinhky_pades::cms;
use trinhky_pades::x509::Certificate;
use trinhky_pades::x509::path::Purpose as KeyPurpose;
use trinhky_store::{Job, Layout, StoredFile, Tx};

use super::{Outcome, patience};
use crate::app::App;
use crate::assembling::{self, assemble};
use crate::dossier::{Dossier, Work};
use crate::error::{ApiError, ApiResult};
use crate::pdfs::{self, Site};
use crate::stop::stop_at;
use crate::trust::{self, Trust, Untrusted};
use crate::{blocking, held, notices, numbering, stamping};

/// The kind of these jobs.
pub const KIND: &str = "finish_signature";

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    attempt: AttemptId,
}

/// Every attempt that waits for us has its job, whoever brought it there and whatever crashed meanwhile.
pub(super) async fn tend(app: &App) -> ApiResult<()> {
    let waiting = app.store.read().await?.attempts_without_job(KIND, AT_ONCE).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    let mut tx = app.store.begin().await?;
    for (attempt, urgency) in waiting {
        super::enqueue(app, &mut tx, KIND, &attempt, &Payload { attempt }, urgency).await?;
    }
    Ok(tx.commit().await?)
}

/// The device has handed its CMS in, in this transaction: the job need not wait for it any longer.
///
/// # Errors
/// What the store says.
pub async fn hasten(app: &App, tx: &mut Tx, attempt: AttemptId) -> ApiResult<()> {
    Ok(tx.hasten_job(KIND, &attempt.to_string(), app.clock.now()).await?)
}

/// Takes the attempt as far as it goes now.
///
/// # Errors
/// What is worth a retry and a look.
pub(super) async fn run(app: &App, job: &Job) -> ApiResult<Outcome> {
    let Payload { attempt: id } = super::payload(job)?;
    loop {
        let mut tx = app.store.read().await?;
        let attempt = tx.attempt(id).await?;
        let dossier = Dossier::of(&mut tx, id).await?;
        let wished = match attempt.purpose {
            Purpose::Document { document, .. } => tx.document(document).await?.wish.is_some(),
            Purpose::Enrolment { .. } => false,
        };
        drop(tx);
        let step = match attempt.state.clone() {
            AttemptState::SignedRaw { signature, .. } | AttemptState::Verified { signature, .. }
                if wished =>
            {
                hold(app, attempt, &signature).await?
            }
            AttemptState::Stamped { .. } if wished => {
                let received = app.store.read().await?.signature_of(id).await?;
                let received = received.ok_or(trinhky_store::Error::NotFound("signature"))?;
                hold(app, attempt, &received.raw).await?
            }
            AttemptState::SignedRaw { signature, .. } => {
                verify(app, job, attempt, dossier, signature).await?
            }
            AttemptState::Verified { cms, .. } => match dossier.work {
                Work::Document { .. } => stamp(app, job, attempt, &dossier, &cms).await?,
                Work::Enrolment { .. } => enrol(app, job, attempt, &dossier, cms).await?,
            },
            AttemptState::Stamped { cms, .. } => embed(app, attempt, dossier, cms).await?,
            _ => return Ok(Outcome::Done),
        };
        match step {
            Step::On => {}
            Step::Later(outcome) => return Ok(outcome),
        }
    }
}

enum Step {
    /// Look at the row again.
    On,
    /// Nothing more now.
    Later(Outcome),
}

/// The raw value over our own digest. While the device watches it is left to the device to make the CMS; later ours.
async fn verify(
    app: &App,
    job: &Job,
    attempt: Attempt,
    dossier: Dossier,
    signature: Vec<u8>,
) -> ApiResult<Step> {
    let now = app.clock.now();
    let assembled = blocking(move || assemble(&dossier, &signature)).await?;
    let cms = match assembled {
        Ok(cms) => cms,
        Err(error) => {
            tracing::warn!(%error, attempt = %attempt.id, "the signature is not used");
            return end(app, attempt, Failure::Rejected).await;
        }
    };
    let jobs = &app.config.jobs;
    let watched = app.store.read().await?.watched_at(attempt.id).await?;
    let gone = watched.map(|at| at + milliseconds(jobs.watcher_milliseconds));
    let enough = job.created + milliseconds(jobs.cms_wait_milliseconds);
    if let Some(until) = gone.map(|gone| gone.min(enough)).filter(|until| *until > now) {
        // The device's CMS hastens the job.
        let wait = std::time::Duration::try_from(until - now).unwrap_or_default();
        return Ok(Step::Later(Outcome::Again(wait.max(jobs.poll()))));
    }
    let change = attempt.verified(cms, CmsFrom::Server, now)?;
    commit(app, &change).await?;
    Ok(Step::On)
}

/// Certificate and revocation as of now, then the time stamp. What is down is waited for, visibly.
async fn stamp(app: &App, job: &Job, attempt: Attempt, dossier: &Dossier, cms: &[u8]) -> ApiResult<Step> {
    // The CMS is stored, whoever made it.
    stop_at(Edge::VerifiedCommitted);
    match stands(app, dossier).await {
        Ok(()) => {}
        Err(Untrusted::Unavailable(why)) => return waits(app, job, &attempt, "revocation", &why).await,
        Err(error) => {
            tracing::warn!(%error, attempt = %attempt.id, "the certificate does not stand");
            return end(app, attempt, Failure::CertInvalid).await;
        }
    }
    let Ok(Some(checked)) = assembling::check(dossier, cms) else {
        return end(app, attempt, Failure::Rejected).await;
    };
    let stamped = match stamping::stamp(app, &checked).await {
        Ok(stamped) => stamped,
        Err(error) => return waits(app, job, &attempt, "timestamp", &error.to_string()).await,
    };
    let id = attempt.id;
    let change = attempt.stamped(stamped.cms.as_der().to_vec(), stamped.time, app.clock.now())?;
    let mut tx = app.store.begin().await?;
    if applied(tx.apply(&change).await)? {
        tx.set_waiting_for(id, None).await?;
        tx.commit().await?;
        stop_at(Edge::StampedCommitted);
    }
    Ok(Step::On)
}

/// The signed revision: written, then head, attempt, journal and the next one's notice in one commit.
async fn embed(app: &App, attempt: Attempt, dossier: Dossier, stamped: Vec<u8>) -> ApiResult<Step> {
    let Work::Document { prepared, .. } = dossier.work else { return Ok(Step::Later(Outcome::Done)) };
    let Purpose::Document { document, head: base, .. } = attempt.purpose else {
        return Ok(Step::Later(Outcome::Done));
    };
    let certificate = dossier.certificate;
    let received = app.store.read().await?.signature_of(attempt.id).await?;
    let unstamped =
        received.and_then(|received| received.cms).ok_or(trinhky_store::Error::NotFound("signature"))?;
    let blobs = app.blobs.clone();
    let (signed, tail) = blocking(move || {
        let checked = cms::check(&unstamped, &prepared.digest, &certificate.0, Trust::provider())
            .map_err(ApiError::internal)?;
        let stamped = stamping::restore(&checked, &stamped).map_err(ApiError::internal)?;
        let signed = prepared.complete(&stamped).map_err(ApiError::internal)?;
        let tail = blobs.keep(&signed.tail).map_err(ApiError::internal)?;
        Ok::<_, ApiError>((signed, tail.sha256))
    })
    .await??;
    stop_at(Edge::SignedWritten);

    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let attempt = tx.attempt(attempt.id).await?;
    let AttemptState::Stamped { .. } = attempt.state else { return Ok(Step::On) };
    let document = tx.document(document).await?;
    if document.wish.is_some() {
        drop(tx);
        return Ok(Step::On);
    }
    let before = tx.file(base).await?;
    let head = Head { sha256: pdfs::domain(signed.sha256), length: signed.len };
    tx.add_file(&StoredFile {
        sha256: head.sha256,
        length: head.length,
        layout: Layout::Appended { base, tail, tail_length: signed.tail.len() as u64 },
        pages: before.pages,
        remarks: "{}".to_owned(),
        midstate: Some(Site { midstate: signed.midstate, index: signed.index }.to_row()?),
        index: None,
        manifest: before.manifest,
        by: Some(attempt.person),
        at: now,
    })
    .await?;
    let decision = tx.decision_of(attempt.id).await?.ok_or(trinhky_store::Error::NotFound("decision"))?.id;
    let signing = document.signing(attempt)?;
    let register =
        numbering::register_if(signing.takes_number(), app, &mut tx, signing.document(), now).await?;
    let change = signing.embedded(Embedded { head, decision }, register.as_ref(), now)?;
    if applied(tx.apply(&change).await)? {
        notices::enqueue(&mut tx, &change, &*app.random, now).await?;
        tx.commit().await?;
        stop_at(Edge::SignedCommitted);
    }
    Ok(Step::On)
}

/// The statement stands: the device's key counts from now on.
async fn enrol(app: &App, job: &Job, attempt: Attempt, dossier: &Dossier, cms: Vec<u8>) -> ApiResult<Step> {
    let (Work::Enrolment { statement }, Purpose::Enrolment { device }) = (&dossier.work, attempt.purpose)
    else {
        return Ok(Step::Later(Outcome::Done));
    };
    match stands(app, dossier).await {
        Ok(()) => {}
        Err(Untrusted::Unavailable(why)) => return waits(app, job, &attempt, "revocation", &why).await,
        Err(_) => return end(app, attempt, Failure::CertInvalid).await,
    }
    let now = app.clock.now();
    let id = attempt.id;
    let change = attempt.enrolled(now)?;
    let mut tx = app.store.begin().await?;
    if applied(tx.apply(&change).await)? {
        tx.enrol_device(device, statement.0.clone(), cms, now).await?;
        tx.set_waiting_for(id, None).await?;
        tx.commit().await?;
    }
    Ok(Step::On)
}

/// A signature that came after its wish was withdrawn is kept sealed and never used by itself.
async fn hold(app: &App, attempt: Attempt, signature: &[u8]) -> ApiResult<Step> {
    let Purpose::Document { document, .. } = attempt.purpose else { return Ok(Step::Later(Outcome::Done)) };
    let sealed = held::seal(app, attempt.id, signature)?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let change = tx.document(document).await?.signing(attempt)?.hold(sealed, now)?;
    if applied(tx.apply(&change).await)? {
        notices::enqueue(&mut tx, &change, &*app.random, now).await?;
        tx.commit().await?;
    }
    Ok(Step::On)
}

/// The attempt comes to nothing; the leader may decide again.
async fn end(app: &App, attempt: Attempt, failure: Failure) -> ApiResult<Step> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let change = end_of(&mut tx, attempt, failure, now).await?;
    if applied(tx.apply(&change).await)? {
        notices::enqueue(&mut tx, &change, &*app.random, now).await?;
        tx.commit().await?;
    }
    Ok(Step::On)
}

/// The change that ends an attempt, with its document where it has one.
///
/// # Errors
/// What the rules refuse.
pub(super) async fn end_of(
    tx: &mut Tx,
    attempt: Attempt,
    failure: Failure,
    now: time::OffsetDateTime,
) -> ApiResult<Change> {
    Ok(match attempt.purpose {
        Purpose::Document { document, .. } => {
            tx.document(document).await?.signing(attempt)?.ended(failure, now)?
        }
        Purpose::Enrolment { .. } => attempt.enrolment_ended(failure, now)?,
    })
}

async fn stands(app: &App, dossier: &Dossier) -> Result<(), Untrusted> {
    let certificate = Certificate::from_der(&dossier.certificate.0)
        .map_err(|error| Untrusted::Invalid(error.to_string()))?;
    trust::standing(app, &certificate, &[], KeyPurpose::DocumentSigning).await.map(drop)
}

async fn waits(app: &App, job: &Job, attempt: &Attempt, what: &str, why: &str) -> ApiResult<Step> {
    tracing::warn!(attempt = %attempt.id, what, why, "a signature waits");
    let mut tx = app.store.begin().await?;
    tx.set_waiting_for(attempt.id, Some(what)).await?;
    tx.commit().await?;
    Ok(Step::Later(patience(app, job.runs)))
}

async fn commit(app: &App, change: &Change) -> ApiResult<()> {
    let mut tx = app.store.begin().await?;
    if applied(tx.apply(change).await)? {
        tx.commit().await?;
    }
    Ok(())
}

/// Another worker or the device was faster: then the row is looked at again.
fn applied(result: Result<(), trinhky_store::Error>) -> ApiResult<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(trinhky_store::Error::Conflict(_)) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

/// Attempts that get their job in one transaction.
const AT_ONCE: u32 = 64;

fn milliseconds(count: u64) -> Duration {
    Duration::milliseconds(i64::try_from(count).unwrap_or(i64::MAX))
}
