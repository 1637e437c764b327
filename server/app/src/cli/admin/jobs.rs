//! `trinhky admin jobs`: what the workers gave up, and with `--again` another try of all of it.

use std::path::Path;
use std::process::ExitCode;

use trinhky_store::Error;

use crate::app::App;

#[expect(clippy::print_stdout, reason = "the list is this command's output")]
pub(super) fn run(settings: &Path, again: bool) -> anyhow::Result<ExitCode> {
    let config = super::super::settings(settings)?;
    super::super::block_on(async {
        let app = App::open(config).await?;
        let dead = app.store.read().await?.dead_jobs().await?;
        for job in &dead {
            let error = job.error.as_deref().unwrap_or_default();
            println!("{} {}: given up after {} runs: {error}", job.id, job.kind, job.runs);
        }
        if !again {
            println!("{} given up; --again tries them once more", dead.len());
            return Ok(ExitCode::SUCCESS);
        }
        let mut revived = 0_usize;
        for job in &dead {
            let mut tx = app.store.begin().await?;
            match tx.revive_job(job.id, app.clock.now()).await {
                Ok(()) => {
                    tx.commit().await?;
                    revived += 1;
                }
                // The same is asked for again already, or somebody else was quicker.
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        println!("{revived} of {} are tried again", dead.len());
        Ok(ExitCode::SUCCESS)
    })
}
