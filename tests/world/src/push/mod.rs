//! A push service (RFC 8030) that also owns its subscribers' keys, so that it can say what a message said.
//!
//! It checks what a real service checks (VAPID by RFC 8292, TTL, Urgency, Topic, size) and answers as one does. Unlike a
//! real one it decrypts (RFC 8291), since here it plays the phone as well.

mod crypto;
pub(crate) mod http;
mod vapid;

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use anyhow::Result;
use serde::Serialize;
use time::{Duration, OffsetDateTime};

use crate::keys;
pub(crate) use crypto::Subscriber;

/// All subscriptions and what was sent to them.
#[derive(Default)]
pub(crate) struct Push(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    subscriptions: BTreeMap<String, Subscription>,
    messages: Vec<Message>,
}

struct Subscription {
    subscriber: Subscriber,
    /// The VAPID key that alone may push here; `None` until one is told or first seen.
    server_key: Option<Vec<u8>>,
    gone: bool,
}

/// What a browser hands to its application server.
#[derive(Debug, Serialize)]
pub(crate) struct Subscribed {
    pub(crate) id: String,
    pub(crate) endpoint: String,
    pub(crate) p256dh: String,
    pub(crate) auth: String,
}

/// One accepted message.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Message {
    pub(crate) seq: u64,
    pub(crate) id: String,
    pub(crate) subscription: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: OffsetDateTime,
    pub(crate) ttl: u64,
    pub(crate) urgency: String,
    pub(crate) topic: Option<String>,
    /// `sub` of the sender's token.
    pub(crate) sender: String,
    /// Bytes on the wire.
    pub(crate) size: usize,
    /// The text, or `None` for an empty message or one that does not decrypt.
    pub(crate) text: Option<String>,
    pub(crate) error: Option<String>,
    /// The phone has fetched it.
    pub(crate) collected: bool,
    /// A later message of the same topic took its place, or nobody was to have it.
    pub(crate) dropped: bool,
}

/// Why a push is refused, with its HTTP status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {reason}")]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) reason: String,
}

impl Refused {
    pub(crate) fn new(status: u16, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }
}

/// A push as read from the request.
pub(crate) struct Incoming {
    pub(crate) ttl: u64,
    pub(crate) urgency: String,
    pub(crate) topic: Option<String>,
    pub(crate) sender: vapid::Sender,
    pub(crate) body: Vec<u8>,
}

impl Push {
    /// A new subscriber with fresh keys.
    pub(crate) fn subscribe(&self, base: &str, server_key: Option<Vec<u8>>) -> Result<Subscribed> {
        let subscriber = Subscriber::generate()?;
        let id = hex::encode(keys::random::<16>()?);
        let told = Subscribed {
            endpoint: format!("{base}/push/{id}"),
            p256dh: crypto::base64url(subscriber.public_key()),
            auth: crypto::base64url(subscriber.auth()),
            id: id.clone(),
        };
        self.lock().subscriptions.insert(id, Subscription { subscriber, server_key, gone: false });
        Ok(told)
    }

    /// The subscriber takes it back; false when there is none.
    pub(crate) fn unsubscribe(&self, id: &str) -> bool {
        self.lock().subscriptions.get_mut(id).map(|subscription| subscription.gone = true).is_some()
    }

    /// Takes a message; its id for the `Location`.
    pub(crate) fn accept(
        &self,
        id: &str,
        incoming: Incoming,
        now: OffsetDateTime,
        drop_it: bool,
    ) -> Result<String, Refused> {
        let mut inner = self.lock();
        let seq = inner.messages.len() as u64 + 1;
        let subscription =
            inner.subscriptions.get_mut(id).ok_or_else(|| Refused::new(404, "no such subscription"))?;
        if subscription.gone {
            return Err(Refused::new(410, "the subscription has ended"));
        }
        let key = subscription.server_key.get_or_insert_with(|| incoming.sender.key.clone());
        if *key != incoming.sender.key {
            return Err(Refused::new(403, "another application server key subscribed here"));
        }
        let (text, error) = match subscription.subscriber.decrypt(&incoming.body) {
            Ok(None) => (None, None),
            Ok(Some(text)) => (Some(text), None),
            Err(error) => (None, Some(error.to_string())),
        };
        if let Some(topic) = &incoming.topic {
            let same = |message: &&mut Message| {
                message.subscription == id && message.topic.as_ref() == Some(topic) && !message.collected
            };
            inner.messages.iter_mut().filter(same).for_each(|message| message.dropped = true);
        }
        let message_id =
            hex::encode(keys::random::<12>().map_err(|error| Refused::new(500, error.to_string()))?);
        inner.messages.push(Message {
            seq,
            id: message_id.clone(),
            subscription: id.into(),
            at: now,
            ttl: incoming.ttl,
            urgency: incoming.urgency,
            topic: incoming.topic,
            sender: incoming.sender.subject,
            size: incoming.body.len(),
            text,
            error,
            collected: false,
            dropped: drop_it,
        });
        Ok(message_id)
    }

    /// Everything that was ever accepted, from a line on.
    pub(crate) fn messages(&self, after: u64) -> Vec<Message> {
        self.lock().messages.iter().filter(|message| message.seq > after).cloned().collect()
    }

    /// What the phone gets when it comes online: neither replaced nor past its time to live.
    pub(crate) fn collect(&self, id: &str, now: OffsetDateTime) -> Vec<Message> {
        let mut inner = self.lock();
        let waits = |message: &&mut Message| {
            let ttl = Duration::seconds(i64::try_from(message.ttl).unwrap_or(i64::MAX / 2));
            message.subscription == id && !message.collected && !message.dropped && message.at + ttl >= now
        };
        let mut list = Vec::new();
        for message in inner.messages.iter_mut().filter(waits) {
            message.collected = true;
            list.push(message.clone());
        }
        list
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
