//! A signature we ask a SIM for: whose certificate, which bytes, and what came of it.
//!
//! Not the protocol: `trinhky-simpki` speaks to the MSSP, and its machine travels here as opaque JSON. These are the
//! facts that rows are queried by and that every process agrees on.
//!
//! ```text
//! Prepared → Approved{until} → Sending → Accepted → SignedRaw → Verified → Stamped → Embedded
//!         any of the first four → Declined | Expired | Lapsed | Undeliverable | Blocked | NotEnrolled
//!                                 | CertInvalid | Rejected | ProviderDown
//!         Sending | Accepted → Indeterminate → Accepted | SignedRaw | Expired …   (we do not know: wait, never ask twice)
//!         SignedRaw | Verified | Stamped → SignedHeld   (the wish was withdrawn meanwhile)
//!         SignedHeld → Verified | Voided                (the leader decided anew: adopted, or given up)
//! ```
//!
//! At most one request leaves per attempt: `Sending` is stored before the socket opens, and nothing leads back to
//! `Approved` (R40, R41). The private key, the PIN and the phone's prompt are the SIM's alone.

mod msisdn;
mod state;
#[cfg(test)]
mod tests;

use time::{Duration, OffsetDateTime};

pub use msisdn::{Msisdn, NotAnMsisdn};
pub use state::{AttemptState, AttemptStateName, CmsFrom, Failure};

use crate::audit::{By, Entry, Event};
use crate::change::{Change, Write};
use crate::codes::codes;
use crate::digest::Digest;
use crate::document::Version;
use crate::ids::{AttemptId, DecisionId, DeviceId, DocumentId, PersonId};
use crate::paper::Urgency;
use crate::people::{Actor, Client};
use crate::refused::Refused;

/// What the signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A signer's signature on a document.
    Document {
        /// Which.
        document: DocumentId,
        /// Which signer of the chain, from 0.
        signer: u16,
        /// The head the tail is appended to: the attempt is for this revision only.
        head: Digest,
    },
    /// The statement that a device is the leader's.
    Enrolment {
        /// Which device.
        device: DeviceId,
    },
}

/// One wish for one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Identity.
    pub id: AttemptId,
    /// What for.
    pub purpose: Purpose,
    /// Whose signature.
    pub person: PersonId,
    /// On which SIM.
    pub msisdn: Msisdn,
    /// SHA-256 of the pinned certificate; another one is refused (R41).
    pub certificate: Digest,
    /// The digest to be signed: SHA-256 of the signed attributes.
    pub dtbs: Digest,
    /// Urgent ones go first (R74).
    pub urgency: Urgency,
    /// Where it is.
    pub state: AttemptState,
    /// The protocol machine, as its owner wrote it.
    pub protocol: Option<String>,
    /// When it was prepared.
    pub created: OffsetDateTime,
    /// When it last changed.
    pub changed: OffsetDateTime,
    /// Counts changes.
    pub version: Version,
}

codes! {
    /// What a decision is about.
    DecisionKind "decision_kind" {
        /// The SIM may be asked.
        Approve = "approve",
        /// A late signature shall count after all.
        Adopt = "adopt",
        /// A late signature is given up.
        Void = "void",
    }
}

/// A leader's decision, signed by the device key, kept for ever (architecture step 7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The `jti`.
    pub id: DecisionId,
    /// What it is about.
    pub kind: DecisionKind,
    /// For which attempt; an attempt is approved once.
    pub attempt: AttemptId,
    /// By whom.
    pub person: PersonId,
    /// On which device.
    pub device: DeviceId,
    /// With which kind of program.
    pub client: Client,
    /// The compact JWS as it came.
    pub jws: String,
    /// It counts until then.
    pub expires: OffsetDateTime,
    /// When it arrived.
    pub at: OffsetDateTime,
}

impl Attempt {
    /// Prepares the signature of an enrolment statement; nothing is asked of the SIM yet.
    pub fn enrolment(actor: &Actor, attempt: NewAttempt, device: DeviceId, now: OffsetDateTime) -> Change {
        let attempt = attempt.at(Purpose::Enrolment { device }, actor.person, Urgency::Normal, now);
        let entry =
            Entry::new(Event::AttemptPrepared, actor, now).of_attempt(attempt.id).with("device", device);
        Change { attempt: Some(Write::New(attempt)), ..Change::of(entry) }
    }

    /// Approves an enrolment on the device that is being enrolled; a document's approval goes through
    /// [`Awaiting::approve`](crate::document::Awaiting::approve).
    ///
    /// # Errors
    /// [`Refused::WrongAttempt`] for a document's attempt or another person's, [`Refused::WrongAttemptState`] unless it
    /// is prepared, [`Refused::DecisionExpired`] when the decision came too late.
    pub fn approve_enrolment(
        self,
        actor: &Actor,
        decision: Decision,
        until: OffsetDateTime,
    ) -> Result<Change, Refused> {
        let Purpose::Enrolment { device } = self.purpose else { return Err(Refused::WrongAttempt) };
        let other = decision.attempt != self.id || decision.kind != DecisionKind::Approve;
        if self.person != actor.person || other || decision.device != device {
            return Err(Refused::WrongAttempt);
        }
        let entry =
            Entry::new(Event::AttemptApproved, actor, decision.at).of_attempt(self.id).with("device", device);
        let (before, attempt) = self.approve(&decision, until)?;
        Ok(Change { decision: Some(decision), ..Change::of(entry) }.and_attempt(before, attempt))
    }

    pub(crate) fn approve(
        self,
        decision: &Decision,
        until: OffsetDateTime,
    ) -> Result<(Version, Self), Refused> {
        if self.state != AttemptState::Prepared {
            return Err(self.wrong_state());
        }
        if decision.expires <= decision.at {
            return Err(Refused::DecisionExpired);
        }
        let until = until.min(decision.expires);
        let state = AttemptState::Approved { decision: decision.id, until, heading_since: None };
        Ok((self.version, Self { state, ..self }))
    }

    /// When an approval lapses: at its end in all, or when it headed its queue for `send_window` without being sent.
    pub fn lapses_at(&self, send_window: Duration) -> Option<OffsetDateTime> {
        match self.state {
            AttemptState::Approved { until, heading_since, .. } => {
                Some(heading_since.map_or(until, |since| until.min(since + send_window)))
            }
            _ => None,
        }
    }

    /// It reached the head of its number's queue.
    ///
    /// # Errors
    /// [`Refused::WrongAttemptState`] unless it is approved.
    pub fn heads_queue(self, now: OffsetDateTime) -> Result<Change, Refused> {
        let AttemptState::Approved { decision, until, .. } = self.state else {
            return Err(self.wrong_state());
        };
        let state = AttemptState::Approved { decision, until, heading_since: Some(now) };
        Ok(self.step(state, Event::AttemptHeads, now))
    }

    /// The request is about to leave: stored before the socket opens, so that a row read back after a crash waits.
    ///
    /// # Errors
    /// [`Refused::WrongAttemptState`] unless it is approved, [`Refused::DecisionExpired`] when it has lapsed.
    pub fn sending(self, send_window: Duration, now: OffsetDateTime) -> Result<Change, Refused> {
        match self.lapses_at(send_window) {
            None => Err(self.wrong_state()),
            Some(lapse) if lapse <= now => Err(Refused::DecisionExpired),
            Some(_) => Ok(self.step(AttemptState::Sending, Event::AttemptSending, now)),
        }
    }

    /// The MSSP acknowledged.
    ///
    /// # Errors
    /// [`Refused::WrongAttemptState`] unless the request was leaving or its fate unknown.
    pub fn accepted(self, transaction: String, now: OffsetDateTime) -> Result<Change, Refused> {
        match self.state {
            AttemptState::Sending | AttemptState::Indeterminate { .. } => {
                Ok(self.step(AttemptState::Accepted { transaction }, Event::AttemptAccepted, now))
            }
            _ => Err(self.wrong_state()),
        }
    }

    /// Nobody knows whether the SIM was asked, or what it answered.
    ///
    /// # Errors
    /// [`Refused::WrongAttemptState`] unless a request was on its way.
    pub fn indeterminate(self, now: OffsetDateTime) -> Result<Change, Refused> {
        let transaction = match &self.state {
            AttemptState::Sending => None,
            AttemptState::Accepted { transaction } => Some(transaction.clone()),
            _ => return Err(self.wrong_state()),
        };
        Ok(self.step(AttemptState::Indeterminate { transaction }, Event::AttemptIndeterminate, now))
    }

    /// The raw signature arrived; it is stored before anything else is done with it.
    ///
    /// # Errors
    /// [`Refused::WrongAttemptState`] unless one was waited for.
    pub fn signed_raw(self, signature: Vec<u8>, now: OffsetDateTime) -> Result<Change, Refused> {
        let transaction = match &self.state {
            AttemptState::Sending => None,
            AttemptState::Accepted { transaction } => Some(transaction.clone()),
            AttemptState::Indeterminate { transaction } => transaction.clone(),
            _ => return Err(self.wrong_state()),
        };
        Ok(self.step(AttemptState::SignedRaw { transaction, signature }, Event::AttemptSigned, now))
    }

    /// The signature verified over our own digest and stands in this CMS.
    ///
    /// # Errors
    /// [`Refused::WrongAttemptState`] unless the raw signature is here.
    pub fn verified(self, cms: Vec<u8>, cms_from: CmsFrom, now: OffsetDateTime) -> Result<Change, Refused> {
        let AttemptState::SignedRaw { signature, .. } = &self.state else { return Err(self.wrong_state()) };
        let state = AttemptState::Verified { signature: signature.clone(), cms, cms_from };
        Ok(self.step(state, Event::AttemptVerified, now))
    }

    /// The time stamp stands in the CMS.
    ///
    /// # Errors
    /// [`Refused::WrongAttemptState`] unless the CMS is verified.
    pub fn stamped(
        self,
        cms: Vec<u8>,
        stamped: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<Change, Refused> {
        let AttemptState::Verified { cms_from, .. } = self.state else { return Err(self.wrong_state()) };
        Ok(self.step(AttemptState::Stamped { cms, cms_from, stamped }, Event::AttemptStamped, now))
    }

    /// The enrolment statement was kept with its device: this attempt has served.
    ///
    /// # Errors
    /// [`Refused::WrongAttempt`] for a document's attempt, [`Refused::WrongAttemptState`] before it verified.
    pub fn enrolled(self, now: OffsetDateTime) -> Result<Change, Refused> {
        let Purpose::Enrolment { .. } = self.purpose else { return Err(Refused::WrongAttempt) };
        let (AttemptState::Verified { cms_from, .. } | AttemptState::Stamped { cms_from, .. }) = self.state
        else {
            return Err(self.wrong_state());
        };
        Ok(self.step(AttemptState::Embedded { cms_from }, Event::AttemptEmbedded, now))
    }

    /// An enrolment came to nothing; a document's attempt ends through [`Signing`](crate::document::Signing).
    ///
    /// # Errors
    /// [`Refused::WrongAttempt`] for a document's attempt, [`Refused::WrongAttemptState`] when it is over already.
    pub fn enrolment_ended(self, failure: Failure, now: OffsetDateTime) -> Result<Change, Refused> {
        let Purpose::Enrolment { .. } = self.purpose else { return Err(Refused::WrongAttempt) };
        let event = Event::AttemptEnded;
        let (before, attempt) = self.end(failure)?;
        let entry = entry(event, &attempt, now);
        Ok(Change::of(entry).and_attempt(before, attempt))
    }

    /// A prepared attempt that nobody decided on is dropped when another one takes its place.
    ///
    /// # Errors
    /// [`Refused::WrongAttemptState`] unless it is prepared.
    pub fn forget(self, now: OffsetDateTime) -> Result<Change, Refused> {
        if self.state != AttemptState::Prepared {
            return Err(self.wrong_state());
        }
        Ok(self.step(AttemptState::Ended(Failure::Lapsed), Event::AttemptEnded, now))
    }

    pub(crate) fn end(self, failure: Failure) -> Result<(Version, Self), Refused> {
        let allowed = match &self.state {
            AttemptState::Prepared | AttemptState::Approved { .. } => {
                // Nothing left the server, so the SIM can have said nothing.
                matches!(
                    failure,
                    Failure::Lapsed
                        | Failure::CertInvalid
                        | Failure::ProviderDown
                        | Failure::Rejected
                        | Failure::NotEnrolled
                )
            }
            AttemptState::Sending | AttemptState::Accepted { .. } | AttemptState::Indeterminate { .. } => {
                true
            }
            // The signature came and is not acceptable: wrong hash, wrong certificate.
            AttemptState::SignedRaw { .. } | AttemptState::Verified { .. } => {
                matches!(failure, Failure::Rejected | Failure::CertInvalid)
            }
            _ => false,
        };
        if !allowed {
            return Err(self.wrong_state());
        }
        Ok((self.version, Self { state: AttemptState::Ended(failure), ..self }))
    }

    pub(crate) fn step(self, state: AttemptState, event: Event, now: OffsetDateTime) -> Change {
        let before = self.version;
        let attempt = Self { state, ..self };
        let entry = entry(event, &attempt, now);
        Change::of(entry).and_attempt(before, attempt)
    }

    pub(crate) const fn wrong_state(&self) -> Refused {
        Refused::WrongAttemptState { state: self.state.name() }
    }
}

fn entry(event: Event, attempt: &Attempt, now: OffsetDateTime) -> Entry {
    let entry = Entry::new(event, By::process("gate"), now)
        .of_attempt(attempt.id)
        .with("state", attempt.state.name());
    match attempt.purpose {
        Purpose::Document { document, .. } => entry.about(document),
        Purpose::Enrolment { device } => entry.with("device", device),
    }
}

/// What the caller knows of an attempt that is being prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttempt {
    /// Identity, made by the caller.
    pub id: AttemptId,
    /// On which SIM.
    pub msisdn: Msisdn,
    /// SHA-256 of the pinned certificate.
    pub certificate: Digest,
    /// The digest to be signed.
    pub dtbs: Digest,
}

impl NewAttempt {
    pub(crate) fn at(
        self,
        purpose: Purpose,
        person: PersonId,
        urgency: Urgency,
        now: OffsetDateTime,
    ) -> Attempt {
        Attempt {
            id: self.id,
            purpose,
            person,
            msisdn: self.msisdn,
            certificate: self.certificate,
            dtbs: self.dtbs,
            urgency,
            state: AttemptState::Prepared,
            protocol: None,
            created: now,
            changed: now,
            version: Version::FIRST,
        }
    }
}
