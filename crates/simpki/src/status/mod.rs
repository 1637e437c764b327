//! What a provider's status code means: for the attempt, for the leader, for the operator.
//!
//! ```text
//! code + specifier --meaning--> Means::{Pending, Signed, Registered, Ended(Ending)} + Retry + Sentence
//! ```
//!
//! The table ([`table::TABLE`]) follows ETSI TS 102 204 clause 8.2 with `FiCom`'s four-digit specifiers. It
//! deliberately does not follow the list printed in the Vietnamese sample client, which contradicts both.
//! A code that is in no table ends an attempt as [`Ending::ProviderDown`] and is never retried by itself.

mod sentence;
mod table;

use serde::{Deserialize, Serialize};

pub use self::{
    sentence::Sentence,
    table::{Row, TABLE},
};
use crate::reply::Code;

/// What a code says about the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// The prompt is on its way or on the screen.
    Pending,
    /// The SIM signed. `validated` is the provider's opinion, and only that.
    Signed {
        /// 502 rather than 500.
        validated: bool,
    },
    /// The look-up of certificates succeeded (408).
    Registered,
    /// There will be no signature.
    Ended(Ending),
}

/// How an attempt ends without a signature to embed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The leader said no on the SIM.
    Declined,
    /// The time for the PIN passed, by the provider's word.
    Expired,
    /// We stopped waiting, or the approval was never sent.
    Lapsed,
    /// The SIM could not be reached, or was busy with another prompt.
    Undeliverable,
    /// PIN, SIM, service or account is blocked.
    Blocked,
    /// This number has no signing SIM, or no key on it.
    NotEnrolled,
    /// The certificate is missing, expired, revoked or otherwise not good.
    CertInvalid,
    /// The provider refuses the request as such: our mistake or our configuration.
    Rejected,
    /// The provider fails, or says something nobody knows.
    ProviderDown,
}

impl Ending {
    /// The stable name, as in rows and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::Lapsed => "lapsed",
            Self::Undeliverable => "undeliverable",
            Self::Blocked => "blocked",
            Self::NotEnrolled => "not_enrolled",
            Self::CertInvalid => "cert_invalid",
            Self::Rejected => "rejected",
            Self::ProviderDown => "provider_down",
        }
    }
}

/// Who can do something about an ending. Nobody ever re-sends the same attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// Nothing to retry.
    None,
    /// The leader may decide again at once.
    Leader,
    /// The leader may decide again after a while.
    Later,
    /// Someone has to repair something first.
    Operator,
}

/// What a code means, whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// For the attempt.
    pub means: Means,
    /// For whoever wonders what to do.
    pub retry: Retry,
    /// For the leader.
    pub sentence: Sentence,
    /// Whether the answer is about this transaction. `false` for a provider in trouble: asked about a
    /// prompt that may be on the screen, such an answer decides nothing.
    pub about_transaction: bool,
}

/// Looks a code up: by its specifier first, then without it.
pub fn meaning(code: Code) -> Meaning {
    let exact = TABLE.iter().find(|row| row.code == code.value && row.specifier == code.specifier);
    let plain = || TABLE.iter().find(|row| row.code == code.value && row.specifier.is_none());
    exact.or_else(plain).map_or(UNKNOWN, Row::meaning)
}

/// Whether the code is one of the protocol's.
pub fn is_known(code: Code) -> bool {
    TABLE.iter().any(|row| row.code == code.value)
}

/// The standard's name of a code, for a log.
pub fn name(code: Code) -> &'static str {
    TABLE.iter().find(|row| row.code == code.value).map_or("UNKNOWN", |row| row.name)
}

const UNKNOWN: Meaning = Meaning {
    means: Means::Ended(Ending::ProviderDown),
    retry: Retry::Operator,
    sentence: Sentence::ProviderError,
    about_transaction: false,
};

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(value: u16, specifier: Option<u16>) -> Ending {
        match meaning(Code { value, specifier }).means {
            Means::Ended(ending) => ending,
            other => panic!("{value}: {other:?}"),
        }
    }

    #[test]
    fn no_code_stands_twice() {
        for (at, row) in TABLE.iter().enumerate() {
            let same = |other: &&Row| other.code == row.code && other.specifier == row.specifier;
            assert_eq!(TABLE.iter().position(|other| same(&other)), Some(at), "{row:?}");
        }
    }

    #[test]
    fn every_specifier_has_its_code() {
        for row in TABLE.iter().filter(|row| row.specifier.is_some()) {
            assert_eq!(row.specifier.map(|s| s / 10), Some(row.code));
            assert!(TABLE.iter().any(|other| other.code == row.code && other.specifier.is_none()));
        }
    }

    #[test]
    fn specifiers_refine_and_unknown_ones_fall_back() {
        assert_eq!(ending(209, None), Ending::Undeliverable);
        assert_eq!(ending(209, Some(2092)), Ending::NotEnrolled);
        assert_eq!(ending(209, Some(2099)), Ending::Undeliverable);
        assert_eq!(ending(104, Some(1041)), Ending::Blocked);
        assert_eq!(ending(900, Some(9003)), Ending::Blocked);
        assert_eq!(ending(900, Some(9007)), Ending::Rejected);
    }

    #[test]
    fn only_500_and_502_are_signatures() {
        let signed: Vec<u16> = TABLE
            .iter()
            .filter(|row| matches!(row.meaning().means, Means::Signed { .. }))
            .map(|row| row.code)
            .collect();
        assert_eq!(signed, [500, 502]);
    }

    #[test]
    fn an_unknown_code_is_the_providers_problem_and_decides_nothing_about_a_prompt() {
        let unknown = meaning(Code::plain(666));
        assert_eq!(unknown.means, Means::Ended(Ending::ProviderDown));
        assert!(!unknown.about_transaction);
        assert_eq!(name(Code::plain(666)), "UNKNOWN");
        assert_eq!(name(Code::plain(208)), "EXPIRED_TRANSACTION");
    }
}
