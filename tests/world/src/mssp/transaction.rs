//! One signature transaction inside the MSSP: a prompt that lives on a handset until it ends.
//!
//! Time moves it: nothing runs in the background, every look at a transaction first settles what is due. So a test that
//! moves the world's clock sees the state that belongs to the new instant.

use time::{Duration, OffsetDateTime};

use super::{
    behaviour::{Behaviour, Outcome, Quirk},
    fault::SoapFault,
    request::Request,
    request::SignatureRequest,
};

/// A transaction with its prompt.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) id: String,
    pub(crate) ap_trans_id: String,
    pub(crate) msisdn: String,
    pub(crate) digest: [u8; 32],
    /// The text as the handset shows it, `%%VC%%` replaced.
    pub(crate) shown: String,
    pub(crate) code: String,
    pub(crate) since: OffsetDateTime,
    pub(crate) expires: OffsetDateTime,
    pub(crate) behaviour: Behaviour,
    pub(crate) state: State,
    /// The result was once withheld by [`Quirk::DropFinal`].
    pub(crate) dropped_final: bool,
    due: Option<(OffsetDateTime, Ending)>,
}

/// Where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// The prompt is on the handset.
    Live,
    /// The prompt is gone from the handset; nothing was heard.
    Silent,
    /// It ended; the signature, where one was made, is in `Signed`.
    Signed { status: u16, signature: Vec<u8> },
    /// It ended with a fault.
    Failed(SoapFault),
}

/// What is to happen at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The SIM signs; the service reports this status.
    Sign { status: u16 },
    /// A fault.
    Fault { code: u16, specifier: Option<u16> },
}

impl Transaction {
    pub(crate) fn begin(
        id: String,
        request: &Request,
        wish: &SignatureRequest,
        behaviour: Behaviour,
        now: OffsetDateTime,
        default_delay: Duration,
    ) -> Self {
        let code = super::sim::verification_code(&wish.digest);
        let expires = now + Duration::seconds(wish.timeout_seconds.into());
        let due = match (behaviour.quirk, behaviour.outcome) {
            (Some(Quirk::LateSignature { by_ms }), _) => {
                Some((expires + milliseconds(by_ms), Ending::Sign { status: 502 }))
            }
            (_, Outcome::Accept { after_ms }) => {
                Some((now + after_ms.map_or(default_delay, milliseconds), Ending::Sign { status: 502 }))
            }
            (_, Outcome::StatusLater { code }) => Some((now + default_delay, Ending::Sign { status: code })),
            (_, Outcome::FaultLater { code, specifier } | Outcome::RefuseAtOnce { code, specifier }) => {
                Some((now + default_delay, Ending::Fault { code, specifier }))
            }
            (_, Outcome::Manual | Outcome::Ignore) => None,
        };
        Self {
            id,
            ap_trans_id: request.ap.trans_id.clone(),
            msisdn: wish.msisdn.clone(),
            digest: wish.digest,
            shown: wish.display.replace("%%VC%%", &code),
            code,
            since: now,
            expires,
            behaviour,
            state: State::Live,
            dropped_final: false,
            due,
        }
    }

    /// The prompt is on the handset and may still be answered.
    pub(crate) fn is_live(&self) -> bool {
        self.state == State::Live
    }

    /// Moves on to `now`; an ending that is due is handed out once, for the caller to carry out.
    pub(crate) fn settle(&mut self, now: OffsetDateTime) -> Option<Ending> {
        if !matches!(self.state, State::Live | State::Silent) {
            return None;
        }
        if let Some((at, ending)) = self.due
            && at <= now
        {
            self.due = None;
            return Some(ending);
        }
        if now >= self.expires {
            if self.due.is_some() {
                self.state = State::Silent;
            } else {
                return Some(Ending::Fault { code: 208, specifier: Some(2082) });
            }
        }
        None
    }
}

fn milliseconds(count: u64) -> Duration {
    Duration::milliseconds(i64::try_from(count).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mssp::request::{ApInfo, Body, Operation};

    fn start(behaviour: Behaviour) -> (Transaction, OffsetDateTime) {
        let now = OffsetDateTime::UNIX_EPOCH;
        let wish = SignatureRequest {
            msisdn: "84900000001".into(),
            synchronous: false,
            timeout_seconds: 60,
            digest: crate::keys::sha256(b"abc"),
            display: "Ma %%VC%%".into(),
        };
        let ap = ApInfo {
            id: "ap".into(),
            password: String::new(),
            trans_id: "T1".into(),
            instant: now,
            instant_text: String::new(),
        };
        let request = Request { operation: Operation::Signature, ap, body: Body::Signature(wish.clone()) };
        (Transaction::begin("x1".into(), &request, &wish, behaviour, now, Duration::milliseconds(100)), now)
    }

    #[test]
    fn accepts_when_due_and_only_once() {
        let (mut transaction, now) = start(Behaviour::ACCEPT);
        assert_eq!(transaction.shown, "Ma 5933");
        assert_eq!(transaction.settle(now + Duration::milliseconds(99)), None);
        assert_eq!(transaction.settle(now + Duration::hours(1)), Some(Ending::Sign { status: 502 }));
        assert_eq!(transaction.settle(now), None);
    }

    #[test]
    fn nobody_reacts_then_it_expires() {
        let (mut transaction, now) = start(Behaviour { outcome: Outcome::Ignore, quirk: None });
        assert_eq!(transaction.settle(now + Duration::seconds(59)), None);
        let expired = Ending::Fault { code: 208, specifier: Some(2082) };
        assert_eq!(transaction.settle(now + Duration::seconds(60)), Some(expired));
    }

    #[test]
    fn a_late_signature_comes_after_the_time_out() {
        let late = Behaviour { quirk: Some(Quirk::LateSignature { by_ms: 1000 }), ..Behaviour::ACCEPT };
        let (mut transaction, now) = start(late);
        assert_eq!(transaction.settle(now + Duration::milliseconds(60_500)), None);
        assert_eq!(transaction.state, State::Silent);
        assert_eq!(transaction.settle(now + Duration::seconds(61)), Some(Ending::Sign { status: 502 }));
    }
}
