//! Certificate status by OCSP (RFC 6960, RFC 8954 nonces): request bytes out, response bytes in, no socket.
//!
//! An answer counts only if it is about this very certificate, signed by its issuer or by a responder that the issuer
//! itself delegated (`id-kp-OCSPSigning`), and fresh. [`OcspRequest::accept`] checks an online answer;
//! [`OcspResponse::status`] is what path validation uses for stored ones (DSS).

mod request;
mod response;

pub use request::{OcspRefused, OcspRequest};
pub use response::{CertificateStatus, CheckedStatus, OcspMalformed, OcspResponse, StatusRefused};
