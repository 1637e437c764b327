//! While an attempt runs: its end, with or without a signature (steps 8 to 11; R41, R43, R45, R51).

use time::OffsetDateTime;

use super::give_back::{SIGNED_ANEW, void};
use super::{Document, Head, SignedBy, State};
use crate::audit::{By, Entry, Event};
use crate::calendar::day;
use crate::change::{Change, NoticeKind, Write};
use crate::ids::DecisionId;
use crate::policy::Numbering;
use crate::refused::Refused;
use crate::register::{DocumentNumber, Register};
use crate::signing::{Attempt, AttemptState, Failure, Purpose};

/// Proof that this attempt is the one the document waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    document: Document,
    attempt: Attempt,
    signer: u16,
}

/// A signed revision whose bytes are on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Embedded {
    /// The new head.
    pub head: Head,
    /// The decision the attempt was approved by.
    pub decision: DecisionId,
}

impl Document {
    /// Joins the document with the attempt it waits for.
    ///
    /// # Errors
    /// [`Refused::WrongState`] unless it is being signed, [`Refused::WrongAttempt`] when the attempt is another one or
    /// the head has moved since.
    pub fn signing(self, attempt: Attempt) -> Result<Signing, Refused> {
        let State::Signing { signer, attempt: expected } = self.state else { return Err(self.wrong_state()) };
        let purpose = Purpose::Document { document: self.id, signer, head: self.head.sha256 };
        if attempt.id != expected || attempt.purpose != purpose {
            return Err(Refused::WrongAttempt);
        }
        Ok(Signing { document: self, attempt, signer })
    }
}

impl Signing {
    /// The document.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// The attempt.
    pub const fn attempt(&self) -> &Attempt {
        &self.attempt
    }

    /// Whether embedding takes a number in the same commit (`at_sign`, R51), so that the caller must bring the register.
    pub fn takes_number(&self) -> bool {
        let stamped = match self.attempt.state {
            AttemptState::Stamped { stamped, .. } => Some(day(stamped)),
            _ => None,
        };
        let is_stale = |number: &DocumentNumber| stamped.is_some_and(|signed| number.date < signed);
        self.is_last()
            && self.document.numbering == Numbering::AtSign
            && self.document.number.as_ref().is_none_or(is_stale)
    }

    /// The signature stands in the file: on to the next signer, or to the văn thư (R43).
    ///
    /// # Errors
    /// [`Refused::WrongAttemptState`] unless the CMS is verified and time-stamped; [`Refused::WrongState`] when a wish
    /// to give the document back is waiting (then [`hold`](Self::hold)); [`Refused::RegisterNeeded`] and what the
    /// register refuses under `at_sign`.
    pub fn embedded(
        self,
        embedded: Embedded,
        register: Option<&Register>,
        now: OffsetDateTime,
    ) -> Result<Change, Refused> {
        let AttemptState::Stamped { cms_from, stamped, .. } = self.attempt.state else {
            return Err(self.attempt.wrong_state());
        };
        if self.document.wish.is_some() {
            return Err(self.document.wrong_state());
        }
        let last = self.is_last();
        let Self { mut document, attempt, signer } = self;
        let Some(place) = document.chain.signers.get(usize::from(signer)) else {
            return Err(document.wrong_state());
        };
        document.signed.push(SignedBy {
            person: attempt.person,
            field: place.field.clone(),
            attempt: attempt.id,
            decision: embedded.decision,
            certificate: attempt.certificate,
            stamped,
            cms_from,
            bundle: document.bundle.digest(),
            recipients: document.particulars.recipients.clone(),
        });
        let taken = if last && document.numbering == Numbering::AtSign {
            document.take_unless_numbered(register, now)?
        } else {
            None
        };
        let voided = document.stale_number().filter(|_| taken.is_some());
        let voided = voided.map(|stale| void(stale, SIGNED_ANEW, now));
        let mut entry = Entry::new(Event::DocumentSigned, By::process("work"), now)
            .about(document.id)
            .of_attempt(attempt.id)
            .with("head", embedded.head.sha256)
            .with("cms_from", cms_from);
        if let Some(taken) = &taken {
            entry = entry.with("number", taken.number());
            document.number = Some(taken.number().clone());
        }
        let before = document.version;
        document.state =
            if last { State::AwaitingNumber } else { State::AwaitingSignature { signer: signer + 1 } };
        document.head = embedded.head;
        document.waiting_since = now;
        let notice = document.notice_next();
        let attempt_before = attempt.version;
        let attempt = Attempt { state: AttemptState::Embedded { cms_from }, ..attempt };
        let change =
            Change::moved(before, document, entry).telling(notice).and_attempt(attempt_before, attempt);
        Ok(Change { taken, voided, ..change })
    }

    /// The attempt came to nothing: back to the leader, who is told, as is the văn thư, and may decide again; or, when a
    /// wish is waiting, where the wish leads.
    ///
    /// # Errors
    /// [`Refused::WrongAttemptState`] when the attempt cannot end so.
    pub fn ended(self, failure: Failure, now: OffsetDateTime) -> Result<Change, Refused> {
        let Self { document, attempt, signer } = self;
        let person = attempt.person;
        let entry = Entry::new(Event::AttemptEnded, By::process("gate"), now)
            .about(document.id)
            .of_attempt(attempt.id)
            .with("state", failure);
        let (attempt_before, attempt) = attempt.end(failure)?;
        let change = document.after_signing(signer, entry, now);
        let told = change.document().map(Write::to).map(|document| {
            [person, document.chain.clerk].map(|who| document.notice(who, NoticeKind::SigningFailed))
        });
        let change = told.into_iter().flatten().fold(change, |change, notice| change.telling(Some(notice)));
        Ok(change.and_attempt(attempt_before, attempt))
    }

    /// A signature came for a wish that was withdrawn meanwhile: it is kept sealed and never embedded by itself.
    ///
    /// # Errors
    /// [`Refused::WrongAttemptState`] unless a signature is there and a wish is waiting.
    pub fn hold(self, sealed: Vec<u8>, now: OffsetDateTime) -> Result<Change, Refused> {
        let Self { document, attempt, signer } = self;
        let has_signature = matches!(
            attempt.state,
            AttemptState::SignedRaw { .. } | AttemptState::Verified { .. } | AttemptState::Stamped { .. }
        );
        if !has_signature || document.wish.is_none() {
            return Err(attempt.wrong_state());
        }
        let entry = Entry::new(Event::AttemptHeld, By::process("gate"), now)
            .about(document.id)
            .of_attempt(attempt.id);
        let person = attempt.person;
        let before = attempt.version;
        // What the protocol's machine remembers has the value in plain.
        let attempt = Attempt { state: AttemptState::SignedHeld { sealed }, protocol: None, ..attempt };
        let change = document.after_signing(signer, entry, now);
        let notice = change.document().map(|write| write.to().notice(person, NoticeKind::SignatureHeld));
        Ok(change.telling(notice).and_attempt(before, attempt))
    }

    fn is_last(&self) -> bool {
        usize::from(self.signer) + 1 == self.document.chain.signers.len()
    }
}
