//! Two errors on purpose: [`Error`] says what happened, for logs and tests; [`CoreError`] says what to do next, for
//! apps. One `match` leads from the first to the second, so no screen has to guess from a text.
//!
//! Codes are those of [`trinhky_protos::problem::Code`] and, for what only a device can meet, of [`crate::codes`].

use time::OffsetDateTime;
use trinhky_pades::changes::TailRefused;
use trinhky_protos::HexDigest;
use trinhky_protos::problem::{Code, Problem};
use trinhky_protos::signing::CodeKind;

use crate::codes::{self, LocalCode};
use crate::platform::{ChanceError, DeviceKeyError, KeepError, TransportError};

/// Everything that can go wrong in the core.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No answer from the server.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The server refused.
    #[error("the server refused: {} ({}){}", .0.code, .0.title, .0.what.as_deref().map(|w| format!(": {w}")).unwrap_or_default())]
    Refused(Box<Problem>),
    /// The server's answer is not what the contract says.
    #[error("the answer to {asked} is not understood: {why}")]
    Unreadable {
        /// What was asked.
        asked: &'static str,
        /// What is wrong with the answer.
        why: String,
    },
    /// The device key could not be used.
    #[error(transparent)]
    DeviceKey(#[from] DeviceKeyError),
    /// The device's storage failed.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// No randomness.
    #[error(transparent)]
    Chance(#[from] ChanceError),
    /// The bytes are not those named or shown.
    #[error("{what} is {found}, not {expected}")]
    BaseChanged {
        /// Which bytes.
        what: String,
        /// As named or shown.
        expected: HexDigest,
        /// As digested here.
        found: HexDigest,
    },
    /// A file is not the length it was said to be, or longer than the device takes.
    #[error("{what} has {found} bytes, not {expected}")]
    WrongLength {
        /// Which file.
        what: String,
        /// As named.
        expected: u64,
        /// As received.
        found: u64,
    },
    /// The main document cannot be read as a PDF.
    #[error("the main document cannot be read: {0}")]
    Document(String),
    /// This device is not enrolled, or for somebody else.
    #[error("this device is not enrolled for this person")]
    NotEnrolled,
    /// The certificate is not the one this device knows, or not this person's.
    #[error("not the signer's certificate: {why}")]
    CertificateMismatch {
        /// In what it differs.
        why: String,
    },
    /// The certificate is outside its validity.
    #[error("the certificate is valid from {not_before} to {not_after}")]
    CertificateExpired {
        /// First instant.
        not_before: OffsetDateTime,
        /// Last instant.
        not_after: OffsetDateTime,
    },
    /// The code would be made in another way than the SIM signed when this device was enrolled.
    #[error("the code is to be made as {given:?}, not {signed:?} as enrolled")]
    CodeKind {
        /// As the statement of this device's enrolment says.
        signed: CodeKind,
        /// As the server says now.
        given: CodeKind,
    },
    /// The text for the SIM does not speak of this document.
    #[error("the SIM would show {given:?}: {why}")]
    DisplayText {
        /// In what it differs.
        why: String,
        /// What the server gave.
        given: String,
    },
    /// The enrolment statement is not about this person and this device.
    #[error("the enrolment statement is not for this person and device: {why}")]
    Statement {
        /// In what it differs.
        why: String,
    },
    /// The manifest is not the one of the document that was shown.
    #[error("the manifest is not that of the document shown: {0}")]
    Manifest(String),
    /// The appended part does more than add this signature, or a declared field lies where it must not.
    #[error(transparent)]
    Tail(#[from] TailRefused),
    /// The preparation is for another signer's field.
    #[error("the preparation is not for this signer: {why}")]
    WrongField {
        /// In what it differs.
        why: String,
    },
    /// The server names a decision as this device's newest that this device did not make.
    #[error("the server names {newest:?} as this device's newest decision")]
    History {
        /// As the server has it.
        newest: Option<HexDigest>,
    },
    /// The audit log is shorter than it was.
    #[error("the audit log had {seen} entries and now has {given}")]
    AuditShrank {
        /// In the newest checkpoint seen before.
        seen: u64,
        /// In the one given now.
        given: u64,
    },
    /// The audit log is another than the one this device has seen, or what stands for it cannot be read.
    #[error("the audit log is not the one seen before: {why}")]
    AuditForked {
        /// In what it differs.
        why: String,
    },
    /// The decision would count for longer than any may: the server lies, or this device's clock is far off.
    #[error("what was prepared would count until {0}")]
    GoodForTooLong(OffsetDateTime),
    /// What was prepared has expired.
    #[error("what was prepared has expired at {0}")]
    Expired(OffsetDateTime),
    /// The raw value of the SIM is not a signature over what was shown.
    #[error("the SIM's signature does not fit what was shown: {why}")]
    SignatureInvalid {
        /// What is wrong with it.
        why: String,
    },
    /// It is not this person's turn, or the document is in no state to be signed.
    #[error("the document does not wait for this person's signature: {0}")]
    NotWaiting(String),
}

/// What a person is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The stable code.
    pub code: String,
    /// One Vietnamese sentence that says what the reader can do.
    pub message: String,
    /// What exactly, in English, for support.
    pub what: String,
}

/// What the app does next. The few cases are all there will be; new causes get new codes inside them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CoreError {
    /// Show the sign-in screen.
    #[error("sign in again: {} ({})", .0.code, .0.what)]
    SignIn(Told),
    /// Nothing was decided by this step; offer "try again".
    #[error("try again later: {} ({})", .0.code, .0.what)]
    Retry(Told),
    /// The document moved on; fetch it and read it again.
    #[error("read again: {} ({})", .0.code, .0.what)]
    ReadAgain(Told),
    /// What the server prepared is not what was shown. Do not sign; keep the evidence; tell security.
    #[error("do not sign: {} ({})", .0.code, .0.what)]
    DoNotSign(Told),
    /// This device must be enrolled first.
    #[error("enrol this device: {} ({})", .0.code, .0.what)]
    Enrol(Told),
    /// The person cannot repair it; call the administrator.
    #[error("ask the administrator: {} ({})", .0.code, .0.what)]
    Administrator(Told),
}

impl CoreError {
    /// What a person is told.
    pub fn told(&self) -> &Told {
        match self {
            Self::SignIn(told)
            | Self::Retry(told)
            | Self::ReadAgain(told)
            | Self::DoNotSign(told)
            | Self::Enrol(told)
            | Self::Administrator(told) => told,
        }
    }
}

impl From<Error> for CoreError {
    fn from(error: Error) -> Self {
        let what = error.to_string();
        let local = |code: LocalCode| Told {
            code: code.code.into(),
            message: code.vietnamese.into(),
            what: what.clone(),
        };
        let shared = |code: Code| Told {
            code: code.as_str().into(),
            message: code.vietnamese().into(),
            what: what.clone(),
        };
        match error {
            Error::Transport(_) => Self::Retry(local(codes::OFFLINE)),
            Error::Refused(problem) => refused(*problem, what),
            Error::Unreadable { .. } => Self::Administrator(local(codes::ANSWER_UNREADABLE)),
            Error::DeviceKey(DeviceKeyError::NotAllowed) => Self::Retry(local(codes::DEVICE_KEY_NOT_ALLOWED)),
            Error::DeviceKey(DeviceKeyError::Failed(_)) => Self::Enrol(local(codes::DEVICE_KEY_FAILED)),
            Error::Keep(_) => Self::Retry(local(codes::STORAGE_FAILED)),
            Error::Chance(_) => Self::Retry(local(codes::NO_RANDOMNESS)),
            Error::BaseChanged { .. } | Error::WrongLength { .. } => {
                Self::DoNotSign(shared(Code::BaseChanged))
            }
            Error::Document(_) => Self::DoNotSign(shared(Code::BrokenPdf)),
            Error::NotEnrolled => Self::Enrol(shared(Code::DeviceUnknown)),
            Error::CertificateMismatch { .. } => Self::DoNotSign(shared(Code::CertificateMismatch)),
            Error::CertificateExpired { .. } => Self::Administrator(shared(Code::CertificateExpired)),
            Error::CodeKind { .. } => Self::DoNotSign(local(codes::CODE_KIND_CHANGED)),
            Error::DisplayText { .. } => Self::DoNotSign(local(codes::DISPLAY_TEXT_MISMATCH)),
            Error::Statement { .. } => Self::DoNotSign(local(codes::STATEMENT_MISMATCH)),
            Error::Tail(TailRefused::ChangesPage(_)) => Self::DoNotSign(shared(Code::TailChangesPage)),
            Error::Tail(TailRefused::FieldOutsidePlace(_)) => {
                Self::DoNotSign(shared(Code::FieldOutsidePlace))
            }
            Error::Manifest(_) | Error::Tail(TailRefused::NotTheManifest(_)) => {
                Self::DoNotSign(local(codes::MANIFEST_MISMATCH))
            }
            Error::Tail(_) | Error::WrongField { .. } => Self::DoNotSign(shared(Code::TailForbidden)),
            Error::History { .. } | Error::AuditShrank { .. } | Error::AuditForked { .. } => {
                Self::DoNotSign(local(codes::HISTORY_BROKEN))
            }
            Error::GoodForTooLong(_) => Self::DoNotSign(local(codes::VALIDITY_TOO_LONG)),
            Error::Expired(_) => Self::ReadAgain(shared(Code::DecisionExpired)),
            Error::SignatureInvalid { .. } => Self::DoNotSign(shared(Code::SignatureInvalid)),
            Error::NotWaiting(_) => Self::ReadAgain(shared(Code::WrongState)),
        }
    }
}

/// The server's own sentence is kept; its code decides the next step.
fn refused(problem: Problem, what: String) -> CoreError {
    let code = Code::parse(&problem.code);
    let status = problem.status;
    let told = Told { code: problem.code, message: problem.detail, what };
    match code {
        Some(Code::Unauthenticated | Code::BadCredentials) => CoreError::SignIn(told),
        Some(Code::DeviceUnknown) => CoreError::Enrol(told),
        Some(
            Code::HeadMoved
            | Code::Stale
            | Code::WrongState
            | Code::NotFound
            | Code::NotYours
            | Code::AlreadyDeciding
            | Code::DecisionExpired
            | Code::DecisionReplayed
            | Code::AttemptEnded,
        ) => CoreError::ReadAgain(told),
        Some(Code::DecisionInvalid | Code::CmsMismatch | Code::SignatureInvalid | Code::BaseChanged) => {
            CoreError::DoNotSign(told)
        }
        Some(Code::RateLimited | Code::InFlight | Code::RevocationUnavailable | Code::Unavailable) => {
            CoreError::Retry(told)
        }
        _ if status >= 500 => CoreError::Retry(told),
        _ => CoreError::Administrator(told),
    }
}
