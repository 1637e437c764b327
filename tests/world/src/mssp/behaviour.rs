//! What a virtual SIM does with a request: how it ends, and what goes wrong on the wire while it does.
//!
//! Every behaviour has a name and a magic number: `84900090CCC` ends with status code CCC, `84900080NNN` has a fault. The
//! same names set the behaviour of any SIM over the control address.

use serde::{Deserialize, Serialize};

/// How the holder reacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Enters the PIN after a while (`None`: the world's default).
    Accept {
        /// Milliseconds after the prompt.
        after_ms: Option<u64>,
    },
    /// Waits for the buttons of the page.
    Manual,
    /// Never reacts: 504 until the time-out, then 208.
    Ignore,
    /// The service refuses the request itself: a SOAP fault instead of the acknowledgement.
    RefuseAtOnce {
        /// Status code.
        code: u16,
        /// Four-digit specifier.
        specifier: Option<u16>,
    },
    /// Acknowledged; later a SOAP fault.
    FaultLater {
        /// Status code.
        code: u16,
        /// Four-digit specifier.
        specifier: Option<u16>,
    },
    /// Acknowledged; later a status without a fault. The signature bytes are present, as in the field.
    StatusLater {
        /// Status code.
        code: u16,
    },
}

/// What goes wrong on the way. The holder's reaction is unaffected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quirk {
    /// The prompt is raised, then the connection closes without the acknowledgement.
    DropAck,
    /// The acknowledgement comes this much later.
    DelayAck {
        /// Milliseconds.
        ms: u64,
    },
    /// The first status query that would bring the result closes without an answer; the next one brings it.
    DropFinal,
    /// The signature comes in the acknowledgement already, and again on every status query.
    DuplicateReply,
    /// The reply holds two different `MSS_Signature` elements.
    DuplicateElement,
    /// 504 until the time-out, and the signature arrives after it.
    LateSignature {
        /// Milliseconds after the time-out.
        by_ms: u64,
    },
    /// The SIM signs another digest.
    WrongHash,
    /// The signature is by another person's key.
    WrongKey,
    /// The reply names another `AP_TransID`.
    WrongTransactionEcho,
    /// The reply names another number.
    WrongNumberEcho,
    /// The SIM was replaced: key and certificate change at this signature.
    CertificateSwap,
    /// The signature is cut short.
    ShortSignature,
    /// Status 502, and no signature.
    NoSignature,
    /// The signature is not base64.
    BadBase64,
    /// An HTML page with HTTP 502 instead of the acknowledgement; no prompt.
    ErrorPage,
    /// HTTP 500 with an empty body instead of the acknowledgement; no prompt.
    Empty500,
    /// The acknowledgement ends in the middle; the prompt is live.
    TruncatedAck,
    /// `MSS_Registration` answers with this code.
    RegistrationFault {
        /// Status code.
        code: u16,
    },
}

/// Both together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behaviour {
    /// How it ends.
    pub outcome: Outcome,
    /// What goes wrong.
    #[serde(default)]
    pub quirk: Option<Quirk>,
}

impl Behaviour {
    /// Accepts after the world's default delay.
    pub const ACCEPT: Self = Self { outcome: Outcome::Accept { after_ms: None }, quirk: None };

    /// The behaviour of that name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "accept" => Some(Self::ACCEPT),
            "manual" => Some(Self { outcome: Outcome::Manual, quirk: None }),
            "ignore" => Some(Self { outcome: Outcome::Ignore, quirk: None }),
            _ => magic().into_iter().find(|magic| magic.name == name).map(|magic| magic.behaviour),
        }
    }
}

/// A number whose SIM always behaves in one way.
pub(crate) struct Magic {
    pub(crate) msisdn: String,
    pub(crate) name: String,
    pub(crate) behaviour: Behaviour,
}

/// All magic numbers.
pub(crate) fn magic() -> Vec<Magic> {
    let at_once = |code| Outcome::RefuseAtOnce { code, specifier: None };
    let later = |code| Outcome::FaultLater { code, specifier: None };
    let by_code = |code: u16, outcome| Magic {
        msisdn: format!("84900090{code:03}"),
        name: format!("code_{code}"),
        behaviour: Behaviour { outcome, quirk: None },
    };
    let mut list: Vec<Magic> = Vec::new();
    list.extend([101, 102, 103, 104, 105, 107, 108, 109, 406].map(|code| by_code(code, at_once(code))));
    list.extend(
        [208, 209, 401, 402, 403, 404, 405, 407, 422, 423, 424, 425, 450, 666, 720, 780, 900]
            .map(|code| by_code(code, later(code))),
    );
    list.extend([500, 501, 503, 505].map(|code| by_code(code, Outcome::StatusLater { code })));
    list.push(by_code(504, Outcome::Ignore));

    let quirks = [
        ("drop_ack", Quirk::DropAck),
        ("delay", Quirk::DelayAck { ms: 2000 }),
        ("drop_final", Quirk::DropFinal),
        ("duplicate_reply", Quirk::DuplicateReply),
        ("duplicate_element", Quirk::DuplicateElement),
        ("late_signature", Quirk::LateSignature { by_ms: 1000 }),
        ("wrong_hash", Quirk::WrongHash),
        ("wrong_key", Quirk::WrongKey),
        ("wrong_transaction_echo", Quirk::WrongTransactionEcho),
        ("wrong_number_echo", Quirk::WrongNumberEcho),
        ("certificate_swap", Quirk::CertificateSwap),
        ("short_signature", Quirk::ShortSignature),
        ("no_signature", Quirk::NoSignature),
        ("bad_base64", Quirk::BadBase64),
        ("error_page", Quirk::ErrorPage),
        ("empty_500", Quirk::Empty500),
        ("truncated_ack", Quirk::TruncatedAck),
        ("registration_105", Quirk::RegistrationFault { code: 105 }),
    ];
    list.extend((1u16..).zip(quirks).map(|(number, (name, quirk))| Magic {
        msisdn: format!("84900080{number:03}"),
        name: name.into(),
        behaviour: Behaviour { quirk: Some(quirk), ..Behaviour::ACCEPT },
    }));
    list
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn numbers_and_names_are_unique_and_well_formed() {
        let list = magic();
        let numbers: BTreeSet<_> = list.iter().map(|magic| magic.msisdn.clone()).collect();
        let names: BTreeSet<_> = list.iter().map(|magic| magic.name.clone()).collect();
        assert_eq!((numbers.len(), names.len()), (list.len(), list.len()));
        assert!(numbers.iter().all(|number| number.len() == 11 && number.starts_with("84")));
        assert_eq!(Behaviour::named("wrong_hash").unwrap().quirk, Some(Quirk::WrongHash));
        assert!(Behaviour::named("no such thing").is_none());
    }
}
