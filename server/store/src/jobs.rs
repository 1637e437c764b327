//! Durable work: enqueued in the transaction of the change that asks for it, claimed with a lease, finished in the
//! transaction of its result. Urgent work goes first (R74); a job that fails too often is kept as dead, for people.

use std::cmp::Reverse;

use time::OffsetDateTime;
use trinhky_domain::ids::JobId;
use trinhky_domain::paper::Urgency;

use crate::error::Result;
use crate::tx::{Columns, Statement, Tx, micros, query, sound};

pub(crate) mod sql {
    use crate::sql::statements;

    statements! {
        ENQUEUE = "insert into jobs (job_id, kind, payload, dedupe, urgency, state, run_at, runs, max_runs, created)
            values ($1, $2, $3, $4, $5, 'waiting', $6, 0, $7, $8) on conflict do nothing";
        /// What a look sees; SQLite has one writer, so what a claim sees there is still free when it is leased.
        DUE = "select job_id, urgency, run_at from jobs where state = 'waiting' and kind = $1 and run_at <= $2
                and (lease_until is null or lease_until <= $2)
            order by urgency desc, run_at, job_id limit $3";
        /// PostgreSQL has many: a row that another claims at this moment is passed over instead of waited for.
        DUE_POSTGRES = "select job_id, urgency, run_at from jobs
            where state = 'waiting' and kind = $1 and run_at <= $2
                and (lease_until is null or lease_until <= $2)
            order by urgency desc, run_at, job_id limit $3 for update skip locked";
        LEASE = "update jobs set lease_token = $2, lease_until = $3, runs = runs + 1
            where job_id = $1 and state = 'waiting' and (lease_until is null or lease_until <= $4)
            returning job_id, kind, payload, dedupe, urgency, run_at, runs, max_runs, lease_token, error, created";
        RENEW = "update jobs set lease_until = $3 where job_id = $1 and lease_token = $2 and state = 'waiting'";
        FINISH = "delete from jobs where job_id = $1 and lease_token = $2 and state = 'waiting'";
        /// Hastened while it ran, it keeps the earlier time.
        RETRY = "update jobs set lease_token = null, lease_until = null, error = $4,
                run_at = case when run_at = $5 then cast($3 as bigint) else run_at end
            where job_id = $1 and lease_token = $2 and state = 'waiting'";
        HASTEN = "update jobs set run_at = $3
            where kind = $1 and dedupe = $2 and state = 'waiting' and run_at <> $3";
        BURY = "update jobs set lease_token = null, lease_until = null, state = 'dead', error = $3
            where job_id = $1 and lease_token = $2 and state = 'waiting'";
        REVIVE = "update jobs set state = 'waiting', runs = 0, run_at = $2 where job_id = $1 and state = 'dead'";
        DEAD = "select job_id, kind, payload, dedupe, urgency, run_at, runs, max_runs, lease_token, error, created
            from jobs where state = 'dead' order by job_id limit 1000";
        WAITING = "select count(*) as waiting from jobs where state = 'waiting' and kind = $1";
        OLDEST = "select min(run_at) as oldest from jobs where state = 'waiting' and kind = $1 and run_at <= $2";
    }
}

/// Work to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Identity, made by the caller.
    pub id: JobId,
    /// Which worker does it.
    pub kind: String,
    /// What it needs, as JSON.
    pub payload: String,
    /// While a job of this kind with this key waits, another is not enqueued.
    pub dedupe: Option<String>,
    /// Urgent ones go first.
    pub urgency: Urgency,
    /// Not before.
    pub run_at: OffsetDateTime,
    /// After how many runs it is dead.
    pub max_runs: u32,
    /// When it was asked for.
    pub created: OffsetDateTime,
}

/// A job that is leased to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Identity.
    pub id: JobId,
    /// Which worker does it.
    pub kind: String,
    /// What it needs, as JSON.
    pub payload: String,
    /// How urgent.
    pub urgency: Urgency,
    /// Which run this is, from 1.
    pub runs: u32,
    /// After how many it is dead.
    pub max_runs: u32,
    /// The caller's lease: every further write names it.
    pub lease: String,
    /// What went wrong the last time.
    pub error: Option<String>,
    /// Since when it is due.
    pub run_at: OffsetDateTime,
    /// When it was asked for.
    pub created: OffsetDateTime,
}

impl Tx {
    /// Asks for work; it exists once this transaction commits. Says whether it is new.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn enqueue(&mut self, job: &NewJob) -> Result<bool> {
        let statement = query(sql::ENQUEUE)
            .bind(job.id.to_string())
            .bind(job.kind.clone())
            .bind(job.payload.clone())
            .bind(job.dedupe.clone())
            .bind(job.urgency.rank())
            .bind(micros(job.run_at))
            .bind(i64::from(job.max_runs))
            .bind(micros(job.created));
        Ok(self.change("job", statement).await? == 1)
    }

    /// Takes up to `limit` due jobs of the given kinds: the most urgent first, whatever their kind, then those that have
    /// been due longest; a corrupt one is logged, leased all the same and so set aside. `token` is the caller's, fresh for each claim; the leases lapse at `until`, and then another may
    /// run them again.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn claim_jobs(
        &mut self,
        kinds: &[&str],
        token: &str,
        now: OffsetDateTime,
        until: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<Job>> {
        let due = self.on(sql::DUE, sql::DUE_POSTGRES);
        let mut found = Vec::new();
        for kind in kinds {
            for row in &self.all("job", due_of(due, kind, now, limit)).await? {
                let columns = Columns::of("jobs", "job_id", row);
                let order = (Reverse(columns.integer("urgency")?), columns.integer("run_at")?);
                found.push((order, columns.text("job_id")?));
            }
        }
        found.sort_unstable();
        let mut claimed = Vec::new();
        for (_, id) in found.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX)) {
            let lease =
                query(sql::LEASE).bind(id).bind(token.to_owned()).bind(micros(until)).bind(micros(now));
            if let Some(row) = self.optional("job", lease).await? {
                claimed.extend(sound(job(&Columns::of("jobs", "job_id", &row)))?);
            }
        }
        Ok(claimed)
    }

    /// Whether [`claim_jobs`](Self::claim_jobs) would find one now: a look that takes no writer.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn jobs_are_due(&mut self, kinds: &[&str], now: OffsetDateTime) -> Result<bool> {
        for kind in kinds {
            if self.optional("job", due_of(sql::DUE, kind, now, 1)).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What a waiting job waits for has come: it is due at `now`, also when it is running just then and about to wait
    /// again.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn hasten_job(&mut self, kind: &str, dedupe: &str, now: OffsetDateTime) -> Result<()> {
        let statement = query(sql::HASTEN).bind(kind.to_owned()).bind(dedupe.to_owned()).bind(micros(now));
        self.change("job", statement).await.map(drop)
    }

    /// Holds a job longer.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when the lease has passed to another.
    pub async fn renew_job(&mut self, job: &Job, until: OffsetDateTime) -> Result<()> {
        let statement =
            query(sql::RENEW).bind(job.id.to_string()).bind(job.lease.clone()).bind(micros(until));
        self.change_one("job", statement).await
    }

    /// The job is done; in the transaction of its result, so that it is done once.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when the lease has passed to another.
    pub async fn finish_job(&mut self, job: &Job) -> Result<()> {
        self.change_one("job", query(sql::FINISH).bind(job.id.to_string()).bind(job.lease.clone())).await
    }

    /// The job failed: it runs again at `run_at`, or earlier when it was [hastened](Self::hasten_job) meanwhile, or is
    /// dead when it has run `max_runs` times. Says whether it is dead.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when the lease has passed to another.
    pub async fn retry_job(&mut self, job: &Job, run_at: OffsetDateTime, error: &str) -> Result<bool> {
        let (id, lease, error) =
            (job.id.to_string(), job.lease.clone(), error.chars().take(1_000).collect::<String>());
        if job.runs >= job.max_runs {
            self.change_one("job", query(sql::BURY).bind(id).bind(lease).bind(error)).await?;
            return Ok(true);
        }
        let again = query(sql::RETRY).bind(id).bind(lease).bind(micros(run_at)).bind(error);
        self.change_one("job", again.bind(micros(job.run_at))).await?;
        Ok(false)
    }

    /// Lets a dead job run again, from its first run.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) unless it is dead, or when its like is waiting already.
    pub async fn revive_job(&mut self, id: JobId, run_at: OffsetDateTime) -> Result<()> {
        self.change_one("job", query(sql::REVIVE).bind(id.to_string()).bind(micros(run_at))).await
    }

    /// Jobs that failed too often, at most 1,000.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn dead_jobs(&mut self) -> Result<Vec<Job>> {
        let rows = self.all("job", query(sql::DEAD)).await?;
        rows.iter().map(|row| job(&Columns::of("jobs", "job_id", row))).collect()
    }

    /// How many jobs of a kind wait, due or not.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn jobs_waiting(&mut self, kind: &str) -> Result<u64> {
        let row = self.one("job", query(sql::WAITING).bind(kind.to_owned())).await?;
        Columns::of("jobs", "waiting", &row).number("waiting")
    }

    /// Since when the job of a kind that has been due longest is due; how far the workers are behind.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn jobs_due_since(
        &mut self,
        kind: &str,
        now: OffsetDateTime,
    ) -> Result<Option<OffsetDateTime>> {
        let row = self.one("job", query(sql::OLDEST).bind(kind.to_owned()).bind(micros(now))).await?;
        Columns::of("jobs", "oldest", &row).time_or_null("oldest")
    }
}

fn due_of(due: &'static str, kind: &str, now: OffsetDateTime, limit: u32) -> Statement {
    query(due).bind(kind.to_owned()).bind(micros(now)).bind(i64::from(limit))
}

fn job(columns: &Columns<'_>) -> Result<Job> {
    Ok(Job {
        id: columns.word("job_id")?,
        kind: columns.text("kind")?,
        payload: columns.text("payload")?,
        urgency: crate::documents::urgency(columns)?,
        runs: columns.number("runs")?,
        max_runs: columns.number("max_runs")?,
        lease: columns.text_or_null("lease_token")?.unwrap_or_default(),
        error: columns.text_or_null("error")?,
        run_at: columns.time("run_at")?,
        created: columns.time("created")?,
    })
}
