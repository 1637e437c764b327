//! Whether the gate has anything to claim: a look that takes no writer, for the many times when it has not.

use time::OffsetDateTime;

use crate::error::Result;
use crate::gate::sql::CANDIDATE;
use crate::tx::{Tx, micros, query};

impl Tx {
    /// Whether [`claim_attempt`](Self::claim_attempt) would find one now.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn attempt_is_due(&mut self, now: OffsetDateTime) -> Result<bool> {
        Ok(self.optional("attempt", query(CANDIDATE).bind(micros(now))).await?.is_some())
    }
}
