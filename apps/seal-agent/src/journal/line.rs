//! One line of the journal as bytes: JSON with a digest of itself, so that a flipped bit is damage and not another number.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use trinhky_pades::Digest;
use trinhky_protos::HexDigest;
use trinhky_protos::ids::DocumentId;

/// A number that this desk put its seal to, or was about to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: OffsetDateTime,
    pub(crate) document: DocumentId,
    /// As drawn, `29/QĐ-UBND`.
    pub(crate) number: String,
    /// `YYYY-MM-DD`.
    pub(crate) date: String,
    /// The head that was sealed; unknown in a line that was repaired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) base: Option<HexDigest>,
    /// What the token signs: SHA-256 of the signed attributes; unknown in a line that was repaired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<HexDigest>,
    /// Why a person wrote this line in the place of a damaged one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) repaired: Option<String>,
}

impl Entry {
    const fn is_of_the_first_version(&self) -> bool {
        self.base.is_some() && self.digest.is_some() && self.repaired.is_none()
    }
}

/// A damaged line that a person found to hold no seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetAside {
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: OffsetDateTime,
    /// Why it holds none.
    pub(crate) set_aside: String,
}

/// A line that reads back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    Seal(Entry),
    SetAside(SetAside),
}

/// A line and the digest of itself without it.
#[derive(Serialize)]
struct Summed<'a, T> {
    #[serde(flatten)]
    line: &'a T,
    sum: HexDigest,
}

impl Line {
    /// The line, without its line feed.
    ///
    /// # Errors
    /// What JSON cannot say: a year beyond 9999.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let sum = HexDigest(Digest::of(&self.bare()?).0);
        match self {
            Self::Seal(line) => serde_json::to_vec(&Summed { line, sum }),
            Self::SetAside(line) => serde_json::to_vec(&Summed { line, sum }),
        }
    }

    /// Reads a line that is whole: byte for byte what [`Self::to_bytes`] writes. Lines of the first version carry no digest.
    ///
    /// # Errors
    /// Why it is damaged.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let mut value: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let summed = value.remove("sum").is_some();
        let value = serde_json::Value::Object(value);
        let line = if value.get("set_aside").is_some() {
            serde_json::from_value(value).map(Self::SetAside)
        } else {
            serde_json::from_value(value).map(Self::Seal)
        };
        let line = line.map_err(|error| error.to_string())?;
        let first_version = matches!(&line, Self::Seal(entry) if entry.is_of_the_first_version());
        let written = if summed {
            line.to_bytes()
        } else if first_version {
            line.bare()
        } else {
            return Err("it has no digest".into());
        };
        match written {
            Ok(written) if written == bytes => Ok(line),
            Ok(_) => Err("it is not what its digest says".into()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn bare(&self) -> Result<Vec<u8>, serde_json::Error> {
        match self {
            Self::Seal(line) => serde_json::to_vec(line),
            Self::SetAside(line) => serde_json::to_vec(line),
        }
    }
}
