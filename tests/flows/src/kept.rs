//! What the product keeps, counted: rows, files, prompts. A refusal leaves it as it was.
//!
//! Rows can be forged here too, as somebody with the database's password would: what must not happen then is shown with
//! the real processes.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteQueryResult};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use crate::main_job;
use crate::rig::Rig;

/// The tables that say what happened. Sessions, jobs and the journal's tree move by themselves and are left out.
const TABLES: &[&str] = &[
    "files",
    "documents",
    "document_files",
    "opinions",
    "attempts",
    "decisions",
    "devices",
    "registers",
    "numbers",
    "seal_tasks",
    "copies",
];

/// Everything that was kept at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    rows: BTreeMap<&'static str, i64>,
    versions: i64,
    journal: i64,
    files: usize,
    prompts: usize,
}

impl Kept {
    /// As it is now.
    ///
    /// # Errors
    /// The database is not the rig's own SQLite file, or the world does not answer.
    pub async fn now(rig: &Rig) -> Result<Self> {
        let mut rows = Rows::of(rig).await?;
        let mut counted = BTreeMap::new();
        for table in TABLES {
            counted.insert(*table, rows.number(&format!("select count(*) from {table}")).await?);
        }
        // A row that changed without becoming another one.
        let versions = "select (select total(version) from documents) + (select total(version) from attempts)
            + (select total(version) from registers)";
        Ok(Self {
            rows: counted,
            // Signing in and opening a document are kept whatever comes of them.
            journal: rows
                .number("select count(*) from journal where event not like 'session.%' and event <> 'document.read'")
                .await?,
            versions: rows.number(&format!("select cast(({versions}) as integer)")).await?,
            files: files(&rig.folder.path().join("files"))?,
            prompts: main_job::sim_requests(rig).await?,
        })
    }

    /// Asserts that nothing was added and nothing changed since.
    ///
    /// # Errors
    /// Something did; the text says what.
    pub async fn unchanged(&self, rig: &Rig) -> Result<()> {
        let now = Self::now(rig).await?;
        ensure!(now == *self, "kept before: {self:?}\nand now:     {now:?}");
        Ok(())
    }

    /// Decisions so far.
    pub fn decisions(&self) -> i64 {
        self.rows.get("decisions").copied().unwrap_or_default()
    }

    /// Files so far.
    pub const fn files(&self) -> usize {
        self.files
    }

    /// SIM prompts so far.
    pub const fn prompts(&self) -> usize {
        self.prompts
    }
}

/// The database, past the server.
pub struct Rows(SqliteConnection);

impl Rows {
    /// Opens the rig's database beside the server.
    ///
    /// # Errors
    /// It is not the rig's own SQLite file.
    pub async fn of(rig: &Rig) -> Result<Self> {
        let path = rig.folder.path().join("rows.db");
        ensure!(path.is_file(), "the rig's database is not its own file");
        let options =
            SqliteConnectOptions::new().filename(path).busy_timeout(std::time::Duration::from_secs(15));
        Ok(Self(SqliteConnection::connect_with(&options).await?))
    }

    /// One number.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn number(&mut self, sql: &str) -> Result<i64> {
        let row = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(&mut self.0).await;
        Ok(row.with_context(|| sql.to_owned())?.try_get(0)?)
    }

    /// One text.
    ///
    /// # Errors
    /// The database refuses, or there is none.
    pub async fn text(&mut self, sql: &str) -> Result<String> {
        let row = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(&mut self.0).await;
        Ok(row.with_context(|| sql.to_owned())?.try_get(0)?)
    }

    /// Forges: runs a statement and says how many rows it changed. `?` takes `bytes`.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn forge(&mut self, sql: &str, bytes: &[u8]) -> Result<u64> {
        let mut query = sqlx::query(AssertSqlSafe(sql.to_owned()));
        if sql.contains('?') {
            query = query.bind(bytes.to_vec());
        }
        let done: SqliteQueryResult = query.execute(&mut self.0).await.with_context(|| sql.to_owned())?;
        Ok(done.rows_affected())
    }
}

impl Rows {
    /// Forges with several statements, all or none.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn script(&mut self, sql: &str) -> Result<()> {
        let sql = format!("begin immediate; {sql}; commit;");
        sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut self.0).await.with_context(|| sql)?;
        Ok(())
    }
}

/// The same of a rig on PostgreSQL: one connection, which may hold a transaction open.
pub struct PgRows(sqlx::postgres::PgConnection);

impl PgRows {
    /// Opens the rig's database beside the server.
    ///
    /// # Errors
    /// The rig has no cluster, or it does not answer.
    pub async fn of(rig: &Rig) -> Result<Self> {
        let url = rig.postgres().context("the rig keeps its rows in SQLite")?;
        Ok(Self(sqlx::postgres::PgConnection::connect(url).await?))
    }

    /// Runs a statement and says how many rows it changed.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn run(&mut self, sql: &str) -> Result<u64> {
        let done = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut self.0).await;
        Ok(done.with_context(|| sql.to_owned())?.rows_affected())
    }
}

/// How many files there are below a folder.
fn files(folder: &Path) -> Result<usize> {
    let mut found = 0;
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        found += if path.is_dir() { files(&path)? } else { 1 };
    }
    Ok(found)
}
