//! An attempt's row while this process holds its lease: every write names the version it was read at and the lease.
//!
//! The machine's states become the domain's steps here, one for one; what the machine knows besides (handle, schedule,
//! last trouble) travels as its own versioned JSON in the same write.

use std::sync::Arc;

use anyhow::bail;
use time::OffsetDateTime;
use trinhky_domain::Change;
use trinhky_domain::audit::{By, Entry, Event};
use trinhky_domain::ids::AttemptId;
use trinhky_domain::signing::{Attempt, AttemptState, AttemptStateName, Failure, Purpose};
use trinhky_simpki::attempt::{self as machine, State};
use trinhky_simpki::status::Ending;
use trinhky_store::{Store, Tx};

use super::converse::Row;
use super::leases::Lease;
use crate::ambient::Random;
use crate::notices;

/// A leased row.
pub(super) struct Leased {
    pub(super) store: Store,
    pub(super) id: AttemptId,
    pub(super) lease: Lease,
    pub(super) send_window: time::Duration,
    pub(super) random: Arc<dyn Random>,
}

impl Row for Leased {
    async fn keep(&mut self, at: &machine::Attempt, now: OffsetDateTime) -> anyhow::Result<()> {
        let mut tx = self.store.begin().await?;
        let row = tx.attempt(self.id).await?;
        let first = row.state.name() == AttemptStateName::Approved;
        let (sending, protocol) = (matches!(at.state(), State::Sending { .. }), serde_json::to_string(at)?);
        match step(&mut tx, row, at, self.send_window, now).await? {
            Some(change) => self.write(&mut tx, &change.with_protocol(protocol), now).await?,
            // Sent anew after a connection that never was: the prompt may live from now on, not from the first try.
            None if sending => tx.keep_protocol(self.id, &self.lease.token(), protocol).await?,
            None => return Ok(()),
        }
        if first && sending {
            tx.note_transaction(self.id, at.ap_trans_id().as_str()).await?;
        }
        Ok(tx.commit().await?)
    }
}

impl Leased {
    /// The approval stands at the head of its number's queue: from now on it may not wait long.
    pub(super) async fn heads(&self, row: Attempt, now: OffsetDateTime) -> anyhow::Result<Attempt> {
        if !matches!(row.state, AttemptState::Approved { heading_since: None, .. }) {
            return Ok(row);
        }
        let mut tx = self.store.begin().await?;
        tx.apply_leased(&row.heads_queue(now)?, &self.lease.token()).await?;
        let row = tx.attempt(self.id).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Ends an approval that waited too long, or whose document was given back.
    pub(super) async fn lapse(&self, now: OffsetDateTime) -> anyhow::Result<()> {
        self.end(Failure::Lapsed, None, now).await
    }

    /// Ends the attempt because there are no grounds for a prompt, and journals why.
    pub(super) async fn refuse(
        &self,
        failure: Failure,
        why: &str,
        now: OffsetDateTime,
    ) -> anyhow::Result<()> {
        let entry =
            Entry::new(Event::GateRefused, By::process("gate"), now).of_attempt(self.id).with("why", why);
        self.end(failure, Some(entry), now).await
    }

    async fn end(&self, failure: Failure, said: Option<Entry>, now: OffsetDateTime) -> anyhow::Result<()> {
        let mut tx = self.store.begin().await?;
        let row = tx.attempt(self.id).await?;
        if let Some(entry) = said {
            let entry = match row.purpose {
                Purpose::Document { document, .. } => entry.about(document),
                Purpose::Enrolment { .. } => entry,
            };
            tx.record(&entry).await?;
        }
        let change = ended(&mut tx, row, failure, now).await?;
        self.write(&mut tx, &change, now).await?;
        Ok(tx.commit().await?)
    }

    /// The change, and whoever is to be told of it, in one transaction.
    async fn write(&self, tx: &mut Tx, change: &Change, now: OffsetDateTime) -> anyhow::Result<()> {
        tx.apply_leased(change, &self.lease.token()).await?;
        notices::enqueue(tx, change, &*self.random, now)
            .await
            .map_err(|error| anyhow::anyhow!("who is to be told: {error:?}"))
    }

    /// Gives the row to whoever comes next, at `due`.
    pub(super) async fn release(&self, due: OffsetDateTime) -> anyhow::Result<()> {
        let mut tx = self.store.begin().await?;
        tx.release_attempt(self.id, &self.lease.token(), due).await?;
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
