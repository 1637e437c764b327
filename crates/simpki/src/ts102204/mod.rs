//! ETSI TS 102 204 over SOAP 1.2, in the profile of the Vietnamese government's mobile signature service.
//!
//! [`mod@write`] makes requests to the byte; [`mod@read`] takes whatever comes back. Where the Vietnamese schema
//! ("Mobile ID SOAP Interface" 2.7.1) and the standard differ, the Vietnamese one is followed when writing
//! (`DataToBeDisplayed` mandatory, `MSS_Format` before `SignatureProfile`, no `KeyReference`), and both are
//! accepted when reading, since names are matched without their namespaces.

pub mod read;
pub mod write;

/// The ports of the service, one per operation; each name is also the last part of its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Port {
    /// Asks for a signature.
    Signature,
    /// Asks how a transaction stands.
    StatusQuery,
    /// Shows a closing text.
    Receipt,
    /// Asks for profiles.
    ProfileQuery,
    /// Asks for certificates.
    Registration,
}

impl Port {
    /// The path segment below the service's base address.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Signature => "MSS_SignaturePort",
            Self::StatusQuery => "MSS_StatusQueryPort",
            Self::Receipt => "MSS_ReceiptPort",
            Self::ProfileQuery => "MSS_ProfileQueryPort",
            Self::Registration => "MSS_RegistrationPort",
        }
    }
}

/// SOAP 1.2 envelope.
pub(crate) const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
/// Message elements; "v1.1.2#" in every version of the standard so far.
pub(crate) const MSS: &str = "http://uri.etsi.org/TS102204/v1.1.2#";
