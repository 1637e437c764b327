//! What became of each recipient's copy.
//!
//! Status codes of QCVN 102:2016/BTTTT (C4.2): 01 arrived, 02 refused, 03 accepted, 04 assigned, 05 processing,
//! 06 done, 13 recall asked, 15 recall agreed, 16 recall refused. Codes may be skipped, repeated or out of order, so
//! progress only ever rises; every message is kept by the store (R82-R89).
//!
//! ```text
//! Queued → Handed → Arrived(01) → Accepted(03) → Assigned(04) → Processing(05) → Done(06)
//!                   Refused(02);  RecallAsked(13) → Recalled(15) | RecallRefused(16)
//! ```

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::audit::{By, Entry, Event};
use crate::change::{Change, Write};
use crate::codes::codes;
use crate::document::Version;
use crate::ids::{CopyId, DocumentId};
use crate::paper::Recipient;
use crate::refused::Refused;

codes! {
    /// Where a copy is.
    CopyState "copy_state" {
        /// Waits to be handed over (Đang gửi).
        Queued = "queued",
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
        /// 15 Đồng ý lấy lại.
        Recalled = "recalled",
        /// 16 Từ chối lấy lại.
        RecallRefused = "recall_refused",
    }
}

impl CopyState {
    /// How far the copy has come; receipts never lower it.
    const fn rank(self) -> u8 {
        match self {
            Self::Queued => 0,
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

/// One recipient's copy of a released document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// Identity; also makes the package id, so that handing over twice is once.
    pub id: CopyId,
    /// Of which document.
    pub document: DocumentId,
    /// For whom.
    pub recipient: Recipient,
    /// Where it is.
    pub state: CopyState,
    /// What the receiver said with it (reason of a refusal).
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
    /// [`Refused::WrongReceipt`] when it is not queued.
    pub fn handed(self, now: OffsetDateTime) -> Result<Change, Refused> {
        if self.state != CopyState::Queued {
            return Err(Refused::WrongReceipt);
        }
        let entry = Entry::new(Event::CopyHanded, By::process("work"), now)
            .about(self.document)
            .with("copy", self.id);
        Ok(self.moved(CopyState::Handed, None, now, entry))
    }

    /// A receipt arrived. A code below what is known already changes nothing but is kept in the journal.
    ///
    /// # Errors
    /// [`Refused::WrongReceipt`] for an unknown code, [`Refused::ReasonNeeded`] for a refusal without one (R84).
    pub fn receive(self, receipt: &Receipt, now: OffsetDateTime) -> Result<Change, Refused> {
        let to = match receipt.code.as_str() {
            "01" => CopyState::Arrived,
            "02" => CopyState::Refused,
            "03" => CopyState::Accepted,
            "04" => CopyState::Assigned,
            "05" => CopyState::Processing,
            "06" => CopyState::Done,
            "15" => CopyState::Recalled,
            "16" => CopyState::RecallRefused,
            _ => return Err(Refused::WrongReceipt),
        };
        let answers_recall = matches!(to, CopyState::Recalled | CopyState::RecallRefused);
        if answers_recall && self.state.rank() < CopyState::RecallAsked.rank() {
            return Err(Refused::WrongReceipt);
        }
        let said = receipt.description.as_deref().map(str::trim).filter(|text| !text.is_empty());
        if to == CopyState::Refused && said.is_none() {
            return Err(Refused::ReasonNeeded);
        }
        let note = said.map(str::to_owned).or_else(|| self.note.clone());
        let entry = Entry::new(Event::ReceiptArrived, By::process("work"), now)
            .about(self.document)
            .with("copy", self.id)
            .with("code", &receipt.code);
        let to = if to.rank() > self.state.rank() { to } else { self.state };
        Ok(self.moved(to, note, now, entry))
    }

    pub(crate) fn recall(self, now: OffsetDateTime) -> Write<Self> {
        let expected = self.version;
        let to = if self.state.rank() < CopyState::RecallAsked.rank() {
            CopyState::RecallAsked
        } else {
            self.state
        };
        Write::Moved { to: Self { state: to, since: now, version: expected.next(), ..self }, expected }
    }

    fn moved(self, to: CopyState, note: Option<String>, now: OffsetDateTime, entry: Entry) -> Change {
        let expected = self.version;
        let since = if to == self.state { self.since } else { now };
        let to = Self { state: to, note, since, version: expected.next(), ..self };
        Change { copies: vec![Write::Moved { to, expected }], ..Change::of(entry) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper::Channel;
    use proptest::prelude::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-08-20 10:00 +7);

    fn copy(state: CopyState) -> Copy {
        let recipient =
            Recipient { code: Some("H53.6".into()), name: "Sở KH&CN".into(), channel: Channel::Exchange };
        Copy {
            id: CopyId::at(NOW, 1),
            document: DocumentId::at(NOW, 2),
            recipient,
            state,
            note: None,
            since: NOW,
            version: Version::FIRST,
        }
    }

    fn after(copy: Copy, code: &str) -> Result<Copy, Refused> {
        let receipt = Receipt { code: code.into(), description: Some("sai thẩm quyền".into()) };
        copy.receive(&receipt, NOW).map(|change| change.copies()[0].to().clone())
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
        assert_eq!(after(copy(CopyState::Accepted), "15"), Err(Refused::WrongReceipt));
        assert_eq!(
            after(copy(CopyState::RecallAsked), "16").expect("answered").state,
            CopyState::RecallRefused
        );
    }

    #[test]
    fn a_refusal_gives_its_reason() {
        let receipt = Receipt { code: "02".into(), description: Some("  ".into()) };
        assert_eq!(copy(CopyState::Arrived).receive(&receipt, NOW), Err(Refused::ReasonNeeded));
    }
}
