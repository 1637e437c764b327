//! The table of status codes as data: TS 102 204 names, `FiCom` specifiers, what each means here.

use super::{
    Ending::{Blocked, CertInvalid, Declined, Expired, NotEnrolled, ProviderDown, Rejected, Undeliverable},
    Meaning,
    Means::{self, Ended, Pending, Registered, Signed},
    Retry::{self, Later, Leader, None as Never, Operator},
    Sentence as Say,
};

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Three digits.
    pub code: u16,
    /// Four digits, where the line is about a specifier.
    pub specifier: Option<u16>,
    /// The standard's name, with `FiCom`'s words for a specifier.
    pub name: &'static str,
    means: Means,
    retry: Retry,
    sentence: Say,
}

impl Row {
    /// What the line says.
    pub const fn meaning(&self) -> Meaning {
        Meaning {
            means: self.means,
            retry: self.retry,
            sentence: self.sentence,
            about_transaction: !matches!(self.means, Ended(ProviderDown)),
        }
    }
}

const fn row(code: u16, name: &'static str, means: Means, retry: Retry, sentence: Say) -> Row {
    Row { code, specifier: None, name, means, retry, sentence }
}

const fn sub(specifier: u16, name: &'static str, means: Means, retry: Retry, sentence: Say) -> Row {
    Row { code: specifier / 10, specifier: Some(specifier), name, means, retry, sentence }
}

/// All known codes in ascending order; specifiers follow their code.
///
/// 101 and 102 to a *status query* may also mean "no such transaction"; the attempt knows what it asked.
/// 501 may come with signature bytes, which are discarded: the certificate was revoked.
#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    row(100, "REQUEST_OK", Pending, Never, Say::Pending),
    row(101, "WRONG_PARAM", Ended(Rejected), Operator, Say::BadRequest),
    sub(1011, "invalid NoSpam", Ended(Rejected), Operator, Say::BadRequest),
    sub(1012, "missing NoSpam", Ended(Rejected), Operator, Say::BadRequest),
    sub(1013, "illegal MessagingMode", Ended(Rejected), Operator, Say::BadRequest),
    sub(1014, "unknown AdditionalService", Ended(Rejected), Operator, Say::BadRequest),
    sub(1015, "DataToBeDisplayed not supported", Ended(Rejected), Operator, Say::BadRequest),
    sub(1016, "unsupported MimeType or Encoding", Ended(Rejected), Operator, Say::BadRequest),
    sub(1017, "MSS_Format not supported", Ended(Rejected), Operator, Say::BadRequest),
    row(102, "MISSING_PARAM", Ended(Rejected), Operator, Say::BadRequest),
    sub(1021, "DataToBeDisplayed missing", Ended(Rejected), Operator, Say::BadRequest),
    sub(1022, "DataToBeSigned missing", Ended(Rejected), Operator, Say::BadRequest),
    row(103, "WRONG_DATA_LENGTH", Ended(Rejected), Later, Say::DisplayTooLong),
    row(104, "UNAUTHORIZED_ACCESS", Ended(Rejected), Operator, Say::NotAuthorised),
    sub(1041, "user disabled profile", Ended(Blocked), Operator, Say::ServiceSuspended),
    sub(1042, "user disabled service", Ended(Blocked), Operator, Say::ServiceSuspended),
    sub(1043, "service suspended", Ended(Blocked), Operator, Say::ServiceSuspended),
    sub(1044, "profile not allowed by acquiring entity", Ended(Rejected), Operator, Say::NotAuthorised),
    sub(1045, "service not allowed by acquiring entity", Ended(Rejected), Operator, Say::NotAuthorised),
    row(105, "UNKNOWN_CLIENT", Ended(NotEnrolled), Operator, Say::NotEnrolled),
    sub(1051, "malformed identifier", Ended(NotEnrolled), Operator, Say::NotEnrolled),
    sub(1052, "no such identifier", Ended(NotEnrolled), Operator, Say::NotEnrolled),
    sub(1053, "unregistered", Ended(NotEnrolled), Operator, Say::NotEnrolled),
    sub(1054, "incompatible SIM", Ended(NotEnrolled), Operator, Say::NotEnrolled),
    row(107, "INAPPROPRIATE_DATA", Ended(Rejected), Operator, Say::BadRequest),
    row(108, "INCOMPATIBLE_INTERFACE", Ended(Rejected), Operator, Say::BadRequest),
    row(109, "UNSUPPORTED_PROFILE", Ended(NotEnrolled), Operator, Say::NoProfile),
    row(208, "EXPIRED_TRANSACTION", Ended(Expired), Leader, Say::Expired),
    sub(2081, "server timeout", Ended(Expired), Leader, Say::Expired),
    sub(2082, "user timeout", Ended(Expired), Leader, Say::Expired),
    row(209, "OTA_ERROR", Ended(Undeliverable), Leader, Say::Unreachable),
    sub(2091, "unknown", Ended(Undeliverable), Leader, Say::Unreachable),
    sub(2092, "card not in OTA database", Ended(NotEnrolled), Operator, Say::NotEnrolled),
    sub(2093, "handset error", Ended(Undeliverable), Leader, Say::Unreachable),
    sub(2094, "applet capabilities", Ended(NotEnrolled), Operator, Say::NotEnrolled),
    row(401, "USER_CANCEL", Ended(Declined), Leader, Say::Declined),
    sub(4011, "cancelled", Ended(Declined), Leader, Say::Declined),
    sub(4012, "wrong proof of possession", Ended(Declined), Leader, Say::Declined),
    sub(4013, "postponed", Ended(Declined), Leader, Say::Declined),
    row(402, "PIN_NR_BLOCKED", Ended(Blocked), Operator, Say::PinBlocked),
    sub(4021, "PIN blocked", Ended(Blocked), Operator, Say::PinBlocked),
    row(403, "CARD_BLOCKED", Ended(Blocked), Operator, Say::SimBlocked),
    sub(4031, "PUK blocked", Ended(Blocked), Operator, Say::SimBlocked),
    sub(4032, "PIN blocked", Ended(Blocked), Operator, Say::PinBlocked),
    row(404, "NO_KEY_FOUND", Ended(NotEnrolled), Operator, Say::NoKey),
    sub(4041, "key not found", Ended(NotEnrolled), Operator, Say::NoKey),
    sub(4042, "wrong key usage", Ended(NotEnrolled), Operator, Say::NoKey),
    row(405, "NO_URL_FOUND", Ended(CertInvalid), Operator, Say::CertificateInvalid),
    row(406, "PB_SIGNATURE_PROCESS", Ended(Undeliverable), Later, Say::Busy),
    row(407, "REGISTRATION_NOK", Ended(NotEnrolled), Operator, Say::NotEnrolled),
    sub(4071, "unknown", Ended(NotEnrolled), Operator, Say::NotEnrolled),
    sub(4072, "server", Ended(NotEnrolled), Operator, Say::NotEnrolled),
    sub(4073, "SIM", Ended(NotEnrolled), Operator, Say::NotEnrolled),
    row(408, "REGISTRATION_OK", Registered, Never, Say::Registered),
    row(422, "NO_CERT_FOUND", Ended(CertInvalid), Operator, Say::CertificateMissing),
    row(423, "CRL_PB", Ended(ProviderDown), Later, Say::ServiceDown),
    row(424, "CRL_EXPIRED", Ended(ProviderDown), Later, Say::ServiceDown),
    row(425, "ERROR_CERTIFICATE", Ended(CertInvalid), Operator, Say::CertificateInvalid),
    row(450, "GEOFENCING", Ended(Rejected), Operator, Say::NotAuthorised),
    row(500, "SIGNATURE", Signed { validated: false }, Never, Say::Signed),
    row(501, "REVOKED_CERTIFICATE", Ended(CertInvalid), Operator, Say::CertificateRevoked),
    row(502, "VALID_SIGNATURE", Signed { validated: true }, Never, Say::Signed),
    row(503, "INVALID_SIGNATURE", Ended(CertInvalid), Operator, Say::SignatureInvalid),
    row(504, "OUTSTANDING_TRANSACTION", Pending, Never, Say::Pending),
    row(505, "CONSTRAINT_MISMATCH", Ended(CertInvalid), Operator, Say::CertificateInvalid),
    row(600, "(600)", Ended(ProviderDown), Operator, Say::ProviderError),
    row(601, "(601)", Ended(ProviderDown), Operator, Say::ProviderError),
    row(602, "(602)", Ended(ProviderDown), Operator, Say::ProviderError),
    row(603, "(603)", Ended(ProviderDown), Operator, Say::ProviderError),
    row(701, "ROAMING_HEADER_ERROR", Ended(ProviderDown), Later, Say::ServiceDown),
    row(702, "ROAMING_HEADER_ERROR", Ended(ProviderDown), Later, Say::ServiceDown),
    row(703, "ROAMING_INPUT_MISSING", Ended(ProviderDown), Later, Say::ServiceDown),
    row(710, "ROAMING_INPUT_MISSING", Ended(ProviderDown), Later, Say::ServiceDown),
    row(720, "VALIDITY_DATE_EXPIRED", Ended(Expired), Leader, Say::Expired),
    row(750, "UNABLE_TO_PROVIDE_ROUTING", Ended(ProviderDown), Later, Say::ServiceDown),
    row(760, "UNABLE_TO_PROVIDE_IDENTITY_ISSUER", Ended(ProviderDown), Later, Say::ServiceDown),
    row(770, "UNABLE_TO_PROVIDE_VERIFYING_ENTITY", Ended(ProviderDown), Later, Say::ServiceDown),
    row(780, "UNABLE_TO_PROVIDE_SERVICES", Ended(ProviderDown), Later, Say::ServiceDown),
    row(900, "INTERNAL_ERROR", Ended(ProviderDown), Later, Say::ServiceDown),
    sub(9001, "unknown", Ended(ProviderDown), Later, Say::ServiceDown),
    sub(9002, "server", Ended(ProviderDown), Later, Say::ServiceDown),
    sub(9003, "SIM application error", Ended(Blocked), Operator, Say::SimBlocked),
    sub(9004, "SIM application configuration", Ended(Blocked), Operator, Say::SimBlocked),
    sub(9005, "DataToBeDisplayed missing", Ended(Rejected), Operator, Say::BadRequest),
    sub(9006, "key length", Ended(Rejected), Operator, Say::BadRequest),
    sub(9007, "hash type", Ended(Rejected), Operator, Say::BadRequest),
    sub(9008, "key algorithm", Ended(Rejected), Operator, Say::BadRequest),
];
