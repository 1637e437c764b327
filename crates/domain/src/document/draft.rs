//! Taking a bundle in, correcting it after a return, and putting it on its chain (steps 1 and 2).

use time::OffsetDateTime;

use super::give_back::{YEAR_ENDED, void};
use super::{Bundle, Chain, Document, Head, Particulars, State, Version};
use crate::audit::{By, Entry, Event};
use crate::calendar::day;
use crate::change::{Change, Write};
use crate::digest::Digest;
use crate::ids::DocumentId;
use crate::people::{Actor, Office, Person, Role};
use crate::policy::{Numbering, Profile};
use crate::refused::Refused;
use crate::register::{DocumentNumber, Register, Series, Symbol, Taken};

/// A bundle whose main file has been parsed, checked and provisioned with its declared fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What was filled in.
    pub particulars: Particulars,
    /// Who is to act.
    pub chain: Chain,
    /// The files; the main one is the provisioned base.
    pub bundle: Bundle,
    /// Digest of the base's manifest.
    pub manifest: Digest,
    /// The base.
    pub head: Head,
}

impl Draft {
    fn check(&self, people: &[Person]) -> Result<(), Refused> {
        self.particulars.check()?;
        self.bundle.check()?;
        self.chain.check(people)?;
        let main = self.bundle.main().map(|file| file.sha256);
        if main == Some(self.head.sha256) {
            Ok(())
        } else {
            Err(Refused::ContentChanged { what: "the main file" })
        }
    }
}

impl Particulars {
    /// How the document's number would be written, and from which series it would come.
    fn numbered_as(
        &self,
        office: &Office,
        profile: &Profile,
        now: OffsetDateTime,
    ) -> Result<(Symbol, Series), Refused> {
        let council = self.council.as_deref();
        let symbol = Symbol {
            family: self.family,
            kind: self.kind,
            office: council.unwrap_or(&office.symbol).to_owned(),
            unit: self.unit.clone(),
        };
        symbol.notation(day(now).year())?;
        Ok((symbol, Series::of(self.family, self.kind, profile.series, council)))
    }
}

impl Document {
    /// Takes a bundle in.
    ///
    /// # Errors
    /// [`Refused::RoleNeeded`] unless a drafter or clerk asks, [`Refused::Classified`] (R1),
    /// [`Refused::MetadataMissing`] (R31), [`Refused::ChainUnusable`], [`Refused::UnknownSigner`] (R18),
    /// [`Refused::NumberUnwritable`] when no number could ever be written for it (C1.7).
    pub fn draft(
        id: DocumentId,
        draft: Draft,
        actor: &Actor,
        office: &Office,
        people: &[Person],
        profile: &Profile,
        now: OffsetDateTime,
    ) -> Result<Change, Refused> {
        if !actor.is(Role::Drafter) {
            actor.must_be(Role::Clerk)?;
        }
        draft.check(people)?;
        let particulars = draft.particulars;
        let (symbol, series) = particulars.numbered_as(office, profile, now)?;
        let document = Self {
            id,
            version: Version::FIRST,
            state: State::Draft,
            revision: 1,
            office: office.id,
            drafter: actor.person,
            particulars,
            symbol,
            series,
            numbering: profile.numbering,
            chain: draft.chain,
            bundle: draft.bundle,
            manifest: draft.manifest,
            head: draft.head,
            signed: Vec::new(),
            number: None,
            number_drawn: false,
            wish: None,
            created: now,
            waiting_since: now,
        };
        let entry = Entry::new(Event::DocumentDrafted, actor, now)
            .about(id)
            .with("bundle", document.bundle.digest())
            .with("base", document.head.sha256);
        Ok(Change { document: Some(Write::New(document)), ..Change::of(entry) })
    }

    /// The early look, before any file is worked on: right state, right person.
    ///
    /// # Errors
    /// [`Refused::WrongState`], [`Refused::NotYours`] unless drafter or assigned clerk.
    pub fn revisable(&self, actor: &Actor) -> Result<(), Refused> {
        match self.state {
            State::Draft | State::Returned { .. } => self.must_be_submitter(actor),
            _ => Err(self.wrong_state()),
        }
    }

    /// Replaces the content of a draft or of a document that was given back: new base, every approval and signature
    /// reset; a number taken before signing stays with the document and is drawn anew.
    ///
    /// # Errors
    /// [`Refused::WrongState`], [`Refused::NotYours`] unless drafter or assigned clerk, and what [`Document::draft`]
    /// refuses.
    pub fn revise(
        self,
        draft: Draft,
        actor: &Actor,
        office: &Office,
        people: &[Person],
        profile: &Profile,
        now: OffsetDateTime,
    ) -> Result<Change, Refused> {
        self.revisable(actor)?;
        draft.check(people)?;
        let (symbol, series) = draft.particulars.numbered_as(office, profile, now)?;
        if office.id != self.office {
            return Err(Refused::NotYours);
        }
        if self.number.is_some() && (&symbol, &series) != (&self.symbol, &self.series) {
            return Err(Refused::NumberUnwritable {
                what: "the kind cannot change once the number is taken",
            });
        }
        let before = self.version;
        let entry = Entry::new(Event::DocumentRevised, actor, now)
            .about(self.id)
            .with("bundle", draft.bundle.digest())
            .with("base", draft.head.sha256);
        let document = Self {
            state: State::Draft,
            revision: self.revision.saturating_add(1),
            particulars: draft.particulars,
            symbol,
            series,
            chain: draft.chain,
            bundle: draft.bundle,
            manifest: draft.manifest,
            head: draft.head,
            signed: Vec::new(),
            number_drawn: false,
            waiting_since: now,
            ..self
        };
        Ok(Change::moved(before, document, entry))
    }

    /// Puts the document on its chain. With no checks in the chain it goes straight to the first signer; under
    /// `before_sign` it then takes its number (R50), for which `register` is needed.
    ///
    /// # Errors
    /// [`Refused::WrongState`], [`Refused::NotYours`], [`Refused::RegisterNeeded`], and what the register refuses.
    pub fn submit(
        self,
        actor: &Actor,
        register: Option<&Register>,
        now: OffsetDateTime,
    ) -> Result<Change, Refused> {
        if self.state != State::Draft {
            return Err(self.wrong_state());
        }
        self.must_be_submitter(actor)?;
        let entry = Entry::new(Event::DocumentSubmitted, actor, now)
            .about(self.id)
            .with("revision", self.revision)
            .with("bundle", self.bundle.digest());
        let before = self.version;
        if self.chain.steps.is_empty() {
            return self.chain_passed(register, entry, now);
        }
        let document = Self { state: State::InReview { step: 0 }, waiting_since: now, ..self };
        let notice = document.notice_next();
        Ok(Change::moved(before, document, entry).telling(notice))
    }

    /// Whether the next step takes a number, so that the caller must bring the register of this series and year.
    pub fn next_step_takes_number(&self, now: OffsetDateTime) -> bool {
        let passes = match self.state {
            State::Draft => self.chain.steps.is_empty(),
            State::InReview { step } => usize::from(step) + 1 == self.chain.steps.len(),
            _ => false,
        };
        let has_none = self.number.is_none() || self.number_of_another_year(now).is_some();
        passes && self.numbering == Numbering::BeforeSign && has_none
    }

    /// The chain is passed: on to the first signer, or first the number (R50). One that was taken in a year that has ended
    /// is void, and the next one is taken.
    pub(super) fn chain_passed(
        self,
        register: Option<&Register>,
        entry: Entry,
        now: OffsetDateTime,
    ) -> Result<Change, Refused> {
        if let Some(outdated) = self.number_of_another_year(now) {
            let voided = void(outdated, YEAR_ENDED, now);
            let entry = entry.with("void", outdated).with("reason", YEAR_ENDED);
            let unnumbered = Self { number: None, number_drawn: false, ..self };
            let change = unnumbered.chain_passed(register, entry, now)?;
            return Ok(Change { voided: Some(voided), ..change });
        }
        let before = self.version;
        if self.numbering != Numbering::BeforeSign || self.number_drawn {
            let document = Self { state: State::AwaitingSignature { signer: 0 }, waiting_since: now, ..self };
            let notice = document.notice_next();
            return Ok(Change::moved(before, document, entry).telling(notice));
        }
        let step = u16::try_from(self.chain.steps.len()).unwrap_or(u16::MAX);
        let taken = self.take_unless_numbered(register, now)?;
        let number = taken.as_ref().map(|taken| taken.number().clone()).or_else(|| self.number.clone());
        let entry = match &number {
            Some(number) => entry.with("number", number),
            None => entry,
        };
        let document = Self { state: State::InReview { step }, number, waiting_since: now, ..self };
        Ok(Change { taken, ..Change::moved(before, document, entry) })
    }

    /// The number taken before signing now stands in a new base: on to the first signer.
    ///
    /// # Errors
    /// [`Refused::WrongState`] unless the chain is passed and a number is waiting to be drawn;
    /// [`Refused::ContentChanged`] when the bundle given differs in more than the main file.
    pub fn number_drawn(
        self,
        bundle: Bundle,
        head: Head,
        manifest: Digest,
        now: OffsetDateTime,
    ) -> Result<Change, Refused> {
        if !self.is_drawing_number() {
            return Err(self.wrong_state());
        }
        let same = bundle.0.len() == self.bundle.0.len()
            && bundle.main().is_some_and(|file| file.sha256 == head.sha256)
            && bundle.0.iter().zip(&self.bundle.0).all(|(new, old)| {
                new.role == old.role && (new.role == crate::paper::FileRole::Main || new.sha256 == old.sha256)
            });
        if !same {
            return Err(Refused::ContentChanged { what: "the bundle" });
        }
        let before = self.version;
        let entry =
            Entry::new(Event::NumberDrawn, By::process("work"), now).about(self.id).with("base", head.sha256);
        let state = State::AwaitingSignature { signer: 0 };
        let document = Self { state, bundle, head, manifest, number_drawn: true, waiting_since: now, ..self };
        let notice = document.notice_next();
        Ok(Change::moved(before, document, entry).telling(notice))
    }

    /// Whether the chain is passed and the number taken before signing is still to be drawn into the base.
    pub fn is_drawing_number(&self) -> bool {
        matches!(self.state, State::InReview { step } if usize::from(step) == self.chain.steps.len())
            && self.number.is_some()
    }

    /// Whether it has no number, or one that is older than its last signature: a document that was given back after it
    /// was numbered, and signed anew on a later day, would carry a date before its signature (architecture, section 4).
    /// A number taken before signing is older by its nature.
    pub(super) fn needs_number(&self) -> bool {
        self.number.is_none() || self.stale_number().is_some()
    }

    /// The number that a newer one replaces.
    pub(super) fn stale_number(&self) -> Option<&DocumentNumber> {
        let signed = self.signed_at().map(day)?;
        self.number.as_ref().filter(|number| self.numbering != Numbering::BeforeSign && number.date < signed)
    }

    /// Takes a number dated today, unless the document has a good one already.
    pub(super) fn take_unless_numbered(
        &self,
        register: Option<&Register>,
        now: OffsetDateTime,
    ) -> Result<Option<Taken>, Refused> {
        if !self.needs_number() {
            return Ok(None);
        }
        let register = register.ok_or(Refused::RegisterNeeded)?;
        if register.office != self.office || register.series != self.series {
            return Err(Refused::WrongRegister);
        }
        let today = day(now);
        if let Some(signed) = self.signed_at().map(day)
            && today < signed
        {
            return Err(Refused::DateBeforeSignature { signed });
        }
        register.take(&self.symbol, today).map(Some)
    }

    fn must_be_submitter(&self, actor: &Actor) -> Result<(), Refused> {
        if actor.person == self.drafter || actor.person == self.chain.clerk {
            Ok(())
        } else {
            Err(Refused::NotYours)
        }
    }
}
