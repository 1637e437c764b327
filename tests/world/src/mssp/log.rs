//! What the MSSP was asked and what it answered, for tests to count: exactly one `MSS_Signature` per approval.

use serde::Serialize;
use time::OffsetDateTime;

use super::request::Operation;

/// One request with its answer.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    pub(crate) seq: u64,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: OffsetDateTime,
    /// None: the request could not be dispatched.
    pub(crate) operation: Option<Operation>,
    pub(crate) ap_trans_id: Option<String>,
    pub(crate) mssp_trans_id: Option<String>,
    pub(crate) msisdn: Option<String>,
    /// The text on the handset and its code, for `MSS_Signature` that raised a prompt.
    pub(crate) displayed: Option<String>,
    pub(crate) code: Option<String>,
    /// SHA-256 to be signed, in hex.
    pub(crate) digest: Option<String>,
    /// HTTP status; 0 when the connection was closed without an answer.
    pub(crate) http: u16,
    /// TS 102 204 status or fault code.
    pub(crate) status: Option<u16>,
    /// `prompt`, `pending`, `signed`, `fault`, `dropped`, `certificate`, `receipt`.
    pub(crate) outcome: &'static str,
    pub(crate) detail: Option<String>,
}
