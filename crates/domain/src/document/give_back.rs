//! Return, withdrawal and rejection, and what becomes of a number then (R84, R85, A17 "burns a number").
//!
//! A number follows its document through returns and stays in the book, void with its reason, when the document will
//! never be issued, when it is signed anew on a later day than the number's own, or when it stands in a base that nobody
//! signed in its year. While the SIM may be asked, the wish waits for the attempt's end.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Document, State, reason};
use crate::audit::{By, Entry, Event};
use crate::change::{Change, NoticeKind};
use crate::codes::codes;
use crate::ids::PersonId;
use crate::people::Actor;
use crate::refused::Refused;
use crate::register::{DocumentNumber, Register, Voided};

codes! {
    /// How somebody wants the document to leave its chain.
    WishKind "wish_kind" {
        /// Trả lại: back to the drafting unit.
        Return = "return",
        /// Rút lại: by who submitted it.
        Withdraw = "withdraw",
        /// Từ chối ký: by the leader.
        Reject = "reject",
    }
}

/// A wish that waits for a running attempt's end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Which.
    pub kind: WishKind,
    /// Why.
    pub reason: String,
    /// By whom.
    pub by: PersonId,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

impl Document {
    /// Takes the document off its chain: return and rejection by whose turn it is, withdrawal by drafter or clerk. While
    /// an attempt runs the wish is noted and done at its end.
    ///
    /// # Errors
    /// [`Refused::WrongState`] when it is not on its chain or a wish is noted already, [`Refused::NotYours`],
    /// [`Refused::ReasonNeeded`].
    pub fn give_back(
        self,
        actor: &Actor,
        kind: WishKind,
        text: &str,
        now: OffsetDateTime,
    ) -> Result<Change, Refused> {
        let on_chain = match self.state {
            State::InReview { .. }
            | State::AwaitingSignature { .. }
            | State::Signing { .. }
            | State::AwaitingNumber
            | State::Sealing { .. }
            | State::Sealed => true,
            State::Draft | State::Returned { .. } => kind == WishKind::Withdraw,
            State::Released { .. } | State::Withdrawn | State::Rejected { .. } => false,
        };
        if !on_chain || self.wish.is_some() {
            return Err(self.wrong_state());
        }
        if kind == WishKind::Reject
            && !matches!(self.state, State::AwaitingSignature { .. } | State::Signing { .. })
        {
            return Err(self.wrong_state());
        }
        let whose = match kind {
            WishKind::Return | WishKind::Reject => self.waits_for() == Some(actor.person),
            WishKind::Withdraw => actor.person == self.drafter || actor.person == self.chain.clerk,
        };
        if !whose {
            return Err(Refused::NotYours);
        }
        let wish = Wish { kind, reason: reason(text)?, by: actor.person, at: now };
        if let State::Signing { .. } = self.state {
            let entry = Entry::new(Event::WishNoted, actor, now)
                .about(self.id)
                .with("wish", wish.kind)
                .with("reason", &wish.reason);
            let before = self.version;
            return Ok(Change::moved(before, Self { wish: Some(wish), ..self }, entry));
        }
        let entry = Entry::new(wish.event(), actor, now).about(self.id).with("reason", &wish.reason);
        Ok(self.do_wish(wish, entry, now))
    }

    /// After an attempt's end without an embedded signature: back to the leader, or where the noted wish leads.
    pub(super) fn after_signing(self, signer: u16, entry: Entry, now: OffsetDateTime) -> Change {
        let before = self.version;
        match self.wish.clone() {
            Some(wish) => {
                let entry = entry.with("wish", wish.kind).with("reason", &wish.reason);
                self.do_wish(wish, entry, now)
            }
            None => Change::moved(before, Self { state: State::AwaitingSignature { signer }, ..self }, entry),
        }
    }

    /// Whether it waits for its first signature with a number in its base whose year has ended.
    ///
    /// # Errors
    /// [`Refused::WrongState`] when it does not; [`Refused::RoleNeeded`] or [`Refused::NotAssignedClerk`] when `by` is a
    /// person other than the assigned văn thư.
    pub fn must_renumber(&self, by: Option<&Actor>, now: OffsetDateTime) -> Result<(), Refused> {
        if let Some(actor) = by {
            self.must_be_clerk(actor)?;
        }
        let waits = self.state == State::AwaitingSignature { signer: 0 };
        if waits && self.number_of_another_year(now).is_some() { Ok(()) } else { Err(self.wrong_state()) }
    }

    /// A number taken before signing whose year has ended is void; the next one is taken and drawn into a new base. `by`
    /// is the assigned văn thư, or nobody: then the turn of the year itself.
    ///
    /// # Errors
    /// What [`must_renumber`](Self::must_renumber) and the register refuse.
    pub fn renumber(
        self,
        by: Option<&Actor>,
        register: &Register,
        now: OffsetDateTime,
    ) -> Result<Change, Refused> {
        self.must_renumber(by, now)?;
        let by = by.map_or_else(|| By::process("work"), By::from);
        let entry = Entry::new(Event::NumberVoided, by, now).about(self.id);
        self.chain_passed(Some(register), entry, now)
    }

    fn do_wish(self, wish: Wish, entry: Entry, now: OffsetDateTime) -> Change {
        let before = self.version;
        let ends = wish.kind != WishKind::Return;
        let voided = self.number.as_ref().filter(|_| ends).map(|number| void(number, &wish.reason, now));
        let entry = match (&voided, &self.number) {
            (Some(_), Some(number)) => entry.with("void", number),
            _ => entry,
        };
        let state = match wish.kind {
            WishKind::Return => State::Returned { reason: wish.reason, by: wish.by },
            WishKind::Withdraw => State::Withdrawn,
            WishKind::Reject => State::Rejected { reason: wish.reason, by: wish.by },
        };
        let document = Self { state, wish: None, waiting_since: now, ..self };
        let told = document.notice(document.drafter, NoticeKind::GivenBack);
        Change { voided, ..Change::moved(before, document, entry).telling(Some(told)) }
    }
}

impl Wish {
    const fn event(&self) -> Event {
        match self.kind {
            WishKind::Return => Event::DocumentReturned,
            WishKind::Withdraw => Event::DocumentWithdrawn,
            WishKind::Reject => Event::DocumentRejected,
        }
    }
}

/// Why a number is void that was drawn in a base and not signed in its year.
pub(super) const YEAR_ENDED: &str = "hết năm";

/// Why a number is void whose document was given back and signed anew on a later day.
pub(super) const SIGNED_ANEW: &str = "ký lại sau ngày cấp số";

pub(super) fn void(number: &DocumentNumber, reason: &str, now: OffsetDateTime) -> Voided {
    Voided { register: number.register, serial: number.serial, reason: reason.to_owned(), at: now }
}
