//! Requests as bytes: one file per request, all over one small envelope.
//!
//! The bytes are compact (no indentation) and in the order of the Vietnamese schema, because its
//! sequences are validated. Everything that varies by deployment stands in [`Profile`].

mod envelope;
mod profile_query;
mod receipt;
mod registration;
mod signature;
mod status_query;

use std::fmt;

use time::OffsetDateTime;
use zeroize::Zeroizing;

pub use self::{
    profile_query::profile_query, receipt::receipt, registration::registration, signature::signature,
    status_query::status_query,
};
use super::Port;
use crate::{
    ids::{ApId, ApPassword, MsspUri},
    request::Request,
};

/// Who asks, with what password, and of whom.
#[derive(Debug, Clone)]
pub struct Ap {
    /// `AP_ID`.
    pub id: ApId,
    /// `AP_PWD`.
    pub password: ApPassword,
    /// `MSSP_ID/URI`.
    pub mssp: MsspUri,
    /// The names this deployment uses.
    pub profile: Profile,
}

/// The URIs of a deployment; the default is that of the Vietnamese profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Namespace of the body's wrapper element. The WSDL forgets it; the server needs it.
    pub wrapper: String,
    /// `SignatureProfile/mssURI`.
    pub signature_profile: String,
    /// `MSS_Format/mssURI`.
    pub format: String,
    /// `AdditionalServices`, in this order; none leaves the element out.
    pub services: Vec<String>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            wrapper: "http://ae.mobile-id.vn/TS102204/etsi204".to_owned(),
            signature_profile: "http://mobile-id.vn/digitalSignature".to_owned(),
            format: format!("{}PKCS1", super::MSS),
            services: vec![
                "http://mobile-id.vn/MSSP/v1.0.0#signingCertificate".to_owned(),
                "http://mobile-id.vn/MSSP/v1.0.0#signatureValidation".to_owned(),
            ],
        }
    }
}

/// A request ready for its port. It holds the password: `Debug` shows the port and the length, and the
/// bytes are wiped when dropped.
#[derive(Clone)]
pub struct Message {
    port: Port,
    body: Zeroizing<String>,
}

impl Message {
    /// Where it goes.
    pub fn port(&self) -> Port {
        self.port
    }

    /// The SOAP envelope, UTF-8.
    pub fn expose_body(&self) -> &str {
        &self.body
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({:?}, {} bytes)", self.port, self.body.len())
    }
}

/// Writes whichever request an attempt handed out.
pub fn request(ap: &Ap, request: &Request, now: OffsetDateTime) -> Message {
    match request {
        Request::Signature(wanted) => signature(ap, wanted, now),
        Request::Status(query) => status_query(ap, query, now),
    }
}

/// What the tests of the single writers share.
#[cfg(test)]
mod testing {
    use time::{OffsetDateTime, macros::datetime};

    use super::Ap;

    pub(super) const NOW: OffsetDateTime = datetime!(2025-03-05 15:00:00.0004 +07:00);

    pub(super) fn ap() -> Ap {
        Ap {
            id: "http://ap.mobile-id.vn/NAME".parse().unwrap(),
            password: "S<E>C&\"RET".parse().unwrap(),
            mssp: "http://hmssp.mobile-id.vn".parse().unwrap(),
            profile: super::Profile::default(),
        }
    }

    /// Golden files are written indented for people; the wire has no white space between elements.
    pub(super) fn compact(golden: &str) -> String {
        golden.lines().map(str::trim).collect()
    }
}
