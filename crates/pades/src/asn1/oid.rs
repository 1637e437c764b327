//! Object identifiers as their encoded bytes (X.690 8.19), with arcs of any size.
//!
//! `const-oid` caps an arc at 32 bits on purpose; identifiers made from a UUID (2.25.…, ITU-T X.667) need 128.

use std::fmt;

use der::{DecodeValue, EncodeValue, FixedTag, Header, Length, Reader, Tag, Writer};

const MAX: usize = 47;

/// An object identifier.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oid {
    length: u8,
    bytes: [u8; MAX],
}

impl Oid {
    /// From the content bytes of the encoding.
    ///
    /// # Panics
    /// At compile time, when a constant is longer than 47 bytes.
    #[must_use]
    pub const fn from_content(content: &[u8]) -> Self {
        assert!(content.len() <= MAX, "object identifier constant too long");
        let mut bytes = [0; MAX];
        let mut at = 0;
        while at < content.len() {
            bytes[at] = content[at];
            at += 1;
        }
        #[expect(clippy::cast_possible_truncation, reason = "checked against MAX above")]
        let length = content.len() as u8;
        Self { length, bytes }
    }

    /// From one of the constants of `const-oid`.
    pub(crate) const fn known(oid: const_oid::ObjectIdentifier) -> Self {
        Self::from_content(oid.as_bytes())
    }

    /// The identifier 2.25.`uuid` (ITU-T X.667): ours alone, without a registry.
    #[must_use]
    pub const fn from_uuid(uuid: u128) -> Self {
        // 2.25 is one byte (2 * 40 + 25); the arc follows in base 128, most significant group first.
        let mut groups = 1;
        let mut rest = uuid >> 7;
        while rest != 0 {
            groups += 1;
            rest >>= 7;
        }
        let mut bytes = [0; MAX];
        bytes[0] = 105;
        let mut at = 0;
        while at < groups {
            let group = ((uuid >> (7 * (groups - 1 - at))) & 0x7f) as u8;
            bytes[1 + at] = if at + 1 == groups { group } else { group | 0x80 };
            at += 1;
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 19 groups")]
        let length = 1 + groups as u8;
        Self { length, bytes }
    }

    /// The content bytes of the encoding.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    fn checked(content: &[u8]) -> Option<Self> {
        let ends = content.last().is_some_and(|b| b & 0x80 == 0);
        // A group must not start with 0x80: that would be a second encoding of the same number.
        let mut starts = true;
        for byte in content {
            if starts && *byte == 0x80 {
                return None;
            }
            starts = byte & 0x80 == 0;
        }
        (ends && content.len() <= MAX).then(|| Self::from_content(content))
    }
}

impl FixedTag for Oid {
    const TAG: Tag = Tag::ObjectIdentifier;
}

impl<'a> DecodeValue<'a> for Oid {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, header: Header) -> der::Result<Self> {
        let content = reader.read_slice(header.length())?;
        Self::checked(content).ok_or_else(|| Tag::ObjectIdentifier.value_error().into())
    }
}

impl EncodeValue for Oid {
    fn value_len(&self) -> der::Result<Length> {
        Length::try_from(self.as_bytes().len())
    }

    fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
        writer.write(self.as_bytes())
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut arc: u128 = 0;
        let mut first = true;
        for byte in self.as_bytes() {
            if arc >> 121 != 0 {
                return f.write_str(".(too large)");
            }
            arc = (arc << 7) | u128::from(byte & 0x7f);
            if byte & 0x80 != 0 {
                continue;
            }
            if first {
                let root = (arc / 40).min(2);
                write!(f, "{root}.{}", arc - 40 * root)?;
                first = false;
            } else {
                write!(f, ".{arc}")?;
            }
            arc = 0;
        }
        Ok(())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use der::{Decode, Encode};

    use super::Oid;

    #[test]
    fn a_uuid_is_an_arc() {
        // The example of ITU-T X.667: 2.25.329800735698586629295641978511506172918
        let oid = Oid::from_uuid(0xf81d_4fae_7dec_11d0_a765_00a0_c91e_6bf6);
        assert_eq!(oid.to_string(), "2.25.329800735698586629295641978511506172918");
        let der = oid.to_der().unwrap();
        assert_eq!(Oid::from_der(&der).unwrap(), oid);
        assert_eq!(Oid::from_uuid(5).to_string(), "2.25.5");
    }

    #[test]
    fn known_identifiers_print_dotted() {
        assert_eq!(Oid::known(const_oid::db::rfc5911::ID_DATA).to_string(), "1.2.840.113549.1.7.1");
    }

    #[test]
    fn a_second_encoding_of_a_number_is_refused() {
        assert!(Oid::from_der(&[6, 3, 0x2a, 0x80, 0x01]).is_err());
        assert!(Oid::from_der(&[6, 2, 0x2a, 0x81]).is_err());
        assert!(Oid::from_der(&[6, 0]).is_err());
    }
}
