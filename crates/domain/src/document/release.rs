//! Release and what follows it: recall, replacement, correction (steps 13 and 14; R2, R11, R76, R80, R88).

use time::OffsetDateTime;

use super::seal::must_verify;
use super::{Document, Head, Recall, State, reason};
use crate::audit::{Entry, Event};
use crate::change::{Change, NoticeKind, Write};
use crate::codes::codes;
use crate::digest::Digest;
use crate::document::Version;
use crate::ids::{CopyId, DocumentId};
use crate::people::Actor;
use crate::policy::{Profile, Scan};
use crate::refused::Refused;
use crate::release::{Copy, CopyState, Hindrance};
use crate::seal::{SEAL_FIELD, SignatureCheck};

codes! {
    /// What the scanner said of the whole bundle.
    ScanVerdict "scan_verdict" {
        /// Nothing found.
        Clean = "clean",
        /// Malware found.
        Infected = "infected",
        /// Not scanned.
        NotScanned = "not_scanned",
    }
}

/// Proof that the document may leave the house.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Releasable {
    document: Document,
}

impl Document {
    /// The early look, before any signature is verified: right person, and the organisation has sealed it.
    ///
    /// # Errors
    /// As [`Document::releasable`], by the state alone.
    pub fn awaits_release(&self, actor: &Actor) -> Result<(), Refused> {
        self.must_be_clerk(actor)?;
        match self.state {
            State::Sealed => Ok(()),
            State::AwaitingNumber | State::Sealing { .. } => {
                Err(Refused::SignatureMissing { field: SEAL_FIELD.to_owned() })
            }
            State::AwaitingSignature { signer } | State::Signing { signer, .. } => {
                Err(self.signature_of(signer).unwrap_or_else(|| self.wrong_state()))
            }
            _ => Err(self.wrong_state()),
        }
    }

    /// Asks whether the document may be released: both kinds of signature verify (R2), the bundle and the recipients are
    /// those every leader decided on (R11, R47), and the scan passed where policy asks for it (R80).
    ///
    /// `seal_certificate` is the organisation's certificate as the seal task had it.
    ///
    /// # Errors
    /// [`Refused::WrongState`], [`Refused::RoleNeeded`], [`Refused::NotAssignedClerk`], [`Refused::SignatureMissing`],
    /// [`Refused::SignatureBroken`], [`Refused::SignedByOther`], [`Refused::OutsideDecision`], [`Refused::Infected`],
    /// [`Refused::NotScanned`], [`Refused::NoRecipient`].
    pub fn releasable(
        self,
        actor: &Actor,
        checks: &[SignatureCheck],
        seal_certificate: Digest,
        scan: ScanVerdict,
        profile: &Profile,
    ) -> Result<Releasable, Refused> {
        self.awaits_release(actor)?;
        self.leaders_signed(checks)?;
        must_verify(checks, SEAL_FIELD, seal_certificate)?;
        let bundle = self.bundle.digest();
        if self.signed.iter().any(|signed| signed.bundle != bundle) {
            return Err(Refused::OutsideDecision { what: "attachment" });
        }
        let decided = |signed: &super::SignedBy| {
            self.particulars.recipients.iter().all(|recipient| signed.recipients.contains(recipient))
        };
        if !self.signed.iter().all(decided) {
            return Err(Refused::OutsideDecision { what: "recipient" });
        }
        match scan {
            ScanVerdict::Infected => return Err(Refused::Infected),
            ScanVerdict::NotScanned if profile.scan != Scan::Off => return Err(Refused::NotScanned),
            ScanVerdict::Clean | ScanVerdict::NotScanned => {}
        }
        if self.particulars.recipients.is_empty() {
            return Err(Refused::NoRecipient);
        }
        Ok(Releasable { document: self })
    }

    /// Calls a released document back (thu hồi): the receivers are asked, the record stays.
    ///
    /// # Errors
    /// [`Refused::WrongState`] unless released and not yet recalled, [`Refused::NotAssignedClerk`],
    /// [`Refused::ReasonNeeded`].
    pub fn recall(
        self,
        actor: &Actor,
        text: &str,
        copies: Vec<Copy>,
        now: OffsetDateTime,
    ) -> Result<Change, Refused> {
        self.must_be_clerk(actor)?;
        let State::Released { at, recall: None, replaced_by, corrected_by } = self.state else {
            return Err(self.wrong_state());
        };
        let reason = reason(text)?;
        let entry = Entry::new(Event::RecallAsked, actor, now).about(self.id).with("reason", &reason);
        let recall = Some(Recall { reason, by: actor.person, at: now });
        let before = self.version;
        let document = Self { state: State::Released { at, recall, replaced_by, corrected_by }, ..self };
        let copies = copies.into_iter().filter(|copy| copy.document == document.id);
        let copies = copies.map(|copy| copy.recall(now)).collect();
        Ok(Change { copies, ..Change::moved(before, document, entry) })
    }

    /// Notes the released document that replaces or corrects this one (thay thế, đính chính).
    ///
    /// # Errors
    /// [`Refused::WrongState`] unless released, [`Refused::NotAssignedClerk`].
    pub fn superseded(
        self,
        actor: &Actor,
        by: DocumentId,
        correction: bool,
        now: OffsetDateTime,
    ) -> Result<Change, Refused> {
        self.must_be_clerk(actor)?;
        let State::Released { at, recall, mut replaced_by, mut corrected_by } = self.state else {
            return Err(self.wrong_state());
        };
        *(if correction { &mut corrected_by } else { &mut replaced_by }) = Some(by);
        let entry = Entry::new(Event::DocumentSuperseded, actor, now)
            .about(self.id)
            .with("by", by)
            .with("correction", correction);
        let before = self.version;
        let document = Self { state: State::Released { at, recall, replaced_by, corrected_by }, ..self };
        Ok(Change::moved(before, document, entry))
    }
}

impl Releasable {
    /// The document.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// Releases: one copy per recipient, each with an id that the caller makes in the recipients' order. `head` is the
    /// file that leaves; it differs from the sealed one only by appended long-term data.
    ///
    /// # Errors
    /// [`Refused::NoRecipient`] when there is not one id per recipient.
    pub fn release(
        self,
        actor: &Actor,
        head: Head,
        copies: &[CopyId],
        now: OffsetDateTime,
    ) -> Result<Change, Refused> {
        let document = self.document;
        if copies.len() != document.particulars.recipients.len() {
            return Err(Refused::NoRecipient);
        }
        let copies = copies.iter().zip(&document.particulars.recipients).map(|(id, recipient)| {
            Write::New(Copy {
                id: *id,
                document: document.id,
                recipient: recipient.clone(),
                state: CopyState::Queued,
                hindrance: Hindrance::from_the_start(recipient.channel),
                note: None,
                since: now,
                version: Version::FIRST,
            })
        });
        let copies = copies.collect();
        let entry = Entry::new(Event::DocumentReleased, actor, now)
            .about(document.id)
            .with("sealed", document.head.sha256)
            .with("released", head.sha256)
            .with("bundle", document.bundle.digest());
        let before = document.version;
        let state = State::Released { at: now, recall: None, replaced_by: None, corrected_by: None };
        let document = Document { state, head, waiting_since: now, ..document };
        let told = document.notice(document.drafter, NoticeKind::Released);
        Ok(Change { copies, ..Change::moved(before, document, entry).telling(Some(told)) })
    }
}
