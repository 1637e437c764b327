//! The objects apps hold: a core, a session, and one object for each step towards a signature.

use std::sync::Arc;
use std::time::SystemTime;

use time::OffsetDateTime;
use tokio::sync::Mutex;
use trinhky_mobile_core as core;

use crate::border::{Clock, DeviceKey, Foreign, Keep, Transport};
use crate::errors::CoreError;
use crate::records::{BundleFile, Document, EnrolmentConsent, InboxPage, Person, Progress, Settings};

/// The core on this device, before anybody has signed in.
#[derive(uniffi::Object)]
pub struct Core(core::Platform);

#[uniffi::export(async_runtime = "tokio")]
impl Core {
    /// A core around the platform's key and memory; `transport` and `clock` only where the core's own do not fit.
    #[uniffi::constructor]
    pub fn new(
        settings: Settings,
        key: Arc<dyn DeviceKey>,
        keep: Arc<dyn Keep>,
        transport: Option<Arc<dyn Transport>>,
        clock: Option<Arc<dyn Clock>>,
    ) -> Result<Arc<Self>, CoreError> {
        let transport: Arc<dyn core::Transport> = match transport {
            Some(transport) => Arc::new(Foreign(transport)),
            None => core::native::transport(&settings.server_url, settings.roots_pem.as_bytes()).map_err(
                |error| CoreError::Administrator {
                    code: "settings_invalid".into(),
                    sentence: "Địa chỉ máy chủ hoặc chứng thư gốc không dùng được. Hãy báo quản trị.".into(),
                    what: error.to_string(),
                },
            )?,
        };
        let clock: Arc<dyn core::Clock> = match clock {
            Some(clock) => Arc::new(Foreign(clock)),
            None => Arc::new(core::native::SystemClock),
        };
        Ok(Arc::new(Self(core::Platform {
            transport,
            key: Arc::new(Foreign(key)),
            keep: Arc::new(Foreign(keep)),
            clock,
            chance: Arc::new(core::native::SystemChance),
            client: "native",
        })))
    }

    /// Signs in.
    pub async fn sign_in(
        &self,
        username: String,
        password: String,
        totp: String,
    ) -> Result<Arc<Session>, CoreError> {
        let session = core::Session::sign_in(self.0.clone(), &username, &password, &totp).await?;
        Ok(Arc::new(Session(session)))
    }

    /// Takes up a session whose token the app kept in the key store.
    pub async fn resume(&self, token: String, expires_at: SystemTime) -> Result<Arc<Session>, CoreError> {
        let session = core::Session::resume(self.0.clone(), &token, OffsetDateTime::from(expires_at)).await?;
        Ok(Arc::new(Session(session)))
    }
}

/// A signed-in person on this device.
#[derive(uniffi::Object)]
pub struct Session(pub(crate) core::Session);

#[uniffi::export(async_runtime = "tokio")]
impl Session {
    /// Who is signed in.
    pub fn person(&self) -> Person {
        self.0.person().into()
    }

    /// The session's token: a secret, for the key store only.
    pub fn token(&self) -> String {
        self.0.token().to_owned()
    }

    /// When the session ends by itself.
    pub fn expires_at(&self) -> SystemTime {
        self.0.expires_at().into()
    }

    /// Ends the session on the server.
    pub async fn sign_out(&self) -> Result<(), CoreError> {
        Ok(self.0.clone().sign_out().await?)
    }

    /// Whether this device is enrolled for this person.
    pub fn is_enrolled(&self) -> Result<bool, CoreError> {
        Ok(self.0.is_enrolled()?)
    }

    /// What waits for this person.
    pub async fn inbox(&self, cursor: Option<String>) -> Result<InboxPage, CoreError> {
        let core::Inbox { documents, next } = self.0.inbox(cursor.as_deref()).await?;
        Ok(InboxPage { documents: documents.iter().map(Document::from).collect(), next })
    }

    /// Fetches and digests every byte of a document's bundle.
    pub async fn review(&self, document: String) -> Result<Arc<Reviewed>, CoreError> {
        Ok(Arc::new(Reviewed(self.0.review(&document).await?)))
    }

    /// Begins to enrol this device; `name` is what its owner calls it.
    pub async fn begin_enrolment(&self, name: String) -> Result<Arc<EnrolmentChecked>, CoreError> {
        let checked = self.0.begin_enrolment(&name).await?;
        let statement = checked.statement();
        let consent = EnrolmentConsent {
            device: statement.device.to_string(),
            attempt: checked.attempt().to_string(),
            msisdn: statement.msisdn.clone(),
            code: checked.code().map(str::to_owned),
            without_code: checked.without_code().map(str::to_owned),
            sim_shows: checked.sim_shows(),
            display_text: checked.display_text().to_owned(),
            dtbs: checked.dtbs().to_string(),
            key_thumbprint: statement.key_thumbprint.to_string(),
        };
        Ok(Arc::new(EnrolmentChecked { consent, step: Mutex::new(Some(checked)) }))
    }

    /// Every SIM request asked for before the app was closed and whose end was not seen, oldest first.
    pub fn go_on(&self) -> Result<Vec<Arc<Asked>>, CoreError> {
        Ok(self.0.go_on()?.into_iter().map(Asked::of).collect())
    }
}

/// A document whose bytes are on this device.
#[derive(uniffi::Object)]
pub struct Reviewed(pub(crate) core::Reviewed);

#[uniffi::export]
impl Reviewed {
    /// Its data.
    pub fn document(&self) -> Document {
        self.0.document().into()
    }

    /// The bytes to render.
    pub fn main(&self) -> Vec<u8> {
        self.0.main().to_vec()
    }

    /// Attachments and background papers.
    pub fn others(&self) -> Vec<BundleFile> {
        self.0.others().iter().map(|(file, _)| file.into()).collect()
    }

    /// The bytes of the attachment or background paper at that place in `others`.
    pub fn other(&self, index: u32) -> Option<Vec<u8>> {
        self.0.others().get(index as usize).map(|(_, bytes)| bytes.to_vec())
    }
}

/// What the leader may confirm when enrolling, once.
#[derive(uniffi::Object)]
pub struct EnrolmentChecked {
    consent: EnrolmentConsent,
    step: Mutex<Option<core::EnrolmentChecked>>,
}

#[uniffi::export(async_runtime = "tokio")]
impl EnrolmentChecked {
    /// What to show before asking for confirmation.
    pub fn consent(&self) -> EnrolmentConsent {
        self.consent.clone()
    }

    /// The leader said yes.
    pub async fn confirm(&self) -> Result<Arc<Asked>, CoreError> {
        let step = self.step.lock().await.take().ok_or_else(used)?;
        Ok(Asked::of(step.confirm().await?))
    }
}

/// A SIM request under way.
#[derive(uniffi::Object)]
pub struct Asked {
    attempt: String,
    document: Option<String>,
    step: Mutex<core::Asked>,
}

impl Asked {
    pub(crate) fn of(asked: core::Asked) -> Arc<Self> {
        let document = asked.document().map(|id| id.to_string());
        Arc::new(Self { attempt: asked.attempt().to_string(), document, step: Mutex::new(asked) })
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl Asked {
    /// The attempt.
    pub fn attempt(&self) -> String {
        self.attempt.clone()
    }

    /// The document it is about; none for the enrolment of this device.
    pub fn document(&self) -> Option<String> {
        self.document.clone()
    }

    /// Waits for the next change; verifies the raw value and hands in the CMS when it comes. Call until `ended`.
    pub async fn next(&self) -> Result<Progress, CoreError> {
        Ok(self.step.lock().await.next().await?.into())
    }
}

pub(crate) fn used() -> CoreError {
    CoreError::AlreadyUsed { what: "this consent was used; check again".into() }
}
