//! One claimed attempt, from its row to a conversation and back: what architecture step 8 asks before a prompt.
//!
//! ```text
//! approved ─► head of its number's queue ─► grounds (decision, enrolment, head, bundle, certificate, appointment, device)
//!          ─► journal: no prompt on these grounds before ─► conversation
//! sending, accepted, indeterminate ─► conversation, without grounds: nothing can be asked of the SIM any more
//! ```

use anyhow::Context;
use time::OffsetDateTime;
use trinhky_domain::people::appointed;
use trinhky_domain::signing::{Attempt, AttemptStateName, Failure, Purpose};
use trinhky_domain::{Document, calendar};
use trinhky_pades::crypto::aws_lc;
use trinhky_pades::x509::path::RevocationMode;
use trinhky_simpki::attempt as machine;
use trinhky_simpki::ids::ApTransId;
use trinhky_store::{DeviceState, Error, Store};

use super::Gate;
use super::converse::Row as _;
use super::grounds::{Belief, Case, Device, Grounds, Unmatched};
use super::leased::Leased;
use super::standing::{Inquiry, NoStanding};

impl Gate {
    /// Drives an attempt whose lease this process holds, until it ends, the process is to stop, or something fails.
    pub(super) async fn drive(&self, row: Attempt, mut leased: Leased) {
        let id = row.id;
        match self.speak(row, &mut leased).await {
            Ok(()) => {}
            Err(error) if is_lost(&error) => {
                tracing::warn!(attempt = %id, error = format!("{error:#}"), "another process has it");
            }
            Err(error) => {
                tracing::error!(attempt = %id, error = format!("{error:#}"), "the attempt cannot go on now");
                self.later(&leased).await;
            }
        }
    }

    async fn speak(&self, row: Attempt, leased: &mut Leased) -> anyhow::Result<()> {
        let now = self.clock.now();
        let outcome = if row.state.name() == AttemptStateName::Approved {
            let row = leased.heads(row, now).await?;
            let until = row.lapses_at(leased.send_window).context("an approval without an end")?;
            if until <= now {
                tracing::info!(attempt = %row.id, "the approval waited too long");
                return leased.lapse(now).await;
            }
            let grounds = match self.grounds(&row, now).await {
                Ok(grounds) => grounds,
                Err(NoPrompt::Never(failure, why)) => {
                    tracing::error!(attempt = %row.id, why, "no prompt is raised");
                    return leased.refuse(failure, &why, now).await;
                }
                Err(NoPrompt::GivenBack) => {
                    tracing::info!(attempt = %row.id, "the document was given back before a prompt was raised");
                    return leased.lapse(now).await;
                }
                Err(NoPrompt::NotNow(error)) => return Err(error),
            };
            let id = ApTransId::mint(now, self.random.bytes());
            let attempt = grounds.asked().clone().approve(id, self.timing, until);
            self.service.converse(attempt, Some(&grounds), leased).await?
        } else {
            let said = row.protocol.as_deref().context("a live attempt without its protocol")?;
            let attempt: machine::Attempt = serde_json::from_str(said).context("the attempt's protocol")?;
            // Read back in the middle of sending: from here on the row says what is known, that nobody knows.
            if attempt.state_name() != row.state.name().as_str() {
                leased.keep(&attempt, now).await?;
            }
            self.service.converse(attempt, None, leased).await?
        };
        match outcome {
            Some(outcome) => tracing::info!(attempt = %leased.id, outcome = name(&outcome), "finished"),
            None => leased.release(self.clock.now()).await?,
        }
        Ok(())
    }

    /// Grounds for the prompt that a row asks for, from the rows of one moment.
    async fn grounds(&self, row: &Attempt, now: OffsetDateTime) -> Result<Grounds, NoPrompt> {
        let case = self.case(row, now).await?;
        let provider = aws_lc();
        let inquiry =
            Inquiry { anchors: &self.anchors, revocation: &self.revocation, provider, random: &*self.random };
        let revocation = inquiry.about(&case.certificate, &case.chain, now).await?;
        let mode = RevocationMode::Require;
        let belief = Belief { anchors: &self.anchors, revocation: &revocation, mode, provider };
        // Asking may have taken seconds, in which a device was barred or a document given back: the rows are read anew.
        let now = self.clock.now();
        let grounds = self.case(row, now).await?.grounds(&belief, now)?;
        self.service.unused(&grounds).map_err(|used| Unmatched(used.to_string()))?;
        Ok(grounds)
    }

    async fn case(&self, row: &Attempt, now: OffsetDateTime) -> Result<Case, NoPrompt> {
        let case = gather(&self.store, row, now).await??;
        if case.is_given_back() { Err(NoPrompt::GivenBack) } else { Ok(case) }
    }

    /// After a failure: not at once again.
    async fn later(&self, leased: &Leased) {
        let due = self.clock.now() + self.retry;
        if let Err(error) = leased.release(due).await {
            tracing::warn!(attempt = %leased.id, error = format!("{error:#}"), "the lease lapses by itself");
        }
    }
}

/// Why no prompt is raised.
enum NoPrompt {
    /// Nor will it be: the attempt ends so, for this reason.
    Never(Failure, String),
    /// The document was returned, withdrawn or rejected since: what was wished then is done now.
    GivenBack,
    /// Something is away that was needed to tell.
    NotNow(anyhow::Error),
}

impl From<Unmatched> for NoPrompt {
    fn from(unmatched: Unmatched) -> Self {
        Self::Never(Failure::Rejected, unmatched.to_string())
    }
}

impl From<NoStanding> for NoPrompt {
    fn from(standing: NoStanding) -> Self {
        match standing {
            NoStanding::Bad(_) => Self::Never(Failure::CertInvalid, standing.to_string()),
            NoStanding::Unknown(_) => Self::NotNow(standing.into()),
        }
    }
}

impl From<anyhow::Error> for NoPrompt {
    fn from(error: anyhow::Error) -> Self {
        Self::NotNow(error)
    }
}

/// Everything the rows say about a wish; a row that should be there and is not takes the grounds away.
async fn gather(
    store: &Store,
    row: &Attempt,
    now: OffsetDateTime,
) -> anyhow::Result<Result<Case, Unmatched>> {
    let mut tx = store.read().await?;
    let missing = |what: &str| Ok(Err(Unmatched(format!("there is no {what}"))));
    let Some(decision) = tx.decision_of(row.id).await? else { return missing("decision") };
    let device = match tx.device(decision.device).await {
        Ok(device) => device,
        Err(Error::NotFound(_)) => return missing("device"),
        Err(error) => return Err(error.into()),
    };
    let sim = match tx.sim(row.person).await {
        Ok(sim) => sim,
        Err(Error::NotFound(_)) => return missing("SIM"),
        Err(error) => return Err(error.into()),
    };
    if !tx.person(row.person).await?.active {
        return Ok(Err(Unmatched("the person's account is closed".to_owned())));
    }
    if sim.msisdn != row.msisdn {
        return Ok(Err(Unmatched("the person has another number now".to_owned())));
    }
    let document = match row.purpose {
        Purpose::Enrolment { .. } => None,
        Purpose::Document { document, signer, .. } => {
            let document = tx.document(document).await?;
            let appointments = tx.appointments_of(document.office).await?;
            if let Err(unmatched) = is_appointed(&document, signer, row, &appointments, now) {
                return Ok(Err(unmatched));
            }
            Some(document)
        }
    };
    Ok(Ok(Case {
        attempt: row.clone(),
        decision,
        device: Device {
            id: device.id,
            enrolled: device.state == DeviceState::Enrolled,
            statement: device.statement.unwrap_or_default(),
            cms: device.cms,
        },
        certificate: sim.certificate,
        chain: sim.chain,
        document,
    }))
}

fn is_appointed(
    document: &Document,
    signer: u16,
    row: &Attempt,
    appointments: &[trinhky_domain::people::Appointment],
    now: OffsetDateTime,
) -> Result<(), Unmatched> {
    let place = document.chain.signers.get(usize::from(signer));
    let place = place.ok_or_else(|| Unmatched("there is no such signer".to_owned()))?;
    appointed(appointments, row.person, document.office, place.capacity, calendar::day(now))
        .map_err(|refused| Unmatched(format!("the appointment: {refused}")))?;
    Ok(())
}

/// Whether the lease has passed to another process.
fn is_lost(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<Error>(), Some(Error::Conflict(_)))
}

const fn name(outcome: &machine::Outcome) -> &'static str {
    match outcome {
        machine::Outcome::Signed(_) => "signed",
        machine::Outcome::Held(_) => "held",
        machine::Outcome::Ended(end) => end.ending.as_str(),
    }
}
