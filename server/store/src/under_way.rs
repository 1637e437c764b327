//! Attempts under way, many at a time: which have moved, which are watched, which were received and have nobody to finish
//! them. One statement each, however many people wait, because these are asked many times a second.
//!
//! Lists of ids go in as one JSON text: the only form of a list that both engines take as a bound value.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use trinhky_domain::ids::AttemptId;
use trinhky_domain::paper::Urgency;

use crate::error::Result;
use crate::tx::{Backend, Columns, Tx, json, micros, query, sound};

pub(crate) mod sql {
    use crate::sql::statements;

    statements! {
        /// Each engine has its own name for the rows of a JSON list.
        VERSIONS_SQLITE = "select attempt_id, version from attempts
            where attempt_id in (select value from json_each($1))";
        VERSIONS_POSTGRES = "select attempt_id, version from attempts
            where attempt_id in (select json_array_elements_text(cast(cast($1 as text) as json)))";
        WATCH_SQLITE = "update attempts set watched_at = $2
            where attempt_id in (select value from json_each($1))";
        WATCH_POSTGRES = "update attempts set watched_at = $2
            where attempt_id in (select json_array_elements_text(cast(cast($1 as text) as json)))";
        RENEW_SQLITE = "update attempts set lease_until = $2 where due is not null
                and lease_token in (select value from json_each($1))";
        RENEW_POSTGRES = "update attempts set lease_until = $2 where due is not null
                and lease_token in (select json_array_elements_text(cast(cast($1 as text) as json)))";
        UNFINISHED = "select attempt_id, urgency from attempts
            where state in ('signed_raw', 'verified', 'stamped')
                and not exists (select 1 from jobs where jobs.kind = $1 and jobs.dedupe = attempts.attempt_id
                    and jobs.state = 'waiting')
            order by created limit $2";
    }
}

impl Tx {
    /// The versions of attempts; one that does not exist is not named.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn attempt_versions(&mut self, ids: &[AttemptId]) -> Result<BTreeMap<AttemptId, u32>> {
        let statement = self.on(sql::VERSIONS_SQLITE, sql::VERSIONS_POSTGRES);
        let rows = self.all("attempt", query(statement).bind(json(&words(ids))?)).await?;
        rows.iter()
            .map(|row| {
                let columns = Columns::of("attempts", "attempt_id", row);
                Ok((columns.word("attempt_id")?, columns.number("version")?))
            })
            .collect()
    }

    /// Notes that the leaders' devices are watching these attempts now.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn watch_all(&mut self, ids: &[AttemptId], now: OffsetDateTime) -> Result<()> {
        let statement = self.on(sql::WATCH_SQLITE, sql::WATCH_POSTGRES);
        self.change("attempt", query(statement).bind(json(&words(ids))?).bind(micros(now))).await.map(drop)
    }

    /// Holds every attempt longer that is still leased under one of `tokens`; says how many those are. One that has passed
    /// to another process is left alone: its next write says so.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn renew_attempts(&mut self, tokens: &[String], until: OffsetDateTime) -> Result<u64> {
        let statement = self.on(sql::RENEW_SQLITE, sql::RENEW_POSTGRES);
        self.change("attempt", query(statement).bind(json(&tokens)?).bind(micros(until))).await
    }

    /// Attempts whose signature was received and is not yet in its place, and that no job of this kind is to finish;
    /// at most `limit`, the oldest first.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn attempts_without_job(
        &mut self,
        kind: &str,
        limit: u32,
    ) -> Result<Vec<(AttemptId, Urgency)>> {
        let statement = query(sql::UNFINISHED).bind(kind.to_owned()).bind(i64::from(limit));
        let mut found = Vec::new();
        for row in &self.all("attempt", statement).await? {
            let columns = Columns::of("attempts", "attempt_id", row);
            let read =
                || -> Result<_> { Ok((columns.word("attempt_id")?, crate::documents::urgency(&columns)?)) };
            found.extend(sound(read())?);
        }
        Ok(found)
    }

    /// The statement of this engine.
    pub(crate) const fn on(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self.backend {
            Backend::Sqlite => sqlite,
            Backend::Postgres => postgres,
        }
    }
}

fn words(ids: &[AttemptId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}
