//! DER by hand: enough tags to write certificates, CRLs, OCSP answers and time stamps, and to read the requests for them.
//!
//! On purpose this shares nothing with the product's ASN.1 structs: a simulator that uses our own encoder would only
//! prove that we agree with ourselves. Follows X.690 (definite lengths, minimal integers, sorted SET OF).

use time::OffsetDateTime;

/// Tag bytes used here (X.680 universal class).
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const ENUMERATED: u8 = 0x0a;
    pub(crate) const UTF8_STRING: u8 = 0x0c;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
}

/// One element: tag, minimal length, content.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len().to_be_bytes();
    let significant = length.iter().position(|byte| *byte != 0).map_or(&[][..], |first| &length[first..]);
    match (content.len(), significant) {
        (0..0x80, [short]) => out.push(*short),
        (0, _) => out.push(0),
        _ => {
            out.push(0x80 | u8::try_from(significant.len()).unwrap_or(0));
            out.extend_from_slice(significant);
        }
    }
    out.extend_from_slice(content);
    out
}

/// SEQUENCE of already encoded parts.
pub(crate) fn seq(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(tag::SEQUENCE, &parts.concat())
}

/// SET OF, sorted as DER demands.
pub(crate) fn set_of(mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    tlv(tag::SET, &parts.concat())
}

/// `[n] EXPLICIT` (constructed) around encoded parts; also an implicit constructed tag over their concatenation.
pub(crate) fn context(n: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0xa0 | n, &parts.concat())
}

/// `[n] IMPLICIT` primitive.
pub(crate) fn context_primitive(n: u8, content: &[u8]) -> Vec<u8> {
    tlv(0x80 | n, content)
}

/// The same content under another tag (IMPLICIT tagging of a constructed type).
pub(crate) fn retag(tag: u8, encoded: &[u8]) -> Vec<u8> {
    match Reader::new(encoded).any() {
        Ok(element) => tlv(tag, element.body),
        Err(_) => tlv(tag, encoded),
    }
}

/// INTEGER from unsigned big-endian bytes.
pub(crate) fn uint(bytes: &[u8]) -> Vec<u8> {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let mut content = bytes[first..].to_vec();
    if content.first().is_none_or(|byte| byte & 0x80 != 0) {
        content.insert(0, 0);
    }
    tlv(tag::INTEGER, &content)
}

/// INTEGER from a small number.
pub(crate) fn int(value: u64) -> Vec<u8> {
    uint(&value.to_be_bytes())
}

/// OBJECT IDENTIFIER from its dotted form. Only for the constants of this crate: a malformed arc is left out.
pub(crate) fn oid(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted.split('.').filter_map(|arc| arc.parse().ok()).collect();
    let mut content = Vec::new();
    if let [first, second, rest @ ..] = arcs.as_slice() {
        for arc in std::iter::once(first * 40 + second).chain(rest.iter().copied()) {
            let mut groups = vec![u8::try_from(arc & 0x7f).unwrap_or(0)];
            let mut left = arc >> 7;
            while left > 0 {
                groups.push(0x80 | u8::try_from(left & 0x7f).unwrap_or(0));
                left >>= 7;
            }
            content.extend(groups.iter().rev());
        }
    }
    tlv(tag::OID, &content)
}

/// NULL.
pub(crate) fn null() -> Vec<u8> {
    tlv(tag::NULL, &[])
}

/// BOOLEAN TRUE (FALSE is a default and never written here).
pub(crate) fn yes() -> Vec<u8> {
    tlv(tag::BOOLEAN, &[0xff])
}

/// OCTET STRING.
pub(crate) fn octets(content: &[u8]) -> Vec<u8> {
    tlv(tag::OCTET_STRING, content)
}

/// BIT STRING without unused bits.
pub(crate) fn bits(content: &[u8]) -> Vec<u8> {
    tlv(tag::BIT_STRING, &[&[0], content].concat())
}

/// `UTF8String`.
pub(crate) fn utf8(text: &str) -> Vec<u8> {
    tlv(tag::UTF8_STRING, text.as_bytes())
}

/// `GeneralizedTime` in whole seconds, UTC (`YYYYMMDDHHMMSSZ`).
pub(crate) fn generalized_time(at: OffsetDateTime) -> Vec<u8> {
    tlv(tag::GENERALIZED_TIME, &digits(at, true))
}

/// `Time` of X.509: `UTCTime` to 2049, `GeneralizedTime` from 2050 (RFC 5280 4.1.2.5).
pub(crate) fn time(at: OffsetDateTime) -> Vec<u8> {
    if at.to_offset(time::UtcOffset::UTC).year() < 2050 {
        tlv(tag::UTC_TIME, &digits(at, false))
    } else {
        generalized_time(at)
    }
}

fn digits(at: OffsetDateTime, full_year: bool) -> Vec<u8> {
    let at = at.to_offset(time::UtcOffset::UTC);
    let year =
        if full_year { format!("{:04}", at.year()) } else { format!("{:02}", at.year().rem_euclid(100)) };
    format!(
        "{year}{:02}{:02}{:02}{:02}{:02}Z",
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
    .into_bytes()
}

/// The bytes are not the DER that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the DER that was expected")]
pub(crate) struct Malformed;

/// One element as read: `whole` is tag, length and content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) body: &'a [u8],
    pub(crate) whole: &'a [u8],
}

/// Reads one element after the other.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(crate) fn any(&mut self) -> Result<Element<'a>, Malformed> {
        let [tag, first, rest @ ..] = self.rest else { return Err(Malformed) };
        let (length, header) = if *first < 0x80 {
            (usize::from(*first), 2)
        } else {
            let count = usize::from(first & 0x7f);
            let bytes = rest.get(..count).filter(|_| (1..=4).contains(&count)).ok_or(Malformed)?;
            (bytes.iter().fold(0usize, |sum, byte| (sum << 8) | usize::from(*byte)), 2 + count)
        };
        let end = header.checked_add(length).ok_or(Malformed)?;
        let whole = self.rest.get(..end).ok_or(Malformed)?;
        self.rest = &self.rest[end..];
        Ok(Element { tag: *tag, body: &whole[header..], whole })
    }

    pub(crate) fn expect(&mut self, tag: u8) -> Result<Element<'a>, Malformed> {
        if self.peek() == Some(tag) { self.any() } else { Err(Malformed) }
    }

    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, Malformed> {
        if self.peek() == Some(tag) { self.any().map(Some) } else { Ok(None) }
    }

    /// Enters a SEQUENCE.
    pub(crate) fn sequence(&mut self) -> Result<Reader<'a>, Malformed> {
        self.expect(tag::SEQUENCE).map(|element| Reader::new(element.body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_x690_prints() {
        assert_eq!(oid("1.2.840.113549"), [0x06, 0x06, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]);
        assert_eq!(int(0), [2, 1, 0]);
        assert_eq!(int(127), [2, 1, 127]);
        assert_eq!(int(128), [2, 2, 0, 128]);
        assert_eq!(octets(&[]), [4, 0]);
        assert_eq!(octets(&[7; 127])[..2], [4, 127]);
        assert_eq!(octets(&[7; 128])[..3], [4, 0x81, 128]);
        assert_eq!(octets(&[7; 300])[..4], [4, 0x82, 1, 44]);
        let at = OffsetDateTime::from_unix_timestamp(951_782_400).unwrap();
        assert_eq!(time(at)[2..], *b"000229000000Z");
    }

    #[test]
    fn reads_back_and_refuses_short_input() {
        let bytes = seq(&[int(5), octets(b"abc")]);
        let mut inner = Reader::new(&bytes).sequence().unwrap();
        assert_eq!(inner.expect(tag::INTEGER).unwrap().body, [5]);
        assert_eq!(inner.expect(tag::OCTET_STRING).unwrap().body, b"abc");
        assert!(inner.is_empty());
        for cut in 0..bytes.len() {
            assert!(Reader::new(&bytes[..cut]).sequence().is_err());
        }
    }
}
