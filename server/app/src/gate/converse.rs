//! One attempt's conversation with the service, from its row to its end.
//!
//! ```text
//! poll ─► Send(signature): row `sending` ─► prompt journal ─► lease still held? ─► socket, once
//!      ─► Send(status):    socket
//!      ─► Wait(until):     sleep
//! answer ─► row (`accepted`, `signed_raw`, the named end) before anything else is done with it
//! ```
//!
//! The machine decides and the row remembers; what is here is their order. A write that fails ends the conversation: the
//! lease lapses, and whoever reads the row next goes on from what it says.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::Context;
use time::OffsetDateTime;
use tokio::sync::watch;
use trinhky_domain::Edge;
use trinhky_simpki::attempt::{Attempt, Outcome, Step};
use trinhky_simpki::ids::ApTransId;
use trinhky_simpki::reply::SimCertificate;
use trinhky_simpki::request::{CertificateQuery, Request, SignatureRequest};

use super::certificates::{self, NoCertificates};
use super::grounds::Grounds;
use super::journal::{Journal, Line};
use super::mssp::Mssp;
use crate::ambient::Clock;
use crate::config;
use crate::stop::stop_at;

/// The mobile signature service, as this process speaks to it.
pub struct Service {
    mssp: Mssp,
    journal: Mutex<Journal>,
    clock: Arc<dyn Clock>,
    stopping: watch::Receiver<bool>,
}

/// Where an attempt is kept while it is spoken about.
pub trait Row: Send {
    /// Stores where the attempt is now, guarded by version and lease.
    fn keep(&mut self, at: &Attempt, now: OffsetDateTime) -> impl Future<Output = anyhow::Result<()>> + Send;
}

impl Service {
    /// Reads keys and the prompt journal; asks nobody yet. Conversations end early once `stopping` says so.
    ///
    /// # Errors
    /// When the settings name what cannot be read, or another process has the journal.
    pub fn open(
        settings: &config::Gate,
        clock: Arc<dyn Clock>,
        stopping: watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let journal = Journal::open(&settings.journal).context("gate.journal")?;
        Ok(Self { mssp: Mssp::open(settings)?, journal: Mutex::new(journal), clock, stopping })
    }

    /// Speaks with the service until nothing more will come of the attempt, which then is in its row; `None` when the
    /// process is to stop first. Without grounds nothing can be asked of a SIM, only asked after.
    ///
    /// # Errors
    /// When the row cannot be written or is no longer ours, or the prompt journal refuses; the attempt then stays where
    /// its row says.
    pub async fn converse(
        &self,
        mut attempt: Attempt,
        grounds: Option<&Grounds>,
        row: &mut impl Row,
    ) -> anyhow::Result<Option<Outcome>> {
        let mut stopping = self.stopping.clone();
        let mut entered = false;
        loop {
            let now = self.clock.now();
            let before = attempt.state_name();
            let step = attempt.poll(now);
            if !matches!(step, Step::Send(_)) && attempt.state_name() != before {
                row.keep(&attempt, now).await?;
            }
            match step {
                Step::Done(outcome) => return Ok(Some(outcome)),
                Step::Wait(until) => tokio::select! {
                    () = tokio::time::sleep(nap(until - now)) => {}
                    _ = stopping.wait_for(|stop| *stop) => return Ok(None),
                },
                Step::Send(request) => {
                    if let Request::Signature(wanted) = &request {
                        if entered {
                            // A connection that never was may be tried again under the same entry, by this conversation
                            // alone; the row learns from when the prompt may be alive.
                            row.keep(&attempt, now).await?;
                        } else {
                            let grounds = grounds.context("a prompt without grounds")?;
                            self.enter(&attempt, grounds, wanted, row, now).await?;
                            entered = true;
                        }
                        self.still_ours(&attempt, row, now).await?;
                    }
                    self.exchange(&mut attempt, &request, row).await?;
                }
            }
        }
    }

    /// Whether a prompt was raised on these grounds before.
    ///
    /// # Errors
    /// When there was one.
    pub fn unused(&self, grounds: &Grounds) -> anyhow::Result<()> {
        Ok(self.journal()?.unused(&grounds.ticket().key)?)
    }

    /// Asks for the certificates on a SIM. `ap_trans_id` is a fresh one.
    ///
    /// # Errors
    /// [`NoCertificates`] says whether to ask again.
    pub async fn certificates(
        &self,
        ap_trans_id: ApTransId,
        msisdn: trinhky_simpki::ids::Msisdn,
    ) -> Result<Vec<SimCertificate>, NoCertificates> {
        let query = CertificateQuery { ap_trans_id, msisdn };
        let reply = self.mssp.certificates(&query, self.clock.now()).await?;
        certificates::read(&query, reply)
    }

    /// Row, then journal; only then may a socket open.
    async fn enter(
        &self,
        attempt: &Attempt,
        grounds: &Grounds,
        wanted: &SignatureRequest,
        row: &mut impl Row,
        now: OffsetDateTime,
    ) -> anyhow::Result<()> {
        anyhow::ensure!(
            attempt.terms() == grounds.asked(),
            "the attempt asks for something else than its grounds"
        );
        let ticket = grounds.ticket();
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

    /// Whether the request may still leave, now that it is written down. A process that was stopped for a while between
    /// row and socket must not raise a prompt that everybody else takes for lapsed.
    async fn still_ours(
        &self,
        attempt: &Attempt,
        row: &mut impl Row,
        written: OffsetDateTime,
    ) -> anyhow::Result<()> {
        let now = self.clock.now();
        anyhow::ensure!(
            now - written < LATEST_START,
            "the request was written down too long ago to leave now"
        );
        // A write names its lease: it fails when another gate has the attempt by now.
        if now - written > NOTICEABLE { row.keep(attempt, now).await } else { Ok(()) }
    }

    /// A panic in the middle of a journal write leaves the journal unusable: no further prompt is raised.
    fn journal(&self) -> anyhow::Result<MutexGuard<'_, Journal>> {
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
        let first = matches!(request, Request::Signature(_));
        let answer = self.mssp.ask(request, self.clock.now()).await;
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
        tracing::info!(ap_trans_id = %attempt.ap_trans_id(), state = after, trouble = ?attempt.trouble(), "asked");
        if after == "signed_raw" {
            stop_at(Edge::SignatureArrived);
        }
        // Back to `approved`: the connection never was. The row keeps saying `sending`, since nobody else may try.
        if after == before || after == "approved" {
            return Ok(());
        }
        row.keep(attempt, now).await?;
        match after {
            "accepted" => stop_at(Edge::AcceptedCommitted),
            "signed_raw" => stop_at(Edge::SignedRawCommitted),
            _ => {}
        }
        Ok(())
    }
}

/// How long to sleep before looking again: never long, so that a clock that jumps is noticed.
fn nap(left: time::Duration) -> Duration {
    Duration::try_from(left).unwrap_or_default().clamp(Duration::from_millis(1), LONGEST_NAP)
}

const LONGEST_NAP: Duration = Duration::from_millis(200);
/// From row to socket: less than the grace after which a prompt counts as lapsed.
const LATEST_START: time::Duration = time::Duration::seconds(20);
/// Well within the time that a lease lasts.
const NOTICEABLE: time::Duration = time::Duration::seconds(1);
