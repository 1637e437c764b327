//! `trinhky work`: the jobs, and nothing that listens.

use std::path::Path;
use std::process::ExitCode;

use crate::app::App;
use crate::{http, jobs, telemetry};

pub(super) fn run(settings: &Path) -> anyhow::Result<ExitCode> {
    let config = super::settings(settings)?;
    telemetry::start();
    super::block_on(async {
        let app = App::open(config).await?;
        let stop = http::stop_signal()?;
        telemetry::ready("work", None);
        jobs::run(app, stop).await?;
        Ok(ExitCode::SUCCESS)
    })
}
