//! Number, date and the organisation's signature by the văn thư, in person and only over the leaders' valid signatures
//! (step 12; R2, R19, R49, R55, Decree 30/2020 Article 32.2.d).

use time::OffsetDateTime;

use super::give_back::{SIGNED_ANEW, void};
use super::{Document, Head, State};
use crate::audit::{Entry, Event};
use crate::change::Change;
use crate::digest::Digest;
use crate::ids::SealId;
use crate::people::{Actor, Role};
use crate::refused::Refused;
use crate::register::{DocumentNumber, Register, Taken};
use crate::seal::{SEAL_FIELD, SealTask, SignatureCheck};

/// Proof that the assigned văn thư asks and every leader's signature verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealable {
    document: Document,
}

/// A document with the number it will carry, so that the seal revision can be drawn; nothing is stored yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedSeal {
    document: Document,
    number: DocumentNumber,
    taken: Option<Taken>,
}

/// Proof that the assigned văn thư asks and a seal is prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealing {
    document: Document,
    seal: SealId,
}

impl Document {
    /// Asks whether the organisation may sign: right person, every leader's signature there, by the assigned
    /// certificate, and valid. A document whose seal is already prepared may be prepared again, with the same number.
    ///
    /// # Errors
    /// [`Refused::WrongState`], [`Refused::RoleNeeded`], [`Refused::NotAssignedClerk`], [`Refused::SignatureMissing`],
    /// [`Refused::SignatureBroken`], [`Refused::SignedByOther`].
    pub fn sealable(self, actor: &Actor, checks: &[SignatureCheck]) -> Result<Sealable, Refused> {
        self.awaits_seal(actor)?;
        self.leaders_signed(checks)?;
        Ok(Sealable { document: self })
    }

    /// The early look, before any signature is verified: right person, and every leader has had their turn.
    ///
    /// # Errors
    /// As [`Document::sealable`], by the state alone.
    pub fn awaits_seal(&self, actor: &Actor) -> Result<(), Refused> {
        self.must_be_clerk(actor)?;
        match self.state {
            State::AwaitingNumber | State::Sealing { .. } => Ok(()),
            State::AwaitingSignature { signer } | State::Signing { signer, .. } => {
                Err(self.signature_of(signer).unwrap_or_else(|| self.wrong_state()))
            }
            _ => Err(self.wrong_state()),
        }
    }

    /// That this place of the chain has no signature yet.
    pub(super) fn signature_of(&self, signer: u16) -> Option<Refused> {
        let place = self.chain.signers.get(usize::from(signer))?;
        Some(Refused::SignatureMissing { field: place.field.clone() })
    }

    /// Asks whether the actor may hand in the seal that is prepared.
    ///
    /// # Errors
    /// [`Refused::WrongState`], [`Refused::RoleNeeded`], [`Refused::NotAssignedClerk`].
    pub fn sealing(self, actor: &Actor) -> Result<Sealing, Refused> {
        let State::Sealing { seal } = self.state else { return Err(self.wrong_state()) };
        self.must_be_clerk(actor)?;
        Ok(Sealing { document: self, seal })
    }

    pub(super) fn must_be_clerk(&self, actor: &Actor) -> Result<(), Refused> {
        actor.must_be(Role::Clerk)?;
        if self.chain.clerk == actor.person { Ok(()) } else { Err(Refused::NotAssignedClerk) }
    }

    /// Every place of the chain has its signature, by the certificate that was decided on, and it verifies (R2, R45).
    pub(super) fn leaders_signed(&self, checks: &[SignatureCheck]) -> Result<(), Refused> {
        for place in &self.chain.signers {
            let missing = || Refused::SignatureMissing { field: place.field.clone() };
            let signed = self.signed.iter().find(|signed| signed.field == place.field).ok_or_else(missing)?;
            must_verify(checks, &place.field, signed.certificate)?;
        }
        Ok(())
    }
}

/// The signature in the field is there, passed, and is by this certificate.
pub(super) fn must_verify(
    checks: &[SignatureCheck],
    field: &str,
    certificate: Digest,
) -> Result<(), Refused> {
    let field = field.to_owned();
    let Some(check) = checks.iter().find(|check| check.field == field) else {
        return Err(Refused::SignatureMissing { field });
    };
    if !check.passed {
        return Err(Refused::SignatureBroken { field });
    }
    if check.certificate != certificate {
        return Err(Refused::SignedByOther { field });
    }
    Ok(())
}

impl Sealable {
    /// The document.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// Whether a number is to be taken, so that the caller must bring the register.
    pub fn takes_number(&self) -> bool {
        self.document.needs_number()
    }

    /// The number the document will carry: its own, or the register's next, dated today; stored only by the change that
    /// [`NumberedSeal::prepared`] makes, and only if the register has not moved.
    ///
    /// # Errors
    /// [`Refused::RegisterNeeded`], [`Refused::DateBeforeSignature`], and what the register refuses.
    pub fn number(self, register: Option<&Register>, now: OffsetDateTime) -> Result<NumberedSeal, Refused> {
        let taken = self.document.take_unless_numbered(register, now)?;
        let number = taken.as_ref().map(Taken::number).or(self.document.number.as_ref());
        let number = number.cloned().ok_or(Refused::RegisterNeeded)?;
        Ok(NumberedSeal { document: self.document, number, taken })
    }
}

impl NumberedSeal {
    /// The number and date to draw.
    pub const fn number(&self) -> &DocumentNumber {
        &self.number
    }

    /// The document.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// The seal revision is prepared: number, prepared seal and journal entry in one commit.
    ///
    /// # Errors
    /// [`Refused::ContentChanged`] when the task is for other bytes, [`Refused::NotAssignedClerk`] when it is another
    /// person's.
    pub fn prepared(self, actor: &Actor, task: SealTask, now: OffsetDateTime) -> Result<Change, Refused> {
        let Self { document, number, taken } = self;
        if task.document != document.id || task.head != document.head.sha256 {
            return Err(Refused::ContentChanged { what: "the document" });
        }
        if task.clerk != actor.person || document.chain.clerk != actor.person {
            return Err(Refused::NotAssignedClerk);
        }
        let entry = Entry::new(Event::SealPrepared, actor, now)
            .about(document.id)
            .with("number", &number)
            .with("date", number.date)
            .with("dtbs", task.dtbs);
        let before = document.version;
        let voided = document.stale_number().map(|stale| void(stale, SIGNED_ANEW, now));
        let state = State::Sealing { seal: task.id };
        let document = Document { state, number: Some(number), ..document };
        Ok(Change { taken, voided, seal: Some(task), ..Change::moved(before, document, entry) })
    }
}

impl Sealing {
    /// Which preparation is waiting.
    pub const fn seal(&self) -> SealId {
        self.seal
    }

    /// The document.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// The organisation signed: the sealed file is on disk and verified.
    ///
    /// # Errors
    /// [`Refused::WrongAttempt`] when the task is not the one prepared last; [`Refused::SignatureMissing`],
    /// [`Refused::SignatureBroken`], [`Refused::SignedByOther`] for the seal and every leader's signature.
    pub fn sealed(
        self,
        actor: &Actor,
        task: &SealTask,
        head: Head,
        checks: &[SignatureCheck],
        now: OffsetDateTime,
    ) -> Result<Change, Refused> {
        let Self { document, seal } = self;
        if task.id != seal || task.document != document.id || task.head != document.head.sha256 {
            return Err(Refused::WrongAttempt);
        }
        document.leaders_signed(checks)?;
        must_verify(checks, SEAL_FIELD, task.certificate)?;
        let entry = Entry::new(Event::DocumentSealed, actor, now)
            .about(document.id)
            .with("head", head.sha256)
            .with("certificate", task.certificate);
        let before = document.version;
        let document = Document { state: State::Sealed, head, waiting_since: now, ..document };
        Ok(Change::moved(before, document, entry))
    }
}
