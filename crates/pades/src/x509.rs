//! Certificates and trust (RFC 5280): a readable view of a certificate, anchors, path building and validation,
//! revocation by OCSP and CRL.
//!
//! Not a TLS verifier: no host names, no ambient root store. What is trusted and what time it is come in as arguments.

mod anchors;
mod certificate;
pub(crate) mod extensions;
mod general_name;
mod name;
pub mod path;

pub use anchors::{AnchorsError, TrustAnchors, certificates_from_pem};
pub use certificate::{Certificate, CertificateError};
pub use extensions::{
    AuthorityKeyId, BasicConstraints, DistributionPoint, ExtendedKeyUsage, Extensions, KeyUsage,
    NameConstraints, PolicyConstraints,
};
pub use general_name::GeneralName;
pub use name::Name;
pub use path::RevocationData;
