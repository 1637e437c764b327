//! Names of things on the wire: phone numbers, parties and transactions, each its own type.
//!
//! Phone numbers and the password are personal or secret: their `Debug` and `Display` are redacted, and
//! the value leaves through a method whose name says so. Lexical rules follow ETSI TS 102 204 clause 7
//! (`AP_TransID` and `MSSP_TransID` are `NCName`) and the `FiCom` guideline (lengths).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use ulid::Ulid;
use zeroize::Zeroizing;

/// Why a string is not the name it was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// Not a Vietnamese mobile number.
    #[error("a phone number is written 84 and 9 or 10 digits, without plus or zero")]
    Msisdn,
    /// Not an `NCName` of at most 32 characters.
    #[error(
        "an AP_TransID starts with a letter or underscore and holds at most 32 letters, digits, '.', '-', '_'"
    )]
    ApTransId,
    /// Empty, too long, or with characters that no identifier has.
    #[error("an MSSP_TransID holds 1 to 128 visible characters without quotes, brackets or ampersand")]
    MsspTransId,
    /// Not a URI that fits the attribute.
    #[error("an AP_ID or MSSP URI holds 3 to 128 visible ASCII characters")]
    Uri,
    /// Characters that XML cannot carry, or nothing at all.
    #[error("a password holds 1 to 256 characters, none of them control characters")]
    Password,
}

/// A phone number in the Vietnamese profile's form: `84` and 9 or 10 digits.
///
/// `Display` and `Debug` show only the last three digits; [`Msisdn::expose`] gives all of them.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Msisdn(String);

impl Msisdn {
    /// Reads a number as people and providers write it: `+84…`, `84…`, `0…`, with spaces, dots or dashes.
    ///
    /// # Errors
    /// [`InvalidId::Msisdn`] when what remains is not a Vietnamese number.
    pub fn normalise(written: &str) -> Result<Self, InvalidId> {
        if written.len() > 32 {
            return Err(InvalidId::Msisdn);
        }
        let bare: String = written.chars().filter(|c| !matches!(c, ' ' | '.' | '-' | '(' | ')')).collect();
        let bare = bare.strip_prefix('+').unwrap_or(&bare);
        match bare.strip_prefix('0') {
            Some(national) => format!("84{national}").parse(),
            None => bare.parse(),
        }
    }

    /// All digits, for the wire and the row; never for a log.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Msisdn {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let national = text.strip_prefix("84").ok_or(InvalidId::Msisdn)?;
        let fits = matches!(national.len(), 9 | 10)
            && !national.starts_with('0')
            && national.bytes().all(|b| b.is_ascii_digit());
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidId::Msisdn) }
    }
}

impl fmt::Display for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.len().saturating_sub(3);
        write!(f, "84…{}", self.0.get(shown..).unwrap_or_default())
    }
}

impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Msisdn({self})")
    }
}

/// Our name for one attempt, an `NCName` of at most 32 characters: unique for ever, never reused.
///
/// Reusing one within 15 minutes would switch on PIN caching at the Vietnamese provider, that is, a
/// signature without a PIN; nothing in this crate makes the same one twice.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApTransId(String);

impl ApTransId {
    /// Mints the name of an attempt: the letter `T` and the ULID of this time and these 80 random bits.
    ///
    /// The letter is there because an `NCName` may not start with a digit, as most ULIDs do.
    pub fn mint(at: OffsetDateTime, random: [u8; 10]) -> Self {
        let milliseconds = u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
        let mut wide = [0u8; 16];
        wide[6..].copy_from_slice(&random);
        Self(format!("T{}", Ulid::from_parts(milliseconds, u128::from_be_bytes(wide))))
    }

    /// The name as it stands in the attribute.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ApTransId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let rest = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        if starts && rest && text.len() <= 32 { Ok(Self(text.to_owned())) } else { Err(InvalidId::ApTransId) }
    }
}

/// The provider's handle of a transaction, the only thing by which a lost connection can be recovered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MsspTransId(String);

impl MsspTransId {
    /// The handle as the provider wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MsspTransId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let fits = (1..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'<' | b'>' | b'&'));
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidId::MsspTransId) }
    }
}

/// The application provider's name at the MSSP, such as `http://ap.mobile-id.vn/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApId(String);

impl ApId {
    /// The URI as assigned.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ApId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        uri(text).map(Self)
    }
}

/// The MSSP's own name, such as `http://hmssp.mobile-id.vn`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MsspUri(String);

impl MsspUri {
    /// The URI as assigned.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MsspUri {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        uri(text).map(Self)
    }
}

/// The application provider's password (`AP_PWD`): wiped when dropped, never shown, never stored here.
#[derive(Clone)]
pub struct ApPassword(Zeroizing<String>);

impl ApPassword {
    /// The password itself, for the request's attribute only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for ApPassword {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let fits = (1..=256).contains(&text.len()) && !text.chars().any(char::is_control);
        if fits { Ok(Self(Zeroizing::new(text.to_owned()))) } else { Err(InvalidId::Password) }
    }
}

impl fmt::Debug for ApPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApPassword(…)")
    }
}

fn uri(text: &str) -> Result<String, InvalidId> {
    let fits = (3..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(text.to_owned()) } else { Err(InvalidId::Uri) }
}

/// Strings go in through `FromStr` and come out whole, for serde.
macro_rules! as_string {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

as_string!(Msisdn, ApTransId, MsspTransId, ApId, MsspUri);

macro_rules! shown {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

shown!(ApTransId, MsspTransId, ApId, MsspUri);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them_and_shown_to_nobody() {
        for written in ["84900000001", "+84 900 000 001", "0900.000.001", "(+84)900-000-001"] {
            assert_eq!(Msisdn::normalise(written).unwrap().expose(), "84900000001", "{written}");
        }
        let number: Msisdn = "84900000001".parse().unwrap();
        assert_eq!(format!("{number} {number:?}"), "84…001 Msisdn(84…001)");
    }

    #[test]
    fn foreign_short_and_decorated_numbers_are_refused() {
        for wrong in [
            "",
            "84",
            "+84900000001",
            "8490000000",
            "849000000012345",
            "41790000000",
            "84090000000",
            "8490000000x",
        ] {
            assert_eq!(wrong.parse::<Msisdn>(), Err(InvalidId::Msisdn), "{wrong}");
        }
    }

    #[test]
    fn the_password_is_not_in_its_debug_text() {
        let password: ApPassword = "hunter2".parse().unwrap();
        assert_eq!(format!("{password:?}"), "ApPassword(…)");
    }

    proptest! {
        #[test]
        fn every_minted_name_is_an_ncname_of_at_most_32(seconds in 0i64..253_402_300_799, random: [u8; 10]) {
            let id = ApTransId::mint(OffsetDateTime::from_unix_timestamp(seconds).unwrap(), random);
            prop_assert_eq!(id.as_str().parse::<ApTransId>(), Ok(id.clone()));
            prop_assert!(id.as_str().starts_with('T') && id.as_str().len() == 27);
        }

        #[test]
        fn names_that_start_with_a_digit_are_refused(text in "[0-9][A-Za-z0-9]{0,20}") {
            prop_assert_eq!(text.parse::<ApTransId>(), Err(InvalidId::ApTransId));
        }

        #[test]
        fn other_random_bits_give_another_name(a: [u8; 10], b: [u8; 10]) {
            let at = OffsetDateTime::UNIX_EPOCH;
            prop_assert_eq!(a == b, ApTransId::mint(at, a) == ApTransId::mint(at, b));
        }
    }
}
