//! Web Push: one encrypted message to one device (RFC 8030, RFC 8291, RFC 8292). A push is a hint: the inbox shows
//! everything without it, so nothing here is ever retried for ever.
//!
//! The endpoint is a URL that a client chose. It is taken only when it is https, carries no credentials, and its parsed
//! host is on the operator's list; at sending the resolved addresses must be public ones, and redirects are not followed.

mod cryptographer;
mod vapid;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Client, StatusCode, Url, dns, header};
use time::OffsetDateTime;

use super::outgoing;
use crate::config;

/// Sends pushes.
#[derive(Debug)]
pub struct Push {
    client: Client,
    key: vapid::Key,
    allow: Vec<String>,
    allow_private: bool,
    timeout: Duration,
}

/// Where a device is reached, as its browser or system said (W3C Push API).
#[derive(Clone)]
pub struct Subscription {
    /// The push service's URL for this device.
    pub endpoint: String,
    /// The device's public key, base64url.
    pub p256dh: String,
    /// Its authentication secret, base64url.
    pub auth: String,
}

/// How urgent a message is to the push service (RFC 8030 section 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// May wait for Wi-Fi and power.
    Low,
    /// The ordinary case.
    Normal,
    /// Wakes the device.
    High,
}

/// One message.
#[derive(Debug)]
pub struct Message<'a> {
    /// What the device decrypts; at most 3,800 bytes.
    pub payload: &'a [u8],
    /// How urgent.
    pub urgency: Urgency,
    /// How long the push service may keep it.
    pub ttl: Duration,
    /// Messages of one topic replace each other: 1 to 32 characters of base64url.
    pub topic: &'a str,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The push service took it.
    Handed,
    /// The subscription is no more (404, 410) or cannot be used: forget it.
    Gone,
    /// Later, not before this long.
    Later(Duration),
    /// The push service does not want this message; asking again will not help.
    Refused(u16),
}

/// Why a subscription cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSubscription {
    /// Not a plain https URL.
    #[error("the endpoint is not a plain https URL")]
    Endpoint,
    /// Not a push service the operator listed.
    #[error("the push service is not on the allow-list")]
    NotAllowed,
    /// Not a P-256 point and 16 bytes.
    #[error("the keys are not a P-256 point and a 16-byte secret")]
    Keys,
}

impl Push {
    /// Reads the VAPID key and makes the client.
    ///
    /// # Errors
    /// When the key cannot be read.
    pub fn open(config: &config::Push) -> anyhow::Result<Self> {
        cryptographer::install();
        let resolver = PublicAddresses { allow_private: config.allow_private };
        let client = outgoing::builder().dns_resolver(Arc::new(resolver)).build()?;
        Ok(Self {
            client,
            key: vapid::Key::read(&config.vapid_key, &config.subject)?,
            allow: config.allow.iter().map(|host| host.to_ascii_lowercase()).collect(),
            allow_private: config.allow_private,
            timeout: Duration::from_secs(config.timeout_seconds),
        })
    }

    /// The application server key, base64url, as browsers want it when they subscribe.
    pub fn public_key(&self) -> &str {
        self.key.public()
    }

    /// Whether the subscription could be sent to.
    ///
    /// # Errors
    /// [`BadSubscription`].
    pub fn check(&self, subscription: &Subscription) -> Result<(), BadSubscription> {
        self.endpoint(&subscription.endpoint)?;
        subscription.keys().map(drop)
    }

    /// Encrypts and sends one message.
    pub async fn send(&self, to: &Subscription, message: &Message<'_>, now: OffsetDateTime) -> Outcome {
        let (Ok(url), Ok((key, auth))) = (self.endpoint(&to.endpoint), to.keys()) else {
            return Outcome::Gone;
        };
        let Ok(body) = ece::encrypt(&key, &auth, message.payload) else { return Outcome::Gone };
        let Ok(authorization) = self.key.authorization(&url, now) else {
            return Outcome::Later(RETRY);
        };
        let request = self
            .client
            .post(url)
            .timeout(self.timeout)
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header("TTL", message.ttl.as_secs())
            .header("Urgency", message.urgency.as_str())
            .header("Topic", message.topic)
            .body(body);
        match request.send().await {
            Ok(response) => outcome(response.status(), response.headers()),
            Err(error) => {
                // The error's text would carry the endpoint, which is a capability.
                tracing::info!(cause = outgoing::chain(&error.without_url()), "push not handed over");
                Outcome::Later(RETRY)
            }
        }
    }

    fn endpoint(&self, text: &str) -> Result<Url, BadSubscription> {
        let url: Url = text.parse().map_err(|_| BadSubscription::Endpoint)?;
        let https = url.scheme() == "https" || (self.allow_private && url.scheme() == "http");
        if !https || !url.username().is_empty() || url.password().is_some() || text.len() > 2048 {
            return Err(BadSubscription::Endpoint);
        }
        let host = url.host_str().ok_or(BadSubscription::Endpoint)?.to_ascii_lowercase();
        if url.port().is_some() && !self.allow_private {
            return Err(BadSubscription::NotAllowed);
        }
        // A bare address never goes through the resolver, so it is looked at here.
        let bare = host.trim_matches(['[', ']']).parse::<IpAddr>();
        if bare.is_ok_and(|address| !self.allow_private && !is_public(address)) {
            return Err(BadSubscription::NotAllowed);
        }
        if self.allow.iter().any(|pattern| matches(pattern, &host)) {
            Ok(url)
        } else {
            Err(BadSubscription::NotAllowed)
        }
    }
}

/// Tried again after this, where the push service says nothing.
const RETRY: Duration = Duration::from_secs(30);
/// A push service does not make us wait for days.
const LONGEST_RETRY: Duration = Duration::from_hours(1);

fn outcome(status: StatusCode, headers: &header::HeaderMap) -> Outcome {
    match status.as_u16() {
        200..=299 => Outcome::Handed,
        404 | 410 => Outcome::Gone,
        429 | 500..=599 => {
            let asked = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            Outcome::Later(asked.map_or(RETRY, Duration::from_secs).min(LONGEST_RETRY))
        }
        other => Outcome::Refused(other),
    }
}

fn matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
        None => pattern == host,
    }
}

impl Subscription {
    fn keys(&self) -> Result<(Vec<u8>, Vec<u8>), BadSubscription> {
        let decode = |text: &str| {
            URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| BadSubscription::Keys)
        };
        let (key, auth) = (decode(&self.p256dh)?, decode(&self.auth)?);
        if key.len() == 65 && key.first() == Some(&4) && auth.len() == 16 {
            Ok((key, auth))
        } else {
            Err(BadSubscription::Keys)
        }
    }
}

impl Urgency {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

/// Resolves names, and keeps only addresses on the public internet: a name may point anywhere, and may point elsewhere
/// at the next look.
struct PublicAddresses {
    allow_private: bool,
}

impl dns::Resolve for PublicAddresses {
    fn resolve(&self, name: dns::Name) -> dns::Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let kept: Vec<SocketAddr> =
                found.filter(|address| allow_private || is_public(address.ip())).collect();
            if kept.is_empty() {
                return Err("the name has no public address".into());
            }
            Ok(Box::new(kept.into_iter()) as dns::Addrs)
        })
    }
}

/// Whether an address is on the public internet (IANA special-purpose registries).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let benchmark = a == 198 && (b == 18 || b == 19);
            let protocol = v4.octets().starts_with(&[192, 0, 0]);
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_broadcast()
                || v4.is_documentation()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                || shared
                || benchmark
                || protocol)
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_public(IpAddr::V4(v4)),
            // Global unicast is 2000::/3, without documentation, 6to4 and Teredo, which embed other addresses.
            None => match v6.segments() {
                [0x2001, 0x0db8 | 0x0000, ..] | [0x2002, ..] => false,
                [first, ..] => (0x2000..0x4000).contains(&first),
            },
        },
    }
}

#[cfg(test)]
mod tests;
