//! Phone numbers, which are personal data.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A phone number in the international form without `+`; it is personal data, so it never shows in logs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Msisdn(String);

/// The text is no phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a phone number: expected 8 to 15 digits in the international form, without +")]
pub struct NotAnMsisdn;

impl Msisdn {
    /// The digits, for the one request that needs them.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl FromStr for Msisdn {
    type Err = NotAnMsisdn;

    fn from_str(text: &str) -> Result<Self, NotAnMsisdn> {
        let shaped = (8..=15).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_digit())
            && !text.starts_with('0');
        if shaped { Ok(Self(text.to_owned())) } else { Err(NotAnMsisdn) }
    }
}

impl TryFrom<String> for Msisdn {
    type Error = NotAnMsisdn;

    fn try_from(text: String) -> Result<Self, NotAnMsisdn> {
        text.parse()
    }
}

impl From<Msisdn> for String {
    fn from(number: Msisdn) -> Self {
        number.0
    }
}

impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail = self.0.get(self.0.len().saturating_sub(2)..).unwrap_or_default();
        write!(f, "Msisdn(…{tail})")
    }
}
