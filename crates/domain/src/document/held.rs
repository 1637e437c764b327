//! A signature that came after its wish was withdrawn: only a new decision of the leader adopts it or gives it up
//! (architecture, section 4; R41, R42).
//!
//! ```text
//! attempt SignedHeld ─ adopt ─► Verified, document Signing: on to time stamp and embedding, as any other signature
//!                    ─ void ──► Voided: the sealed value is destroyed, the document stays where it is
//! ```
//!
//! Adopted is only what still fits: the very bytes that were signed, the same turn, the same person, and a number that is
//! not void where the base shows it. The document may have been given back in any way; what the leader decides comes last.

use time::OffsetDateTime;

use super::{Document, State, reason};
use crate::audit::{Entry, Event};
use crate::change::{Change, NoticeKind};
use crate::digest::Digest;
use crate::paper::Capacity;
use crate::people::{Actor, Appointed, Client, Role};
use crate::policy::{LeaderClient, Profile};
use crate::refused::Refused;
use crate::signing::{Attempt, AttemptState, CmsFrom, Decision, DecisionKind, Purpose};

/// Proof that this late signature is the actor's to decide on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    document: Document,
    attempt: Attempt,
    signer: u16,
    head: Digest,
}

/// A late signature that was opened again and verified over what was prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// The signature value.
    pub signature: Vec<u8>,
    /// The detached CMS around it, without a time stamp.
    pub cms: Vec<u8>,
}

impl Document {
    /// Joins the document with a late signature of the actor.
    ///
    /// # Errors
    /// [`Refused::RoleNeeded`], [`Refused::NotYours`] when it is another leader's, [`Refused::WrongAttempt`] when it is
    /// for another document, [`Refused::WrongAttemptState`] unless it is held.
    pub fn held(self, actor: &Actor, attempt: Attempt) -> Result<Held, Refused> {
        actor.must_be(Role::Leader)?;
        if attempt.person != actor.person {
            return Err(Refused::NotYours);
        }
        let Purpose::Document { document, signer, head } = attempt.purpose else {
            return Err(Refused::WrongAttempt);
        };
        if document != self.id {
            return Err(Refused::WrongAttempt);
        }
        let AttemptState::SignedHeld { .. } = attempt.state else { return Err(attempt.wrong_state()) };
        Ok(Held { document: self, attempt, signer, head })
    }
}

impl Held {
    /// The document.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// The attempt.
    pub const fn attempt(&self) -> &Attempt {
        &self.attempt
    }

    /// The capacity in which it was signed.
    ///
    /// # Errors
    /// [`Refused::WrongAttempt`] when the chain has no such place any more.
    pub fn capacity(&self) -> Result<Capacity, Refused> {
        let place = self.document.chain.signers.get(usize::from(self.signer));
        place
            .filter(|place| place.person == self.attempt.person)
            .map(|place| place.capacity)
            .ok_or(Refused::WrongAttempt)
    }

    /// The field it was signed for.
    pub fn field(&self) -> &str {
        self.document.chain.signers.get(usize::from(self.signer)).map_or("", |place| &place.field)
    }

    /// Whether it can still be adopted.
    ///
    /// # Errors
    /// [`Refused::WrongState`] unless the document was given back and lies there, or its number is void;
    /// [`Refused::WrongAttempt`] when the bytes, the turn or the signer are no longer those;
    /// [`Refused::NumberOfAnotherYear`].
    pub fn adoptable(&self, now: OffsetDateTime) -> Result<(), Refused> {
        let document = &self.document;
        let void = match document.state {
            State::Returned { .. } => false,
            // The number stays in the book, void: what it is drawn in can never be issued.
            State::Withdrawn | State::Rejected { .. } => document.number_in_base().is_some(),
            _ => true,
        };
        if void {
            return Err(document.wrong_state());
        }
        if document.head.sha256 != self.head || document.signed.len() != usize::from(self.signer) {
            return Err(Refused::WrongAttempt);
        }
        self.capacity()?;
        document.number_is_of_this_year(now)
    }

    /// The leader decides that it shall count: document `Signing` again, attempt `Verified`, decision and journal entry in
    /// one commit. Time stamp and embedding follow as after every signature.
    ///
    /// # Errors
    /// What [`adoptable`](Self::adoptable) refuses; [`Refused::NotAppointed`], [`Refused::ClientRefused`],
    /// [`Refused::DeviceNeeded`], [`Refused::DecisionExpired`], [`Refused::WrongAttempt`] for another decision.
    pub fn adopt(
        self,
        actor: &Actor,
        appointed: Appointed,
        adopted: Adopted,
        decision: Decision,
        profile: &Profile,
    ) -> Result<Change, Refused> {
        let now = decision.at;
        self.adoptable(now)?;
        let capacity = self.capacity()?;
        if appointed.person() != actor.person || appointed.capacity() != capacity {
            return Err(Refused::NotAppointed { capacity });
        }
        let native = actor.client == Client::Native && decision.client == Client::Native;
        if profile.leader_client == LeaderClient::Native && !native {
            return Err(Refused::ClientRefused);
        }
        self.is_decided_by(actor, &decision, DecisionKind::Adopt)?;
        let entry = self.entry(Event::AttemptAdopted, actor, &decision).with("head", self.head);
        let Self { document, attempt, signer, .. } = self;
        let before = document.version;
        // One that is void is no number of this document any more: it takes another when its turn comes.
        let number = document.number.clone().filter(|_| document.state.is_open());
        let state = State::Signing { signer, attempt: attempt.id };
        let document = Document { state, number, waiting_since: now, ..document };
        let told = document.notice(document.drafter, NoticeKind::SignatureAdopted);
        let attempt_before = attempt.version;
        let Adopted { signature, cms } = adopted;
        let state = AttemptState::Verified { signature, cms, cms_from: CmsFrom::Server };
        let attempt = Attempt { state, ..attempt };
        let change = Change::moved(before, document, entry).telling(Some(told));
        Ok(Change { decision: Some(decision), ..change.and_attempt(attempt_before, attempt) })
    }

    /// The leader gives it up: it is destroyed, whatever has become of the document.
    ///
    /// # Errors
    /// [`Refused::ReasonNeeded`], [`Refused::DeviceNeeded`], [`Refused::DecisionExpired`], [`Refused::WrongAttempt`] for
    /// another decision.
    pub fn void(self, actor: &Actor, text: &str, decision: Decision) -> Result<Change, Refused> {
        let reason = reason(text)?;
        self.is_decided_by(actor, &decision, DecisionKind::Void)?;
        let entry = self.entry(Event::AttemptVoided, actor, &decision).with("reason", reason);
        let before = self.attempt.version;
        let attempt = Attempt { state: AttemptState::Voided, ..self.attempt };
        Ok(Change { decision: Some(decision), ..Change::of(entry).and_attempt(before, attempt) })
    }

    fn is_decided_by(&self, actor: &Actor, decision: &Decision, kind: DecisionKind) -> Result<(), Refused> {
        if actor.device != Some(decision.device) || decision.person != actor.person {
            return Err(Refused::DeviceNeeded);
        }
        if decision.attempt != self.attempt.id || decision.kind != kind {
            return Err(Refused::WrongAttempt);
        }
        if decision.expires <= decision.at { Err(Refused::DecisionExpired) } else { Ok(()) }
    }

    fn entry(&self, event: Event, actor: &Actor, decision: &Decision) -> Entry {
        Entry::new(event, actor, decision.at)
            .about(self.document.id)
            .of_attempt(self.attempt.id)
            .with("decision", decision.id)
            .with("decision_sha256", Digest::of(decision.jws.as_bytes()))
            .with("dtbs", self.attempt.dtbs)
    }
}
