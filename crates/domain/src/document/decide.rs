//! The leader's turn: prepare the signature revision, then approve exactly what was shown (steps 5 to 7; R18, R41, R42,
//! R47). Nothing here talks to the SIM.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Document, State};
use crate::audit::{Entry, Event};
use crate::calendar::day;
use crate::change::{Change, Write};
use crate::digest::Digest;
use crate::paper::{Capacity, Recipient, Urgency};
use crate::people::{Actor, Appointed, Client, Role};
use crate::policy::{LeaderClient, Numbering, Profile};
use crate::refused::Refused;
use crate::register::DocumentNumber;
use crate::signing::{Attempt, Decision, DecisionKind, NewAttempt, Purpose};

/// Everything a decision names, so that it can never be used for anything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Digest of the ordered files with their roles.
    pub bundle: Digest,
    /// The bytes the signature revision is appended to.
    pub head: Digest,
    /// Digest of the manifest of declared fields.
    pub manifest: Digest,
    /// To whom it will go.
    pub recipients: Vec<Recipient>,
    /// How urgent.
    pub urgency: Urgency,
    /// In which capacity.
    pub capacity: Capacity,
    /// When the number is given.
    pub numbering: Numbering,
    /// The number, under `before_sign`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
}

/// Proof that the document waits for this leader's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaiting {
    document: Document,
    signer: u16,
    capacity: Capacity,
}

impl Document {
    /// The terms a decision of the given signer must name.
    pub fn terms(&self, capacity: Capacity) -> Terms {
        Terms {
            bundle: self.bundle.digest(),
            head: self.head.sha256,
            manifest: self.manifest,
            recipients: self.particulars.recipients.clone(),
            urgency: self.particulars.urgency,
            capacity,
            numbering: self.numbering,
            number: self.number_in_base().map(ToString::to_string),
        }
    }

    /// Asks whether the document waits for the actor's signature.
    ///
    /// # Errors
    /// [`Refused::AlreadyDeciding`] while a decision of the actor is on its way, [`Refused::WrongState`] in every other
    /// state, [`Refused::RoleNeeded`] without the role, [`Refused::NotYours`] when it is another leader's turn.
    pub fn awaiting(self, actor: &Actor) -> Result<Awaiting, Refused> {
        let (signer, deciding) = match self.state {
            State::AwaitingSignature { signer } => (signer, false),
            State::Signing { signer, .. } => (signer, true),
            _ => return Err(self.wrong_state()),
        };
        actor.must_be(Role::Leader)?;
        let Some(place) = self.chain.signers.get(usize::from(signer)) else { return Err(self.wrong_state()) };
        if place.person != actor.person {
            return Err(Refused::NotYours);
        }
        if deciding {
            return Err(Refused::AlreadyDeciding);
        }
        let capacity = place.capacity;
        Ok(Awaiting { document: self, signer, capacity })
    }
}

impl Awaiting {
    /// The document.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// The declared field that takes the signature.
    pub fn field(&self) -> &str {
        self.document.chain.signers.get(usize::from(self.signer)).map_or("", |signer| &signer.field)
    }

    /// The terms the decision must name.
    pub fn terms(&self) -> Terms {
        self.document.terms(self.capacity)
    }

    /// Keeps a prepared signature revision as an attempt; nothing is asked of the SIM yet.
    ///
    /// # Errors
    /// [`Refused::NumberOfAnotherYear`] when the number drawn in the base is of a year that has ended.
    pub fn prepare(self, actor: &Actor, attempt: NewAttempt, now: OffsetDateTime) -> Result<Change, Refused> {
        self.document.number_is_of_this_year(now)?;
        let document = self.document;
        let purpose =
            Purpose::Document { document: document.id, signer: self.signer, head: document.head.sha256 };
        let attempt = attempt.at(purpose, actor.person, document.particulars.urgency, now);
        let entry = Entry::new(Event::AttemptPrepared, actor, now)
            .about(document.id)
            .of_attempt(attempt.id)
            .with("head", document.head.sha256)
            .with("dtbs", attempt.dtbs);
        Ok(Change { attempt: Some(Write::New(attempt)), ..Change::of(entry) })
    }

    /// The leader approves exactly what was shown: document `Signing`, attempt `Approved`, decision and journal entry in
    /// one commit.
    ///
    /// # Errors
    /// [`Refused::NotAppointed`] when the appointment is for another person or capacity; [`Refused::ContentChanged`] with
    /// the first part of the terms that differs; [`Refused::WrongAttempt`] when the attempt is for another revision,
    /// signer or document; [`Refused::DeviceNeeded`], [`Refused::ClientRefused`] (policy `leader_client`);
    /// [`Refused::DecisionExpired`]; [`Refused::NumberOfAnotherYear`].
    pub fn approve(
        self,
        actor: &Actor,
        appointed: Appointed,
        seen: &Terms,
        attempt: Attempt,
        decision: Decision,
        profile: &Profile,
    ) -> Result<Change, Refused> {
        let now = decision.at;
        if appointed.person() != actor.person || appointed.capacity() != self.capacity {
            return Err(Refused::NotAppointed { capacity: self.capacity });
        }
        if profile.leader_client == LeaderClient::Native
            && (actor.client != Client::Native || decision.client != Client::Native)
        {
            return Err(Refused::ClientRefused);
        }
        if actor.device != Some(decision.device) || decision.person != actor.person {
            return Err(Refused::DeviceNeeded);
        }
        self.document.number_is_of_this_year(now)?;
        compare(seen, &self.terms())?;
        let expected = Purpose::Document {
            document: self.document.id,
            signer: self.signer,
            head: self.document.head.sha256,
        };
        if attempt.purpose != expected || attempt.person != actor.person || !decides(&decision, &attempt) {
            return Err(Refused::WrongAttempt);
        }
        let entry = Entry::new(Event::DocumentApproved, actor, now)
            .about(self.document.id)
            .of_attempt(attempt.id)
            .with("decision", decision.id)
            .with("decision_sha256", Digest::of(decision.jws.as_bytes()))
            .with("bundle", seen.bundle)
            .with("head", seen.head)
            .with("dtbs", attempt.dtbs);
        let before = self.document.version;
        let state = State::Signing { signer: self.signer, attempt: attempt.id };
        let document = Document { state, ..self.document };
        let (attempt_before, attempt) = attempt.approve(&decision, now + profile.approval_window)?;
        let change = Change::moved(before, document, entry).and_attempt(attempt_before, attempt);
        Ok(Change { decision: Some(decision), ..change })
    }

    /// The signer decides how urgent the document is (C1.9); what was prepared before is void, since its terms differ.
    pub fn decide_urgency(self, actor: &Actor, urgency: Urgency, now: OffsetDateTime) -> Change {
        let before = self.document.version;
        let entry = Entry::new(Event::UrgencyDecided, actor, now)
            .about(self.document.id)
            .with("from", self.document.particulars.urgency)
            .with("to", urgency);
        let mut document = self.document;
        document.particulars.urgency = urgency;
        Change::moved(before, document, entry)
    }
}

fn decides(decision: &Decision, attempt: &Attempt) -> bool {
    decision.kind == DecisionKind::Approve && decision.attempt == attempt.id
}

impl Document {
    /// The number that is drawn in the base, so that a leader decides on it too: under `before_sign` alone. A number that
    /// another rule gave in an earlier round is replaced when the document is signed on a later day.
    pub fn number_in_base(&self) -> Option<&DocumentNumber> {
        self.number.as_ref().filter(|_| self.numbering == Numbering::BeforeSign)
    }

    /// That number, when its year has ended before the first leader signed.
    pub fn number_of_another_year(&self, now: OffsetDateTime) -> Option<&DocumentNumber> {
        let year = day(now).year();
        self.number_in_base().filter(|number| number.date.year() != year && self.signed.is_empty())
    }

    pub(super) fn number_is_of_this_year(&self, now: OffsetDateTime) -> Result<(), Refused> {
        match self.number_of_another_year(now) {
            Some(number) => Err(Refused::NumberOfAnotherYear { year: number.date.year() }),
            None => Ok(()),
        }
    }
}

fn compare(seen: &Terms, is: &Terms) -> Result<(), Refused> {
    let what = if seen.bundle != is.bundle {
        "the bundle"
    } else if seen.head != is.head {
        "the document"
    } else if seen.manifest != is.manifest {
        "the manifest"
    } else if seen.recipients != is.recipients {
        "the list of recipients"
    } else if seen.urgency != is.urgency {
        "the urgency"
    } else if seen.capacity != is.capacity {
        "the capacity"
    } else if seen.numbering != is.numbering || seen.number != is.number {
        "the number rule"
    } else {
        return Ok(());
    };
    Err(Refused::ContentChanged { what })
}
