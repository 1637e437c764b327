//! A transaction: the only way to the rows. It writes under one lock on SQLite and under row guards on PostgreSQL.

use std::panic::Location;
use std::time::{Duration, Instant};

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, Row, Transaction};
use time::OffsetDateTime;
use trinhky_domain::Digest;

use crate::error::{Error, Result};

/// Which engine is behind the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// One file, one writer.
    Sqlite,
    /// A cluster, many writers.
    Postgres,
}

/// A transaction. Every query of the store is a method on it, in the file of its noun. Dropped without
/// [`commit`](Self::commit), it leaves nothing behind.
pub struct Tx {
    pub(crate) inner: Transaction<'static, Any>,
    pub(crate) backend: Backend,
    pub(crate) _held: Option<Held>,
}

/// Since when, and where, a transaction holds the write lock: on SQLite every other writer waits meanwhile, so a long one
/// is told to the log with the line that began it. Work that takes long belongs before the transaction.
pub(crate) struct Held {
    since: Instant,
    began: &'static Location<'static>,
}

impl Held {
    #[expect(clippy::disallowed_methods, reason = "telemetry: nothing is decided by it")]
    pub(crate) fn since_now(began: &'static Location<'static>) -> Self {
        Self { since: Instant::now(), began }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let held = self.since.elapsed();
        let ms = held.as_secs_f64() * 1_000.0;
        if held >= LONG {
            tracing::warn!(ms, began = %self.began, "a writing transaction was held long");
        } else {
            tracing::trace!(ms, began = %self.began, "a writing transaction");
        }
    }
}

const LONG: Duration = Duration::from_millis(250);

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx").field("backend", &self.backend).finish_non_exhaustive()
    }
}

pub(crate) type Statement = Query<'static, Any, AnyArguments>;

/// Starts a statement; its values are bound in order.
pub(crate) fn query(sql: &'static str) -> Statement {
    #[cfg(debug_assertions)]
    crate::seen::note(sql);
    sqlx::query(sql)
}

impl Tx {
    /// Makes everything permanent.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the transaction lost a race, [`Error::Database`].
    pub async fn commit(self) -> Result<()> {
        self.inner.commit().await.map_err(|error| Error::of("the transaction", error))
    }

    /// Runs a statement that must change exactly one row; none is a conflict.
    pub(crate) async fn change_one(&mut self, what: &'static str, statement: Statement) -> Result<()> {
        match self.change(what, statement).await? {
            0 => Err(Error::Conflict(what)),
            1 => Ok(()),
            many => Err(Error::corrupt(what, "?", format!("{many} rows changed where one was meant"))),
        }
    }

    /// Runs a statement and counts the rows it changed.
    pub(crate) async fn change(&mut self, what: &'static str, statement: Statement) -> Result<u64> {
        let done = statement.execute(&mut *self.inner).await.map_err(|error| Error::of(what, error))?;
        Ok(done.rows_affected())
    }

    pub(crate) async fn optional(
        &mut self,
        what: &'static str,
        statement: Statement,
    ) -> Result<Option<AnyRow>> {
        statement.fetch_optional(&mut *self.inner).await.map_err(|error| Error::of(what, error))
    }

    pub(crate) async fn one(&mut self, what: &'static str, statement: Statement) -> Result<AnyRow> {
        self.optional(what, statement).await?.ok_or(Error::NotFound(what))
    }

    pub(crate) async fn all(&mut self, what: &'static str, statement: Statement) -> Result<Vec<AnyRow>> {
        statement.fetch_all(&mut *self.inner).await.map_err(|error| Error::of(what, error))
    }
}

/// For lists that work goes through: a row that says nothing the rules know is told to the log and set aside, so that it
/// stops none of the others. Every other error stops the list.
pub(crate) fn sound<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(corrupt @ Error::Corrupt { .. }) => {
            tracing::error!(error = %corrupt, "a row is set aside; somebody must look at it");
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// Microseconds since 1970 UTC, the only form of time in rows.
pub(crate) fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

/// Reads columns of one table and says which row is corrupt when they make no sense.
pub(crate) struct Columns<'r> {
    row: &'r AnyRow,
    table: &'static str,
    id: String,
}

impl<'r> Columns<'r> {
    /// `key` is the column that names the row in errors.
    pub(crate) fn of(table: &'static str, key: &str, row: &'r AnyRow) -> Self {
        let id = row.try_get::<String, _>(key).unwrap_or_else(|_| "?".to_owned());
        Self { row, table, id }
    }

    pub(crate) fn corrupt(&self, what: impl std::fmt::Display) -> Error {
        Error::corrupt(self.table, &self.id, what)
    }

    pub(crate) fn text(&self, column: &str) -> Result<String> {
        self.row.try_get(column).map_err(|error| self.corrupt(error))
    }

    pub(crate) fn text_or_null(&self, column: &str) -> Result<Option<String>> {
        self.row.try_get(column).map_err(|error| self.corrupt(error))
    }

    pub(crate) fn bytes(&self, column: &str) -> Result<Vec<u8>> {
        self.row.try_get(column).map_err(|error| self.corrupt(error))
    }

    pub(crate) fn bytes_or_null(&self, column: &str) -> Result<Option<Vec<u8>>> {
        self.row.try_get(column).map_err(|error| self.corrupt(error))
    }

    pub(crate) fn integer(&self, column: &str) -> Result<i64> {
        self.row.try_get(column).map_err(|error| self.corrupt(error))
    }

    pub(crate) fn integer_or_null(&self, column: &str) -> Result<Option<i64>> {
        self.row.try_get(column).map_err(|error| self.corrupt(error))
    }

    /// A number within the range of the type it is read as.
    pub(crate) fn number<T: TryFrom<i64>>(&self, column: &str) -> Result<T> {
        let value = self.integer(column)?;
        T::try_from(value).map_err(|_| self.corrupt(format!("{column} is {value}")))
    }

    pub(crate) fn number_or_null<T: TryFrom<i64>>(&self, column: &str) -> Result<Option<T>> {
        let Some(value) = self.integer_or_null(column)? else { return Ok(None) };
        T::try_from(value).map(Some).map_err(|_| self.corrupt(format!("{column} is {value}")))
    }

    pub(crate) fn flag(&self, column: &str) -> Result<bool> {
        match self.integer(column)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.corrupt(format!("{column} is {other}"))),
        }
    }

    /// An id, a word of a closed list, a digest: anything that reads itself from text.
    pub(crate) fn word<T: std::str::FromStr<Err: std::fmt::Display>>(&self, column: &str) -> Result<T> {
        let text = self.text(column)?;
        text.parse().map_err(|error| self.corrupt(format!("{column}: {error}")))
    }

    pub(crate) fn word_or_null<T: std::str::FromStr<Err: std::fmt::Display>>(
        &self,
        column: &str,
    ) -> Result<Option<T>> {
        let Some(text) = self.text_or_null(column)? else { return Ok(None) };
        text.parse().map(Some).map_err(|error| self.corrupt(format!("{column}: {error}")))
    }

    pub(crate) fn time(&self, column: &str) -> Result<OffsetDateTime> {
        self.instant(column, self.integer(column)?)
    }

    pub(crate) fn time_or_null(&self, column: &str) -> Result<Option<OffsetDateTime>> {
        self.integer_or_null(column)?.map(|value| self.instant(column, value)).transpose()
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<T> {
        serde_json::from_str(&self.text(column)?).map_err(|error| self.corrupt(format!("{column}: {error}")))
    }

    pub(crate) fn json_or_null<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<Option<T>> {
        let Some(text) = self.text_or_null(column)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|error| self.corrupt(format!("{column}: {error}")))
    }

    fn instant(&self, column: &str, micros: i64) -> Result<OffsetDateTime> {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000)
            .map_err(|error| self.corrupt(format!("{column}: {error}")))
    }
}

/// JSON of plain data.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::corrupt("value", "?", error))
}

/// A digest as rows hold it.
pub(crate) fn digest_text(digest: Option<Digest>) -> Option<String> {
    digest.map(|digest| digest.to_string())
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What it holds.
    pub items: Vec<T>,
    /// Where the next one starts; `None` at the end.
    pub next: Option<Cursor>,
}

/// A place in a list that is ordered by urgency, then time, then id. Stays right while rows come and go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) urgency: i64,
    pub(crate) at: i64,
    pub(crate) id: String,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.urgency, self.at, self.id)
    }
}

/// The text is no cursor of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: use the one of the previous page")]
pub struct NotACursor;

impl std::str::FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> std::result::Result<Self, NotACursor> {
        let mut parts = text.splitn(3, '.');
        let mut part = || parts.next().ok_or(NotACursor);
        let urgency = part()?.parse().map_err(|_| NotACursor)?;
        let at = part()?.parse().map_err(|_| NotACursor)?;
        let id = part()?;
        let plain = id.len() == 26 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if plain { Ok(Self { urgency, at, id: id.to_owned() }) } else { Err(NotACursor) }
    }
}
