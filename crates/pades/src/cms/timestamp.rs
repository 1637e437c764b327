//! Puts a time stamp into a checked signature: level B-B becomes B-T, before anything is embedded.

use der::asn1::AnyRef;
use der::{Decode, Encode};
use thiserror::Error;

use super::attributes::{AttributeList, attribute};
use super::check::Checked;
use super::types::{ContentInfo, SignedData, SignerInfo};
use super::{CheckedCms, CmsRefused, check};
use crate::asn1::{Oid, RawSet};
use crate::crypto::Provider;
use crate::digest::Digest;
use crate::oid;
use crate::tsp::{CheckedToken, Token};

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
        let der = with_signer(info.content_type, data, &signer)?;
        Ok(Self(Checked { der, has_timestamp: true, ..self.0.clone() }))
    }
}

/// Checks a CMS that already carries its time stamp, as it lies in a row after a restart: without the stamp it passes
/// [`super::check()`], the stamp is over its signature value, and putting it in again gives the very same bytes.
///
/// # Errors
/// [`CmsRefused`] as for [`super::check()`]; [`CmsRefused::UnsignedAttributes`] for anything but one good time stamp.
pub fn check_stamped(
    cms: &[u8],
    digest: &Digest,
    expected_certificate: &[u8],
    provider: &dyn Provider,
) -> Result<(CheckedCms, CheckedToken), CmsRefused> {
    let info = ContentInfo::from_der(cms)?;
    let data = info.content.decode_as::<SignedData<'_>>()?;
    let signers = data.signers.items()?;
    let [signer] = signers.as_slice() else { return Err(CmsRefused::Signers(signers.len())) };
    let mut signer = signer.parse::<SignerInfo<'_>>()?;
    let unsigned = AttributeList::read(signer.unsigned_attributes.ok_or(CmsRefused::UnsignedAttributes)?)?;
    let stamp = unsigned.single(oid::SIGNATURE_TIME_STAMP).ok_or(CmsRefused::UnsignedAttributes)?;
    let token = Token::parse(stamp).map_err(|_| CmsRefused::UnsignedAttributes)?;
    let imprint = token.imprint_algorithm().digest(signer.signature.as_bytes());
    let token = token.check(&imprint, &[], provider).map_err(|_| CmsRefused::UnsignedAttributes)?;
    signer.unsigned_attributes = None;
    let bare = with_signer(info.content_type, data, &signer)?;
    let stamped = check(&bare, digest, expected_certificate, provider)?.add_timestamp(&token);
    // Anything else in or around the attribute would show here.
    let stamped = stamped.ok().filter(|stamped| stamped.as_der() == cms);
    Ok((stamped.ok_or(CmsRefused::UnsignedAttributes)?, token))
}

/// The message with another (its only) signer.
fn with_signer(content_type: Oid, data: SignedData<'_>, signer: &SignerInfo<'_>) -> der::Result<Vec<u8>> {
    let signer = signer.to_der()?;
    let data = SignedData { signers: RawSet(&signer), ..data }.to_der()?;
    ContentInfo { content_type, content: AnyRef::try_from(data.as_slice())? }.to_der()
}
