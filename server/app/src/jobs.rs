//! Durable work, done by `trinhky work` (or `serve --work`): claimed with a lease, finished when its result is in the rows.
//!
//! ```text
//! every tick: tend (what the rows say is due becomes a job) ─► claim, most urgent first ─► run ─► finish | again later
//! ```
//!
//! A job is only a hint to look: each looks at the rows, does the next step they allow, and may be run any number of
//! times. So a lease that lapses, a second worker or a crash costs time and nothing else.

pub mod draw_number;
pub mod finish_seal;
pub mod finish_signature;
pub mod notify;
pub mod release;
pub mod sweep;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use trinhky_domain::ids::JobId;
use trinhky_domain::paper::Urgency;
use trinhky_store::{Job, NewJob, Tx};

use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::notices;

/// What came of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is left to do.
    Done,
    /// Look again after this.
    Again(Duration),
}

/// Kinds, in the order they are looked for.
const KINDS: &[&str] =
    &[notices::KIND, finish_signature::KIND, finish_seal::KIND, draw_number::KIND, release::KIND];
/// Waiting for a service is no failure, however long it takes.
const FOR_EVER: u32 = u32::MAX;
const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// Between two looks for a free slot.
const BUSY: Duration = Duration::from_millis(10);
/// Journal entries get their place in the tree within this.
const SEQUENCE_EVERY: Duration = Duration::from_secs(1);

/// Works until `stop` resolves; jobs under way then end first.
///
/// # Errors
/// Only what makes working impossible; a failing job or a database that is away for a while is logged.
pub async fn run(app: App, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
    let chores = tokio::spawn(chores(app.clone()));
    let slots = Arc::new(Semaphore::new(app.config.jobs.concurrent));
    let mut running = JoinSet::new();
    let mut stop = Box::pin(stop);
    loop {
        // Never cancelled half way: a job that is claimed is started.
        let rest = tick(&app, &slots, &mut running).await;
        tokio::select! {
            () = &mut stop => break,
            () = tokio::time::sleep(rest) => {}
        }
    }
    // Whatever it was doing is rolled back, and done the next time.
    chores.abort();
    while running.join_next().await.is_some() {}
    Ok(())
}

/// What time alone makes due.
async fn chores(app: App) {
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    let mut sequence = tokio::time::interval(SEQUENCE_EVERY);
    loop {
        let done = tokio::select! {
            _ = sweep.tick() => sweep::run(&app).await,
            _ = sequence.tick() => sweep::sequence_journal(&app).await,
        };
        if let Err(error) = done {
            tracing::warn!(?error, "a chore failed; it is done again");
        }
    }
}

/// Claims one due job and starts it; says how long to rest before the next look.
async fn tick(app: &App, slots: &Arc<Semaphore>, running: &mut JoinSet<()>) -> Duration {
    while running.try_join_next().is_some() {}
    let poll = app.config.jobs.poll();
    let Ok(slot) = slots.clone().try_acquire_owned() else { return poll.min(BUSY) };
    let claimed = async {
        finish_signature::tend(app).await?;
        claim(app).await
    };
    match claimed.await {
        Ok(Some(job)) => {
            let app = app.clone();
            running.spawn(async move {
                run_one(&app, &job).await;
                drop(slot);
            });
            Duration::ZERO
        }
        Ok(None) => poll,
        Err(error) => {
            tracing::warn!(?error, "no job could be claimed");
            poll.max(Duration::from_secs(1))
        }
    }
}

async fn claim(app: &App) -> ApiResult<Option<Job>> {
    let now = app.clock.now();
    // An empty look costs no writer.
    let mut tx = app.store.read().await?;
    let mut due = false;
    for kind in KINDS {
        due = due || tx.jobs_due_since(kind, now).await?.is_some();
    }
    drop(tx);
    if !due {
        return Ok(None);
    }
    let token = hex::encode(app.random.bytes::<16>());
    let until = now + Duration::from_secs(app.config.jobs.lease_seconds);
    let mut tx = app.store.begin().await?;
    let job = tx.claim_job(KINDS, &token, now, until).await?;
    tx.commit().await?;
    Ok(job)
}

async fn run_one(app: &App, job: &Job) {
    let outcome = match job.kind.as_str() {
        notices::KIND => notify::run(app, job).await,
        finish_signature::KIND => finish_signature::run(app, job).await,
        finish_seal::KIND => finish_seal::run(app, job).await,
        draw_number::KIND => draw_number::run(app, job).await,
        release::KIND => release::run(app, job).await,
        other => Err(ApiError::internal(anyhow::anyhow!("no job is called {other}"))),
    };
    let settled = settle(app, job, outcome).await;
    if let Err(error) = settled {
        // Its lease lapses, and it is looked at again.
        tracing::warn!(?error, job = %job.id, kind = job.kind, "a job could not be settled");
    }
}

async fn settle(app: &App, job: &Job, outcome: ApiResult<Outcome>) -> ApiResult<()> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    match outcome {
        Ok(Outcome::Done) => tx.finish_job(job).await?,
        Ok(Outcome::Again(after)) => {
            tx.retry_job(job, now + after, "waits").await?;
        }
        Err(error) => {
            tracing::warn!(?error, job = %job.id, kind = job.kind, runs = job.runs, "a job failed");
            let dead = tx.retry_job(job, now + backoff(app, job.runs), &format!("{error:?}")).await?;
            if dead {
                tracing::error!(job = %job.id, kind = job.kind, "a job failed too often; somebody must look");
            }
        }
    }
    Ok(tx.commit().await?)
}

/// Doubles with every run, up to the settings' longest.
fn backoff(app: &App, runs: u32) -> Duration {
    let jobs = &app.config.jobs;
    let doubled = jobs.retry_milliseconds.saturating_mul(1 << runs.saturating_sub(1).min(20));
    Duration::from_millis(doubled.min(jobs.retry_max_milliseconds))
}

/// How long to wait for a service that was down, for the `runs`th time.
fn patience(app: &App, runs: u32) -> Outcome {
    Outcome::Again(backoff(app, runs))
}

/// Asks for work on one subject; while such a job waits, it is not asked for twice.
async fn enqueue(
    app: &App,
    tx: &mut Tx,
    kind: &str,
    subject: &impl std::fmt::Display,
    payload: &impl serde::Serialize,
    urgency: Urgency,
) -> ApiResult<bool> {
    let now = app.clock.now();
    let job = NewJob {
        id: JobId::at(now, app.random.chance()),
        kind: kind.to_owned(),
        payload: serde_json::to_string(payload).map_err(ApiError::internal)?,
        dedupe: Some(subject.to_string()),
        urgency,
        run_at: now,
        max_runs: FOR_EVER,
        created: now,
    };
    Ok(tx.enqueue(&job).await?)
}

fn payload<T: serde::de::DeserializeOwned>(job: &Job) -> ApiResult<T> {
    serde_json::from_str(&job.payload).map_err(ApiError::internal)
}
