//! `trinhky migrate`: brings the schema up to date. Harmless to repeat.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use trinhky_store::Store;

pub(super) fn run(settings: &Path) -> anyhow::Result<ExitCode> {
    let config = super::settings(settings)?;
    super::block_on(async {
        let store = Store::open(&config.database.url, config.database.connections).await?;
        store.migrate().await.context("the schema could not be brought up to date")?;
        store.close().await;
        Ok(ExitCode::SUCCESS)
    })
}
