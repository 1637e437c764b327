//! One attempt's conversation with the service, from its row to its end.
//!
//! ```text
//! poll ─► Send(signature): row `sending` ─► prompt journal ─► socket, once
//!      ─► Send(status):    socket
//!      ─► Wait(until):     sleep, hold the lease
//! answer ─► row (`accepted`, `signed_raw`, the named end) before anything else is done with it
//! ```
//!
//! The machine decides and the row remembers; what is here is their order. A write that fails ends the conversation: the
//! lease lapses, and whoever reads the row next goes on from what it says.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use time::OffsetDateTime;
use trinhky_domain::Edge;
use trinhky_domain::ids::AttemptId;
use trinhky_simpki::attempt::{Attempt, Outcome, Step};
use trinhky_simpki::request::{Request, SignatureRequest};

use super::journal::{Journal, Line};
use super::mssp::Mssp;
use crate::ambient::Clock;
use crate::stop::stop_at;

/// What every conversation of this process shares.
pub struct Shared {
    pub(super) mssp: Mssp,
    pub(super) journal: Mutex<Journal>,
    pub(super) clock: Arc<dyn Clock>,
}

/// What entitles to one prompt.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// The attempt it is for.
    pub attempt: AttemptId,
    /// What is used up by it: a decision, or an enrolment.
    pub key: String,
}

/// Where an attempt is kept while it is spoken about.
pub trait Row: Send {
    /// Stores where the attempt is now, guarded by version and lease.
    fn keep(&mut self, at: &Attempt, now: OffsetDateTime) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Makes the lease last until well after `now`.
    fn hold(&mut self, now: OffsetDateTime) -> impl Future<Output = anyhow::Result<()>> + Send;
}

impl Shared {
    /// Speaks with the service until nothing more will come of the attempt, which then is in its row.
    ///
    /// # Errors
    /// When the row cannot be written or is no longer ours, or the prompt journal refuses; the attempt then stays where
    /// its row says.
    pub async fn converse(
        &self,
        mut attempt: Attempt,
        ticket: &Ticket,
        row: &mut impl Row,
    ) -> anyhow::Result<Outcome> {
        let mut entered = false;
        loop {
            let now = self.clock.now();
            let before = attempt.state_name();
            match attempt.poll(now) {
                Step::Done(outcome) => {
                    if attempt.state_name() != before {
                        row.keep(&attempt, now).await?;
                    }
                    return Ok(outcome);
                }
                Step::Wait(until) => {
                    if attempt.state_name() != before {
                        row.keep(&attempt, now).await?;
                    }
                    row.hold(now).await?;
                    tokio::time::sleep(nap(until - now)).await;
                }
                Step::Send(request) => {
                    // A connection that never was may be tried again under the same entry, by this conversation alone.
                    if let Request::Signature(wanted) = &request
                        && !entered
                    {
                        self.enter(&attempt, ticket, wanted, row, now).await?;
                        entered = true;
                    }
                    self.exchange(&mut attempt, &request, row).await?;
                }
            }
        }
    }

    /// Row, then journal; only then may a socket open.
    async fn enter(
        &self,
        attempt: &Attempt,
        ticket: &Ticket,
        wanted: &SignatureRequest,
        row: &mut impl Row,
        now: OffsetDateTime,
    ) -> anyhow::Result<()> {
        self.journal()?.unused(&ticket.key)?;
        row.keep(attempt, now).await?;
        stop_at(Edge::SendingCommitted);
        let line = Line {
            at: now,
            key: ticket.key.clone(),
            attempt: ticket.attempt,
            ap_trans_id: wanted.ap_trans_id.clone(),
            dtbs: wanted.digest,
        };
        Ok(self.journal()?.admit(line)?)
    }

    /// A panic in the middle of a journal write leaves the journal unusable: no further prompt is raised.
    pub(super) fn journal(&self) -> anyhow::Result<MutexGuard<'_, Journal>> {
        self.journal
            .lock()
            .map_err(|_| anyhow::anyhow!("the prompt journal was left in the middle of a write"))
    }

    async fn exchange(
        &self,
        attempt: &mut Attempt,
        request: &Request,
        row: &mut impl Row,
    ) -> anyhow::Result<()> {
        let before = attempt.state_name();
        let answer = self.mssp.ask(request, self.clock.now()).await;
        let first = matches!(request, Request::Signature(_));
        if first {
            stop_at(Edge::RequestLeft);
        }
        let now = self.clock.now();
        match answer {
            Ok(reply) => attempt.receive(reply, now),
            Err(lost) => {
                tracing::warn!(ap_trans_id = %attempt.ap_trans_id(), first, error = %lost, "no answer");
                attempt.transport_failed(lost.at, now);
            }
        }
        let after = attempt.state_name();
        if after == "signed_raw" {
            stop_at(Edge::SignatureArrived);
        }
        // Back to `approved`: the connection never was. The row keeps saying `sending`, since nobody else may try.
        if after != before && after != "approved" {
            row.keep(attempt, now).await?;
            match after {
                "accepted" => stop_at(Edge::AcceptedCommitted),
                "signed_raw" => stop_at(Edge::SignedRawCommitted),
                _ => {}
            }
        }
        tracing::info!(ap_trans_id = %attempt.ap_trans_id(), state = after, trouble = ?attempt.trouble(), "answered");
        Ok(())
    }
}

/// How long to sleep before looking again: never long, so that a lease is held and a clock that jumps is noticed.
fn nap(left: time::Duration) -> Duration {
    Duration::try_from(left).unwrap_or_default().clamp(Duration::from_millis(1), LONGEST_NAP)
}

const LONGEST_NAP: Duration = Duration::from_millis(500);
