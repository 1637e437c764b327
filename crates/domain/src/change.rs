//! What a step of the rules asks the store to write, all or nothing.
//!
//! Only this crate makes a [`Change`], so no row changes without its audit entry; every write carries the version it
//! was decided on, so of two steps on one row only one is stored.

use crate::audit::Entry;
use crate::document::{Document, Opinion, Version};
use crate::ids::{DocumentId, PersonId};
use crate::paper::Urgency;
use crate::register::{Taken, Voided};
use crate::release::Copy;
use crate::seal::SealTask;
use crate::signing::{Attempt, Decision};

use crate::codes::codes;

/// A row to write: a new one, or one that must still be at the expected version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write<T> {
    /// It did not exist.
    New(T),
    /// It replaces the row at this version.
    Moved {
        /// The row as it will be.
        to: T,
        /// The version it was decided on.
        expected: Version,
    },
}

impl<T> Write<T> {
    /// The row as it will be.
    pub const fn to(&self) -> &T {
        match self {
            Self::New(to) | Self::Moved { to, .. } => to,
        }
    }
}

codes! {
    /// What a person is told about.
    NoticeKind "notice_kind" {
        /// A document waits for an opinion.
        ReviewWaits = "review_waits",
        /// A document waits for the leader's signature.
        SignatureWaits = "signature_waits",
        /// The SIM did not sign.
        SigningFailed = "signing_failed",
        /// A signature came after the wish was withdrawn; the leader decides what becomes of it.
        SignatureHeld = "signature_held",
        /// The leader decided that a late signature shall count: the document is on its chain again.
        SignatureAdopted = "signature_adopted",
        /// A document waits for number and seal.
        NumberWaits = "number_waits",
        /// Given back, withdrawn or rejected.
        GivenBack = "given_back",
        /// Released.
        Released = "released",
        /// A receiver refused or did not answer.
        CopyRefused = "copy_refused",
        /// A copy cannot be delivered as it is addressed.
        CopyUndeliverable = "copy_undeliverable",
    }
}

/// Somebody to tell, once the change is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// Whom.
    pub to: PersonId,
    /// About what.
    pub kind: NoticeKind,
    /// Which document.
    pub document: DocumentId,
    /// How urgent it is (R74: urgent ones push at once).
    pub urgency: Urgency,
}

/// Everything one step writes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a change does nothing until the store applies it"]
pub struct Change {
    pub(crate) document: Option<Write<Document>>,
    pub(crate) attempt: Option<Write<Attempt>>,
    pub(crate) decision: Option<Decision>,
    pub(crate) opinion: Option<Opinion>,
    pub(crate) taken: Option<Taken>,
    pub(crate) voided: Option<Voided>,
    pub(crate) seal: Option<SealTask>,
    pub(crate) copies: Vec<Write<Copy>>,
    pub(crate) entry: Entry,
    pub(crate) notices: Vec<Notice>,
}

impl Change {
    pub(crate) const fn of(entry: Entry) -> Self {
        Self {
            document: None,
            attempt: None,
            decision: None,
            opinion: None,
            taken: None,
            voided: None,
            seal: None,
            copies: Vec::new(),
            entry,
            notices: Vec::new(),
        }
    }

    /// A change of a document that was at `before`: its version goes up by one.
    pub(crate) fn moved(before: Version, mut to: Document, entry: Entry) -> Self {
        to.version = before.next();
        Self { document: Some(Write::Moved { to, expected: before }), ..Self::of(entry) }
    }

    pub(crate) fn and_attempt(mut self, before: Version, mut to: Attempt) -> Self {
        to.version = before.next();
        to.changed = self.entry.at;
        self.attempt = Some(Write::Moved { to, expected: before });
        self
    }

    pub(crate) fn telling(mut self, notice: Option<Notice>) -> Self {
        self.notices.extend(notice);
        self
    }

    /// The document as it will be, if this changes one.
    pub const fn document(&self) -> Option<&Write<Document>> {
        self.document.as_ref()
    }

    /// The attempt as it will be, if this changes one.
    pub const fn attempt(&self) -> Option<&Write<Attempt>> {
        self.attempt.as_ref()
    }

    /// The leader's decision to keep.
    pub const fn decision(&self) -> Option<&Decision> {
        self.decision.as_ref()
    }

    /// The opinion to keep.
    pub const fn opinion(&self) -> Option<&Opinion> {
        self.opinion.as_ref()
    }

    /// The number to take.
    pub const fn taken(&self) -> Option<&Taken> {
        self.taken.as_ref()
    }

    /// The number to make void.
    pub const fn voided(&self) -> Option<&Voided> {
        self.voided.as_ref()
    }

    /// The prepared seal to keep.
    pub const fn seal(&self) -> Option<&SealTask> {
        self.seal.as_ref()
    }

    /// The recipients' copies to write.
    pub fn copies(&self) -> &[Write<Copy>] {
        &self.copies
    }

    /// The audit entry.
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Who is to be told once this is stored.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Keeps the attempt's protocol machine beside the attempt, in the same write (opaque here, JSON for the gate).
    pub fn with_protocol(mut self, protocol: String) -> Self {
        if let Some(Write::New(to) | Write::Moved { to, .. }) = &mut self.attempt {
            to.protocol = Some(protocol);
        }
        self
    }
}
