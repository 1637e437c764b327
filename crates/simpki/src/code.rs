//! The verification code: the same few digits in the app and on the SIM's prompt.
//!
//! The SIM's applet computes it from the hash it was asked to sign, so a hash swapped on the way shows
//! another number. It stops mistakes and lazy relays; it does not stop someone who can choose among ten
//! thousand documents, and never replaces checking the signature. Which rule an operator's applet follows
//! is policy, to be proved on a real SIM before anyone relies on it; with [`CodePolicy::None`] the screen
//! shows no code and says so. No server ever writes a code of its own.
//!
//! `mobile_id_4` is the rule of SK's Mobile-ID (6 leading and 7 trailing bits of the hash); `vn_6` is that
//! of a public client for the Vietnamese applet (both ends of SHA-256 of the data, three digits each).

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::digest::DtbsDigest;

/// Which code the agency's SIM cards show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CodePolicy {
    /// The applet computes the code and puts it in place of `%%VC%%`.
    SimComputed {
        /// How.
        kind: CodeKind,
        /// From which bytes.
        over: CodeOver,
    },
    /// The applet shows no code.
    None,
}

/// How the digits come from the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeKind {
    /// Four digits, 0000–8191: the first 6 and the last 7 bits.
    #[serde(rename = "mobile_id_4")]
    MobileId4,
    /// Six digits: the last 16 bits of SHA-256 modulo 1000, then the first 16 bits modulo 1000.
    #[serde(rename = "vn_6")]
    Vn6,
}

/// Which bytes the applet takes the code from.
///
/// Over a `DigestInfo`, `mobile_id_4` can only give 1536–1663, since the first byte is always `0x30`:
/// a quick way to tell in the field which of the two a SIM does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeOver {
    /// The 32 bytes of the hash.
    Digest,
    /// The 51 bytes of the `DigestInfo`.
    DigestInfo,
}

impl CodePolicy {
    /// The code that both screens show for this digest, if the policy has one.
    pub fn code(self, digest: &DtbsDigest) -> Option<VerificationCode> {
        let Self::SimComputed { kind, over } = self else { return None };
        let code = match over {
            CodeOver::Digest => kind.of(&digest.0),
            CodeOver::DigestInfo => kind.of(&digest.digest_info()),
        };
        Some(VerificationCode(code))
    }

    /// Whether the prompt's text must carry the literal `%%VC%%`.
    pub fn on_prompt(self) -> bool {
        matches!(self, Self::SimComputed { .. })
    }
}

impl CodeKind {
    fn of(self, bytes: &[u8]) -> String {
        match self {
            Self::MobileId4 => {
                let first = bytes.first().copied().unwrap_or_default();
                let last = bytes.last().copied().unwrap_or_default();
                format!("{:04}", (u16::from(first & 0xfc) << 5) | u16::from(last & 0x7f))
            }
            Self::Vn6 => {
                let hash: [u8; 32] = Sha256::digest(bytes).into();
                let left = u16::from_be_bytes([hash[0], hash[1]]) % 1000;
                let right = u16::from_be_bytes([hash[30], hash[31]]) % 1000;
                format!("{right:03}{left:03}")
            }
        }
    }
}

/// The digits to compare. Only [`CodePolicy::code`] makes one, so it is always of a hash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct VerificationCode(String);

impl VerificationCode {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VerificationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sha256(text: &str) -> DtbsDigest {
        DtbsDigest(Sha256::digest(text).into())
    }

    #[test]
    fn mobile_id_codes_are_the_published_ones() {
        let policy = CodePolicy::SimComputed { kind: CodeKind::MobileId4, over: CodeOver::Digest };
        for (text, code) in [("", "7253"), ("abc", "5933"), ("1234567890", "6342")] {
            assert_eq!(policy.code(&sha256(text)).unwrap().as_str(), code);
        }
        let sha1 = [
            0x2f, 0x66, 0x5f, 0x6a, 0x69, 0x99, 0xe0, 0xef, 0x07, 0x52, 0xe0, 0x0e, 0xc9, 0xf4, 0x53, 0xad,
            0xf5, 0x9d, 0x8c, 0xb6,
        ];
        assert_eq!(CodeKind::MobileId4.of(&sha1), "1462");
    }

    #[test]
    fn over_the_digest_info_few_mobile_id_codes_are_left() {
        let policy = CodePolicy::SimComputed { kind: CodeKind::MobileId4, over: CodeOver::DigestInfo };
        assert_eq!(policy.code(&sha256("abc")).unwrap().as_str(), "1581");
        for text in ["", "a", "b", "1234567890"] {
            let code: u16 = policy.code(&sha256(text)).unwrap().as_str().parse().unwrap();
            assert!((1536..=1663).contains(&code));
        }
    }

    #[test]
    fn vietnamese_codes_have_six_digits() {
        let over = |over| {
            CodePolicy::SimComputed { kind: CodeKind::Vn6, over }.code(&sha256("abc")).unwrap().to_string()
        };
        assert_eq!(over(CodeOver::DigestInfo), "518624");
        assert_eq!(over(CodeOver::Digest), "432363");
    }

    #[test]
    fn no_policy_no_code() {
        assert_eq!(CodePolicy::None.code(&sha256("abc")), None);
        assert!(!CodePolicy::None.on_prompt());
    }

    #[test]
    fn policy_is_written_as_the_profile_files_write_it() {
        let policy: CodePolicy =
            serde_json::from_str(r#"{"sim_computed":{"kind":"vn_6","over":"digest_info"}}"#).unwrap();
        assert_eq!(policy, CodePolicy::SimComputed { kind: CodeKind::Vn6, over: CodeOver::DigestInfo });
        assert_eq!(serde_json::from_str::<CodePolicy>(r#""none""#).unwrap(), CodePolicy::None);
    }
}
