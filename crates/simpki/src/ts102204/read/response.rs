//! Responses: `MSS_SignatureResp`, `MSS_StatusResp`, `MSS_ReceiptResp`, `MSS_ProfileResp`, `MSS_RegistrationResp`.
//!
//! All share header, `MobileUser` and `Status/StatusCode@Value` (which may nest a specifier). A signature is
//! `MSS_Signature/Base64Signature`, or `FiCom`'s `MSS_Signature/PKCS1/SignatureValue`.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{code::code, remark, tree::Element};
use crate::reply::{Code, Operation, Response, SignatureValue, SimCertificate, WhyUnreadable};

/// Most certificates read from one answer; a SIM holds a handful.
const MAX_CERTIFICATES: usize = 16;
const MAX_PROFILES: usize = 64;

/// Reads a response element by its local name.
pub(super) fn read(message: &Element) -> Result<Response, WhyUnreadable> {
    let operation = operation(&message.name).ok_or(WhyUnreadable::NotAMessage)?;
    let header = message.one("AP_Info")?;
    let status = message.one("Status")?;
    let text = match status {
        Some(status) => status.one("StatusMessage")?.and_then(|text| remark(&text.text)),
        None => None,
    };
    Ok(Response {
        operation,
        ap_trans_id: header.and_then(|header| header.attribute("AP_TransID")).map(str::to_owned),
        // A handle of a shape that no attribute can carry back is no handle.
        mssp_trans_id: message.attribute("MSSP_TransID").and_then(|id| id.parse().ok()),
        msisdn: message.at(&["MobileUser", "MSISDN"])?.map(|number| number.text.trim().to_owned()),
        status: match status {
            Some(status) => status_code(status)?,
            None => None,
        },
        message: text,
        signature: signature(message)?,
        certificates: certificates(message)?,
        profiles: profiles(message)?,
    })
}

fn operation(name: &str) -> Option<Operation> {
    match name {
        "MSS_SignatureResp" => Some(Operation::Signature),
        "MSS_StatusResp" => Some(Operation::StatusQuery),
        "MSS_ReceiptResp" => Some(Operation::Receipt),
        "MSS_ProfileResp" => Some(Operation::ProfileQuery),
        "MSS_RegistrationResp" => Some(Operation::Registration),
        _ => None,
    }
}

fn status_code(status: &Element) -> Result<Option<Code>, WhyUnreadable> {
    let mut values = Vec::new();
    let mut here = status.one("StatusCode")?;
    while let Some(level) = here {
        values.extend(level.attribute("Value"));
        here = level.one("StatusCode")?;
    }
    Ok(code(values))
}

fn signature(message: &Element) -> Result<Option<SignatureValue>, WhyUnreadable> {
    let Some(choice) = message.one("MSS_Signature")? else { return Ok(None) };
    let value = match (choice.one("Base64Signature")?, choice.at(&["PKCS1", "SignatureValue"])?) {
        (Some(_), Some(_)) => return Err(WhyUnreadable::Duplicate),
        (value, other) => value.or(other),
    };
    match value {
        // An empty element is how some services say "none".
        Some(value) if !value.text.trim().is_empty() => {
            SignatureValue::new(decode(&value.text)?).map(Some).ok_or(WhyUnreadable::TooLarge)
        }
        _ => Ok(None),
    }
}

fn certificates(message: &Element) -> Result<Vec<SimCertificate>, WhyUnreadable> {
    let mut found = Vec::new();
    for answer in message.children.iter().filter(|child| child.name.starts_with("CertificateResponse")) {
        let Some(certificate) = answer.one("X509Certificate")? else { continue };
        if found.len() >= MAX_CERTIFICATES {
            return Err(WhyUnreadable::TooComplex);
        }
        let uri = answer.one("CertificateURI")?.map(|uri| uri.text.trim().to_owned());
        found.push(SimCertificate { uri, der: decode(&certificate.text)? });
    }
    Ok(found)
}

fn profiles(message: &Element) -> Result<Vec<String>, WhyUnreadable> {
    let mut found = Vec::new();
    for profile in message.all("SignatureProfile") {
        if found.len() >= MAX_PROFILES {
            return Err(WhyUnreadable::TooComplex);
        }
        found.extend(profile.one("mssURI")?.map(|uri| uri.text.trim().to_owned()));
    }
    Ok(found)
}

/// Strict base64, after taking out white space: services break lines, one with CRLF.
fn decode(text: &str) -> Result<Vec<u8>, WhyUnreadable> {
    let bare: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STRICT.decode(bare).map_err(|_| WhyUnreadable::Base64)
}

/// Padding as RFC 4648 has it, and no bits hidden behind the last byte.
const STRICT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(false),
);
