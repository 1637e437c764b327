//! One type per thing that has an identity, so that a document's id can never be passed where a person's is due.
//!
//! Every id is a ULID: 128 bits, sortable by the time it was made, 26 characters of Crockford base 32 in text.
//! Nothing here reads a clock or a random source: [`at`](DocumentId::at) takes both.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use ulid::Ulid;

/// The text given is not a ULID of 26 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: expected 26 characters of Crockford base 32")]
pub struct NotAnId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Ulid);

        impl $name {
            /// Makes the id of something that comes to be at `now`; `chance` gives its 80 random bits (the rest is
            /// ignored). A time before 1970 counts as 1970.
            pub fn at(now: OffsetDateTime, chance: u128) -> Self {
                let millis = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
                Self(Ulid::from_parts(millis, chance))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Ulid::from_string(text).map(Self).map_err(|_| NotAnId)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

ids! {
    /// An agency, or a unit of one (cơ quan, đơn vị).
    OfficeId,
    /// A person who acts: drafter, checker, leader, clerk, administrator.
    PersonId,
    /// A document on its way (văn bản), through all its revisions.
    DocumentId,
    /// One wish for one signature (lần ký): by a leader's SIM for a document or for an enrolment.
    AttemptId,
    /// A leader's decision, signed by the device key; also the `jti` of its JWS.
    DecisionId,
    /// A phone or browser with a device key of its own.
    DeviceId,
    /// A signed-in session (phiên làm việc).
    SessionId,
    /// A durable piece of work.
    JobId,
    /// One preparation of the organisation's signature on a document.
    SealId,
    /// One recipient's copy of a released document.
    CopyId,
    /// A series of numbers: one office, one register, one year (sổ đăng ký văn bản đi).
    RegisterId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn an_id_survives_text_and_json() {
        let id = DocumentId::at(datetime!(2026-01-02 03:04:05 UTC), 42);
        assert_eq!(id.to_string().len(), 26);
        assert_eq!(id.to_string().parse(), Ok(id));
        let json = serde_json::to_string(&id).expect("ids serialise");
        assert_eq!(serde_json::from_str::<DocumentId>(&json).expect("ids parse"), id);
    }

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let earlier = AttemptId::at(datetime!(2026-01-02 03:04:05 UTC), u128::MAX);
        let later = AttemptId::at(datetime!(2026-01-02 03:04:06 UTC), 0);
        assert!(earlier < later);
    }

    #[test]
    fn other_text_is_refused() {
        assert_eq!("".parse::<PersonId>(), Err(NotAnId));
        assert_eq!("not an id, whatever it is".parse::<PersonId>(), Err(NotAnId));
    }
}
