//! One wish for one signature, as a machine that asks the SIM at most once, whatever fails around it.
//!
//! ```text
//! Prepared --approve--> Approved --poll--> Sending --ack--> Accepted --status--> SignedRaw
//!                        │  ▲               │ │                │ ▲                  │
//!        not sent in time│  └─no connection─┘ └─no answer─┐    │ │status            └─wish withdrawn─► SignedHeld
//!                        ▼                                ▼    ▼ │
//!                      Ended ◄──────────── lapse ─────── Indeterminate        Ended: declined, expired, lapsed, …
//! ```
//!
//! The caller owns socket, clock and row: it polls, **stores the attempt**, then sends what it was given.
//! [`Attempt::poll`] moves to `Sending` before it hands out the request, so an attempt read back from its row in
//! `Sending` may or may not have reached a phone: it becomes `Indeterminate` and is never sent again. Only the
//! process that saw a connection fail before TLS was up may try anew. "We do not know" is a state, not an
//! error; it ends by an answer, by a late signature, or by the prompt's own time limit.
//!
//! TS 102 204 has no cancel: [`Attempt::withdraw`] stops the wish, not the prompt. A signature that comes
//! nevertheless is held, never embedded, until the leader decides again.

mod machine;
mod stored;
mod timing;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub use self::timing::{InvalidTiming, Timing};
use crate::{
    digest::DtbsDigest,
    display::DisplayText,
    ids::{ApTransId, Msisdn, MsspTransId},
    reply::{Code, SignatureValue, WhyUnreadable},
    request::Request,
    status::{Ending, Retry, Sentence},
};

/// What would be asked of the SIM; nothing has been and nobody has agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// Whose SIM.
    pub msisdn: Msisdn,
    /// What is signed.
    pub digest: DtbsDigest,
    /// What the prompt says.
    pub display: DisplayText,
}

impl Prepared {
    /// Turns a wish that its owner has agreed to into an attempt that may be sent until `until`.
    ///
    /// `ap_trans_id` must be fresh: one per attempt, never one that was used before.
    pub fn approve(self, ap_trans_id: ApTransId, timing: Timing, until: OffsetDateTime) -> Attempt {
        let state = State::Approved { until, not_before: None };
        Attempt { ap_trans_id, terms: self, timing, state, withdrawn: false, trouble: None }
    }
}

/// An approved wish and how far it has come. Serialise it as it is; the form is versioned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "stored::Stored", into = "stored::Stored")]
pub struct Attempt {
    ap_trans_id: ApTransId,
    terms: Prepared,
    timing: Timing,
    state: State,
    withdrawn: bool,
    trouble: Option<Trouble>,
}

/// Where an attempt stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// May be sent until `until`, and not before `not_before` after a failed connection.
    Approved {
        /// Then it is too late to surprise the leader with a prompt.
        #[serde(with = "time::serde::rfc3339")]
        until: OffsetDateTime,
        /// Next try to connect.
        #[serde(with = "time::serde::rfc3339::option", default, skip_serializing_if = "Option::is_none")]
        not_before: Option<OffsetDateTime>,
    },
    /// The request is being sent, by this process.
    Sending {
        /// Since when.
        #[serde(with = "time::serde::rfc3339")]
        since: OffsetDateTime,
        /// As in `Approved`: what is left if the connection turns out never to have been.
        #[serde(with = "time::serde::rfc3339")]
        until: OffsetDateTime,
    },
    /// The provider has it and says so.
    Accepted(Watch),
    /// The request may be on a phone; nobody knows.
    Indeterminate {
        /// When the request was sent, or was about to be.
        #[serde(with = "time::serde::rfc3339")]
        since: OffsetDateTime,
        /// The schedule, if there is a handle to ask by.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        watch: Option<Watch>,
    },
    /// The SIM signed. Not yet verified by anyone.
    SignedRaw(Signed),
    /// The SIM signed a wish that was withdrawn or given up meanwhile.
    SignedHeld(Signed),
    /// There will be no signature.
    Ended(End),
}

/// How an accepted transaction is asked after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    handle: MsspTransId,
    #[serde(with = "time::serde::rfc3339")]
    sent_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    next_at: OffsetDateTime,
    asked: u32,
    /// A query without an answer yet. Not stored: after a restart nobody waits for its answer.
    #[serde(skip)]
    asking_since: Option<OffsetDateTime>,
}

impl Watch {
    /// The provider's handle.
    pub fn handle(&self) -> &MsspTransId {
        &self.handle
    }

    /// How often it was asked.
    pub fn asked(&self) -> u32 {
        self.asked
    }
}

/// What the SIM returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The bytes.
    pub signature: SignatureValue,
    /// When they arrived.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Whether the provider claims to have validated them: for the log, not for trust.
    pub provider_validated: bool,
}

/// How and why an attempt ended without a signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The named end.
    pub ending: Ending,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What the leader is told.
    pub sentence: Sentence,
    /// Who can do something about it.
    pub retry: Retry,
    /// The provider's raw code, if it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The provider's words, redacted, for the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Another prompt on this number is pointless before this time (406: one is live).
    #[serde(with = "time::serde::rfc3339::option", default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<OffsetDateTime>,
}

/// The last thing that went wrong without deciding anything; forgotten at the next good answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "trouble", rename_all = "snake_case")]
pub enum Trouble {
    /// No connection; nothing was sent.
    Unreachable,
    /// The connection broke after bytes had left.
    ConnectionLost,
    /// The process stopped while sending.
    Restarted,
    /// No answer in time.
    NoAnswer,
    /// An answer that is no message.
    Unreadable {
        /// Its HTTP status.
        http_status: u16,
        /// What was wrong with it.
        why: WhyUnreadable,
    },
    /// An answer whose echoes are not ours, or of the wrong kind.
    NotOurs,
    /// The provider does not know the handle it gave.
    UnknownTransaction,
    /// The provider is in trouble itself.
    Provider {
        /// Its code, if any.
        code: Option<Code>,
        /// Its words, redacted.
        text: Option<String>,
    },
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Store the attempt, then send this, then call `receive` or `transport_failed`.
    Send(Request),
    /// Nothing before this time.
    Wait(OffsetDateTime),
    /// Nothing ever again.
    Done(Outcome),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Bytes to verify and use.
    Signed(SignatureValue),
    /// Bytes to verify and keep, not to use.
    Held(SignatureValue),
    /// None.
    Ended(End),
}

/// Where a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedAt {
    /// TLS was not up: no byte of the request has left.
    BeforeTls,
    /// Bytes may have left.
    AfterSend,
}

impl Attempt {
    /// Our name for it on the wire.
    pub fn ap_trans_id(&self) -> &ApTransId {
        &self.ap_trans_id
    }

    /// What is asked.
    pub fn terms(&self) -> &Prepared {
        &self.terms
    }

    /// Where it stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The last thing that went wrong without deciding anything.
    pub fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// Whether its wish was withdrawn.
    pub fn withdrawn(&self) -> bool {
        self.withdrawn
    }

    /// The stable name of the state, as in rows and on the wire.
    pub fn state_name(&self) -> &'static str {
        match &self.state {
            State::Approved { .. } => "approved",
            State::Sending { .. } => "sending",
            State::Accepted(_) => "accepted",
            State::Indeterminate { .. } => "indeterminate",
            State::SignedRaw(_) => "signed_raw",
            State::SignedHeld(_) => "signed_held",
            State::Ended(end) => end.ending.as_str(),
        }
    }

    /// Whether a prompt may be on the SIM or its result unfinished: one such attempt per number.
    pub fn is_live(&self) -> bool {
        use State::{Accepted, Indeterminate, Sending, SignedRaw};
        matches!(self.state, Sending { .. } | Accepted(_) | Indeterminate { .. } | SignedRaw(_))
    }

    /// What the leader is told about it now.
    pub fn sentence(&self) -> Sentence {
        match &self.state {
            State::Approved { .. } | State::Sending { .. } | State::Accepted(_) => Sentence::Pending,
            State::Indeterminate { .. } => Sentence::Indeterminate,
            State::SignedRaw(_) | State::SignedHeld(_) => Sentence::Signed,
            State::Ended(end) => end.sentence,
        }
    }
}

#[cfg(test)]
mod tests;
