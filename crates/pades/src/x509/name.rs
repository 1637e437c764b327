//! Distinguished names: compared by the rules of RFC 5280 7.1, readable as UTF-8 (Vietnamese names come as
//! `UTF8String` or `BMPString`).

use std::fmt;
use std::hash::{Hash, Hasher};

use der::asn1::AnyRef;
use der::{Sequence, Tag};

use crate::asn1::{Oid, Raw, RawSeq, RawSet};

const MAX_ATTRIBUTES: usize = 64;

/// A distinguished name.
///
/// Two names are equal if their attributes are, in order, after folding case and white space of strings.
#[derive(Clone, Eq)]
pub struct Name {
    der: Vec<u8>,
    /// Relative names, each sorted, with folded values.
    folded: Vec<Vec<(Oid, Folded)>>,
    readable: Vec<(Oid, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Folded {
    Text(String),
    Other(Vec<u8>),
}

/// `AttributeTypeAndValue ::= SEQUENCE { type OBJECT IDENTIFIER, value ANY }`
#[derive(Sequence)]
struct TypeAndValue<'a> {
    oid: Oid,
    value: AnyRef<'a>,
}

impl Name {
    /// From a complete DER `Name`.
    pub(crate) fn from_raw(raw: Raw<'_>) -> der::Result<Self> {
        let mut folded = Vec::new();
        let mut readable = Vec::new();
        for relative in raw.parse::<RawSeq<'_>>()?.items()? {
            let mut parts = Vec::new();
            for item in relative.parse::<RawSet<'_>>()?.items()? {
                let TypeAndValue { oid, value } = item.parse()?;
                if readable.len() == MAX_ATTRIBUTES {
                    return Err(der::ErrorKind::Overlength.into());
                }
                let text = text_of(value);
                let key = match &text {
                    Some(text) => Folded::Text(fold(text)),
                    None => Folded::Other(item.0.to_vec()),
                };
                readable.push((oid, text.unwrap_or_else(|| hex(value.value()))));
                parts.push((oid, key));
            }
            parts.sort();
            folded.push(parts);
        }
        Ok(Self { der: raw.0.to_vec(), folded, readable })
    }

    /// The DER as it was received.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Whether it holds no attribute at all.
    pub fn is_empty(&self) -> bool {
        self.folded.is_empty()
    }

    /// The common name; the last one if there are several.
    pub fn common_name(&self) -> Option<&str> {
        self.last(&[0x55, 4, 3])
    }

    /// The organisation.
    pub fn organisation(&self) -> Option<&str> {
        self.last(&[0x55, 4, 10])
    }

    /// The organisational unit.
    pub fn unit(&self) -> Option<&str> {
        self.last(&[0x55, 4, 11])
    }

    /// The title (chức danh) of a person.
    pub fn title(&self) -> Option<&str> {
        self.last(&[0x55, 4, 12])
    }

    /// The e-mail address in the name itself (older certificates; newer ones have it as alternative name).
    pub fn email(&self) -> Option<&str> {
        self.last(EMAIL)
    }

    /// The serial number attribute (in Vietnam often "CCCD:…", "MST:…").
    pub fn serial_number(&self) -> Option<&str> {
        self.last(&[0x55, 4, 5])
    }

    /// All attributes, in order, as (type, text).
    pub fn attributes(&self) -> impl Iterator<Item = (Oid, &str)> {
        self.readable.iter().map(|(oid, text)| (*oid, text.as_str()))
    }

    /// Whether this name lies in the subtree of `base` (RFC 5280 4.2.1.10): `base` is a prefix of it.
    pub(crate) fn within(&self, base: &Self) -> bool {
        self.folded.starts_with(&base.folded)
    }

    pub(crate) fn emails(&self) -> impl Iterator<Item = &str> {
        self.attributes().filter(|(oid, _)| oid.as_bytes() == EMAIL).map(|(_, text)| text)
    }

    fn last(&self, oid: &[u8]) -> Option<&str> {
        self.readable.iter().rev().find(|(found, _)| found.as_bytes() == oid).map(|(_, text)| text.as_str())
    }
}

/// pkcs-9 emailAddress, 1.2.840.113549.1.9.1.
const EMAIL: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

/// As people read it: most specific part first, `CN=…, O=…, C=VN` (RFC 4514 order and escapes).
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (oid, text)) in self.readable.iter().rev().enumerate() {
            if nth > 0 {
                f.write_str(", ")?;
            }
            match label(oid.as_bytes()) {
                Some(label) => write!(f, "{label}=")?,
                None => write!(f, "{oid}=")?,
            }
            for character in text.chars() {
                match character {
                    ',' | '+' | '"' | '\\' | '<' | '>' | ';' => write!(f, "\\{character}")?,
                    c if c.is_control() => write!(f, "\\u{{{:04x}}}", u32::from(c))?,
                    c => write!(f, "{c}")?,
                }
            }
        }
        Ok(())
    }
}

fn label(oid: &[u8]) -> Option<&'static str> {
    Some(match oid {
        [0x55, 4, 3] => "CN",
        [0x55, 4, 4] => "SN",
        [0x55, 4, 5] => "serialNumber",
        [0x55, 4, 6] => "C",
        [0x55, 4, 7] => "L",
        [0x55, 4, 8] => "ST",
        [0x55, 4, 9] => "street",
        [0x55, 4, 10] => "O",
        [0x55, 4, 11] => "OU",
        [0x55, 4, 12] => "title",
        [0x55, 4, 42] => "GN",
        EMAIL => "email",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1] => "UID",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25] => "DC",
        _ => return None,
    })
}

/// The text of a directory string; `None` for a value that is no string.
fn text_of(value: AnyRef<'_>) -> Option<String> {
    let bytes = value.value();
    match value.header().tag() {
        Tag::Utf8String => String::from_utf8(bytes.to_vec()).ok(),
        Tag::PrintableString | Tag::Ia5String | Tag::NumericString | Tag::VisibleString => {
            bytes.is_ascii().then(|| bytes.iter().map(|b| char::from(*b)).collect())
        }
        // T.61 as everybody writes it: Latin-1.
        Tag::TeletexString => Some(bytes.iter().map(|b| char::from(*b)).collect()),
        Tag::BmpString => {
            let (pairs, rest) = bytes.as_chunks::<2>();
            let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
            rest.is_empty().then(|| char::decode_utf16(units).collect::<Result<String, _>>().ok()).flatten()
        }
        _ => None,
    }
}

/// Case folded, white space trimmed and compressed (RFC 5280 7.1, the part of RFC 4518 that certificates use).
fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a String does not fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::Name;
    use crate::asn1::{Raw, sequence, set_of, wrap};

    fn name(parts: &[(u8, u8, &str)]) -> Name {
        let relative: Vec<Vec<u8>> = parts
            .iter()
            .map(|(attribute, tag, text)| {
                let value = if *tag == 0x1e {
                    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
                } else {
                    text.as_bytes().to_vec()
                };
                let pair = sequence(&[&wrap(6, &[0x55, 4, *attribute]), &wrap(*tag, &value)]);
                set_of(vec![pair])
            })
            .collect();
        let der = wrap(0x30, &relative.concat());
        Name::from_raw(Raw::only(&der).unwrap()).unwrap()
    }

    #[test]
    fn compares_as_people_would() {
        let a = name(&[(6, 0x13, "VN"), (3, 0x0c, "Nguyễn  Văn An")]);
        let b = name(&[(6, 0x13, "vn"), (3, 0x1e, " NGUYỄN văn an ")]);
        assert_eq!(a, b);
        assert_ne!(a, name(&[(3, 0x0c, "Nguyễn Văn An"), (6, 0x13, "VN")]));
        assert_ne!(a, name(&[(6, 0x13, "VN"), (3, 0x0c, "Nguyễn Van An")]));
    }

    #[test]
    fn reads_as_text() {
        let name = name(&[(6, 0x13, "VN"), (10, 0x0c, "Sở Nội vụ, Kiên Giang"), (3, 0x0c, "Trần Thị Bình")]);
        assert_eq!(name.common_name(), Some("Trần Thị Bình"));
        assert_eq!(name.to_string(), "CN=Trần Thị Bình, O=Sở Nội vụ\\, Kiên Giang, C=VN");
    }

    #[test]
    fn subtrees_are_prefixes() {
        let base = name(&[(6, 0x13, "VN"), (10, 0x0c, "UBND tỉnh")]);
        assert!(name(&[(6, 0x13, "VN"), (10, 0x0c, "ubnd tỉnh"), (3, 0x0c, "A")]).within(&base));
        assert!(!name(&[(6, 0x13, "VN")]).within(&base));
    }
}
