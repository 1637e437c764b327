//! The gate's work list: which attempt may be driven now, by whom, and until when.
//!
//! An attempt is driven by whoever holds its lease, and every write of theirs names the lease
//! ([`Tx::apply_leased`]); when a process dies the lease lapses and another goes on. An approved attempt is handed out
//! only when it heads its number's queue (urgent first, R74) and no live one holds the number.

use time::OffsetDateTime;
use trinhky_domain::ids::AttemptId;
use trinhky_domain::signing::Attempt;

use crate::attempts::columns;
use crate::error::Result;
use crate::tx::{Columns, Tx, micros, query, sound};

pub(crate) mod sql {
    use super::columns;
    use crate::sql::statements;

    statements! {
        CANDIDATE = "select attempt_id from attempts as one
            where due <= $1 and (lease_until is null or lease_until <= $1)
                and (state <> 'approved' or (
                    not exists (select 1 from attempts as live where live.msisdn = one.msisdn
                        and live.state in ('sending', 'accepted', 'indeterminate', 'signed_raw'))
                    and not exists (select 1 from attempts as before where before.msisdn = one.msisdn
                        and before.state = 'approved' and (before.urgency > one.urgency
                            or (before.urgency = one.urgency and (before.created < one.created
                                or (before.created = one.created and before.attempt_id < one.attempt_id)))))))
            order by urgency desc, created, attempt_id limit 8";
        LEASE = concat!("update attempts set lease_token = $2, lease_until = $3
            where attempt_id = $1 and state in ('approved', 'sending', 'accepted', 'indeterminate')
                and (lease_until is null or lease_until <= $4)
            returning ", columns!());
        RELEASE = "update attempts set lease_token = null, lease_until = null,
                due = case when due is not null then cast($3 as bigint) end
            where attempt_id = $1 and lease_token = $2";
        PLACE = "select
                (select count(*) from attempts as live where live.msisdn = one.msisdn
                    and live.attempt_id <> one.attempt_id
                    and live.state in ('sending', 'accepted', 'indeterminate', 'signed_raw'))
                + (select count(*) from attempts as before where before.msisdn = one.msisdn
                    and before.state = 'approved' and (before.urgency > one.urgency
                        or (before.urgency = one.urgency and (before.created < one.created
                            or (before.created = one.created and before.attempt_id < one.attempt_id))))) as ahead
            from attempts as one where one.attempt_id = $1";
        KEEP_PROTOCOL = "update attempts set protocol = $3
            where attempt_id = $1 and lease_token = $2 and state = 'sending'";
        NOTE_TRANSACTION = "update attempts set ap_transaction = $2
            where attempt_id = $1 and ap_transaction is null";
        TRANSACTION = "select attempt_id, ap_transaction from attempts where attempt_id = $1";
    }
}

impl Tx {
    /// Takes the next attempt to drive: urgent ones first, then the oldest; a corrupt one is logged, leased all the same and
    /// so set aside. `token` is the caller's, fresh for each
    /// claim; `until` is when the lease lapses, unless it is [renewed](Self::renew_attempts).
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn claim_attempt(
        &mut self,
        token: &str,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<Option<Attempt>> {
        let rows = self.all("attempt", query(sql::CANDIDATE).bind(micros(now))).await?;
        for row in &rows {
            let id = Columns::of("attempts", "attempt_id", row).text("attempt_id")?;
            // On PostgreSQL another process may have been faster: then the next one is tried.
            let lease =
                query(sql::LEASE).bind(id).bind(token.to_owned()).bind(micros(until)).bind(micros(now));
            if let Some(row) = self.optional("attempt", lease).await?
                && let Some(attempt) = sound(crate::attempts::attempt(&row))?
            {
                return Ok(Some(attempt));
            }
        }
        Ok(None)
    }

    /// Gives an attempt up until `next`, when it is due again.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when the lease has passed to another.
    pub async fn release_attempt(&mut self, id: AttemptId, token: &str, next: OffsetDateTime) -> Result<()> {
        let statement = query(sql::RELEASE).bind(id.to_string()).bind(token.to_owned()).bind(micros(next));
        self.change_one("attempt", statement).await
    }

    /// Keeps what the protocol's machine knows of a request that is being sent anew, since no connection came up: from
    /// when its prompt may be alive.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when the lease has passed to another, or the attempt is sending no more.
    pub async fn keep_protocol(&mut self, id: AttemptId, token: &str, protocol: String) -> Result<()> {
        let statement = query(sql::KEEP_PROTOCOL).bind(id.to_string()).bind(token.to_owned()).bind(protocol);
        self.change_one("attempt", statement).await
    }

    /// How many prompts on the same number come before this attempt's.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub async fn place_in_queue(&mut self, id: AttemptId) -> Result<u32> {
        let row = self.one("attempt", query(sql::PLACE).bind(id.to_string())).await?;
        Columns::of("attempts", "ahead", &row).number("ahead")
    }

    /// Keeps the `AP_TransID` of an attempt's one request; no other attempt ever had it (R41).
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when the attempt has one already or another attempt has this one.
    pub async fn note_transaction(&mut self, id: AttemptId, ap_transaction: &str) -> Result<()> {
        let statement = query(sql::NOTE_TRANSACTION).bind(id.to_string()).bind(ap_transaction.to_owned());
        self.change_one("transaction", statement).await
    }

    /// The `AP_TransID` of an attempt's request, once it has one.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn transaction_of(&mut self, id: AttemptId) -> Result<Option<String>> {
        let row = self.one("attempt", query(sql::TRANSACTION).bind(id.to_string())).await?;
        Columns::of("attempts", "attempt_id", &row).text_or_null("ap_transaction")
    }
}
