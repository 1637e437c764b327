//! Dates in JSON as `YYYY-MM-DD` (for `#[serde(with = "…")]`), the only form rows and wire types use.

use serde::{Deserialize, Deserializer, Serializer};
use time::Date;
use time::format_description::well_known::Iso8601;
use time::macros::format_description;

/// Writes `YYYY-MM-DD`.
///
/// # Errors
/// When the serialiser fails, or for a year that four digits cannot hold.
pub fn serialize<S: Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    let text = date.format(format_description!("[year]-[month]-[day]")).map_err(serde::ser::Error::custom)?;
    serializer.serialize_str(&text)
}

/// Reads `YYYY-MM-DD`.
///
/// # Errors
/// When the text is no such date.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
    Date::parse(&text, &Iso8601::DATE).map_err(serde::de::Error::custom)
}

/// The same for dates that may be absent.
pub mod option {
    use serde::{Deserialize, Deserializer, Serializer};
    use time::Date;

    /// Writes the date or null.
    ///
    /// # Errors
    /// As [`super::serialize`].
    pub fn serialize<S: Serializer>(date: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
        match date {
            Some(date) => super::serialize(date, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a date or null.
    ///
    /// # Errors
    /// As [`super::deserialize`].
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
        #[derive(Deserialize)]
        struct Wrapped(#[serde(with = "super")] Date);
        Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|wrapped| wrapped.0))
    }
}
