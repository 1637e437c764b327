//! Handing a recipient's copy to the mail server, and, once the document is recalled, the request to give it back.
//!
//! ```text
//! copy queued ─► letter ─► mail server: 250 ─► handed      4xx, silence ─► waits, tried again      5xx ─► undeliverable
//! copy recall_asked ─► request ─► mail server: 250 ─► asked back
//! ```
//!
//! The message leaves before its row says so: killed in between, it leaves once more with the same Message-ID (at least
//! once, and one message to whoever receives it). Channels other than e-mail are the clerk's, by hand.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use trinhky_domain::document::{Recall, State};
use trinhky_domain::email::EmailAddress;
use trinhky_domain::ids::{CopyId, JobId};
use trinhky_domain::paper::{Channel, FileRole, Urgency};
use trinhky_domain::release::{Copy, CopyState, Hindrance};
use trinhky_domain::{Digest, Document, Edge};
use trinhky_pades::Source as _;
use trinhky_store::{Job, NewJob, Segment, Tx};

use super::{Outcome, patience};
use crate::app::App;
use crate::blocking;
use crate::error::{ApiError, ApiResult};
use crate::gateways::mail::{self, Mail};
use crate::letters::{self, Enclosure, Letter};
use crate::notices;
use crate::stop::stop_at;

/// The kind of these jobs.
pub const KIND: &str = "deliver_copy";

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    copy: CopyId,
}

/// Asks for it, in the transaction that made the copy what it is now; nothing when the copy waits for no mail.
///
/// # Errors
/// What the store says.
pub async fn enqueue(app: &App, tx: &mut Tx, copy: &Copy, urgency: Urgency) -> ApiResult<()> {
    if errand(copy).is_none() {
        return Ok(());
    }
    let now = app.clock.now();
    tx.enqueue(&NewJob {
        id: JobId::at(now, app.random.chance()),
        kind: KIND.to_owned(),
        payload: serde_json::to_string(&Payload { copy: copy.id }).map_err(ApiError::internal)?,
        // One a change: an earlier job may be about to end, having seen the copy as it was.
        dedupe: Some(format!("{} {}", copy.id, copy.version)),
        urgency,
        run_at: now,
        max_runs: super::FOR_EVER,
        created: now,
    })
    .await?;
    Ok(())
}

/// Asks for what waited for `[mail]`, once it is set. Settings are read at the start, so this is asked there.
///
/// # Errors
/// What the store says.
pub(super) async fn tend(app: &App) -> ApiResult<()> {
    if app.gateways.mail.is_none() {
        return Ok(());
    }
    let mut tx = app.store.begin().await?;
    for copy in tx.copies_waiting_for_mail().await? {
        match tx.document(copy.document).await {
            Ok(document) => enqueue(app, &mut tx, &copy, document.particulars.urgency).await?,
            Err(corrupt @ trinhky_store::Error::Corrupt { .. }) => {
                tracing::error!(error = %corrupt, copy = %copy.id, "set aside; somebody must look at it");
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(tx.commit().await?)
}

/// What a copy by e-mail waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Errand {
    Deliver,
    AskBack,
}

fn errand(copy: &Copy) -> Option<Errand> {
    match copy.state {
        _ if copy.recipient.channel != Channel::Email => None,
        CopyState::Queued => Some(Errand::Deliver),
        CopyState::RecallAsked if copy.hindrance.is_some_and(|waits| !waits.is_final()) => {
            Some(Errand::AskBack)
        }
        _ => None,
    }
}

/// Looks what the copy waits for and does it.
///
/// # Errors
/// What is worth a retry and a look.
pub(super) async fn run(app: &App, job: &Job) -> ApiResult<Outcome> {
    let Payload { copy } = super::payload(job)?;
    let mut tx = app.store.read().await?;
    let copy = tx.copy(copy).await?;
    let Some(errand) = errand(&copy) else { return Ok(Outcome::Done) };
    let document = tx.document(copy.document).await?;
    let Some(mail) = &app.gateways.mail else {
        drop(tx);
        hinder(app, &document, copy, Hindrance::MailNotSetUp, None).await?;
        return Ok(Outcome::Done);
    };
    let Some(_slot) = mail.slot(SLOT_WITHIN).await else { return Ok(patience(app, job.runs)) };
    let to = copy.recipient.email.clone().ok_or_else(|| ApiError::internal(NoAddress))?;
    let office = tx.office(document.office).await?.name;
    let enclosed = match errand {
        Errand::Deliver => enclosed(&mut tx, &document).await?,
        Errand::AskBack => Vec::new(),
    };
    drop(tx);
    let length = letters::length_of(enclosed.iter().map(Enclosed::length).sum());
    if length > mail.message_bytes() {
        let said = format!("thư dài {length} byte, mức cho phép {} byte", mail.message_bytes());
        hinder(app, &document, copy, Hindrance::TooLarge, Some(&said)).await?;
        return Ok(Outcome::Done);
    }
    let letter = Writing { app, mail, copy: &copy, to: &to, office: &office, document: &document };
    let message = letter.write(errand, enclosed).await?;
    match sending(app, job, mail.send(&to, &message)).await? {
        mail::Outcome::Taken => {
            stop_at(Edge::CopyLeft);
            taken(app, copy, errand).await?;
            Ok(Outcome::Done)
        }
        mail::Outcome::Later(said) => {
            hinder(app, &document, copy, Hindrance::MailUnreachable, Some(&said)).await?;
            Ok(patience(app, job.runs))
        }
        mail::Outcome::Refused(said) => {
            hinder(app, &document, copy, Hindrance::AddressRefused, Some(&said)).await?;
            Ok(Outcome::Done)
        }
    }
}

/// Waits for the mail server and keeps the job meanwhile, however long its message takes.
async fn sending<T>(app: &App, job: &Job, sent: impl Future<Output = T>) -> ApiResult<T> {
    let lease = Duration::from_secs(app.config.jobs.lease_seconds);
    let mut sent = std::pin::pin!(sent);
    loop {
        if let Ok(outcome) = tokio::time::timeout(lease / 3, &mut sent).await {
            return Ok(outcome);
        }
        let mut tx = app.store.begin().await?;
        tx.renew_job(job, app.clock.now() + lease).await?;
        tx.commit().await?;
    }
}

async fn taken(app: &App, copy: Copy, errand: Errand) -> ApiResult<()> {
    let now = app.clock.now();
    let change = match errand {
        Errand::Deliver => copy.handed(now)?,
        Errand::AskBack => copy.asked_back(now)?,
    };
    let mut tx = app.store.begin().await?;
    // Should the copy have moved meanwhile, the next run looks at it as it is then.
    notices::apply(&mut tx, &change, &*app.random, now).await?;
    Ok(tx.commit().await?)
}

async fn hinder(
    app: &App,
    document: &Document,
    copy: Copy,
    by: Hindrance,
    said: Option<&str>,
) -> ApiResult<()> {
    let now = app.clock.now();
    tracing::warn!(copy = %copy.id, hindrance = by.as_str(), "a copy cannot leave");
    let Some(change) = document.copy_hindered(copy, by, said, now)? else { return Ok(()) };
    let mut tx = app.store.begin().await?;
    notices::apply(&mut tx, &change, &*app.random, now).await?;
    Ok(tx.commit().await?)
}

/// A file that goes with the letter: its name there, its digest, and where its bytes lie.
struct Enclosed {
    name: String,
    sha256: Digest,
    segments: Vec<Segment>,
}

impl Enclosed {
    fn length(&self) -> u64 {
        self.segments.iter().map(|segment| segment.length).sum()
    }
}

/// The released file and the bundle's attachments; background papers never leave the house (R11).
async fn enclosed(tx: &mut Tx, document: &Document) -> ApiResult<Vec<Enclosed>> {
    let number = document.number.as_ref().map(ToString::to_string).unwrap_or_default();
    let head = document.head.sha256;
    let mut files = vec![(letters::file_name(&number), head)];
    for file in document.bundle.released().filter(|file| file.role == FileRole::Attachment) {
        files.push((letters::file_name(&file.name), file.sha256));
    }
    let mut enclosed = Vec::with_capacity(files.len());
    for (name, sha256) in files {
        enclosed.push(Enclosed { name, sha256, segments: tx.segments(sha256).await? });
    }
    Ok(enclosed)
}

struct Writing<'a> {
    app: &'a App,
    mail: &'a Mail,
    copy: &'a Copy,
    to: &'a EmailAddress,
    office: &'a str,
    document: &'a Document,
}

impl Writing<'_> {
    async fn write(&self, errand: Errand, enclosed: Vec<Enclosed>) -> ApiResult<Vec<u8>> {
        let blobs = self.app.blobs.clone();
        let read = move |file: Enclosed| {
            let source = blobs.source(&file.segments).map_err(ApiError::internal)?;
            let mut bytes = vec![0; usize::try_from(source.len()).map_err(ApiError::internal)?];
            source.read_at(0, &mut bytes).map_err(ApiError::internal)?;
            // What leaves the house is what was released, to the byte.
            if Digest::of(&bytes) != file.sha256 {
                return Err(ApiError::internal(NotTheBytes(file.sha256)));
            }
            Ok(Enclosure { name: file.name, sha256: file.sha256, bytes })
        };
        let enclosures =
            blocking(move || enclosed.into_iter().map(read).collect::<ApiResult<Vec<_>>>()).await??;
        let letter = Letter {
            copy: self.copy,
            to: self.to,
            from: self.mail.from(),
            office: self.office,
            document: self.document,
            at: self.app.clock.now(),
        };
        let written = match (errand, self.recall()) {
            (Errand::Deliver, _) => letter.release(enclosures),
            (Errand::AskBack, Some(recall)) => letter.recall(recall),
            (Errand::AskBack, None) => return Err(ApiError::internal(NotRecalled)),
        };
        written.map_err(ApiError::internal)
    }

    fn recall(&self) -> Option<&Recall> {
        match &self.document.state {
            State::Released { recall, .. } => recall.as_ref(),
            _ => None,
        }
    }
}

/// Short: while it waits, the job takes a worker's place from signatures.
const SLOT_WITHIN: Duration = Duration::from_millis(200);

#[derive(Debug, thiserror::Error)]
#[error("a copy by e-mail has no address")]
struct NoAddress;

#[derive(Debug, thiserror::Error)]
#[error("a copy is asked back of a document that was not recalled")]
struct NotRecalled;

#[derive(Debug, thiserror::Error)]
#[error("the bytes on disk are not those of {0}")]
struct NotTheBytes(Digest);
