//! Where an attempt is: the words rows hold, and the enum that carries what is known in each state.

use time::OffsetDateTime;

use crate::codes::codes;
use crate::ids::DecisionId;

codes! {
    /// The word of an attempt's state, as rows carry it.
    AttemptStateName "attempt_state" {
        /// The revision is prepared; nothing was asked.
        Prepared = "prepared",
        /// The leader decided; waits for its turn on the number.
        Approved = "approved",
        /// The request is about to leave, or left.
        Sending = "sending",
        /// The MSSP acknowledged; the SIM shows the prompt.
        Accepted = "accepted",
        /// Nobody knows whether the SIM was asked.
        Indeterminate = "indeterminate",
        /// The raw signature is here.
        SignedRaw = "signed_raw",
        /// It verified and stands in a CMS.
        Verified = "verified",
        /// The CMS carries its time stamp.
        Stamped = "stamped",
        /// It stands in the file, or the enrolment statement was kept.
        Embedded = "embedded",
        /// Cancelled on the SIM.
        Declined = "declined",
        /// The prompt's time ran out.
        Expired = "expired",
        /// The approval was not sent in time.
        Lapsed = "lapsed",
        /// The phone could not be reached.
        Undeliverable = "undeliverable",
        /// The PIN is blocked.
        Blocked = "blocked",
        /// The number has no SIM PKI.
        NotEnrolled = "not_enrolled",
        /// The certificate is expired, revoked or another one.
        CertInvalid = "cert_invalid",
        /// The answer was not acceptable.
        Rejected = "rejected",
        /// The provider was down before the request left.
        ProviderDown = "provider_down",
        /// A late signature, kept encrypted and unused.
        SignedHeld = "signed_held",
        /// A late signature that the leader gave up; it is destroyed.
        Voided = "voided",
    }
}

impl AttemptStateName {
    /// Whether the SIM may be showing a prompt: at most one such attempt per number, held by a partial unique index.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Sending | Self::Accepted | Self::Indeterminate | Self::SignedRaw)
    }

    /// Whether nothing more will come of it by itself.
    pub const fn is_final(self) -> bool {
        !matches!(
            self,
            Self::Prepared
                | Self::Approved
                | Self::Sending
                | Self::Accepted
                | Self::Indeterminate
                | Self::SignedRaw
                | Self::Verified
                | Self::Stamped
        )
    }
}

codes! {
    /// Why an attempt came to nothing.
    Failure "failure" {
        /// Cancelled on the SIM.
        Declined = "declined",
        /// The prompt's time ran out.
        Expired = "expired",
        /// The approval was not sent in time.
        Lapsed = "lapsed",
        /// The phone could not be reached.
        Undeliverable = "undeliverable",
        /// The PIN is blocked.
        Blocked = "blocked",
        /// The number has no SIM PKI.
        NotEnrolled = "not_enrolled",
        /// The certificate is expired, revoked or another one.
        CertInvalid = "cert_invalid",
        /// The answer was not acceptable.
        Rejected = "rejected",
        /// The provider was down before the request left.
        ProviderDown = "provider_down",
    }
}

codes! {
    /// Who assembled the CMS; both make identical bytes.
    CmsFrom "cms_from" {
        /// The leader's phone.
        Device = "device",
        /// The server, because no phone was watching.
        Server = "server",
    }
}

/// Where an attempt is, with what is known there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptState {
    /// The revision is prepared.
    Prepared,
    /// The leader decided.
    Approved {
        /// By which decision.
        decision: DecisionId,
        /// It lapses then at the latest.
        until: OffsetDateTime,
        /// Since when it heads the queue of its number.
        heading_since: Option<OffsetDateTime>,
    },
    /// The request is about to leave, or left.
    Sending,
    /// The MSSP acknowledged.
    Accepted {
        /// The MSSP's transaction: the only handle on the prompt.
        transaction: String,
    },
    /// Nobody knows whether the SIM was asked.
    Indeterminate {
        /// The transaction, when the acknowledgement had come.
        transaction: Option<String>,
    },
    /// The raw signature is here.
    SignedRaw {
        /// The transaction it answers.
        transaction: Option<String>,
        /// The signature value.
        signature: Vec<u8>,
    },
    /// It verified and stands in a CMS.
    Verified {
        /// The signature value.
        signature: Vec<u8>,
        /// The detached CMS, without a time stamp.
        cms: Vec<u8>,
        /// Who assembled it.
        cms_from: CmsFrom,
    },
    /// The CMS carries its time stamp.
    Stamped {
        /// The detached CMS with the time stamp.
        cms: Vec<u8>,
        /// Who assembled it.
        cms_from: CmsFrom,
        /// The time stamp's time.
        stamped: OffsetDateTime,
    },
    /// It stands in the file, or the enrolment statement was kept.
    Embedded {
        /// Who assembled the CMS.
        cms_from: CmsFrom,
    },
    /// It came to nothing.
    Ended(Failure),
    /// A late signature, kept as sealed bytes.
    SignedHeld {
        /// The signature value, encrypted by the caller.
        sealed: Vec<u8>,
    },
    /// The leader gave the late signature up, and it was destroyed.
    Voided,
}

impl AttemptState {
    /// The state's word.
    pub const fn name(&self) -> AttemptStateName {
        match self {
            Self::Prepared => AttemptStateName::Prepared,
            Self::Approved { .. } => AttemptStateName::Approved,
            Self::Sending => AttemptStateName::Sending,
            Self::Accepted { .. } => AttemptStateName::Accepted,
            Self::Indeterminate { .. } => AttemptStateName::Indeterminate,
            Self::SignedRaw { .. } => AttemptStateName::SignedRaw,
            Self::Verified { .. } => AttemptStateName::Verified,
            Self::Stamped { .. } => AttemptStateName::Stamped,
            Self::Embedded { .. } => AttemptStateName::Embedded,
            Self::Ended(failure) => match failure {
                Failure::Declined => AttemptStateName::Declined,
                Failure::Expired => AttemptStateName::Expired,
                Failure::Lapsed => AttemptStateName::Lapsed,
                Failure::Undeliverable => AttemptStateName::Undeliverable,
                Failure::Blocked => AttemptStateName::Blocked,
                Failure::NotEnrolled => AttemptStateName::NotEnrolled,
                Failure::CertInvalid => AttemptStateName::CertInvalid,
                Failure::Rejected => AttemptStateName::Rejected,
                Failure::ProviderDown => AttemptStateName::ProviderDown,
            },
            Self::SignedHeld { .. } => AttemptStateName::SignedHeld,
            Self::Voided => AttemptStateName::Voided,
        }
    }
}
