//! A document and its life (văn bản đi): what it is, where it is, whose turn it is.
//!
//! ```text
//! Draft → InReview{step} → AwaitingSignature{signer k of n} ⇄ Signing{attempt} → AwaitingNumber → Sealing → Sealed
//!       → Released{recall?, replaced_by?, corrected_by?}
//! open states but Signing → Returned{reason} | Withdrawn | Rejected{reason}; in Signing the wish waits for the end
//! Returned | Withdrawn | Rejected → Signing{attempt}   only when the leader adopts the signature that came too late
//! ```
//!
//! Each step is a method that consumes the document (or a proof that the step is allowed) and returns a
//! [`Change`](crate::Change); one step is one file (`draft`, `review`, `decide`, `sign`, `seal`, `release`,
//! `copies`, `give_back`, `held`). Chain and roles R15-R19 and R29-R30, both signatures R2, order of signatures Article 32 of Decree 30.

mod content;
mod copies;
mod decide;
mod draft;
mod give_back;
mod held;
mod release;
mod review;
mod seal;
mod sign;
mod state;

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub use content::{Bundle, BundleFile, Chain, Head, Particulars, SignedBy, Signer, Step, StepKind};
pub use decide::{Awaiting, Terms};
pub use draft::Draft;
pub use give_back::{Wish, WishKind};
pub use held::{Adopted, Held};
pub use release::{Releasable, ScanVerdict};
pub use review::{Opinion, Reviewing, Verdict};
pub use seal::{NumberedSeal, Sealable, Sealing};
pub use sign::{Embedded, Signing};
pub use state::{Recall, State, StateName};

use crate::change::{Notice, NoticeKind};
use crate::digest::Digest;
use crate::ids::{DocumentId, OfficeId, PersonId};
use crate::policy::Numbering;
use crate::refused::Refused;
use crate::register::{DocumentNumber, Series, Symbol};

/// Counts the changes of a row; a write names the version it was decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version(pub u32);

impl Version {
    /// Of a row that was just made.
    pub const FIRST: Self = Self(1);

    /// The one after.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Identity.
    pub id: DocumentId,
    /// Counts changes.
    pub version: Version,
    /// Where it is.
    pub state: State,
    /// Which round: 1 at first, one more after each return that brought new content.
    pub revision: u32,
    /// The issuing office.
    pub office: OfficeId,
    /// Who drafted it (R15).
    pub drafter: PersonId,
    /// What the clerk or drafter filled in.
    pub particulars: Particulars,
    /// How its number is written.
    pub symbol: Symbol,
    /// Which series its number comes from.
    pub series: Series,
    /// When the number is given; fixed when the document is drafted.
    pub numbering: Numbering,
    /// Who checks, signs and seals, in order.
    pub chain: Chain,
    /// Its files.
    pub bundle: Bundle,
    /// Digest of the manifest of declared fields in the base.
    pub manifest: Digest,
    /// The bytes as they stand now: base and signed revisions.
    pub head: Head,
    /// The signatures embedded so far, in order.
    pub signed: Vec<SignedBy>,
    /// Its number, once taken.
    pub number: Option<DocumentNumber>,
    /// Under `before_sign`: whether the number stands in the base.
    pub number_drawn: bool,
    /// A return, withdrawal or rejection that waits for the running attempt's end.
    pub wish: Option<Wish>,
    /// When it was drafted.
    pub created: OffsetDateTime,
    /// When it last changed hands; queues are ordered by it.
    pub waiting_since: OffsetDateTime,
}

impl Document {
    /// Whose turn it is; `None` once nobody has to act. The store keeps it beside the row, so lists need not look at
    /// closed documents.
    pub fn waits_for(&self) -> Option<PersonId> {
        match &self.state {
            State::Draft | State::Returned { .. } => Some(self.drafter),
            State::InReview { step } => self.chain.steps.get(usize::from(*step)).map(|step| step.person),
            State::AwaitingSignature { signer } | State::Signing { signer, .. } => {
                self.chain.signers.get(usize::from(*signer)).map(|signer| signer.person)
            }
            State::AwaitingNumber | State::Sealing { .. } | State::Sealed => Some(self.chain.clerk),
            State::Released { .. } | State::Withdrawn | State::Rejected { .. } => None,
        }
    }

    /// Whether the person has a part in the document (R47, access rights).
    pub fn concerns(&self, person: PersonId) -> bool {
        self.drafter == person
            || self.chain.clerk == person
            || self.chain.steps.iter().any(|step| step.person == person)
            || self.chain.signers.iter().any(|signer| signer.person == person)
    }

    /// When the last leader signed, by the time stamp.
    pub fn signed_at(&self) -> Option<OffsetDateTime> {
        self.signed.last().map(|signed| signed.stamped)
    }

    pub(crate) const fn wrong_state(&self) -> Refused {
        Refused::WrongState { state: self.state.name() }
    }

    pub(crate) fn notice(&self, to: PersonId, kind: NoticeKind) -> Notice {
        Notice { to, kind, document: self.id, urgency: self.particulars.urgency }
    }

    /// The notice to whoever has to act now.
    pub(crate) fn notice_next(&self) -> Option<Notice> {
        let kind = match self.state {
            State::InReview { .. } => NoticeKind::ReviewWaits,
            State::AwaitingSignature { .. } => NoticeKind::SignatureWaits,
            State::AwaitingNumber => NoticeKind::NumberWaits,
            _ => return None,
        };
        self.waits_for().map(|to| self.notice(to, kind))
    }
}

/// A reason that says something.
pub(crate) fn reason(text: &str) -> Result<String, Refused> {
    let text = text.trim();
    if text.is_empty() { Err(Refused::ReasonNeeded) } else { Ok(text.chars().take(MAX_REASON).collect()) }
}

const MAX_REASON: usize = 2_000;

#[cfg(test)]
pub(crate) mod tests;
