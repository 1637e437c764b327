//! `GeneralName` (RFC 5280 4.2.1.6): the forms that certificates of people, services and CRLs use.

use crate::asn1::{Oid, Raw, items};

use super::Name;

/// One alternative name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GeneralName {
    /// `rfc822Name`: an e-mail address, or in constraints a host or `.domain`.
    Email(String),
    /// `dNSName`.
    Dns(String),
    /// `uniformResourceIdentifier`.
    Uri(String),
    /// `directoryName`.
    Directory(Name),
    /// `iPAddress`: 4 or 16 bytes, in constraints followed by as many bytes of mask.
    Ip(Vec<u8>),
    /// `registeredID`.
    RegisteredId(Oid),
    /// Any other form, by its context tag.
    Other(u8),
}

impl GeneralName {
    pub(crate) fn from_raw(raw: Raw<'_>) -> der::Result<Self> {
        let tag = raw.0.first().copied().unwrap_or_default();
        let value = raw.any()?.value();
        let text = || {
            let ascii = value.is_ascii().then(|| value.iter().map(|b| char::from(*b)).collect::<String>());
            ascii.ok_or_else(|| der::Error::from(der::Tag::Ia5String.value_error()))
        };
        Ok(match tag {
            0x81 => Self::Email(text()?),
            0x82 => Self::Dns(text()?),
            0x86 => Self::Uri(text()?),
            0xa4 => Self::Directory(Name::from_raw(Raw::only(value)?)?),
            0x87 => Self::Ip(value.to_vec()),
            0x88 => Self::RegisteredId(Raw::only(&crate::asn1::wrap(6, value))?.parse()?),
            0xa0 | 0xa3 | 0xa5 => Self::Other(tag & 0x1f),
            _ => return Err(der::ErrorKind::TagUnknown { byte: tag }.into()),
        })
    }

    /// The elements of a `GeneralNames` content.
    pub(crate) fn list(content: &[u8]) -> der::Result<Vec<Self>> {
        items(content, 1024)?.into_iter().map(Self::from_raw).collect()
    }
}
