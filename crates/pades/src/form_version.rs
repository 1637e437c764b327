//! The version of a stored form: what was written by another version of this crate is not read as if it were ours.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The version `N` and no other; a number in JSON.
///
/// ```
/// use trinhky_pades::FormVersion;
/// assert_eq!(serde_json::to_string(&FormVersion::<1>)?, "1");
/// let newer = serde_json::from_str::<FormVersion<1>>("2").map_err(|error| error.to_string());
/// assert!(newer.is_err_and(|why| why.starts_with("version 2 of a stored form, where 1 is known")));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FormVersion<const N: u16>;

impl<const N: u16> fmt::Display for FormVersion<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        N.fmt(f)
    }
}

impl<const N: u16> Serialize for FormVersion<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(N)
    }
}

impl<'de, const N: u16> Deserialize<'de> for FormVersion<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stated = u64::deserialize(deserializer)?;
        if stated == u64::from(N) {
            return Ok(Self);
        }
        Err(D::Error::custom(format_args!(
            "version {stated} of a stored form, where {N} is known: it was written by another release"
        )))
    }
}
