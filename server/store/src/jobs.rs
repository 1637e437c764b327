//! Durable work: enqueued in the transaction of the change that asks for it, claimed with a lease, finished in the
//! transaction of its result. Urgent work goes first (R74); a job that fails too often is kept as dead, for people.

use time::OffsetDateTime;
use trinhky_domain::ids::JobId;
use trinhky_domain::paper::Urgency;

use crate::error::Result;
use crate::tx::{Backend, Columns, Tx, micros, query};

pub(crate) mod sql {
    use crate::sql::statements;

    statements! {
        ENQUEUE = "insert into jobs (job_id, kind, payload, dedupe, urgency, state, run_at, runs, max_runs, created)
            values ($1, $2, $3, $4, $5, 'waiting', $6, 0, $7, $8) on conflict do nothing";
        /// SQLite has one writer, so the row read here is still free when it is leased.
        DUE_SQLITE = "select job_id from jobs where state = 'waiting' and kind = $1 and run_at <= $2
                and (lease_until is null or lease_until <= $2)
            order by urgency desc, run_at, job_id limit 1";
        /// PostgreSQL has many: a row that another claims at this moment is passed over instead of waited for.
        DUE_POSTGRES = "select job_id from jobs where state = 'waiting' and kind = $1 and run_at <= $2
                and (lease_until is null or lease_until <= $2)
            order by urgency desc, run_at, job_id limit 1 for update skip locked";
        LEASE = "update jobs set lease_token = $2, lease_until = $3, runs = runs + 1
            where job_id = $1 and state = 'waiting' and (lease_until is null or lease_until <= $4)
            returning job_id, kind, payload, dedupe, urgency, run_at, runs, max_runs, lease_token, error, created";
        RENEW = "update jobs set lease_until = $3 where job_id = $1 and lease_token = $2 and state = 'waiting'";
        FINISH = "delete from jobs where job_id = $1 and lease_token = $2 and state = 'waiting'";
        RETRY = "update jobs set lease_token = null, lease_until = null, run_at = $3, error = $4
            where job_id = $1 and lease_token = $2 and state = 'waiting'";
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

    /// Takes one due job of the given kinds, the most urgent first within each kind. `token` is the caller's, fresh for
    /// each claim; the lease lapses at `until`, and then another may run it again.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn claim_job(
        &mut self,
        kinds: &[&str],
        token: &str,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<Option<Job>> {
        let due = match self.backend {
            Backend::Sqlite => sql::DUE_SQLITE,
            Backend::Postgres => sql::DUE_POSTGRES,
        };
        for kind in kinds {
            let found = self.optional("job", query(due).bind((*kind).to_owned()).bind(micros(now))).await?;
            let Some(row) = found else { continue };
            let id = Columns::of("jobs", "job_id", &row).text("job_id")?;
            let lease =
                query(sql::LEASE).bind(id).bind(token.to_owned()).bind(micros(until)).bind(micros(now));
            if let Some(row) = self.optional("job", lease).await? {
                return job(&Columns::of("jobs", "job_id", &row)).map(Some);
            }
        }
        Ok(None)
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

    /// The job failed: it runs again at `run_at`, or is dead when it has run `max_runs` times. Says whether it is dead.
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
        self.change_one("job", query(sql::RETRY).bind(id).bind(lease).bind(micros(run_at)).bind(error))
            .await?;
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
        created: columns.time("created")?,
    })
}
