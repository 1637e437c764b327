//! `trinhky gate`: the only process that may raise a prompt on a SIM, on grounds that it has checked itself.
//!
//! ```text
//! claim (lease) ─► drive: queue, grounds, journal ─► converse: row, socket, row ─► signed_raw | a named end
//! ```
//!
//! | module | what |
//! |---|---|
//! | `drive` | one claimed attempt, from its row to a conversation and back |
//! | `grounds` | whether one unused statement by an enrolled device asks for exactly this |
//! | `journal` | the gate's own record of prompts, outside the database |
//! | `converse` | the order of row, journal and socket |
//! | `leased` | the machine's states as the domain's steps, under version and lease |
//! | `leases` | every lease of this process, renewed together |
//! | `mssp` | SOAP over mutual TLS |
//! | `certificates` | the certificates on a SIM |
//! | `standing` | what OCSP and CRL say about a certificate, just before a prompt |
//!
//! Any number of gates may run on one database, each with its own journal. What a gate was doing when it died, another
//! goes on with when the lease has lapsed: it asks after prompts, and raises none a second time.

mod certificates;
mod converse;
mod drive;
mod grounds;
mod journal;
mod leased;
mod leases;
mod mssp;
mod standing;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::task::JoinSet;
use trinhky_domain::signing::Attempt;
use trinhky_pades::x509::{TrustAnchors, certificates_from_pem};
use trinhky_simpki::attempt::Timing;
use trinhky_store::Store;

pub use certificates::NoCertificates;
pub use converse::{Row, Service};
pub use grounds::{Belief, Case, Device, Grounds, Unmatched};

use crate::ambient::{Clock, Random};
use crate::config::{self, Config};
use crate::gateways::revocation::Revocation;
use leased::Leased;
use leases::Leases;

/// What every conversation of this process shares.
pub struct Gate {
    store: Store,
    service: Service,
    anchors: TrustAnchors,
    revocation: Revocation,
    timing: Timing,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    lease: Duration,
    leases: Leases,
    send_window: time::Duration,
    poll: Duration,
    retry: Duration,
    stopping: watch::Sender<bool>,
}

impl Gate {
    /// Reads keys, roots and the prompt journal; asks nobody yet.
    ///
    /// # Errors
    /// When the settings have no `[gate]`, or name what cannot be read, or another process has the journal.
    pub fn open(
        config: &Config,
        store: Store,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> anyhow::Result<Self> {
        let settings = config.gate.as_ref().context("the settings have no [gate]")?;
        let (stopping, told) = watch::channel(false);
        Ok(Self {
            store,
            service: Service::open(settings, clock.clone(), told)?,
            anchors: anchors(settings)?,
            revocation: Revocation::open(&config.revocation)?,
            timing: timing(settings)?,
            clock,
            random,
            lease: Duration::from_millis(settings.lease_milliseconds.max(SHORTEST_LEASE).into()),
            leases: Leases::default(),
            send_window: time::Duration::seconds(settings.send_window_seconds.into()),
            poll: config.jobs.poll(),
            retry: Duration::from_millis(config.jobs.retry_milliseconds),
            stopping,
        })
    }

    /// Drives attempts until `stop` resolves. Prompts that are open then are left to the next gate, in their rows.
    ///
    /// # Errors
    /// None so far: a database that is away for a while is logged and waited for.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) -> anyhow::Result<()> {
        let gate = Arc::new(self);
        let keeper = gate.leases.clone().keep(gate.store.clone(), gate.clock.clone(), gate.lease);
        let keeper = tokio::spawn(keeper);
        let mut driven = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            while driven.try_join_next().is_some() {}
            let free = MOST_AT_ONCE.saturating_sub(driven.len());
            let pause = match gate.claim(free.min(CLAIMED_AT_ONCE)).await {
                Ok(claimed) => {
                    let more = claimed.len() == CLAIMED_AT_ONCE;
                    for (row, leased) in claimed {
                        let gate = gate.clone();
                        driven.spawn(async move { gate.drive(row, leased).await });
                    }
                    if more { Duration::ZERO } else { gate.poll }
                }
                Err(error) => {
                    tracing::warn!(error = format!("{error:#}"), "no attempt could be claimed");
                    gate.poll.max(Duration::from_secs(1))
                }
            };
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        gate.stopping.send_replace(true);
        while driven.join_next().await.is_some() {}
        keeper.abort();
        Ok(())
    }

    /// Up to `most` attempts that nobody drives; their leases begin in one write.
    async fn claim(&self, most: usize) -> anyhow::Result<Vec<(Attempt, Leased)>> {
        let now = self.clock.now();
        if most == 0 || !self.store.read().await?.attempt_is_due(now).await? {
            return Ok(Vec::new());
        }
        let held_until: OffsetDateTime = now + self.lease;
        let mut claimed = Vec::new();
        let mut tx = self.store.begin().await?;
        while claimed.len() < most {
            let token = hex::encode(self.random.bytes::<16>());
            let Some(row) = tx.claim_attempt(&token, now, held_until).await? else { break };
            claimed.push((row, token));
        }
        tx.commit().await?;
        let leased = |(row, token): (Attempt, String)| {
            let lease = self.leases.hold(row.id, token)?;
            let (store, id, random) = (self.store.clone(), row.id, self.random.clone());
            Some((row, Leased { store, id, lease, send_window: self.send_window, random }))
        };
        Ok(claimed.into_iter().filter_map(leased).collect())
    }
}

fn anchors(settings: &config::Gate) -> anyhow::Result<TrustAnchors> {
    let mut anchors = Vec::new();
    for path in &settings.roots {
        let said = || format!("gate.roots: {}", path.display());
        let pem = std::fs::read_to_string(path).with_context(said)?;
        anchors.extend(certificates_from_pem(&pem).with_context(said)?);
    }
    anyhow::ensure!(!anchors.is_empty(), "gate.roots: without a root no enrolment can be believed");
    Ok(TrustAnchors::new(anchors))
}

fn timing(settings: &config::Gate) -> anyhow::Result<Timing> {
    let milliseconds = |seconds: u32| seconds.saturating_mul(1_000);
    let timing = Timing {
        timeout_seconds: settings.dialog_seconds,
        first_poll_ms: settings.poll_milliseconds.saturating_mul(2),
        poll_ms: settings.poll_milliseconds,
        late_poll_ms: settings.poll_milliseconds.saturating_mul(2),
        final_polls_ms: [milliseconds(settings.grace_seconds) / 6, milliseconds(settings.grace_seconds)],
        // The connection has its own limit; the machine gives up a little after it.
        answer_ms: milliseconds(settings.timeout_seconds.saturating_add(1)),
        ..Timing::default()
    };
    timing.checked().context("[gate]")
}

/// A lease is renewed at a third of its time, so it must be long beside a write.
const SHORTEST_LEASE: u32 = 500;
/// Leases that begin in one write.
const CLAIMED_AT_ONCE: usize = 32;
/// Prompts open at once in one process; more wait in their rows.
const MOST_AT_ONCE: usize = 512;
