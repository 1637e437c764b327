//! `trinhky migrate`: brings the schema up to date, and seals what stood plain in rows before. Harmless to repeat.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use trinhky_store::Store;

use crate::ambient::SystemRandom;
use crate::auth::second_factor;
use crate::keys::Keys;

#[expect(clippy::print_stdout, reason = "what was done is this command's output")]
pub(super) fn run(settings: &Path) -> anyhow::Result<ExitCode> {
    let config = super::settings(settings)?;
    super::block_on(async {
        let store = Store::open(&config.database.url, config.database.connections).await?;
        store.migrate().await.context("the schema could not be brought up to date")?;
        let keys = Keys::open(&config.keys_folder(), &SystemRandom)?;
        let sealed = second_factor::seal_plain_ones(&store, &keys.at_rest, &SystemRandom).await?;
        if sealed > 0 {
            println!("{sealed} second factors were sealed; backups from before still hold them plain.");
        }
        store.close().await;
        Ok(ExitCode::SUCCESS)
    })
}
