//! What handlers and jobs share: settings, rows and files, gateways, time and chance.

use std::ops::Deref;
use std::sync::Arc;

use crate::ambient::{Clock, Random, SystemRandom, clock_from};
use crate::auth::tries::Tries;
use crate::config::Config;
use crate::gateways::Gateways;

/// Cheap to clone; every clone is the same application.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// See [`App`].
pub struct Shared {
    /// As read at the start.
    pub config: Config,
    /// Whom we ask.
    pub gateways: Gateways,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where random bits come from.
    pub random: Arc<dyn Random>,
    /// Failed sign-ins.
    pub sign_in_tries: Tries,
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// Puts the application together.
    ///
    /// # Errors
    /// When something the settings name cannot be opened or read.
    pub fn open(config: Config) -> anyhow::Result<Self> {
        let clock = clock_from(std::env::var("TRINHKY_CLOCK").ok().as_deref())?;
        let random = Arc::new(SystemRandom);
        let gateways = Gateways::open(&config)?;
        Ok(Self(Arc::new(Shared { config, gateways, clock, random, sign_in_tries: Tries::default() })))
    }
}
