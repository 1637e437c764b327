//! Puts a time stamp into a checked signature: level B-B becomes B-T, before anything is embedded.

use der::asn1::AnyRef;
use der::{Decode, Encode};
use thiserror::Error;

use super::CheckedCms;
use super::attributes::attribute;
use super::check::Checked;
use super::types::{ContentInfo, SignedData, SignerInfo};
use crate::asn1::RawSet;
use crate::oid;
use crate::tsp::CheckedToken;

/// Why a time stamp is not put into a signature.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TimestampRefused {
    /// It covers another signature value.
    #[error("the time stamp is over another signature")]
    OtherSignature,
    /// There is one already.
    #[error("the signature carries a time stamp already")]
    AlreadyStamped,
    /// The result cannot be encoded.
    #[error("the signature cannot be encoded: {0}")]
    Encoding(#[from] der::Error),
}

impl CheckedCms {
    /// Adds `token` as the signature-time-stamp attribute (RFC 3161 appendix A). Deterministic.
    ///
    /// # Errors
    /// [`TimestampRefused`] if the token is over anything but this signature value, or a token is there already.
    pub fn add_timestamp(&self, token: &CheckedToken) -> Result<Self, TimestampRefused> {
        if self.0.has_timestamp {
            return Err(TimestampRefused::AlreadyStamped);
        }
        if token.imprint() != token.imprint_algorithm().digest(&self.0.signature) {
            return Err(TimestampRefused::OtherSignature);
        }
        let info = ContentInfo::from_der(&self.0.der)?;
        let data = info.content.decode_as::<SignedData<'_>>()?;
        let mut signer = SignerInfo::from_der(data.signers.0)?;
        let stamp = attribute(oid::SIGNATURE_TIME_STAMP, token.as_der())?;
        signer.unsigned_attributes = Some(RawSet(&stamp));
        let signers = signer.to_der()?;
        let data = SignedData { signers: RawSet(&signers), ..data }.to_der()?;
        let der =
            ContentInfo { content_type: info.content_type, content: AnyRef::try_from(data.as_slice())? };
        Ok(Self(Checked { der: der.to_der()?, has_timestamp: true, ..self.0.clone() }))
    }
}
