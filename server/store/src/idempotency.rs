//! Requests that act, once: the key is stored in the action's transaction, with what was asked and what was answered.
//!
//! A second request with the same key waits for the first one's transaction (on the write lock or on the row) and then
//! finds its answer, or, when that one failed, acts itself.

use time::OffsetDateTime;
use trinhky_domain::Digest;

use crate::error::Result;
use crate::tx::{Columns, Tx, micros, query};

pub(crate) mod sql {
    use crate::sql::statements;

    statements! {
        CLAIM = "insert into idempotency (scope, idempotency_key, request_sha256, created) values ($1, $2, $3, $4)
            on conflict do nothing";
        FIND = "select idempotency_key, request_sha256, status, body from idempotency
            where scope = $1 and idempotency_key = $2";
        KEEP = "update idempotency set status = $3, body = $4
            where scope = $1 and idempotency_key = $2 and status is null";
        PURGE = "delete from idempotency where created < $1";
    }
}

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nothing: act, then [`Tx::keep`] the answer in the same transaction.
    New,
    /// It was answered: give the same answer.
    Replay(Kept),
    /// It came before with another body.
    OtherBody,
    /// It came before and its answer was never kept.
    InFlight,
}

impl Tx {
    /// Looks a key up and claims it when it is new. `scope` is actor and route.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn seen(
        &mut self,
        scope: &str,
        key: &str,
        request_sha256: Digest,
        now: OffsetDateTime,
    ) -> Result<Seen> {
        let claim = query(sql::CLAIM)
            .bind(scope.to_owned())
            .bind(key.to_owned())
            .bind(request_sha256.to_string())
            .bind(micros(now));
        if self.change("key", claim).await? == 1 {
            return Ok(Seen::New);
        }
        self.kept(scope, key, request_sha256).await
    }

    /// Looks a key up without claiming it.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database), [`Corrupt`](crate::Error::Corrupt).
    pub async fn kept(&mut self, scope: &str, key: &str, request_sha256: Digest) -> Result<Seen> {
        let found = query(sql::FIND).bind(scope.to_owned()).bind(key.to_owned());
        let Some(row) = self.optional("key", found).await? else { return Ok(Seen::New) };
        let columns = Columns::of("idempotency", "idempotency_key", &row);
        if columns.word::<Digest>("request_sha256")? != request_sha256 {
            return Ok(Seen::OtherBody);
        }
        match (columns.number_or_null("status")?, columns.text_or_null("body")?) {
            (Some(status), Some(body)) => Ok(Seen::Replay(Kept { status, body })),
            (None, None) => Ok(Seen::InFlight),
            _ => Err(columns.corrupt("half an answer")),
        }
    }

    /// Keeps the answer to a key that was new in this transaction.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when the key was not claimed or is answered already.
    pub async fn keep(&mut self, scope: &str, key: &str, kept: &Kept) -> Result<()> {
        let statement = query(sql::KEEP)
            .bind(scope.to_owned())
            .bind(key.to_owned())
            .bind(i64::from(kept.status))
            .bind(kept.body.clone());
        self.change_one("key", statement).await
    }

    /// Forgets keys from before `before`; says how many there were.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn purge_keys(&mut self, before: OffsetDateTime) -> Result<u64> {
        self.change("key", query(sql::PURGE).bind(micros(before))).await
    }
}
