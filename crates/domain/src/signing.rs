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
//! ```
//!
//! At most one request leaves per attempt: `Sending` is stored before the socket opens, and nothing leads back to
//! `Approved` (R40, R41). The private key, the PIN and the phone's prompt are the SIM's alone.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::audit::{By, Entry, Event};
use crate::change::{Change, Write};
use crate::codes::codes;
use crate::digest::Digest;
use crate::document::Version;
use crate::ids::{AttemptId, DecisionId, DeviceId, DocumentId, PersonId};
use crate::paper::Urgency;
use crate::people::{Actor, Client};
use crate::refused::Refused;

codes! {
    /// The word of an attempt's state, as rows carry it.
    AttemptStateName "attempt_state" {
        /// The revision is prepared; nothing was asked.
        Prepared = "prepared",
        /// The leader decided; waits for its turn on the number.
        Approved = "approved",
        /// The request is about to leave, or left.
        Sending = "sending",
        /// The MSSP acknowledged; the SIM shows the prompt.
        Accepted = "accepted",
        /// Nobody knows whether the SIM was asked.
        Indeterminate = "indeterminate",
        /// The raw signature is here.
        SignedRaw = "signed_raw",
        /// It verified and stands in a CMS.
        Verified = "verified",
        /// The CMS carries its time stamp.
        Stamped = "stamped",
        /// It stands in the file, or the enrolment statement was kept.
        Embedded = "embedded",
        /// Cancelled on the SIM.
        Declined = "declined",
        /// The prompt's time ran out.
        Expired = "expired",
        /// The approval was not sent in time.
        Lapsed = "lapsed",
        /// The phone could not be reached.
        Undeliverable = "undeliverable",
        /// The PIN is blocked.
        Blocked = "blocked",
        /// The number has no SIM PKI.
        NotEnrolled = "not_enrolled",
        /// The certificate is expired, revoked or another one.
        CertInvalid = "cert_invalid",
        /// The answer was not acceptable.
        Rejected = "rejected",
        /// The provider was down before the request left.
        ProviderDown = "provider_down",
        /// A late signature, kept encrypted and unused.
        SignedHeld = "signed_held",
    }
}

impl AttemptStateName {
    /// Whether the SIM may be showing a prompt: at most one such attempt per number, held by a partial unique index.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Sending | Self::Accepted | Self::Indeterminate | Self::SignedRaw)
    }

    /// Whether nothing more will come of it by itself.
    pub const fn is_final(self) -> bool {
        !matches!(
            self,
            Self::Prepared
                | Self::Approved
                | Self::Sending
                | Self::Accepted
                | Self::Indeterminate
                | Self::SignedRaw
                | Self::Verified
                | Self::Stamped
        )
    }
}

codes! {
    /// Why an attempt came to nothing.
    Failure "failure" {
        /// Cancelled on the SIM.
        Declined = "declined",
        /// The prompt's time ran out.
        Expired = "expired",
        /// The approval was not sent in time.
        Lapsed = "lapsed",
        /// The phone could not be reached.
        Undeliverable = "undeliverable",
        /// The PIN is blocked.
        Blocked = "blocked",
        /// The number has no SIM PKI.
        NotEnrolled = "not_enrolled",
        /// The certificate is expired, revoked or another one.
        CertInvalid = "cert_invalid",
        /// The answer was not acceptable.
        Rejected = "rejected",
        /// The provider was down before the request left.
        ProviderDown = "provider_down",
    }
}

codes! {
    /// Who assembled the CMS; both make identical bytes.
    CmsFrom "cms_from" {
        /// The leader's phone.
        Device = "device",
        /// The server, because no phone was watching.
        Server = "server",
    }
}

/// A phone number in the international form without `+`; it is personal data, so it never shows in logs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Msisdn(String);

/// The text is no phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a phone number: expected 8 to 15 digits in the international form, without +")]
pub struct NotAnMsisdn;

impl Msisdn {
    /// The digits, for the one request that needs them.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl FromStr for Msisdn {
    type Err = NotAnMsisdn;

    fn from_str(text: &str) -> Result<Self, NotAnMsisdn> {
        let shaped = (8..=15).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_digit())
            && !text.starts_with('0');
        if shaped { Ok(Self(text.to_owned())) } else { Err(NotAnMsisdn) }
    }
}

impl TryFrom<String> for Msisdn {
    type Error = NotAnMsisdn;

    fn try_from(text: String) -> Result<Self, NotAnMsisdn> {
        text.parse()
    }
}

impl From<Msisdn> for String {
    fn from(number: Msisdn) -> Self {
        number.0
    }
}

impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail = self.0.get(self.0.len().saturating_sub(2)..).unwrap_or_default();
        write!(f, "Msisdn(…{tail})")
    }
}

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

/// Where an attempt is, with what is known there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptState {
    /// The revision is prepared.
    Prepared,
    /// The leader decided.
    Approved {
        /// By which decision.
        decision: DecisionId,
        /// It lapses then at the latest.
        until: OffsetDateTime,
        /// Since when it heads the queue of its number.
        heading_since: Option<OffsetDateTime>,
    },
    /// The request is about to leave, or left.
    Sending,
    /// The MSSP acknowledged.
    Accepted {
        /// The MSSP's transaction: the only handle on the prompt.
        transaction: String,
    },
    /// Nobody knows whether the SIM was asked.
    Indeterminate {
        /// The transaction, when the acknowledgement had come.
        transaction: Option<String>,
    },
    /// The raw signature is here.
    SignedRaw {
        /// The transaction it answers.
        transaction: Option<String>,
        /// The signature value.
        signature: Vec<u8>,
    },
    /// It verified and stands in a CMS.
    Verified {
        /// The signature value.
        signature: Vec<u8>,
        /// The detached CMS, without a time stamp.
        cms: Vec<u8>,
        /// Who assembled it.
        cms_from: CmsFrom,
    },
    /// The CMS carries its time stamp.
    Stamped {
        /// The detached CMS with the time stamp.
        cms: Vec<u8>,
        /// Who assembled it.
        cms_from: CmsFrom,
        /// The time stamp's time.
        stamped: OffsetDateTime,
    },
    /// It stands in the file, or the enrolment statement was kept.
    Embedded {
        /// Who assembled the CMS.
        cms_from: CmsFrom,
    },
    /// It came to nothing.
    Ended(Failure),
    /// A late signature, kept as sealed bytes.
    SignedHeld {
        /// The signature value, encrypted by the caller.
        sealed: Vec<u8>,
    },
}

impl AttemptState {
    /// The state's word.
    pub const fn name(&self) -> AttemptStateName {
        match self {
            Self::Prepared => AttemptStateName::Prepared,
            Self::Approved { .. } => AttemptStateName::Approved,
            Self::Sending => AttemptStateName::Sending,
            Self::Accepted { .. } => AttemptStateName::Accepted,
            Self::Indeterminate { .. } => AttemptStateName::Indeterminate,
            Self::SignedRaw { .. } => AttemptStateName::SignedRaw,
            Self::Verified { .. } => AttemptStateName::Verified,
            Self::Stamped { .. } => AttemptStateName::Stamped,
            Self::Embedded { .. } => AttemptStateName::Embedded,
            Self::Ended(failure) => match failure {
                Failure::Declined => AttemptStateName::Declined,
                Failure::Expired => AttemptStateName::Expired,
                Failure::Lapsed => AttemptStateName::Lapsed,
                Failure::Undeliverable => AttemptStateName::Undeliverable,
                Failure::Blocked => AttemptStateName::Blocked,
                Failure::NotEnrolled => AttemptStateName::NotEnrolled,
                Failure::CertInvalid => AttemptStateName::CertInvalid,
                Failure::Rejected => AttemptStateName::Rejected,
                Failure::ProviderDown => AttemptStateName::ProviderDown,
            },
            Self::SignedHeld { .. } => AttemptStateName::SignedHeld,
        }
    }
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
    /// Counts changes.
    pub version: Version,
}

/// A leader's decision, signed by the device key, kept for ever (architecture step 7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The `jti`.
    pub id: DecisionId,
    /// For which attempt; one decision, one attempt.
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
        if self.person != actor.person || decision.attempt != self.id || decision.device != device {
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
            version: Version::FIRST,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-08-20 10:00 +7);
    const WINDOW: Duration = Duration::minutes(2);

    fn attempt(state: AttemptState) -> Attempt {
        let new = NewAttempt {
            id: AttemptId::at(NOW, 1),
            msisdn: "84900000001".parse().expect("a number"),
            certificate: Digest::of(b"certificate"),
            dtbs: Digest::of(b"attributes"),
        };
        let purpose = Purpose::Enrolment { device: DeviceId::at(NOW, 3) };
        Attempt { state, ..new.at(purpose, PersonId::at(NOW, 2), Urgency::Normal, NOW) }
    }

    fn approved() -> AttemptState {
        AttemptState::Approved {
            decision: DecisionId::at(NOW, 4),
            until: NOW + Duration::minutes(15),
            heading_since: None,
        }
    }

    fn result(change: &Change) -> Attempt {
        change.attempt().expect("changes the attempt").to().clone()
    }

    #[test]
    fn an_approval_lapses_two_minutes_after_heading_its_queue_or_after_fifteen_in_all() {
        let waiting = attempt(approved());
        assert_eq!(waiting.lapses_at(WINDOW), Some(NOW + Duration::minutes(15)));
        let heading = result(&waiting.heads_queue(NOW + Duration::minutes(5)).expect("heads"));
        assert_eq!(heading.lapses_at(WINDOW), Some(NOW + Duration::minutes(7)));
        assert!(heading.clone().sending(WINDOW, NOW + Duration::seconds(7 * 60 - 1)).is_ok());
        assert_eq!(heading.sending(WINDOW, NOW + Duration::minutes(7)), Err(Refused::DecisionExpired));
        let late = result(&attempt(approved()).heads_queue(NOW + Duration::minutes(14)).expect("heads"));
        assert_eq!(late.lapses_at(WINDOW), Some(NOW + Duration::minutes(15)));
    }

    #[test]
    fn nothing_leads_back_to_a_second_request() {
        for state in [
            AttemptState::Sending,
            AttemptState::Accepted { transaction: "t".into() },
            AttemptState::Indeterminate { transaction: None },
            AttemptState::SignedRaw { transaction: None, signature: vec![1] },
            AttemptState::Ended(Failure::Expired),
            AttemptState::SignedHeld { sealed: vec![1] },
        ] {
            let name = state.name();
            assert!(attempt(state.clone()).sending(WINDOW, NOW).is_err(), "{name}");
            assert!(attempt(state).heads_queue(NOW).is_err(), "{name}");
        }
    }

    #[test]
    fn a_phone_number_does_not_show_in_logs() {
        let number: Msisdn = "84912345678".parse().expect("a number");
        assert_eq!(format!("{number:?}"), "Msisdn(…78)");
        assert!("+84912345678".parse::<Msisdn>().is_err());
        assert!("0912345678".parse::<Msisdn>().is_err());
    }

    #[test]
    fn every_failure_is_a_state_of_the_same_name() {
        for failure in Failure::ALL {
            let name = AttemptState::Ended(*failure).name();
            assert_eq!(name.as_str(), failure.as_str());
            assert!(name.is_final() && !name.is_live());
        }
    }

    /// Every step there is, by number.
    fn step(attempt: Attempt, which: u8, now: OffsetDateTime) -> Result<Change, Refused> {
        match which {
            0 => attempt.heads_queue(now),
            1 => attempt.sending(WINDOW, now),
            2 => attempt.accepted("t".into(), now),
            3 => attempt.indeterminate(now),
            4 => attempt.signed_raw(vec![7], now),
            5 => attempt.verified(vec![8], CmsFrom::Device, now),
            6 => attempt.stamped(vec![9], now, now),
            7 => attempt.enrolled(now),
            _ => attempt.enrolment_ended(Failure::ALL[usize::from(which) % Failure::ALL.len()], now),
        }
    }

    proptest! {
        #[test]
        fn whatever_happens_one_request_at_most_and_no_signature_is_lost(steps in proptest::collection::vec(0u8..40, 0..60)) {
            let mut now = attempt(approved());
            let (mut sent, mut signed) = (0, false);
            for which in steps {
                let before = now.clone();
                let Ok(change) = step(now.clone(), which, NOW) else { continue };
                prop_assert!(!before.state.name().is_final(), "a finished attempt moved");
                now = result(&change);
                prop_assert_eq!(now.version, before.version.next());
                sent += u32::from(now.state == AttemptState::Sending);
                signed |= matches!(now.state, AttemptState::SignedRaw { .. });
                if signed {
                    let kept = matches!(
                        now.state,
                        AttemptState::SignedRaw { .. } | AttemptState::Verified { .. } | AttemptState::Stamped { .. }
                            | AttemptState::Embedded { .. }
                            | AttemptState::Ended(Failure::Rejected | Failure::CertInvalid)
                    );
                    prop_assert!(kept, "a received signature was lost in {:?}", now.state);
                }
            }
            prop_assert!(sent <= 1, "{} requests left", sent);
        }
    }
}
