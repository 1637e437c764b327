//! Certificate extensions (RFC 5280 4.2), read once; an extension that is critical and not known here is kept by
//! its identifier, and path validation refuses the certificate.

use std::collections::HashSet;

use der::asn1::{BitStringRef, OctetStringRef};
use der::{Decode, Sequence};

use super::GeneralName;
use crate::asn1::ber::definite;
use crate::asn1::{Oid, Raw, RawSeq};
use crate::oid;

/// `Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }`
#[derive(Sequence)]
pub(crate) struct Extension<'a> {
    pub(crate) oid: Oid,
    #[asn1(default = "Default::default")]
    pub(crate) critical: bool,
    pub(crate) value: &'a OctetStringRef,
}

/// What the extensions of a certificate say.
#[derive(Clone, Debug, Default)]
pub struct Extensions {
    /// Whether it is a CA, and how many CAs may follow.
    pub basic_constraints: Option<BasicConstraints>,
    /// What the key may do.
    pub key_usage: Option<KeyUsage>,
    /// The purposes it is limited to.
    pub extended_key_usage: Option<ExtendedKeyUsage>,
    /// Identifier of the subject's key.
    pub subject_key_id: Option<Vec<u8>>,
    /// Identifier of the issuer's key.
    pub authority_key_id: Option<AuthorityKeyId>,
    /// Alternative names of the subject.
    pub subject_alt_names: Vec<GeneralName>,
    /// Names that certificates below may have.
    pub name_constraints: Option<NameConstraints>,
    /// Certificate policies; `None` when the extension is absent.
    pub policies: Option<Vec<Oid>>,
    /// Policies of the issuer that equal policies of the subject: (issuer's, subject's).
    pub policy_mappings: Vec<(Oid, Oid)>,
    /// When an explicit policy is needed and mapping stops.
    pub policy_constraints: Option<PolicyConstraints>,
    /// After how many more certificates anyPolicy is void.
    pub inhibit_any_policy: Option<u32>,
    /// Where CRLs are.
    pub crl_distribution_points: Vec<DistributionPoint>,
    /// Where the OCSP responder is.
    pub ocsp_urls: Vec<String>,
    /// Where the issuer's certificate is.
    pub ca_issuer_urls: Vec<String>,
    /// `id-pkix-ocsp-nocheck`: the revocation of this OCSP responder is not checked.
    pub ocsp_no_check: bool,
    /// Critical extensions that are not understood here.
    pub unknown_critical: Vec<Oid>,
}

/// `basicConstraints`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Sequence)]
pub struct BasicConstraints {
    /// May issue certificates.
    #[asn1(default = "Default::default")]
    pub ca: bool,
    /// How many intermediate certificates may follow.
    pub path_length: Option<u32>,
}

/// `keyUsage` as a bit set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage(u16);

impl KeyUsage {
    /// Bit 0.
    pub const DIGITAL_SIGNATURE: Self = Self(1);
    /// Bit 1, also named contentCommitment.
    pub const NON_REPUDIATION: Self = Self(1 << 1);
    /// Bit 5.
    pub const KEY_CERT_SIGN: Self = Self(1 << 5);
    /// Bit 6.
    pub const CRL_SIGN: Self = Self(1 << 6);

    /// Whether any bit of `other` is set.
    #[must_use]
    pub const fn allows(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn from_bits(bits: &BitStringRef<'_>) -> Self {
        let set = bits.bits().take(9).enumerate().filter(|(_, bit)| *bit);
        Self(set.fold(0, |all, (nth, _)| all | (1 << nth)))
    }
}

/// `extKeyUsage`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedKeyUsage {
    /// The purposes.
    pub purposes: Vec<Oid>,
    /// Whether the extension was critical (RFC 3161 2.3 demands it of time-stamping certificates).
    pub critical: bool,
}

impl ExtendedKeyUsage {
    /// Whether it names `id-kp-timeStamping` and nothing else, critically (RFC 3161 2.3).
    #[must_use]
    pub fn is_time_stamping_only(&self) -> bool {
        self.critical && self.purposes == [oid::KP_TIME_STAMPING]
    }

    /// Whether it names `id-kp-OCSPSigning`.
    #[must_use]
    pub fn allows_ocsp_signing(&self) -> bool {
        self.purposes.contains(&oid::KP_OCSP_SIGNING)
    }

    pub(crate) fn allows(&self, purpose: Oid) -> bool {
        self.purposes.contains(&purpose) || self.purposes.contains(&oid::ANY_EXTENDED_KEY_USAGE)
    }
}

/// `authorityKeyIdentifier`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorityKeyId {
    /// Identifier of the key.
    pub key_id: Option<Vec<u8>>,
    /// Serial number of the issuer's certificate.
    pub serial: Option<Vec<u8>>,
}

/// `nameConstraints`.
#[derive(Clone, Debug, Default)]
pub struct NameConstraints {
    /// Subtrees that names must lie in, per form.
    pub permitted: Vec<GeneralName>,
    /// Subtrees that no name may lie in.
    pub excluded: Vec<GeneralName>,
}

/// `policyConstraints`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Sequence)]
pub struct PolicyConstraints {
    /// After this many more certificates, a policy is needed.
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    pub require_explicit: Option<u32>,
    /// After this many more certificates, mappings are void.
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub inhibit_mapping: Option<u32>,
}

/// One `DistributionPoint` (RFC 5280 4.2.1.13), also the name part of an IDP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DistributionPoint {
    /// Full names of the point.
    pub names: Vec<GeneralName>,
    /// The relative form: content of the `RelativeDistinguishedName`, to be appended to the CRL issuer's name.
    pub relative: Option<Vec<u8>>,
    /// Only these reasons (bit n set: reason n); `None` for all.
    pub reasons: Option<u16>,
    /// Who signs that CRL, when it is not the certificate's issuer.
    pub crl_issuer: Vec<GeneralName>,
}

#[derive(Sequence)]
struct RawAuthorityKeyId<'a> {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    key_id: Option<&'a OctetStringRef>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    issuer: Option<RawSeq<'a>>,
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT", optional = "true")]
    serial: Option<&'a OctetStringRef>,
}

#[derive(Sequence)]
struct RawNameConstraints<'a> {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    permitted: Option<RawSeq<'a>>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    excluded: Option<RawSeq<'a>>,
}

#[derive(Sequence)]
struct PolicyInformation<'a> {
    policy: Oid,
    qualifiers: Option<RawSeq<'a>>,
}

#[derive(Sequence)]
struct PolicyMapping {
    issuer: Oid,
    subject: Oid,
}

#[derive(Sequence)]
struct AccessDescription<'a> {
    method: Oid,
    location: Raw<'a>,
}

impl Extensions {
    /// Reads the content of an `Extensions` sequence. Repeated extensions are refused (RFC 5280 4.2).
    pub(crate) fn read(content: RawSeq<'_>) -> der::Result<Self> {
        let mut found = Self::default();
        let mut seen = HashSet::new();
        for item in content.items()? {
            let extension = item.parse::<Extension<'_>>()?;
            if !seen.insert(extension.oid) {
                return Err(der::ErrorKind::Failed.into());
            }
            found.take(&extension)?;
        }
        Ok(found)
    }

    fn take(&mut self, extension: &Extension<'_>) -> der::Result<()> {
        let value = extension.value.as_bytes();
        match extension.oid {
            oid::BASIC_CONSTRAINTS => self.basic_constraints = Some(BasicConstraints::from_der(value)?),
            oid::KEY_USAGE => self.key_usage = Some(KeyUsage::from_bits(&BitStringRef::from_der(value)?)),
            oid::EXT_KEY_USAGE => {
                let purposes = list(value)?.into_iter().map(Raw::parse).collect::<der::Result<Vec<_>>>()?;
                if purposes.is_empty() {
                    return Err(der::ErrorKind::Failed.into());
                }
                self.extended_key_usage = Some(ExtendedKeyUsage { purposes, critical: extension.critical });
            }
            oid::SUBJECT_KEY_IDENTIFIER => {
                self.subject_key_id = Some(<&OctetStringRef>::from_der(value)?.as_bytes().to_vec());
            }
            oid::AUTHORITY_KEY_IDENTIFIER => {
                let raw = RawAuthorityKeyId::from_der(value)?;
                self.authority_key_id = Some(AuthorityKeyId {
                    key_id: raw.key_id.map(|id| id.as_bytes().to_vec()),
                    serial: raw.serial.map(|serial| serial.as_bytes().to_vec()),
                });
            }
            oid::SUBJECT_ALT_NAME => self.subject_alt_names = GeneralName::list(RawSeq::from_der(value)?.0)?,
            oid::ISSUER_ALT_NAME => drop(GeneralName::list(RawSeq::from_der(value)?.0)?),
            oid::NAME_CONSTRAINTS => self.name_constraints = Some(name_constraints(value)?),
            oid::CERTIFICATE_POLICIES => self.policies = Some(policies(value)?),
            oid::POLICY_MAPPINGS => {
                for item in list(value)? {
                    let mapping = item.parse::<PolicyMapping>()?;
                    self.policy_mappings.push((mapping.issuer, mapping.subject));
                }
            }
            oid::POLICY_CONSTRAINTS => self.policy_constraints = Some(PolicyConstraints::from_der(value)?),
            oid::INHIBIT_ANY_POLICY => self.inhibit_any_policy = Some(u32::from_der(value)?),
            oid::CRL_DISTRIBUTION_POINTS => {
                let points = list(value)?.into_iter().map(DistributionPoint::from_raw);
                self.crl_distribution_points = points.collect::<der::Result<_>>()?;
            }
            oid::AUTHORITY_INFO_ACCESS => self.information_access(value)?,
            oid::OCSP_NO_CHECK => self.ocsp_no_check = true,
            unknown if extension.critical => self.unknown_critical.push(unknown),
            _ => {}
        }
        Ok(())
    }

    fn information_access(&mut self, value: &[u8]) -> der::Result<()> {
        for item in list(value)? {
            let access = item.parse::<AccessDescription<'_>>()?;
            let GeneralName::Uri(uri) = GeneralName::from_raw(access.location)? else { continue };
            match access.method {
                oid::ACCESS_OCSP => self.ocsp_urls.push(uri),
                oid::ACCESS_CA_ISSUERS => self.ca_issuer_urls.push(uri),
                _ => {}
            }
        }
        Ok(())
    }
}

impl DistributionPoint {
    fn from_raw(raw: Raw<'_>) -> der::Result<Self> {
        let mut point = Self::default();
        for field in raw.parse::<RawSeq<'_>>()?.items()? {
            let value = field.any()?.value();
            match field.0.first() {
                Some(0xa0) => point.take_name(value)?,
                Some(0x81) => point.reasons = Some(reason_flags(value)?),
                Some(0xa2) => point.crl_issuer = GeneralName::list(value)?,
                _ => return Err(der::ErrorKind::Failed.into()),
            }
        }
        Ok(point)
    }

    /// `DistributionPointName ::= CHOICE { fullName [0] GeneralNames, nameRelativeToCRLIssuer [1] RDN }`
    pub(crate) fn take_name(&mut self, choice: &[u8]) -> der::Result<()> {
        let choice = Raw::only(choice)?;
        let value = choice.any()?.value();
        match choice.0.first() {
            Some(0xa0) => self.names = GeneralName::list(value)?,
            Some(0xa1) => self.relative = Some(value.to_vec()),
            _ => return Err(der::ErrorKind::Failed.into()),
        }
        Ok(())
    }
}

/// The content of an (implicitly tagged) `ReasonFlags` bit string.
pub(crate) fn reason_flags(content: &[u8]) -> der::Result<u16> {
    let whole = crate::asn1::wrap(3, content);
    let bits = BitStringRef::from_der(&whole)?;
    Ok(bits.bits().take(9).enumerate().filter(|(_, bit)| *bit).fold(0, |all, (nth, _)| all | (1 << nth)))
}

fn list(value: &[u8]) -> der::Result<Vec<Raw<'_>>> {
    RawSeq::from_der(value)?.items()
}

fn policies(value: &[u8]) -> der::Result<Vec<Oid>> {
    // Authorities in use wrote lengths here with a byte too many; what they say is clear all the same.
    let whole = value.len();
    let (value, read) = definite(value).map_err(|_| der::ErrorKind::Failed)?;
    if read != whole {
        return Err(der::ErrorKind::Failed.into());
    }
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    for item in list(&value)? {
        let policy = item.parse::<PolicyInformation<'_>>()?.policy;
        // RFC 5280 4.2.1.4: a policy must not appear more than once.
        if !seen.insert(policy) {
            return Err(der::ErrorKind::Failed.into());
        }
        found.push(policy);
    }
    if found.is_empty() { Err(der::ErrorKind::Failed.into()) } else { Ok(found) }
}

fn name_constraints(value: &[u8]) -> der::Result<NameConstraints> {
    let raw = RawNameConstraints::from_der(value)?;
    let lists = [raw.permitted, raw.excluded];
    // GeneralSubtrees ::= SEQUENCE SIZE (1..MAX)
    let empty = |list: &RawSeq<'_>| list.0.is_empty();
    if lists.iter().all(Option::is_none) || lists.iter().flatten().any(empty) {
        return Err(der::ErrorKind::Failed.into());
    }
    Ok(NameConstraints { permitted: subtrees(raw.permitted)?, excluded: subtrees(raw.excluded)? })
}

/// `GeneralSubtree ::= SEQUENCE { base GeneralName, minimum [0] DEFAULT 0, maximum [1] OPTIONAL }`; RFC 5280 wants
/// neither minimum nor maximum, and what they would mean is not implemented by anybody: refused.
fn subtrees(list: Option<RawSeq<'_>>) -> der::Result<Vec<GeneralName>> {
    let Some(list) = list else { return Ok(Vec::new()) };
    let mut bases = Vec::new();
    for item in list.items()? {
        let parts = item.parse::<RawSeq<'_>>()?.items()?;
        let [base] = parts.as_slice() else { return Err(der::ErrorKind::Failed.into()) };
        bases.push(GeneralName::from_raw(*base)?);
    }
    Ok(bases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read_with_lengths_of_a_byte_too_many() {
        let known = [0x30, 0x0e, 0x30, 0x05, 6, 3, 0x2a, 3, 4, 0x30, 0x05, 6, 3, 0x2a, 3, 5];
        let wordy = [0x30, 0x10, 0x30, 0x81, 0x05, 6, 3, 0x2a, 3, 4, 0x30, 0x81, 0x05, 6, 3, 0x2a, 3, 5];
        assert_eq!(policies(&wordy).unwrap(), policies(&known).unwrap());
        assert!(policies(&[&wordy[..], &[0]].concat()).is_err(), "something behind it");
        assert!(policies(&[0x30, 0x06, 0x30, 0x81, 0x09, 6, 3, 0x2a]).is_err(), "cut");
    }
}
