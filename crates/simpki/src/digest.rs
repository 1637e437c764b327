//! The 32 bytes that the SIM signs over, and the `DigestInfo` in which the Vietnamese profile carries them.
//!
//! These bytes are the SHA-256 of the CMS signed attributes, not of the PDF; whoever makes them knows
//! which. RFC 8017 section 9.2 note 1 gives the prefix: `DigestInfo ::= SEQUENCE { sha256, NULL, OCTET STRING }`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A SHA-256 value to be signed. `Display` and serde are lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DtbsDigest(pub [u8; 32]);

impl DtbsDigest {
    /// The DER `DigestInfo` for SHA-256: 19 bytes of prefix and the digest.
    pub fn digest_info(&self) -> [u8; 51] {
        let mut info = [0u8; 51];
        let (prefix, digest) = info.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(&PREFIX);
        digest.copy_from_slice(&self.0);
        info
    }
}

/// Not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 digest is written as 64 hexadecimal digits")]
pub struct InvalidDigest;

impl FromStr for DtbsDigest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        if text.len() != 64 || !text.is_ascii() {
            return Err(InvalidDigest);
        }
        let mut digest = [0u8; 32];
        for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| InvalidDigest)?;
            // from_str_radix would take "+f" for a number.
            if !pair.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(InvalidDigest);
            }
            *byte = u8::from_str_radix(pair, 16).map_err(|_| InvalidDigest)?;
        }
        Ok(Self(digest))
    }
}

impl TryFrom<String> for DtbsDigest {
    type Error = InvalidDigest;

    fn try_from(text: String) -> Result<Self, InvalidDigest> {
        text.parse()
    }
}

impl From<DtbsDigest> for String {
    fn from(digest: DtbsDigest) -> Self {
        digest.to_string()
    }
}

impl fmt::Display for DtbsDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for DtbsDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DtbsDigest({self})")
    }
}

/// `30 31 30 0d 06 09 2.16.840.1.101.3.4.2.1 05 00 04 20`.
const PREFIX: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_digest_info_of_abc_is_the_published_one() {
        let digest: DtbsDigest = ABC.parse().unwrap();
        let published = "MDEwDQYJYIZIAWUDBAIBBQAEILp4Fr+PAc/qQUFA3l2uIiOwA2Gjlhd6nLQQ/2HyABWt";
        assert_eq!(STANDARD.encode(digest.digest_info()), published);
    }

    #[test]
    fn hex_goes_out_and_comes_back() {
        let digest: DtbsDigest = ABC.parse().unwrap();
        assert_eq!(digest.to_string(), ABC);
        for wrong in ["", "ba78", &ABC.replace('b', "g"), &format!("+{}", &ABC[1..]), &"é".repeat(32)] {
            assert_eq!(wrong.parse::<DtbsDigest>(), Err(InvalidDigest));
        }
    }
}
