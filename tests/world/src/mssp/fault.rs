//! SOAP 1.2 faults of TS 102 204: `Subcode/Value` is the numeric code with a leading underscore.

use super::{
    request::{MSS, SOAP},
    xml::escape,
};

/// A fault to be answered with HTTP 500.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code:?} {reason}: {detail}")]
pub(crate) struct SoapFault {
    /// None: a fault of the SOAP layer, before any TS 102 204 code applies.
    pub(crate) code: Option<u16>,
    pub(crate) specifier: Option<u16>,
    pub(crate) reason: String,
    pub(crate) detail: String,
}

impl SoapFault {
    pub(crate) fn client(reason: &str) -> Self {
        Self { code: None, specifier: None, reason: reason.into(), detail: String::new() }
    }

    pub(crate) fn code(code: u16, reason: &str, detail: &str) -> Self {
        Self { code: Some(code), specifier: None, reason: reason.into(), detail: detail.into() }
    }

    pub(crate) fn specified(code: u16, specifier: u16, reason: &str, detail: &str) -> Self {
        Self { specifier: Some(specifier), ..Self::code(code, reason, detail) }
    }

    pub(crate) fn wrong(detail: &str) -> Self {
        Self::code(101, "WRONG_PARAM", detail)
    }

    pub(crate) fn missing(name: &str) -> Self {
        Self::code(102, "MISSING_PARAM", name)
    }

    /// The code by its ETSI name.
    pub(crate) fn of(code: u16, specifier: Option<u16>) -> Self {
        Self { specifier, ..Self::code(code, name(code), "") }
    }

    pub(crate) fn xml(&self) -> String {
        // 2xx, 4xx, 7xx, 9xx come from behind the service; 1xx is the caller's doing.
        let side = if self.code.is_none_or(|code| code < 200) { "Sender" } else { "Receiver" };
        let specifier = self.specifier.map_or(String::new(), |specifier| {
            format!("<env:Subcode><env:Value>mss:_{specifier}</env:Value></env:Subcode>")
        });
        let subcode = self.code.map_or(String::new(), |code| {
            format!("<env:Subcode><env:Value>mss:_{code}</env:Value>{specifier}</env:Subcode>")
        });
        let detail = if self.detail.is_empty() {
            String::new()
        } else {
            format!("<env:Detail><mss:detail>{}</mss:detail></env:Detail>", escape(&self.detail))
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <env:Envelope xmlns:env=\"{SOAP}\" xmlns:mss=\"{MSS}\"><env:Body><env:Fault>\
             <env:Code><env:Value>env:{side}</env:Value>{subcode}</env:Code>\
             <env:Reason><env:Text xml:lang=\"en\">{}</env:Text></env:Reason>{detail}\
             </env:Fault></env:Body></env:Envelope>",
            escape(&self.reason)
        )
    }
}

/// Names of the codes (ETSI TS 102 204 and the `FiCom` guideline).
pub(crate) fn name(code: u16) -> &'static str {
    match code {
        100 => "REQUEST_OK",
        101 => "WRONG_PARAM",
        102 => "MISSING_PARAM",
        103 => "WRONG_DATA_LENGTH",
        104 => "UNAUTHORIZED_ACCESS",
        105 => "UNKNOWN_CLIENT",
        107 => "INAPPROPRIATE_DATA",
        108 => "INCOMPATIBLE_INTERFACE",
        109 => "UNSUPPORTED_PROFILE",
        208 => "EXPIRED_TRANSACTION",
        209 => "OTA_ERROR",
        401 => "USER_CANCEL",
        402 => "PIN_NR_BLOCKED",
        403 => "CARD_BLOCKED",
        404 => "NO_KEY_FOUND",
        405 => "NO_URL_FOUND",
        406 => "PB_SIGNATURE_PROCESS",
        407 => "REGISTRATION_NOK",
        408 => "REGISTRATION_OK",
        422 => "NO_CERT_FOUND",
        423 => "CRL_PB",
        424 => "CRL_EXPIRED",
        425 => "ERROR_CERTIFICATE",
        500 => "SIGNATURE",
        501 => "REVOKED_CERTIFICATE",
        502 => "VALID_SIGNATURE",
        503 => "INVALID_SIGNATURE",
        504 => "OUTSTANDING_TRANSACTION",
        505 => "CONSTRAINT_MISMATCH",
        720 => "VALIDITY_DATE_EXPIRED",
        780 => "UNABLE_TO_PROVIDE_SERVICES",
        900 => "INTERNAL_ERROR",
        _ => "UNKNOWN",
    }
}
