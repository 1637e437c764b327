//! Durable work, done by `trinhky work` (or `serve --work`): claimed with a lease, finished when its result is in the rows.
//!
//! ```text
//! every tick: tend (what the rows say is due becomes a job) ─► claim, most urgent first ─► run ─► finish | again later
//! ```
//!
//! A job is only a hint to look: each looks at the rows, does the next step they allow, and may be run any number of
//! times. So a lease that lapses, a second worker or a crash costs time and nothing else.

pub mod deliver_copy;
pub mod draw_number;
pub mod finish_seal;
pub mod finish_signature;
pub mod notify;
pub mod release;
pub mod sweep;

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use trinhky_domain::ids::JobId;
use trinhky_domain::paper::Urgency;
use trinhky_store::{Job, NewJob, Tx};

use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::{checkpoints, notices};

/// What came of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is left to do.
    Done,
    /// Look again after this.
    Again(Duration),
}

/// Kinds that are looked for.
pub const KINDS: &[&str] = &[
    notices::KIND,
    finish_signature::KIND,
    finish_seal::KIND,
    draw_number::KIND,
    release::KIND,
    deliver_copy::KIND,
];
/// Waiting for a service is no failure, however long it takes.
const FOR_EVER: u32 = u32::MAX;
const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// Even where the settings say less.
const SHORTEST_POLL: Duration = Duration::from_millis(10);
/// Journal entries get their place in the tree within this.
const SEQUENCE_EVERY: Duration = Duration::from_secs(1);

/// Works until `stop` resolves; jobs under way then end first.
///
/// # Errors
/// Only what makes working impossible; a failing job or a database that is away for a while is logged.
pub async fn run(app: App, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
    if let Err(error) = deliver_copy::tend(&app).await {
        tracing::warn!(?error, "copies that waited for a mail server wait until the next start");
    }
    let chores = tokio::spawn(chores(app.clone()));
    let mut running = JoinSet::new();
    let mut stop = Box::pin(stop);
    let mut tended = tokio::time::interval(app.config.jobs.poll().max(SHORTEST_POLL));
    tended.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // Never cancelled half way: a job that is claimed is started.
        let more = look(&app, &mut running).await;
        tokio::select! {
            () = &mut stop => break,
            // A slot is free again, and there was more to do.
            Some(_) = running.join_next(), if more => {}
            _ = tended.tick() => tend(&app).await,
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
            _ = sequence.tick() => checkpoints::advance(&app).await,
        };
        if let Err(error) = done {
            tracing::warn!(?error, "a chore failed; it is done again");
        }
    }
}

async fn tend(app: &App) {
    if let Err(error) = finish_signature::tend(app).await {
        tracing::warn!(?error, "not every received signature has its job; it is looked at again");
    }
}

/// Claims due jobs and starts them; says whether more may be waiting for a slot.
async fn look(app: &App, running: &mut JoinSet<()>) -> bool {
    while running.try_join_next().is_some() {}
    let free = app.config.jobs.concurrent.saturating_sub(running.len());
    if free == 0 {
        return true;
    }
    match claim(app, free).await {
        Ok(jobs) => {
            let full = jobs.len() == free;
            for job in jobs {
                let app = app.clone();
                running.spawn(async move { run_one(&app, &job).await });
            }
            full
        }
        Err(error) => {
            tracing::warn!(?error, "no job could be claimed");
            false
        }
    }
}

async fn claim(app: &App, free: usize) -> ApiResult<Vec<Job>> {
    let now = app.clock.now();
    if !app.store.read().await?.jobs_are_due(KINDS, now).await? {
        return Ok(Vec::new());
    }
    let token = hex::encode(app.random.bytes::<16>());
    let until = now + Duration::from_secs(app.config.jobs.lease_seconds);
    let mut tx = app.store.begin().await?;
    let limit = u32::try_from(free).unwrap_or(u32::MAX);
    let jobs = tx.claim_jobs(KINDS, &token, now, until, limit).await?;
    tx.commit().await?;
    Ok(jobs)
}

async fn run_one(app: &App, job: &Job) {
    let outcome = match job.kind.as_str() {
        notices::KIND => notify::run(app, job).await,
        finish_signature::KIND => finish_signature::run(app, job).await,
        finish_seal::KIND => finish_seal::run(app, job).await,
        draw_number::KIND => draw_number::run(app, job).await,
        release::KIND => release::run(app, job).await,
        deliver_copy::KIND => deliver_copy::run(app, job).await,
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
    enqueue_after(app, tx, Duration::ZERO, kind, subject, payload, urgency).await
}

/// The same for work that somebody else is doing now: looked at `after` a while, should they not have come to its end.
async fn enqueue_after(
    app: &App,
    tx: &mut Tx,
    after: Duration,
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
        run_at: now + after,
        max_runs: FOR_EVER,
        created: now,
    };
    Ok(tx.enqueue(&job).await?)
}

fn payload<T: serde::de::DeserializeOwned>(job: &Job) -> ApiResult<T> {
    serde_json::from_str(&job.payload).map_err(ApiError::internal)
}
