//! `trinhky gate`: raises prompts on SIM cards, on grounds it has checked itself. Its own process, user and host wherever
//! possible: nobody else needs the keys and the password of `[gate]`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use crate::ambient::{SystemRandom, clock_from};
use crate::gate::Gate;
use crate::{gateways, http, telemetry};

pub(super) fn run(path: &Path) -> anyhow::Result<ExitCode> {
    let config = super::settings(path)?;
    telemetry::start();
    gateways::install_crypto();
    super::block_on(async {
        let clock = clock_from(std::env::var("TRINHKY_CLOCK").ok().as_deref())?;
        let store = trinhky_store::Store::open(&config.database.url, CONNECTIONS).await?;
        let gate = Gate::open(&config, store, clock, Arc::new(SystemRandom))?;
        let stop = http::stop_signal()?;
        telemetry::ready("gate", None);
        gate.run(stop).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Conversations wait for answers, not for rows.
const CONNECTIONS: u32 = 4;
