//! What handlers and jobs share: settings, rows and files, gateways, trust, time and chance.

use std::ops::Deref;
use std::sync::Arc;

use anyhow::Context;
use tokio::sync::{Mutex, Semaphore};
use trinhky_domain::people::Office;
use trinhky_domain::policy::Profile;
use trinhky_store::Store;
use trinhky_store::blobs::Blobs;

use crate::ambient::{Clock, Random, SystemRandom, clock_from};
use crate::auth::tries::Tries;
use crate::config::Config;
use crate::error::{ApiError, ApiResult};
use crate::gateways::Gateways;
use crate::keys::Keys;
use crate::trust::Trust;
use crate::watching::Watching;

/// Cheap to clone; every clone is the same application.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// See [`App`].
pub struct Shared {
    /// As read at the start.
    pub config: Config,
    /// Rows.
    pub store: Store,
    /// Files by digest.
    pub blobs: Blobs,
    /// Whom we ask.
    pub gateways: Gateways,
    /// Whom we believe.
    pub trust: Arc<Trust>,
    /// The installation's own keys.
    pub keys: Keys,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where random bits come from.
    pub random: Arc<dyn Random>,
    /// Sign-ins that did not succeed.
    pub sign_in_tries: Tries,
    /// Passwords checked at once: each check takes 19 MiB and a core, and anybody may ask for one.
    pub password_slots: Semaphore,
    /// Uploads at once.
    pub upload_slots: Semaphore,
    /// Who watches which attempt.
    pub watching: Watching,
    /// Whose turn it is to draw a number: one after the other, so that few are drawn in vain.
    pub numbering: Mutex<()>,
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// Puts the application together, with the clock that `TRINHKY_CLOCK` names.
    ///
    /// # Errors
    /// When something the settings name cannot be opened or read.
    pub async fn open(config: Config) -> anyhow::Result<Self> {
        let clock = clock_from(std::env::var("TRINHKY_CLOCK").ok().as_deref())?;
        Self::open_at(config, clock, Arc::new(SystemRandom)).await
    }

    /// The same with a clock and a random source of the caller's.
    ///
    /// # Errors
    /// When something the settings name cannot be opened or read.
    pub async fn open_at(
        config: Config,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> anyhow::Result<Self> {
        config.examine()?;
        let store =
            Store::open(&config.database.url, config.database.connections).await.context("[database] url")?;
        let blobs = Blobs::open(&config.files_folder()).context("[files] url")?;
        let gateways = Gateways::open(&config)?;
        let trust = Arc::new(Trust::read(&config.trust)?);
        let keys = Keys::open(&config.keys_folder(), &*random)?;
        let upload_slots = Semaphore::new(config.limits.concurrent_uploads);
        Ok(Self(Arc::new(Shared {
            config,
            store,
            blobs,
            gateways,
            trust,
            keys,
            clock,
            random,
            sign_in_tries: Tries::default(),
            password_slots: Semaphore::new(PASSWORDS_AT_ONCE),
            upload_slots,
            watching: Watching::default(),
            numbering: Mutex::default(),
        })))
    }

    /// The rules of an office: its own, or the installation's profile where it has none.
    ///
    /// # Errors
    /// [`Code::Internal`](trinhky_protos::problem::Code::Internal) when the stored text is no policy.
    pub fn profile_of(&self, office: &Office) -> ApiResult<Profile> {
        if office.policy.trim().is_empty() {
            Profile::named(&self.config.policy.profile).map_err(ApiError::internal)
        } else {
            Profile::parse(&office.policy).map_err(ApiError::internal)
        }
    }
}

/// Some eighty megabytes at most, and no more than a few cores.
const PASSWORDS_AT_ONCE: usize = 4;
