//! Time stamps (RFC 3161, RFC 5816; ETSI EN 319 422): request bytes out, response bytes in, no socket.
//!
//! A token is believed only as [`CheckedToken`]: right imprint and nonce, signed by the certificate that the token
//! binds (ESS), which is for time stamping only and was valid at the time it states. Whether that certificate is
//! *trusted* is path validation, [`crate::x509::path`], at [`CheckedToken::time`].

mod request;
mod token;

pub use request::{TimestampRequest, TspRefused};
pub use token::{CheckedToken, Token, TokenRefused};
