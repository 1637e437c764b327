//! Writing a [`Change`]: every row under the version it was decided on, with its journal entry, or nothing.

use trinhky_domain::Change;
use trinhky_domain::audit::Entry;

use crate::error::{Error, Result};
use crate::tx::Tx;

impl Tx {
    /// Writes everything a step of the rules asks for. After an error the transaction must be dropped.
    ///
    /// # Errors
    /// [`Conflict`](Error::Conflict) when a row has moved since it was read, a number was taken by another, a decision
    /// was used before, or the number already has a live attempt.
    pub async fn apply(&mut self, change: &Change) -> Result<()> {
        self.write(change, None).await
    }

    /// The same for a change of an attempt by the process that leases it.
    ///
    /// # Errors
    /// As [`apply`](Self::apply), and [`Conflict`](Error::Conflict) when the lease has passed to another.
    pub async fn apply_leased(&mut self, change: &Change, token: &str) -> Result<()> {
        if change.attempt().is_none() {
            return Err(Error::Conflict("lease"));
        }
        self.write(change, Some(token)).await
    }

    /// Writes a journal entry about something that has no row: a sign-in, a reading, a refusal.
    ///
    /// # Errors
    /// [`Database`](Error::Database).
    pub async fn record(&mut self, entry: &Entry) -> Result<()> {
        self.write_entry(entry).await
    }

    async fn write(&mut self, change: &Change, lease: Option<&str>) -> Result<()> {
        // The register first: its row is the lock that keeps numbers in time order.
        if let Some(voided) = change.voided() {
            self.write_voided(voided).await?;
        }
        if let Some(taken) = change.taken() {
            let document = change.document().ok_or(Error::Conflict("number"))?.to().id;
            self.write_taken(taken, document, change.entry().at).await?;
        }
        if let Some(attempt) = change.attempt() {
            self.write_attempt(attempt, lease, change.entry().at).await?;
        }
        if let Some(decision) = change.decision() {
            self.write_decision(decision).await?;
        }
        if let Some(document) = change.document() {
            self.write_document(document).await?;
        }
        if let Some(opinion) = change.opinion() {
            self.write_opinion(opinion).await?;
        }
        if let Some(task) = change.seal() {
            self.write_seal_task(task).await?;
        }
        for copy in change.copies() {
            self.write_copy(copy).await?;
        }
        self.write_entry(change.entry()).await
    }
}
