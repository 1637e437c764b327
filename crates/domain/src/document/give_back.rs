//! Return, withdrawal and rejection, and what becomes of a number then (R84, R85, A17 "burns a number").
//!
//! A number follows its document through returns and stays in the book, void with its reason, when the document will
//! never be issued. While the SIM may be asked, the wish waits for the attempt's end.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Document, State, reason};
use crate::audit::{Entry, Event};
use crate::calendar::day;
use crate::change::{Change, NoticeKind};
use crate::codes::codes;
use crate::ids::PersonId;
use crate::people::Actor;
use crate::policy::Numbering;
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

    /// A number taken before signing whose year has ended is void; the next one is taken and drawn into a new base.
    ///
    /// # Errors
    /// [`Refused::WrongState`] unless the document waits for its first signature with a number of another year, and what
    /// the register refuses.
    pub fn renumber(self, register: &Register, now: OffsetDateTime) -> Result<Change, Refused> {
        let first = State::AwaitingSignature { signer: 0 };
        let (State::AwaitingSignature { signer: 0 }, Some(number), Numbering::BeforeSign) =
            (&self.state, self.number.clone(), self.numbering)
        else {
            return Err(self.wrong_state());
        };
        if number.date.year() == day(now).year() {
            return Err(Refused::WrongState { state: first.name() });
        }
        let voided = void(&number, "hết năm", now);
        let entry = Entry::new(Event::NumberVoided, crate::audit::By::process("work"), now)
            .about(self.id)
            .with("void", &number)
            .with("reason", voided.reason());
        let document = Self { number: None, number_drawn: false, ..self };
        let change = document.chain_passed(Some(register), entry, now)?;
        Ok(Change { voided: Some(voided), ..change })
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

fn void(number: &DocumentNumber, reason: &str, now: OffsetDateTime) -> Voided {
    Voided { register: number.register, serial: number.serial, reason: reason.to_owned(), at: now }
}
