//! A phone in Rust: the shared core without the FFI, for flows with many leaders, and for a leader who lies.
//!
//! The core itself makes no false decision, so a lie is told on the wire: the transport takes the decision apart, changes a
//! claim, and signs it again with the device's own key, as malware on the phone would.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::Value;
use trinhky_domain::ids::DocumentId;
use trinhky_mobile_core::native::{self, SystemChance, SystemClock};
use trinhky_mobile_core::{
    Asked, Chance as _, DeviceKey, DeviceKeyError, Keep, KeepError, Method, Platform, Request, Response,
    Session, Transport, TransportError,
};
use trinhky_protos::device::PublicJwk;
use trinhky_protos::problem::Problem;
use trinhky_protos::signing::AttemptView;

use crate::clerk::Account;
use crate::rig::Rig;

/// A leader's phone, signed in.
pub struct Phone {
    /// The core's session.
    pub session: Session,
    wire: Arc<Wire>,
}

/// What a lying phone does to the claims it is about to sign.
pub type Lie = Box<dyn Fn(&mut Value) + Send + Sync>;

impl Phone {
    /// A new phone with a key of its own, signed in as `account`.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn sign_in(server: &str, account: &Account) -> Result<Self> {
        let mut seed = [0; 32];
        SystemChance.fill(&mut seed)?;
        let key = Arc::new(Key(SigningKey::from_slice(&seed).context("a P-256 key")?));
        let wire = Arc::new(Wire {
            inner: native::transport(server, &[])?,
            key: Arc::clone(&key),
            lie: Mutex::default(),
            sent: Mutex::default(),
            refused: Mutex::default(),
            answered: Mutex::default(),
        });
        let platform = Platform {
            transport: wire.clone(),
            key,
            keep: Arc::new(Memory::default()),
            clock: Arc::new(SystemClock),
            chance: Arc::new(SystemChance),
            client: "native",
        };
        let session =
            Session::sign_in(platform, &account.username, &account.password, &account.totp()?).await?;
        Ok(Self { session, wire })
    }

    /// Enrols this phone: one SIM prompt.
    ///
    /// # Errors
    /// The core, the server or the SIM refuses.
    pub async fn enrol(&self) -> Result<()> {
        let asked = self.session.begin_enrolment("Điện thoại thử").await?.confirm().await?;
        let end = watch(asked).await?;
        if !matches!(end.state.as_str(), "verified" | "stamped" | "embedded") {
            bail!("the enrolment ended as {}: {}", end.state, end.message);
        }
        Ok(())
    }

    /// Reads, checks, decides and watches to the end.
    ///
    /// # Errors
    /// The core or the server refuses.
    pub async fn approve(&self, document: DocumentId) -> Result<AttemptView> {
        watch(self.decide(document).await?).await
    }

    /// Reads, checks and decides; the SIM is asked from here on.
    ///
    /// # Errors
    /// The core or the server refuses.
    pub async fn decide(&self, document: DocumentId) -> Result<Asked> {
        let reviewed = self.session.review(&document.to_string()).await?;
        Ok(self.session.check(&reviewed).await?.decide().await?)
    }

    /// From now on every decision is changed by `lie` before it is signed and sent; `None` ends it.
    pub fn lie(&self, lie: Option<Lie>) {
        *self.wire.lie.lock().unwrap_or_else(PoisonError::into_inner) = lie;
    }

    /// What the server answered to the last decision.
    pub fn last_answer(&self) -> Option<(u16, Value)> {
        let answered = self.wire.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let (status, body) = answered.as_ref()?;
        Some((*status, serde_json::from_slice(body).ok()?))
    }

    /// The last refusal as it came over the wire: its status, and the problem.
    pub fn last_refusal(&self) -> Option<(u16, Problem)> {
        let refused = self.wire.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let (status, body) = refused.as_ref()?;
        Some((*status, serde_json::from_slice(body).ok()?))
    }

    /// The compact JWS sent last.
    pub fn last_decision(&self) -> Option<String> {
        self.wire.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The `nth` leader with such a phone, enrolled.
///
/// # Errors
/// As [`Phone::sign_in`] and [`Phone::enrol`]; there is no such leader.
pub async fn enrolled(rig: &Rig, nth: usize) -> Result<Phone> {
    let phone = Phone::sign_in(&rig.url, &rig.world.account("leader", nth)?).await?;
    phone.enrol().await?;
    Ok(phone)
}

/// Looks without an answer, one behind another.
const UNANSWERED: u32 = 3;

/// Watches an attempt to its end. As the core asks of an app: where no answer came, it looks again.
///
/// # Errors
/// The core or the server refuses, or the server was not reached several times in a row.
pub async fn watch(mut asked: Asked) -> Result<AttemptView> {
    let mut unanswered = 0;
    loop {
        match asked.next().await {
            Ok(progress) if progress.attempt.ended => return Ok(progress.attempt),
            Ok(_) => unanswered = 0,
            Err(trinhky_mobile_core::Error::Transport(_)) if unanswered < UNANSWERED => unanswered += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

struct Key(SigningKey);

impl Key {
    fn es256(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.0.sign(message);
        signature.to_bytes().to_vec()
    }
}

#[async_trait]
impl DeviceKey for Key {
    async fn public_jwk(&self) -> Result<PublicJwk, DeviceKeyError> {
        let point = self.0.verifying_key().to_sec1_point(false);
        let bytes = point.as_bytes();
        let (Some(x), Some(y)) = (bytes.get(1..33), bytes.get(33..65)) else {
            return Err(DeviceKeyError::Failed("not an uncompressed point".into()));
        };
        let coordinate = |bytes| URL_SAFE_NO_PAD.encode(bytes);
        Ok(PublicJwk { kty: "EC".into(), crv: "P-256".into(), x: coordinate(x), y: coordinate(y) })
    }

    async fn sign(&self, message: Vec<u8>) -> Result<Vec<u8>, DeviceKeyError> {
        Ok(self.es256(&message))
    }
}

#[derive(Default)]
struct Memory(Mutex<Option<String>>);

impl Keep for Memory {
    fn load(&self) -> Result<Option<String>, KeepError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn save(&self, text: String) -> Result<(), KeepError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        Ok(())
    }
}

struct Wire {
    inner: Arc<dyn Transport>,
    key: Arc<Key>,
    lie: Mutex<Option<Lie>>,
    sent: Mutex<Option<String>>,
    refused: Mutex<Option<(u16, Vec<u8>)>>,
    answered: Mutex<Option<(u16, Vec<u8>)>>,
}

impl Wire {
    fn twist(&self, body: &[u8]) -> Option<Vec<u8>> {
        let lie = self.lie.lock().unwrap_or_else(PoisonError::into_inner);
        let mut body: Value = serde_json::from_slice(body).ok()?;
        let jws = body.get("jws")?.as_str()?.to_owned();
        let jws = match lie.as_ref() {
            None => jws,
            Some(lie) => {
                let mut parts = jws.split('.');
                let (header, payload) = (parts.next()?, parts.next()?);
                let mut claims: Value =
                    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
                lie(&mut claims);
                let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
                let signature = URL_SAFE_NO_PAD.encode(self.key.es256(signed.as_bytes()));
                format!("{signed}.{signature}")
            }
        };
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = Some(jws.clone());
        body["jws"] = jws.into();
        serde_json::to_vec(&body).ok()
    }
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, mut request: Request) -> Result<Response, TransportError> {
        let decides = request.method == Method::Post && request.path.ends_with("/decision");
        if decides && let Some(twisted) = self.twist(&request.body) {
            request.body = twisted;
        }
        let answer = self.inner.send(request).await?;
        if decides {
            let answered = (answer.status, answer.body.clone());
            *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(answered);
        }
        if answer.status >= 400 {
            let refused = (answer.status, answer.body.clone());
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(refused);
        }
        Ok(answer)
    }
}
