//! The strict reading of a request: SOAP 1.2, rpc/literal, the Vietnamese profile's own child order.
//!
//! Everything a real service would refuse is refused here, with the code it would use: missing wrapper namespace,
//! qualified accessor, wrong order, missing attribute, unknown service. ETSI TS 102 204 with the WSDL's deviations.

use base64::Engine as _;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    fault::SoapFault,
    xml::{self, Node},
};

/// SOAP 1.2 envelope.
pub(crate) const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
/// Operation wrappers.
pub(crate) const WRAPPER: &str = "http://ae.mobile-id.vn/TS102204/etsi204";
/// Messages.
pub(crate) const MSS: &str = "http://uri.etsi.org/TS102204/v1.1.2#";
/// This MSSP.
pub(crate) const MSSP_URI: &str = "http://hmssp.mobile-id.vn";
/// The only signature format served.
pub(crate) const PKCS1: &str = "http://uri.etsi.org/TS102204/v1.1.2#PKCS1";
/// The signing profile.
pub(crate) const SIGNATURE_PROFILE: &str = "http://mobile-id.vn/digitalSignature";

const SERVICES: [&str; 2] = [
    "http://mobile-id.vn/MSSP/v1.0.0#signingCertificate",
    "http://mobile-id.vn/MSSP/v1.0.0#signatureValidation",
];
/// DER of `DigestInfo { sha256, NULL, OCTET STRING (32) }` up to the digest.
pub(crate) const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

/// An operation of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(crate) enum Operation {
    #[serde(rename = "MSS_Signature")]
    Signature,
    #[serde(rename = "MSS_StatusQuery")]
    StatusQuery,
    #[serde(rename = "MSS_Receipt")]
    Receipt,
    #[serde(rename = "MSS_Registration")]
    Registration,
    #[serde(rename = "MSS_ProfileQuery")]
    ProfileQuery,
}

impl Operation {
    pub(crate) const ALL: [Self; 5] =
        [Self::Signature, Self::StatusQuery, Self::Receipt, Self::Registration, Self::ProfileQuery];

    /// Name of the wrapper element.
    pub(crate) fn wrapper(self) -> &'static str {
        match self {
            Self::Signature => "MSS_Signature",
            Self::StatusQuery => "MSS_StatusQuery",
            Self::Receipt => "MSS_Receipt",
            Self::Registration => "MSS_Registration",
            Self::ProfileQuery => "MSS_ProfileQuery",
        }
    }

    /// Stem of the part accessor: `…Req` and `…Resp`.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Signature => "MSS_Signature",
            Self::StatusQuery => "MSS_Status",
            Self::Receipt => "MSS_Receipt",
            Self::Registration => "MSS_Registration",
            Self::ProfileQuery => "MSS_Profile",
        }
    }

    /// Path segment of its port.
    pub(crate) fn port(self) -> String {
        format!("{}Port", self.wrapper())
    }
}

/// `AP_Info`.
#[derive(Debug, Clone)]
pub(crate) struct ApInfo {
    pub(crate) id: String,
    pub(crate) password: String,
    pub(crate) trans_id: String,
    pub(crate) instant: OffsetDateTime,
    /// As sent; it is echoed.
    pub(crate) instant_text: String,
}

/// What is common to all requests.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) operation: Operation,
    pub(crate) ap: ApInfo,
    pub(crate) body: Body,
}

/// What is particular.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Signature(SignatureRequest),
    Status { mssp_trans_id: String },
    Receipt { mssp_trans_id: String, msisdn: String, message: Option<String> },
    Registration { msisdn: String },
    Profile { msisdn: String },
}

/// The wish for a signature.
#[derive(Debug, Clone)]
pub(crate) struct SignatureRequest {
    pub(crate) msisdn: String,
    pub(crate) synchronous: bool,
    pub(crate) timeout_seconds: u32,
    pub(crate) digest: [u8; 32],
    pub(crate) display: String,
}

/// The operation that an envelope asks for and its accessor element.
pub(crate) fn open(text: &str, port: &str) -> Result<(Operation, Node), SoapFault> {
    let envelope = xml::parse(text).map_err(|error| SoapFault::client(&error.to_string()))?;
    if envelope.namespace != SOAP || envelope.name != "Envelope" {
        return Err(SoapFault::client("Couldn't create SOAP message: the root is not a SOAP 1.2 Envelope"));
    }
    let body = match envelope.children.as_slice() {
        [body] => body,
        [header, body] if header.name == "Header" && header.namespace == SOAP => body,
        _ => return Err(SoapFault::client("an Envelope holds an optional Header and one Body")),
    };
    let ([wrapper], "Body", SOAP) = (body.children.as_slice(), body.name.as_str(), body.namespace.as_str())
    else {
        return Err(SoapFault::client("the Body holds one operation"));
    };
    let known = Operation::ALL.into_iter().find(|known| {
        known.wrapper() == wrapper.name && wrapper.namespace == WRAPPER && known.port() == port
    });
    let Some(operation) = known else {
        return Err(SoapFault::client(&format!(
            "Cannot find dispatch method for {{{}}}{}",
            wrapper.namespace, wrapper.name
        )));
    };
    match wrapper.children.as_slice() {
        [accessor]
            if accessor.namespace.is_empty() && accessor.name == format!("{}Req", operation.message()) =>
        {
            Ok((operation, accessor.clone()))
        }
        _ => Err(SoapFault::wrong("the wrapper holds one unqualified part accessor")),
    }
}

/// Reads the message inside the accessor.
pub(crate) fn read(operation: Operation, message: &Node) -> Result<Request, SoapFault> {
    for (attribute, expected) in [("MajorVersion", "1"), ("MinorVersion", "1")] {
        match message.attribute(attribute) {
            Some(value) if value == expected => {}
            Some(_) => return Err(SoapFault::code(108, "INCOMPATIBLE_INTERFACE", attribute)),
            None => return Err(SoapFault::missing(attribute)),
        }
    }
    let allowed: &[&str] = match operation {
        Operation::Signature => &["MessagingMode", "TimeOut"],
        Operation::StatusQuery | Operation::Receipt => &["MSSP_TransID"],
        Operation::Registration | Operation::ProfileQuery => &[],
    };
    for (name, _) in &message.attributes {
        if !allowed.contains(&name.as_str()) && !matches!(name.as_str(), "MajorVersion" | "MinorVersion") {
            return Err(SoapFault::wrong(&format!("attribute {name} is not allowed")));
        }
    }
    let mut children = Children::new(&message.children);
    let ap = ap_info(children.required("AP_Info")?)?;
    mssp_info(children.required("MSSP_Info")?)?;
    let body = match operation {
        Operation::Signature => Body::Signature(signature(message, &mut children)?),
        Operation::StatusQuery => Body::Status { mssp_trans_id: transaction(message)? },
        Operation::Receipt => Body::Receipt {
            mssp_trans_id: transaction(message)?,
            msisdn: msisdn(children.required("MobileUser")?)?,
            message: {
                children.optional("Status")?;
                children.optional("Message")?.map(|node| node.text.clone())
            },
        },
        Operation::Registration => Body::Registration { msisdn: msisdn(children.required("MobileUser")?)? },
        Operation::ProfileQuery => Body::Profile { msisdn: msisdn(children.required("MobileUser")?)? },
    };
    children.done()?;
    Ok(Request { operation, ap, body })
}

fn signature(message: &Node, children: &mut Children<'_>) -> Result<SignatureRequest, SoapFault> {
    let synchronous = match message.attribute("MessagingMode") {
        Some("synch") => true,
        Some("asynchClientServer") => false,
        Some(_) => return Err(SoapFault::specified(101, 1013, "WRONG_PARAM", "illegal MessagingMode")),
        None => return Err(SoapFault::missing("MessagingMode")),
    };
    let Ok(timeout_seconds @ 1..=3600) = message.attribute("TimeOut").map_or(Ok(300), str::parse) else {
        return Err(SoapFault::wrong("TimeOut is a positive number of seconds, at most 3600"));
    };
    let msisdn = msisdn(children.required("MobileUser")?)?;
    let missing = |specifier, name| SoapFault::specified(102, specifier, "MISSING_PARAM", name);
    let digest = digest(children.required_or("DataToBeSigned", missing(1022, "DataToBeSigned"))?)?;
    let display = shown(children.required_or("DataToBeDisplayed", missing(1021, "DataToBeDisplayed"))?)?;
    if let Some(format) = children.optional("MSS_Format")?
        && uri(format)? != PKCS1
    {
        return Err(SoapFault::specified(101, 1017, "WRONG_PARAM", "MSS_Format unsupported"));
    }
    if let Some(profile) = children.optional("SignatureProfile")?
        && uri(profile)? != SIGNATURE_PROFILE
    {
        return Err(SoapFault::code(109, "UNSUPPORTED_PROFILE", "SignatureProfile"));
    }
    if let Some(services) = children.optional("AdditionalServices")? {
        for service in &services.children {
            let described = service.child("Description").ok_or_else(|| SoapFault::missing("Description"))?;
            if service.name != "Service" || !SERVICES.contains(&uri(described)?) {
                return Err(SoapFault::specified(101, 1014, "WRONG_PARAM", "unknown AdditionalService"));
            }
        }
    }
    Ok(SignatureRequest { msisdn, synchronous, timeout_seconds, digest, display })
}

/// A SHA-256 `DigestInfo` in base64; anything else this service would not forward to a SIM.
fn digest(data: &Node) -> Result<[u8; 32], SoapFault> {
    let kind = (data.attribute("MimeType"), data.attribute("Encoding"));
    if kind != (Some("application/octet-stream"), Some("base64")) {
        return Err(SoapFault::specified(101, 1016, "WRONG_PARAM", "unsupported MimeType or Encoding"));
    }
    let info = base64::engine::general_purpose::STANDARD
        .decode(data.text.trim())
        .map_err(|_| SoapFault::code(107, "INAPPROPRIATE_DATA", "DataToBeSigned is not base64"))?;
    info.strip_prefix(&DIGEST_INFO).and_then(|digest| digest.try_into().ok()).ok_or_else(|| {
        SoapFault::code(107, "INAPPROPRIATE_DATA", "DataToBeSigned is not a SHA-256 DigestInfo")
    })
}

/// The text for the handset, within one prompt: 100 GSM-7 septets, or 50 UCS-2 characters.
fn shown(display: &Node) -> Result<String, SoapFault> {
    let kind = (display.attribute("MimeType"), display.attribute("Encoding"));
    if kind != (Some("text/plain"), Some("UTF-8")) {
        return Err(SoapFault::specified(101, 1016, "WRONG_PARAM", "unsupported MimeType or Encoding"));
    }
    let text = display.text.clone();
    let limit = if text.is_ascii() { 100 } else { 50 };
    let length: usize =
        text.chars().map(|character| if "^{}\\[]~|".contains(character) { 2 } else { 1 }).sum();
    match length {
        0 => Err(SoapFault::specified(102, 1021, "MISSING_PARAM", "DataToBeDisplayed is empty")),
        length if length > limit => {
            Err(SoapFault::code(103, "WRONG_DATA_LENGTH", &format!("DataToBeDisplayed: {length} > {limit}")))
        }
        _ => Ok(text),
    }
}

fn ap_info(node: &Node) -> Result<ApInfo, SoapFault> {
    let get = |name: &str| node.attribute(name).map(str::to_owned).ok_or_else(|| SoapFault::missing(name));
    let ap = ApInfo {
        id: get("AP_ID")?,
        password: get("AP_PWD")?,
        trans_id: get("AP_TransID")?,
        instant_text: get("Instant")?,
        instant: OffsetDateTime::parse(&get("Instant")?, &Rfc3339)
            .map_err(|_| SoapFault::wrong("Instant"))?,
    };
    if !is_nc_name(&ap.trans_id) || ap.trans_id.len() > 32 {
        return Err(SoapFault::wrong("AP_TransID is not an NCName of at most 32 characters"));
    }
    Ok(ap)
}

/// XML's `NCName`, in ASCII: a letter or `_`, then letters, digits, `.`, `-`, `_`.
fn is_nc_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|rest| rest.is_ascii_alphanumeric() || "._-".contains(rest))
}

fn mssp_info(node: &Node) -> Result<(), SoapFault> {
    let mut children = Children::new(&node.children);
    let id = children.required("MSSP_ID")?;
    children.done()?;
    match id.children.as_slice() {
        [address] if address.name == "URI" && address.namespace == MSS && address.text.trim() == MSSP_URI => {
            Ok(())
        }
        _ => Err(SoapFault::wrong("MSSP_ID")),
    }
}

fn msisdn(user: &Node) -> Result<String, SoapFault> {
    let mut children = Children::new(&user.children);
    let number = children.required("MSISDN")?.text.trim().to_owned();
    children.done()?;
    if number.len() == 11 && number.starts_with("84") && number.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(number)
    } else {
        Err(SoapFault::specified(
            105,
            1051,
            "UNKNOWN_CLIENT",
            "malformed MSISDN: 84xxxxxxxxx, without a plus",
        ))
    }
}

fn transaction(message: &Node) -> Result<String, SoapFault> {
    message.attribute("MSSP_TransID").map(str::to_owned).ok_or_else(|| SoapFault::missing("MSSP_TransID"))
}

fn uri(node: &Node) -> Result<&str, SoapFault> {
    match node.children.as_slice() {
        [child] if child.name == "mssURI" && child.namespace == MSS => Ok(child.text.trim()),
        _ => Err(SoapFault::wrong(&format!("{} holds one mssURI", node.name))),
    }
}

/// A sequence read in order: what comes out of turn is an error, as in a validating parser.
struct Children<'a> {
    rest: &'a [Node],
}

impl<'a> Children<'a> {
    fn new(nodes: &'a [Node]) -> Self {
        Self { rest: nodes }
    }

    fn optional(&mut self, name: &str) -> Result<Option<&'a Node>, SoapFault> {
        match self.rest {
            [first, rest @ ..] if first.name == name => {
                if first.namespace != MSS {
                    return Err(SoapFault::wrong(&format!("{name} is not in the namespace {MSS}")));
                }
                self.rest = rest;
                Ok(Some(first))
            }
            _ => Ok(None),
        }
    }

    fn required(&mut self, name: &str) -> Result<&'a Node, SoapFault> {
        self.required_or(name, SoapFault::missing(name))
    }

    /// `missing` is the answer when the element is nowhere; out of turn is another fault.
    fn required_or(&mut self, name: &str, missing: SoapFault) -> Result<&'a Node, SoapFault> {
        match self.optional(name)? {
            Some(node) => Ok(node),
            None if self.rest.iter().any(|node| node.name == name) => Err(self.unexpected()),
            None => Err(missing),
        }
    }

    fn done(&self) -> Result<(), SoapFault> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> SoapFault {
        let name = self.rest.first().map_or("", |node| node.name.as_str());
        SoapFault::wrong(&format!(
            "cvc-complex-type.2.4.a: invalid content was found starting with element '{name}'"
        ))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[ -~\\n]{0,400}|(<[a-z:/]{1,9}( [a-z]=\"[a-z]*\")?>|&[a-z#0-9]*;|[a-z]){0,60}") {
            if let Ok((operation, message)) = open(&text, "MSS_SignaturePort") {
                let _ = read(operation, &message);
            }
        }

        #[test]
        fn names_of_transactions_are_nc_names(text in "[ -~]{0,40}") {
            let starts_well = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
            prop_assert!(!is_nc_name(&text) || (starts_well && !text.contains([':', ' ', '<', '&'])));
        }
    }
}
