//! What becomes of a released document's copies (step 14): what the văn thư says of them, and what the clerk is told.
//! R76 makes the right address the clerk's duty, R83 the looking after every receiver.

use time::OffsetDateTime;

use super::{Document, State};
use crate::audit::Event;
use crate::change::{Change, NoticeKind};
use crate::email::EmailAddress;
use crate::paper::Channel;
use crate::people::Actor;
use crate::refused::Refused;
use crate::release::{Copy, CopyState, Hindrance, Receipt};

impl Document {
    /// The clerk handed a copy over, on paper or by whatever way this server does not go itself.
    ///
    /// # Errors
    /// [`Refused::NotAssignedClerk`], [`Refused::WrongState`] once recalled, [`Refused::WrongCopyState`] when the copy
    /// has left already.
    pub fn hand_over(&self, actor: &Actor, copy: Copy, now: OffsetDateTime) -> Result<Change, Refused> {
        self.may_send(actor, &copy)?;
        match copy.state {
            CopyState::Queued | CopyState::Undeliverable => Ok(copy.handed_by(actor, now)),
            _ => Err(copy.wrong_state()),
        }
    }

    /// The clerk has a copy sent by e-mail once more: at once, to a corrected address, or by e-mail instead of a channel
    /// that is not there. Whom the leader decided on stays; where they read their mail is not his decision.
    ///
    /// # Errors
    /// [`Refused::NotAssignedClerk`], [`Refused::WrongState`] once recalled, [`Refused::MetadataMissing`] without any
    /// address, [`Refused::WrongCopyState`] when the receiver has it.
    pub fn send_again(
        &self,
        actor: &Actor,
        copy: Copy,
        to: Option<EmailAddress>,
        now: OffsetDateTime,
    ) -> Result<Change, Refused> {
        self.may_send(actor, &copy)?;
        if copy.state.rank() > CopyState::Handed.rank() {
            return Err(copy.wrong_state());
        }
        let mut recipient = copy.recipient.clone();
        if let Some(to) = to {
            recipient.email = Some(to);
            recipient.channel = Channel::Email;
        }
        let Some(address) = recipient.email.as_ref().filter(|_| recipient.channel == Channel::Email) else {
            return Err(Refused::MetadataMissing { fields: "email".to_owned() });
        };
        let entry = copy.entry(Event::CopySentAgain, actor, now).with("to", address);
        Ok(Copy { recipient, ..copy }.to(CopyState::Queued, now).clear().change(entry))
    }

    /// The clerk notes what a receiver answered (R82, R83).
    ///
    /// # Errors
    /// [`Refused::NotAssignedClerk`], and as [`Copy::receive`].
    pub fn note_receipt(
        &self,
        actor: &Actor,
        copy: Copy,
        receipt: &Receipt,
        now: OffsetDateTime,
    ) -> Result<Change, Refused> {
        self.must_be_clerk(actor)?;
        self.is_mine(&copy)?;
        copy.receive(receipt, actor, now)
    }

    /// A copy, or the request to give it back, cannot leave. `said` is what the other side gave as the reason. `None`
    /// when all of that is known. The clerk is told of what will not mend by itself.
    ///
    /// # Errors
    /// [`Refused::WrongCopyState`] when the copy waits for nothing.
    pub fn copy_hindered(
        &self,
        copy: Copy,
        by: Hindrance,
        said: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<Option<Change>, Refused> {
        self.is_mine(&copy)?;
        let told = by.is_final().then(|| self.notice(self.chain.clerk, NoticeKind::CopyUndeliverable));
        Ok(copy.hindered(by, said, now)?.map(|change| change.telling(told)))
    }

    fn may_send(&self, actor: &Actor, copy: &Copy) -> Result<(), Refused> {
        self.must_be_clerk(actor)?;
        self.is_mine(copy)?;
        match self.state {
            State::Released { recall: None, .. } => Ok(()),
            _ => Err(self.wrong_state()),
        }
    }

    fn is_mine(&self, copy: &Copy) -> Result<(), Refused> {
        if copy.document == self.id { Ok(()) } else { Err(Refused::WrongCopy) }
    }
}
