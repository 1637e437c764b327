//! Whether a certificate may be believed at a point in time: chain, revocation, proof of existence.

use time::OffsetDateTime;

use super::{
    VerifyPolicy,
    material::Material,
    report::{Check, SubIndication},
};
use crate::x509::Certificate;

/// What a certificate is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Signing documents.
    Signing,
    /// Time stamping.
    TimeStamping,
}

/// The answer.
#[derive(Debug, Clone)]
pub(super) struct Trusted {
    pub(super) check: Check,
    pub(super) sub_indication: Option<SubIndication>,
    /// Whether every certificate below the anchor has an answer about revocation.
    pub(super) revocation_known: bool,
}

pub(super) fn certificate(
    _certificate: &Certificate,
    _purpose: Purpose,
    _material: &Material,
    _policy: &VerifyPolicy<'_>,
    _proven: Option<OffsetDateTime>,
) -> Trusted {
    Trusted {
        check: Check::fail("no_certificate_chain"),
        sub_indication: Some(SubIndication::NoCertificateChainFound),
        revocation_known: false,
    }
}
