//! What handlers and jobs share: settings, rows and files, gateways, trust, time and chance.

use std::ops::Deref;
use std::sync::Arc;

use anyhow::Context;
use tokio::sync::Semaphore;
use trinhky_domain::people::Office;
use trinhky_domain::policy::Profile;
use trinhky_store::Store;
use trinhky_store::blobs::Blobs;

use crate::ambient::{Clock, Random, SystemRandom, clock_from};
use crate::auth::tries::Tries;
use crate::config::Config;
use crate::error::{ApiError, ApiResult};
use crate::gateways::Gateways;
use crate::trust::Trust;

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
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where random bits come from.
    pub random: Arc<dyn Random>,
    /// Failed sign-ins.
    pub sign_in_tries: Tries,
    /// Uploads at once.
    pub upload_slots: Semaphore,
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
        Profile::named(&config.policy.profile).context("[policy] profile")?;
        let store =
            Store::open(&config.database.url, config.database.connections).await.context("[database] url")?;
        let blobs = Blobs::open(&config.files_folder()).context("[files] url")?;
        let gateways = Gateways::open(&config)?;
        let trust = Arc::new(Trust::read(&config.trust)?);
        let upload_slots = Semaphore::new(config.limits.concurrent_uploads);
        let sign_in_tries = Tries::default();
        Ok(Self(Arc::new(Shared {
            config,
            store,
            blobs,
            gateways,
            trust,
            clock,
            random,
            sign_in_tries,
            upload_slots,
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
