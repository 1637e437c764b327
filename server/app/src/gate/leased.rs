//! An attempt's row while this process holds its lease: every write names the version it was read at and the lease.
//!
//! The machine's states become the domain's steps here, one for one; what the machine knows besides (handle, schedule,
//! last trouble) travels as its own versioned JSON in the same write.

use std::time::Duration;

use anyhow::bail;
use time::OffsetDateTime;
use trinhky_domain::Change;
use trinhky_domain::ids::AttemptId;
use trinhky_domain::signing::{Attempt, AttemptState, Failure, Purpose};
use trinhky_simpki::attempt::{self as machine, State};
use trinhky_simpki::status::Ending;
use trinhky_store::{Store, Tx};

use super::converse::Row;

/// A leased row.
pub(super) struct Leased {
    pub(super) store: Store,
    pub(super) id: AttemptId,
    pub(super) token: String,
    pub(super) lease: Duration,
    pub(super) held_until: OffsetDateTime,
    pub(super) send_window: time::Duration,
}

impl Row for Leased {
    async fn keep(&mut self, at: &machine::Attempt, now: OffsetDateTime) -> anyhow::Result<()> {
        let mut tx = self.store.begin().await?;
        let row = tx.attempt(self.id).await?;
        let first = row.state.name() == trinhky_domain::signing::AttemptStateName::Approved;
        let Some(change) = step(&mut tx, row, at, self.send_window, now).await? else { return Ok(()) };
        let change = change.with_protocol(serde_json::to_string(at)?);
        tx.apply_leased(&change, &self.token).await?;
        if first && matches!(at.state(), State::Sending { .. }) {
            tx.note_transaction(self.id, at.ap_trans_id().as_str()).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn hold(&mut self, now: OffsetDateTime) -> anyhow::Result<()> {
        if self.held_until - now > self.lease / 2 {
            return Ok(());
        }
        let until = now + self.lease;
        let mut tx = self.store.begin().await?;
        tx.renew_attempt(self.id, &self.token, until).await?;
        tx.commit().await?;
        self.held_until = until;
        Ok(())
    }
}

impl Leased {
    /// The approval stands at the head of its number's queue: from now on it may not wait long.
    pub(super) async fn heads(&self, row: Attempt, now: OffsetDateTime) -> anyhow::Result<Attempt> {
        if !matches!(row.state, AttemptState::Approved { heading_since: None, .. }) {
            return Ok(row);
        }
        let mut tx = self.store.begin().await?;
        tx.apply_leased(&row.heads_queue(now)?, &self.token).await?;
        let row = tx.attempt(self.id).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Ends the attempt without having asked anybody.
    pub(super) async fn end(&self, failure: Failure, now: OffsetDateTime) -> anyhow::Result<()> {
        let mut tx = self.store.begin().await?;
        let row = tx.attempt(self.id).await?;
        let change = ended(&mut tx, row, failure, now).await?;
        tx.apply_leased(&change, &self.token).await?;
        Ok(tx.commit().await?)
    }

    /// Gives the row to whoever comes next, at `due`.
    pub(super) async fn release(&self, due: OffsetDateTime) -> anyhow::Result<()> {
        let mut tx = self.store.begin().await?;
        tx.release_attempt(self.id, &self.token, due).await?;
        Ok(tx.commit().await?)
    }
}

/// The domain's step to where the machine is; none when the row is there already.
async fn step(
    tx: &mut Tx,
    row: Attempt,
    at: &machine::Attempt,
    send_window: time::Duration,
    now: OffsetDateTime,
) -> anyhow::Result<Option<Change>> {
    if row.state.name().as_str() == at.state_name() {
        return Ok(None);
    }
    let change = match at.state() {
        State::Sending { .. } => row.sending(send_window, now)?,
        State::Accepted(watch) => row.accepted(watch.handle().to_string(), now)?,
        State::Indeterminate { .. } => row.indeterminate(now)?,
        State::SignedRaw(signed) => row.signed_raw(signed.signature.as_bytes().to_vec(), now)?,
        State::Ended(end) => ended(tx, row, failure(end.ending), now).await?,
        // The gate withdraws nothing and asks nobody after the end, so the machine cannot be here.
        State::Approved { .. } | State::SignedHeld(_) => {
            bail!("{} cannot become {}", row.state.name(), at.state_name())
        }
    };
    Ok(Some(change))
}

async fn ended(tx: &mut Tx, row: Attempt, failure: Failure, now: OffsetDateTime) -> anyhow::Result<Change> {
    Ok(match row.purpose {
        Purpose::Enrolment { .. } => row.enrolment_ended(failure, now)?,
        Purpose::Document { document, .. } => {
            tx.document(document).await?.signing(row)?.ended(failure, now)?
        }
    })
}

const fn failure(ending: Ending) -> Failure {
    match ending {
        Ending::Declined => Failure::Declined,
        Ending::Expired => Failure::Expired,
        Ending::Lapsed => Failure::Lapsed,
        Ending::Undeliverable => Failure::Undeliverable,
        Ending::Blocked => Failure::Blocked,
        Ending::NotEnrolled => Failure::NotEnrolled,
        Ending::CertInvalid => Failure::CertInvalid,
        Ending::Rejected => Failure::Rejected,
        Ending::ProviderDown => Failure::ProviderDown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_is_the_failure_of_the_same_name() {
        for ending in [
            Ending::Declined,
            Ending::Expired,
            Ending::Lapsed,
            Ending::Undeliverable,
            Ending::Blocked,
            Ending::NotEnrolled,
            Ending::CertInvalid,
            Ending::Rejected,
            Ending::ProviderDown,
        ] {
            assert_eq!(failure(ending).as_str(), ending.as_str());
        }
    }
}
