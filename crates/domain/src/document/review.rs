//! A checker's turn: an opinion about exact bytes (R16, R17, R29). An opinion about other bytes is void.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Document, State, StepKind, reason};
use crate::audit::{Entry, Event};
use crate::change::{Change, NoticeKind};
use crate::codes::codes;
use crate::digest::Digest;
use crate::ids::{DocumentId, PersonId};
use crate::people::Actor;
use crate::refused::Refused;
use crate::register::Register;

codes! {
    /// What the checker said.
    Verdict "verdict" {
        /// On to the next.
        Passed = "passed",
        /// Back to the drafter.
        Returned = "returned",
    }
}

/// A checker's opinion, kept with the bytes it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    /// On which document.
    pub document: DocumentId,
    /// In which round.
    pub revision: u32,
    /// At which step, from 0.
    pub step: u16,
    /// Which check it was.
    pub kind: StepKind,
    /// By whom.
    pub by: PersonId,
    /// What was said.
    pub verdict: Verdict,
    /// In which words; empty for a plain pass.
    pub text: String,
    /// The bundle the opinion is about.
    pub about: Digest,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// Proof that it is this checker's turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewing {
    document: Document,
    step: u16,
    kind: StepKind,
}

impl Document {
    /// Asks whether it is the actor's turn to check.
    ///
    /// # Errors
    /// [`Refused::WrongState`] outside a review, [`Refused::NotYours`] when it is somebody else's turn.
    pub fn reviewing(self, actor: &Actor) -> Result<Reviewing, Refused> {
        let State::InReview { step } = self.state else { return Err(self.wrong_state()) };
        let Some(place) = self.chain.steps.get(usize::from(step)) else { return Err(self.wrong_state()) };
        if place.person != actor.person {
            return Err(Refused::NotYours);
        }
        let kind = place.kind;
        Ok(Reviewing { document: self, step, kind })
    }
}

impl Reviewing {
    /// Passes the document on. After the last check it goes to the first signer, or takes its number first
    /// (`before_sign`, R50), for which `register` is needed.
    ///
    /// # Errors
    /// [`Refused::OpinionOnOtherBytes`] unless `seen` is the bundle's digest, [`Refused::RegisterNeeded`], and what the
    /// register refuses.
    pub fn pass(
        self,
        actor: &Actor,
        text: &str,
        seen: Digest,
        register: Option<&Register>,
        now: OffsetDateTime,
    ) -> Result<Change, Refused> {
        let opinion = self.opinion(actor, Verdict::Passed, text.trim().to_owned(), seen, now)?;
        let entry = self.entry(actor, &opinion, now);
        let document = self.document;
        if usize::from(self.step) + 1 < document.chain.steps.len() {
            let before = document.version;
            let document =
                Document { state: State::InReview { step: self.step + 1 }, waiting_since: now, ..document };
            let notice = document.notice_next();
            let change = Change::moved(before, document, entry).telling(notice);
            return Ok(Change { opinion: Some(opinion), ..change });
        }
        let change = document.chain_passed(register, entry, now)?;
        Ok(Change { opinion: Some(opinion), ..change })
    }

    /// Gives the document back to its drafter with the reason.
    ///
    /// # Errors
    /// [`Refused::ReasonNeeded`], [`Refused::OpinionOnOtherBytes`].
    pub fn give_back(
        self,
        actor: &Actor,
        text: &str,
        seen: Digest,
        now: OffsetDateTime,
    ) -> Result<Change, Refused> {
        let reason = reason(text)?;
        let opinion = self.opinion(actor, Verdict::Returned, reason.clone(), seen, now)?;
        let entry = self.entry(actor, &opinion, now);
        let before = self.document.version;
        let state = State::Returned { reason, by: actor.person };
        let document = Document { state, waiting_since: now, ..self.document };
        let notice = document.notice(document.drafter, NoticeKind::GivenBack);
        let change = Change::moved(before, document, entry).telling(Some(notice));
        Ok(Change { opinion: Some(opinion), ..change })
    }

    fn opinion(
        &self,
        actor: &Actor,
        verdict: Verdict,
        text: String,
        seen: Digest,
        now: OffsetDateTime,
    ) -> Result<Opinion, Refused> {
        if seen != self.document.bundle.digest() {
            return Err(Refused::OpinionOnOtherBytes);
        }
        Ok(Opinion {
            document: self.document.id,
            revision: self.document.revision,
            step: self.step,
            kind: self.kind,
            by: actor.person,
            verdict,
            text,
            about: seen,
            at: now,
        })
    }

    fn entry(&self, actor: &Actor, opinion: &Opinion, now: OffsetDateTime) -> Entry {
        Entry::new(Event::OpinionGiven, actor, now)
            .about(self.document.id)
            .with("step", self.step)
            .with("kind", self.kind)
            .with("verdict", opinion.verdict)
            .with("about", opinion.about)
    }
}
