//! Why the rules say no. Each case has a stable code for machines; the sentence for people lives in the apps.

use time::Date;

use crate::document::StateName;
use crate::ids::PersonId;
use crate::paper::{Capacity, Secrecy};
use crate::people::Role;
use crate::release::CopyState;
use crate::signing::AttemptStateName;

/// A step the rules do not allow, with what the reader needs to know to go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The document is not where this step begins.
    #[error("the document is {state}: this step does not begin there; load it again")]
    WrongState {
        /// Where it is.
        state: StateName,
    },
    /// The attempt is not where this step begins.
    #[error("the attempt is {state}: this step does not begin there; load it again")]
    WrongAttemptState {
        /// Where it is.
        state: AttemptStateName,
    },
    /// The attempt belongs to another document, person or revision.
    #[error("the attempt belongs to something else; prepare a new one")]
    WrongAttempt,
    /// It is somebody else's turn.
    #[error("this step is another person's to take")]
    NotYours,
    /// The step is for a role the person does not have.
    #[error("this step needs the role {role}")]
    RoleNeeded {
        /// Which.
        role: Role,
    },
    /// Not the văn thư this document was assigned to (R55).
    #[error("only the assigned clerk may do this, in person")]
    NotAssignedClerk,
    /// No written appointment covers the capacity on this day (R42).
    #[error("no appointment covers signing as {capacity} today")]
    NotAppointed {
        /// Which capacity.
        capacity: Capacity,
    },
    /// Classified documents never enter (R1).
    #[error("classified ({secrecy}): state secrets are not processed by this system")]
    Classified {
        /// Its degree.
        secrecy: Secrecy,
    },
    /// Required data is missing or too long (R31).
    #[error("missing or unacceptable: {fields}")]
    MetadataMissing {
        /// The short names of C1.5, comma-separated.
        fields: String,
    },
    /// The chain names nobody who may sign, or the same person twice.
    #[error("the signing chain is not usable: {what}")]
    ChainUnusable {
        /// What is wrong with it.
        what: &'static str,
    },
    /// A signer, checker or clerk of the chain is nobody who may act as such (R18, R19).
    #[error("{person} is no active {role} here")]
    UnknownSigner {
        /// Who was named.
        person: PersonId,
        /// What they would have to be.
        role: Role,
    },
    /// What was decided on is not what is there.
    #[error("{what} is not what was shown; read the document again")]
    ContentChanged {
        /// Which part differs.
        what: &'static str,
    },
    /// A decision on this very revision is on its way.
    #[error("a decision on this revision is already on its way")]
    AlreadyDeciding,
    /// The decision came after its own expiry.
    #[error("the decision has expired; decide again")]
    DecisionExpired,
    /// Policy `leader_client: native` and the decision came from the web.
    #[error("this agency lets leaders sign in the native application only")]
    ClientRefused,
    /// A decision must come from an enrolled device (its key signs it).
    #[error("a decision needs an enrolled device")]
    DeviceNeeded,
    /// The number must be taken from the register in this step.
    #[error("this step takes a number: give it the register")]
    RegisterNeeded,
    /// The register is of another office, series or year.
    #[error("the register is another one than the document's")]
    WrongRegister,
    /// The series already has a later date, or a later number was taken on a later day.
    #[error("the series already reached {last}: a number cannot be dated before it")]
    DateBeforeSeries {
        /// The last date of the series.
        last: Date,
    },
    /// The number would be dated before the leader's time stamp.
    #[error("the leader's time stamp is of {signed}: the document cannot be dated before it")]
    DateBeforeSignature {
        /// The +07:00 day of the time stamp.
        signed: Date,
    },
    /// The number cannot be written within the lengths of C1.5.
    #[error("the number or symbol does not fit: {what}")]
    NumberUnwritable {
        /// Which part and why.
        what: &'static str,
    },
    /// The number was taken last year: it must be made void and taken anew before the leader signs.
    #[error("the number is of {year}: take a new one")]
    NumberOfAnotherYear {
        /// Its year.
        year: i32,
    },
    /// A void, return, rejection, withdrawal or recall without its reason (R84).
    #[error("give the reason")]
    ReasonNeeded,
    /// An opinion names bytes that are not the document's any more.
    #[error("the opinion is about other bytes; read the document again")]
    OpinionOnOtherBytes,
    /// A signature the law asks for is not there (R2).
    #[error("the signature in field {field} is missing")]
    SignatureMissing {
        /// Which declared field.
        field: String,
    },
    /// A signature is there and does not verify (R2).
    #[error("the signature in field {field} does not verify")]
    SignatureBroken {
        /// Which declared field.
        field: String,
    },
    /// The signature was made with another certificate than the one decided on.
    #[error("the signature in field {field} is not by the assigned certificate")]
    SignedByOther {
        /// Which declared field.
        field: String,
    },
    /// A file or recipient that the leader did not decide on (R11, R47).
    #[error("{what} is outside what the leader decided on")]
    OutsideDecision {
        /// `attachment`, `recipient` and so on.
        what: &'static str,
    },
    /// The scanner found malware in the bundle (R80).
    #[error("malware was found in the bundle")]
    Infected,
    /// The virus scan that policy requires was not done (R80).
    #[error("the bundle has not been scanned")]
    NotScanned,
    /// Nobody would receive it (R76).
    #[error("name at least one recipient")]
    NoRecipient,
    /// A receipt code that a receiver cannot give (QCVN 102).
    #[error("a receiver answers with 01 to 06, 15 or 16")]
    WrongReceipt,
    /// The recipient's copy is not where this step begins.
    #[error("the copy is {state}: this step does not begin there; load it again")]
    WrongCopyState {
        /// Where it is.
        state: CopyState,
    },
    /// The copy is of another document.
    #[error("the copy is of another document")]
    WrongCopy,
}

impl Refused {
    /// The stable code for machines.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::WrongState { .. } => "wrong_state",
            Self::WrongAttemptState { .. } => "wrong_attempt_state",
            Self::WrongAttempt => "wrong_attempt",
            Self::NotYours => "not_yours",
            Self::RoleNeeded { .. } => "role_needed",
            Self::NotAssignedClerk => "not_assigned_clerk",
            Self::NotAppointed { .. } => "not_appointed",
            Self::Classified { .. } => "classified",
            Self::MetadataMissing { .. } => "metadata_missing",
            Self::ChainUnusable { .. } => "chain_unusable",
            Self::UnknownSigner { .. } => "unknown_signer",
            Self::ContentChanged { .. } => "content_changed",
            Self::AlreadyDeciding => "already_deciding",
            Self::DecisionExpired => "decision_expired",
            Self::ClientRefused => "client_refused",
            Self::DeviceNeeded => "device_needed",
            Self::RegisterNeeded => "register_needed",
            Self::WrongRegister => "wrong_register",
            Self::DateBeforeSeries { .. } => "date_before_series",
            Self::DateBeforeSignature { .. } => "date_before_signature",
            Self::NumberUnwritable { .. } => "number_unwritable",
            Self::NumberOfAnotherYear { .. } => "number_of_another_year",
            Self::ReasonNeeded => "reason_needed",
            Self::OpinionOnOtherBytes => "opinion_on_other_bytes",
            Self::SignatureMissing { .. } => "signature_missing",
            Self::SignatureBroken { .. } => "signature_broken",
            Self::SignedByOther { .. } => "signed_by_other",
            Self::OutsideDecision { .. } => "outside_decision",
            Self::Infected => "infected",
            Self::NotScanned => "not_scanned",
            Self::NoRecipient => "no_recipient",
            Self::WrongReceipt => "wrong_receipt",
            Self::WrongCopyState { .. } => "wrong_copy_state",
            Self::WrongCopy => "wrong_copy",
        }
    }
}
