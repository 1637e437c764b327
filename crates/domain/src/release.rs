//! What became of each recipient's copy.
//!
//! Status codes of QCVN 102:2016/BTTTT (C4.2): 01 arrived, 02 refused, 03 accepted, 04 assigned, 05 processing,
//! 06 done, 13 recall asked, 15 recall agreed, 16 recall refused. Codes may be skipped, repeated or out of order, so
//! progress only ever rises; every message is kept by the store (R82-R89).
//!
//! ```text
//! Queued → Handed → Arrived(01) → Accepted(03) → Assigned(04) → Processing(05) → Done(06)
//! Queued → Undeliverable → Queued (sent again) | Handed (by hand)
//!                   Refused(02);  RecallAsked(13) → Recalled(15) | RecallRefused(16)
//! ```
//!
//! What only the văn thư may do with a copy (receipts, handing over, sending again) is a step of the
//! [`Document`](crate::Document).

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::audit::{By, Entry, Event};
use crate::change::{Change, Write};
use crate::codes::codes;
use crate::document::Version;
use crate::ids::{CopyId, DocumentId};
use crate::paper::{Channel, Recipient};
use crate::refused::Refused;

codes! {
    /// Where a copy is.
    CopyState "copy_state" {
        /// Waits to be handed over (Đang gửi).
        Queued = "queued",
        /// Will not arrive as it is addressed: the clerk must act (Không gửi được).
        Undeliverable = "undeliverable",
        /// Handed to its channel (Đã gửi).
        Handed = "handed",
        /// 01 Đã đến.
        Arrived = "arrived",
        /// 03 Đã tiếp nhận.
        Accepted = "accepted",
        /// 04 Phân công xử lý.
        Assigned = "assigned",
        /// 05 Đang xử lý.
        Processing = "processing",
        /// 06 Hoàn thành.
        Done = "done",
        /// 02 Từ chối tiếp nhận.
        Refused = "refused",
        /// 13 Yêu cầu lấy lại.
        RecallAsked = "recall_asked",
        /// 15 Đồng ý lấy lại; or it had never left.
        Recalled = "recalled",
        /// 16 Từ chối lấy lại.
        RecallRefused = "recall_refused",
    }
}

impl CopyState {
    /// How far the copy has come; receipts never lower it.
    pub(crate) const fn rank(self) -> u8 {
        match self {
            Self::Queued | Self::Undeliverable => 0,
            Self::Handed => 1,
            Self::Arrived => 2,
            Self::Accepted => 3,
            Self::Assigned => 4,
            Self::Processing => 5,
            Self::Done | Self::Refused => 6,
            Self::RecallAsked => 7,
            Self::Recalled | Self::RecallRefused => 8,
        }
    }
}

codes! {
    /// Why a copy, or the request to give it back, has not left.
    Hindrance "hindrance" {
        /// The clerk hands it over and then says so.
        ByHand = "by_hand",
        /// Nothing here speaks to this channel.
        ChannelNotSetUp = "channel_not_set_up",
        /// The settings name no mail server.
        MailNotSetUp = "mail_not_set_up",
        /// The mail server does not answer, or says "later"; it is tried again by itself.
        MailUnreachable = "mail_unreachable",
        /// The mail server takes nothing for this address.
        AddressRefused = "address_refused",
        /// More than a message may hold.
        TooLarge = "too_large",
        /// The request to give the copy back is about to leave.
        RecallWaits = "recall_waits",
    }
}

impl Hindrance {
    /// What stands in the way before anything was tried: mail goes by itself, the rest does not.
    pub(crate) const fn from_the_start(channel: Channel) -> Option<Self> {
        match channel {
            Channel::Email => None,
            Channel::Paper => Some(Self::ByHand),
            Channel::Exchange | Channel::Portal => Some(Self::ChannelNotSetUp),
        }
    }

    /// Whether trying again changes nothing.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::AddressRefused | Self::TooLarge)
    }

    /// Whether it is certain that nothing has left. A server that stopped answering may have taken the message.
    const fn nothing_left(self) -> bool {
        !matches!(self, Self::MailUnreachable | Self::RecallWaits)
    }
}

/// One recipient's copy of a released document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// Identity; also makes the message and package id, so that handing over twice is once.
    pub id: CopyId,
    /// Of which document.
    pub document: DocumentId,
    /// For whom. The address may be corrected after the release, whom it is for may not.
    pub recipient: Recipient,
    /// Where it is.
    pub state: CopyState,
    /// Why it has not left, in `queued`, `undeliverable` and `recall_asked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hindrance: Option<Hindrance>,
    /// What the receiver, or the server on the way, said (reason of a refusal).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it came there.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// Counts changes.
    pub version: Version,
}

/// A receipt from a receiver's system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The two-digit code.
    pub code: String,
    /// Reason or remark.
    pub description: Option<String>,
}

impl Copy {
    /// The channel has taken it.
    ///
    /// # Errors
    /// [`Refused::WrongCopyState`] when it is not queued.
    pub fn handed(self, now: OffsetDateTime) -> Result<Change, Refused> {
        if self.state != CopyState::Queued {
            return Err(self.wrong_state());
        }
        Ok(self.handed_by(By::process("work"), now))
    }

    pub(crate) fn handed_by(self, by: impl Into<By>, now: OffsetDateTime) -> Change {
        let entry = self.entry(Event::CopyHanded, by, now).with("channel", self.recipient.channel);
        self.to(CopyState::Handed, now).clear().change(entry)
    }

    /// The request to give it back has left.
    ///
    /// # Errors
    /// [`Refused::WrongCopyState`] when nobody asked for it back.
    pub fn asked_back(self, now: OffsetDateTime) -> Result<Change, Refused> {
        if self.state != CopyState::RecallAsked {
            return Err(self.wrong_state());
        }
        let entry = self.entry(Event::CopyAskedBack, By::process("work"), now);
        Ok(self.to(CopyState::RecallAsked, now).clear().change(entry))
    }

    /// A receipt arrived, or the clerk knows of one. A code below what is known already changes nothing but is kept in
    /// the journal.
    ///
    /// # Errors
    /// [`Refused::WrongReceipt`] for a code that no receiver gives, [`Refused::WrongCopyState`] for an answer to a recall
    /// that was not asked, [`Refused::ReasonNeeded`] for a refusal without one (R84).
    pub fn receive(
        self,
        receipt: &Receipt,
        by: impl Into<By>,
        now: OffsetDateTime,
    ) -> Result<Change, Refused> {
        let to = match receipt.code.as_str() {
            "01" => CopyState::Arrived,
            "02" => CopyState::Refused,
            "03" => CopyState::Accepted,
            "04" => CopyState::Assigned,
            "05" => CopyState::Processing,
            "06" => CopyState::Done,
            "15" => CopyState::Recalled,
            "16" => CopyState::RecallRefused,
            // 13 is what this side says: a recall is of the document, not of one copy.
            _ => return Err(Refused::WrongReceipt),
        };
        let answers_recall = matches!(to, CopyState::Recalled | CopyState::RecallRefused);
        if answers_recall && self.state.rank() < CopyState::RecallAsked.rank() {
            return Err(self.wrong_state());
        }
        let said = receipt.description.as_deref().map(str::trim).filter(|text| !text.is_empty());
        if to == CopyState::Refused && said.is_none() {
            return Err(Refused::ReasonNeeded);
        }
        let entry = self.entry(Event::ReceiptArrived, by, now).with("code", &receipt.code);
        let note = said.map(brief).or_else(|| self.note.clone());
        let rises = to.rank() > self.state.rank();
        let moved = if rises { Self { hindrance: None, ..self.to(to, now) } } else { self };
        Ok(Self { note, ..moved }.change(entry))
    }

    pub(crate) fn hindered(
        self,
        by: Hindrance,
        said: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<Option<Change>, Refused> {
        let to = match self.state {
            CopyState::Queued if by.is_final() => CopyState::Undeliverable,
            CopyState::Queued | CopyState::RecallAsked => self.state,
            _ => return Err(self.wrong_state()),
        };
        let note = said.map(brief);
        if to == self.state && self.hindrance == Some(by) && self.note == note {
            return Ok(None);
        }
        let entry = self.entry(Event::CopyHindered, By::process("work"), now).with("hindrance", by);
        Ok(Some(Self { hindrance: Some(by), note, ..self.to(to, now) }.change(entry)))
    }

    /// What is known not to have left needs no asking back.
    pub(crate) fn recall(self, now: OffsetDateTime) -> Write<Self> {
        let recalled = match self.state {
            CopyState::Queued if !self.hindrance.is_some_and(Hindrance::nothing_left) => self.ask_back(now),
            CopyState::Queued | CopyState::Undeliverable => self.to(CopyState::Recalled, now).clear(),
            state if state.rank() < CopyState::RecallAsked.rank() => self.ask_back(now),
            _ => self,
        };
        recalled.written()
    }

    fn ask_back(self, now: OffsetDateTime) -> Self {
        let waits = Hindrance::from_the_start(self.recipient.channel).unwrap_or(Hindrance::RecallWaits);
        Self { hindrance: Some(waits), note: None, ..self.to(CopyState::RecallAsked, now) }
    }

    pub(crate) const fn wrong_state(&self) -> Refused {
        Refused::WrongCopyState { state: self.state }
    }

    pub(crate) fn to(self, state: CopyState, now: OffsetDateTime) -> Self {
        let since = if state == self.state { self.since } else { now };
        Self { state, since, ..self }
    }

    /// Without what was in the way.
    pub(crate) fn clear(self) -> Self {
        Self { hindrance: None, note: None, ..self }
    }

    pub(crate) fn entry(&self, event: Event, by: impl Into<By>, now: OffsetDateTime) -> Entry {
        Entry::new(event, by, now).about(self.document).with("copy", self.id)
    }

    pub(crate) fn change(self, entry: Entry) -> Change {
        Change { copies: vec![self.written()], ..Change::of(entry) }
    }

    fn written(self) -> Write<Self> {
        let expected = self.version;
        Write::Moved { to: Self { version: expected.next(), ..self }, expected }
    }
}

/// A remark in at most as many characters as the store's row should carry.
fn brief(text: &str) -> String {
    text.chars().take(MAX_NOTE).collect()
}

const MAX_NOTE: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-08-20 10:00 +7);

    fn copy(state: CopyState) -> Copy {
        let recipient = Recipient {
            code: None,
            name: "Sở KH&CN".into(),
            channel: Channel::Email,
            email: "vanthu@skhcn.example".parse().ok(),
        };
        Copy {
            id: CopyId::at(NOW, 1),
            document: DocumentId::at(NOW, 2),
            recipient,
            state,
            hindrance: None,
            note: None,
            since: NOW,
            version: Version::FIRST,
        }
    }

    fn after(copy: Copy, code: &str) -> Result<Copy, Refused> {
        let receipt = Receipt { code: code.into(), description: Some("sai thẩm quyền".into()) };
        copy.receive(&receipt, By::process("work"), NOW).map(|change| change.copies()[0].to().clone())
    }

    fn hindered(copy: Copy, by: Hindrance) -> Copy {
        let change = copy.hindered(by, Some("451 thử lại sau"), NOW).expect("waits").expect("is new");
        change.copies()[0].to().clone()
    }

    fn recalled(copy: Copy) -> Copy {
        copy.recall(NOW).to().clone()
    }

    proptest! {
        #[test]
        fn progress_never_falls(codes in proptest::collection::vec("0[1-6]|15|16|99", 0..20)) {
            let mut now = copy(CopyState::Handed);
            for code in codes {
                if let Ok(next) = after(now.clone(), &code) {
                    prop_assert!(next.state.rank() >= now.state.rank());
                    now = next;
                }
            }
        }
    }

    #[test]
    fn a_recall_is_answered_only_when_it_was_asked() {
        assert_eq!(
            after(copy(CopyState::Accepted), "15").map_err(|refused| refused.code()),
            Err("wrong_copy_state")
        );
        assert_eq!(after(copy(CopyState::Accepted), "13"), Err(Refused::WrongReceipt));
        assert_eq!(
            after(copy(CopyState::RecallAsked), "16").expect("answered").state,
            CopyState::RecallRefused
        );
    }

    #[test]
    fn a_refusal_gives_its_reason() {
        let receipt = Receipt { code: "02".into(), description: Some("  ".into()) };
        let received = copy(CopyState::Arrived).receive(&receipt, By::process("work"), NOW);
        assert_eq!(received, Err(Refused::ReasonNeeded));
    }

    #[test]
    fn waiting_for_the_same_again_writes_nothing() {
        let waits = hindered(copy(CopyState::Queued), Hindrance::MailUnreachable);
        assert_eq!((waits.state, waits.since), (CopyState::Queued, NOW));
        assert_eq!(
            waits.clone().hindered(Hindrance::MailUnreachable, Some("451 thử lại sau"), NOW),
            Ok(None)
        );
        let handed = waits.handed(NOW).expect("handed").copies()[0].to().clone();
        assert_eq!((handed.state, handed.hindrance, handed.note), (CopyState::Handed, None, None));
    }

    #[test]
    fn what_cannot_arrive_stops_and_says_so() {
        let stopped = hindered(copy(CopyState::Queued), Hindrance::AddressRefused);
        assert_eq!(stopped.state, CopyState::Undeliverable);
        assert!(matches!(stopped.clone().handed(NOW), Err(Refused::WrongCopyState { .. })));
        assert_eq!(recalled(stopped).state, CopyState::Recalled, "it never left");
    }

    #[test]
    fn whatever_may_have_left_is_asked_back() {
        for (before, asked) in [
            (copy(CopyState::Queued), true),
            (hindered(copy(CopyState::Queued), Hindrance::MailUnreachable), true),
            (hindered(copy(CopyState::Queued), Hindrance::MailNotSetUp), false),
            (copy(CopyState::Handed), true),
            (copy(CopyState::Done), true),
        ] {
            let recalled = recalled(before.clone());
            let due = if asked { CopyState::RecallAsked } else { CopyState::Recalled };
            assert_eq!(recalled.state, due, "{before:?}");
            assert_eq!(recalled.hindrance, asked.then_some(Hindrance::RecallWaits), "{before:?}");
        }
    }
}
