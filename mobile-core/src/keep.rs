//! What a device remembers between starts: which device it is, whose certificate it knows, what it decided last.
//!
//! One versioned JSON text behind [`Keep`](crate::Keep). It is the phone's own memory against the server: a certificate that changed, a
//! decision it never made, or an audit log that lost an entry is noticed here.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Deserializer, Serialize};
use trinhky_protos::audit::Checkpoint;
use trinhky_protos::ids::{AttemptId, DeviceId, DocumentId, PersonId};
use trinhky_protos::signing::CodeKind;
use trinhky_protos::{Base64Bytes, HexDigest};

use crate::error::Error;
use crate::platform::{Keep, KeepError};

/// Everything remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// The enrolment, once the SIM has signed it.
    #[serde(default)]
    pub pin: Option<Pin>,
    /// What this device has decided.
    #[serde(default)]
    pub history: History,
    /// The newest audit checkpoint seen (C2SP text).
    #[serde(default)]
    pub checkpoint: Option<String>,
    /// SIM requests under way, oldest first, so that an app that was put to sleep can go on. (Earlier versions kept one.)
    #[serde(default, deserialize_with = "one_or_more")]
    pub open: Vec<OpenAttempt>,
}

/// Who this device belongs to and which SIM certificate it saw sign its enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// This device.
    pub device: DeviceId,
    /// Its owner.
    pub person: PersonId,
    /// The SIM certificate, DER. Another one is never signed with until the device is enrolled again.
    pub certificate: Base64Bytes,
    /// How the code on both screens is made, as the SIM signed it. Unknown to a device that an earlier version enrolled:
    /// it takes what it is told first.
    #[serde(default)]
    pub code_kind: Option<CodeKind>,
}

/// The chain of this device's decisions, each naming the one before by digest.
///
/// A decision is noted before it is sent. Whether it arrived is known when the server names it; until then the one
/// before it may still be the newest there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The newest that the server is known to have.
    #[serde(default)]
    pub confirmed: Option<HexDigest>,
    /// Sent since, perhaps in vain.
    #[serde(default)]
    pub sent: Vec<HexDigest>,
}

impl History {
    /// Whether the server's idea of the newest decision is one of ours. A device that remembers nothing (new, or
    /// cleared) believes the server once.
    pub fn knows(&self, newest: Option<HexDigest>) -> bool {
        self.confirmed == newest
            || newest.is_some_and(|digest| self.sent.contains(&digest))
            || (self.confirmed.is_none() && self.sent.is_empty())
    }

    /// The server names `newest` as the newest, and this device knows it. What was sent after it may still arrive.
    pub fn confirm(&mut self, newest: Option<HexDigest>) {
        match self.sent.iter().position(|digest| Some(*digest) == newest) {
            Some(place) => {
                self.sent.drain(..=place);
                self.confirmed = newest;
            }
            None if self.sent.is_empty() => self.confirmed = newest,
            None => {}
        }
    }

    /// Notes a decision that is about to be sent.
    pub fn send(&mut self, decision: HexDigest) {
        if self.sent.len() == MOST_IN_VAIN {
            self.sent.remove(0);
        }
        self.sent.push(decision);
    }
}

/// A SIM request this device asked for and whose end it has not seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenAttempt {
    /// The attempt.
    pub attempt: AttemptId,
    /// The document, or none for an enrolment.
    pub document: Option<DocumentId>,
    /// What the signed attributes are about: the `ByteRange` digest, or the statement's.
    pub content: HexDigest,
    /// The signer's certificate, DER.
    pub certificate: Base64Bytes,
    /// Its issuers, DER.
    pub chain: Vec<Base64Bytes>,
    /// For an enrolment: what to remember once it stands.
    pub pin: Option<Pin>,
}

impl Memory {
    /// A request is about to be sent.
    pub(crate) fn watch(&mut self, open: OpenAttempt) {
        self.open.retain(|other| other.attempt != open.attempt);
        if self.open.len() == MOST_OPEN {
            self.open.remove(0);
        }
        self.open.push(open);
    }

    /// A checkpoint was seen and found to follow what was seen before; a later one is not forgotten for it.
    pub(crate) fn witness(&mut self, seen: Option<String>) {
        let size = |text: Option<&str>| text.and_then(Checkpoint::parse).map(|checkpoint| checkpoint.size);
        if size(seen.as_deref()) >= size(self.checkpoint.as_deref()) {
            self.checkpoint = seen;
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    memory: Memory,
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<OpenAttempt>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Open {
        More(Vec<OpenAttempt>),
        One(Box<OpenAttempt>),
        None,
    }
    Ok(match Open::deserialize(deserializer)? {
        Open::More(open) => open,
        Open::One(open) => vec![*open],
        Open::None => Vec::new(),
    })
}

/// Reads the memory; a first start has an empty one.
pub(crate) fn recall(keep: &dyn Keep) -> Result<Memory, Error> {
    let Some(text) = keep.load()? else { return Ok(Memory::default()) };
    match serde_json::from_str::<Stored>(&text) {
        Ok(Stored { version: VERSION, memory }) => Ok(memory),
        Ok(Stored { version, .. }) => {
            Err(KeepError(format!("memory of version {version}, not {VERSION}")).into())
        }
        Err(error) => Err(KeepError(format!("memory unreadable: {error}")).into()),
    }
}

/// Changes the memory and saves it. One change at a time: a signature that ends while the next decision is noted must not
/// make the device forget that decision, which it would then take for a forgery.
pub(crate) fn remember(keep: &dyn Keep, change: impl FnOnce(&mut Memory)) -> Result<(), Error> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    // A panic in the middle has saved nothing.
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut memory = recall(keep)?;
    change(&mut memory);
    let text = serde_json::to_string(&Stored { version: VERSION, memory })
        .map_err(|error| KeepError(format!("memory unwritable: {error}")))?;
    Ok(keep.save(text)?)
}

/// The attempt ended, or was refused: it is not under way.
pub(crate) fn close(keep: &dyn Keep, attempt: AttemptId, pin: Option<Pin>) -> Result<(), Error> {
    remember(keep, |memory| {
        memory.open.retain(|open| open.attempt != attempt);
        if pin.is_some() {
            memory.pin = pin;
        }
    })
}

const VERSION: u32 = 1;
/// Decisions in a row that never arrived, before the oldest is forgotten.
const MOST_IN_VAIN: usize = 64;
/// Requests whose end was not seen. Far more than a leader asks for before they lapse by themselves.
const MOST_OPEN: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, Notes};

    #[test]
    fn a_decision_that_may_not_have_arrived_is_known_and_so_is_the_one_before() {
        let [first, second, foreign] = [1, 2, 3].map(|byte| HexDigest([byte; 32]));
        let mut history = History { confirmed: Some(first), sent: vec![second] };
        assert!(history.knows(Some(first)) && history.knows(Some(second)));
        assert!(!history.knows(Some(foreign)) && !history.knows(None));
        history.confirm(Some(first));
        assert!(history.knows(Some(second)), "it may still arrive");
        history.confirm(Some(second));
        assert!(history.knows(Some(second)) && !history.knows(Some(first)));
    }

    /// Storage that takes its time, as a phone's does.
    struct Slow(Notes);

    impl Keep for Slow {
        fn load(&self) -> Result<Option<String>, KeepError> {
            let text = self.0.load();
            std::thread::sleep(std::time::Duration::from_millis(2));
            text
        }

        fn save(&self, text: String) -> Result<(), KeepError> {
            self.0.save(text)
        }
    }

    #[test]
    fn two_changes_at_once_are_both_remembered() {
        let keep = Slow(Notes::default());
        std::thread::scope(|threads| {
            threads.spawn(|| {
                for byte in 0..20 {
                    remember(&keep, |memory| memory.history.send(HexDigest([byte; 32]))).unwrap();
                }
            });
            for _ in 0..20 {
                close(&keep, AttemptId::at(NOW, 1), None).unwrap();
            }
        });
        assert_eq!(recall(&keep).unwrap().history.sent.len(), 20);
    }

    #[test]
    fn every_open_request_is_remembered_and_the_memory_of_an_earlier_version_is_read() {
        let keep = Notes::default();
        let open = |n: u128| OpenAttempt {
            attempt: AttemptId::at(NOW, n),
            document: None,
            content: HexDigest([1; 32]),
            certificate: Base64Bytes(vec![]),
            chain: vec![],
            pin: None,
        };
        for (text, requests) in [
            (format!("{{\"open\":{}}}", serde_json::to_string(&open(1)).unwrap()), 1),
            ("{\"open\":null}".to_owned(), 0),
            ("{}".to_owned(), 0),
        ] {
            keep.save(format!("{{\"version\":1,\"memory\":{text}}}")).unwrap();
            assert_eq!(recall(&keep).unwrap().open.len(), requests, "{text}");
        }
        for n in [1, 2, 3, 2] {
            remember(&keep, |memory| memory.watch(open(n))).unwrap();
        }
        close(&keep, AttemptId::at(NOW, 1), None).unwrap();
        assert_eq!(recall(&keep).unwrap().open, [open(3), open(2)]);
        for n in 10..10 + 2 * MOST_OPEN as u128 {
            remember(&keep, |memory| memory.watch(open(n))).unwrap();
        }
        assert_eq!(recall(&keep).unwrap().open.len(), MOST_OPEN);
    }

    #[test]
    fn a_device_without_memory_believes_the_server_once() {
        let mut history = History::default();
        let newest = Some(HexDigest([9; 32]));
        assert!(history.knows(newest));
        history.confirm(newest);
        assert!(!history.knows(None));
    }
}
