//! What came back from a provider, in words that belong to no provider.
//!
//! Reading never fails: an answer that cannot be read is itself an answer ([`Reply::Unreadable`]) whose
//! consequence the attempt decides. Nothing here has been believed yet; echoes are compared and
//! signatures verified by whoever holds the attempt.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::MsspTransId;

/// One answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A response of the protocol.
    Response(Response),
    /// A fault of the protocol.
    Fault(Fault),
    /// Neither: an error page, an empty body, broken XML.
    Unreadable(Unreadable),
}

/// Which operation a response answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `MSS_Signature`.
    Signature,
    /// `MSS_StatusQuery`.
    StatusQuery,
    /// `MSS_Receipt`.
    Receipt,
    /// `MSS_ProfileQuery`.
    ProfileQuery,
    /// `MSS_Registration`.
    Registration,
}

/// A response with its status and whatever it carried.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// Which operation answered.
    pub operation: Operation,
    /// `AP_Info/@AP_TransID` as echoed.
    pub ap_trans_id: Option<String>,
    /// The provider's handle, where the message has one.
    pub mssp_trans_id: Option<MsspTransId>,
    /// `MobileUser/MSISDN` as echoed.
    pub msisdn: Option<String>,
    /// `Status/StatusCode`, if the message had a readable one.
    pub status: Option<Code>,
    /// `Status/StatusMessage`, shortened; text for a log.
    pub message: Option<String>,
    /// The signature, if one came.
    pub signature: Option<SignatureValue>,
    /// Certificates of a registration answer.
    pub certificates: Vec<SimCertificate>,
    /// Profile URIs of a profile answer.
    pub profiles: Vec<String>,
}

/// A fault of the protocol (SOAP fault, or its JSON form).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The numeric code, if any could be found.
    pub code: Option<Code>,
    /// `Reason` and `Detail`, shortened; text for a log.
    pub text: Option<String>,
}

/// A body that is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable {
    /// The HTTP status it came with.
    pub http_status: u16,
    /// What was wrong with the body.
    pub why: WhyUnreadable,
}

/// What was wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum WhyUnreadable {
    /// No bytes.
    #[error("the answer is empty")]
    Empty,
    /// More bytes than any honest answer has.
    #[error("the answer is larger than the limit")]
    TooLarge,
    /// Not UTF-8.
    #[error("the answer is not UTF-8")]
    NotUtf8,
    /// An HTML page, typically of a proxy.
    #[error("the answer is an HTML page")]
    Html,
    /// A document type declaration or an entity of its own.
    #[error("the answer declares a document type or uses an undeclared entity")]
    Entities,
    /// Deeper or with more elements than any honest answer.
    #[error("the answer nests deeper or holds more elements than the limit")]
    TooComplex,
    /// Not well-formed, or cut off.
    #[error("the answer is not well-formed")]
    Malformed,
    /// An element that may stand once stands twice.
    #[error("an element that may stand once stands twice")]
    Duplicate,
    /// Well-formed, but none of our messages.
    #[error("the answer is not a TS 102 204 message")]
    NotAMessage,
    /// A base64 value that is not.
    #[error("a base64 value cannot be decoded")]
    Base64,
}

/// A status code with its optional four-digit specifier (`FiCom`), as in 209 and 2092.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Code {
    /// Three digits.
    pub value: u16,
    /// Four digits, the first three usually those of `value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specifier: Option<u16>,
}

impl Code {
    /// A code without specifier.
    pub const fn plain(value: u16) -> Self {
        Self { value, specifier: None }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.specifier {
            Some(specifier) => write!(f, "{}/{specifier}", self.value),
            None => write!(f, "{}", self.value),
        }
    }
}

/// The bytes a SIM signed with: a raw PKCS#1 v1.5 value, or a CMS where the provider makes one.
///
/// Serialised as base64. `Debug` shows the length only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SignatureValue(Vec<u8>);

impl SignatureValue {
    /// Most bytes any signature format here needs: a CMS with a long chain.
    pub const MAX: usize = 32 * 1024;

    /// Takes the bytes as they came; none and too many are refused.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (1..=Self::MAX).contains(&bytes.len()).then_some(Self(bytes))
    }

    /// The bytes as they came.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<String> for SignatureValue {
    type Error = WhyUnreadable;

    fn try_from(text: String) -> Result<Self, WhyUnreadable> {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        STANDARD.decode(text).ok().and_then(Self::new).ok_or(WhyUnreadable::Base64)
    }
}

impl From<SignatureValue> for String {
    fn from(value: SignatureValue) -> Self {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        STANDARD.encode(value.0)
    }
}

impl fmt::Debug for SignatureValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignatureValue({} bytes)", self.0.len())
    }
}

/// One certificate on a SIM, not yet looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimCertificate {
    /// `CertificateURI`: the profile it belongs to, where there are several.
    pub uri: Option<String>,
    /// DER bytes.
    pub der: Vec<u8>,
}

impl fmt::Debug for Response {
    /// Numbers are personal: the echo is shown by its last three digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail = |n: &String| format!("…{}", n.get(n.len().saturating_sub(3)..).unwrap_or_default());
        f.debug_struct("Response")
            .field("operation", &self.operation)
            .field("ap_trans_id", &self.ap_trans_id)
            .field("mssp_trans_id", &self.mssp_trans_id)
            .field("msisdn", &self.msisdn.as_ref().map(tail))
            .field("status", &self.status)
            .field("message", &self.message)
            .field("signature", &self.signature)
            .field("certificates", &self.certificates.len())
            .field("profiles", &self.profiles)
            .finish()
    }
}
