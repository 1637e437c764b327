//! `trinhky serve`: HTTP, and the jobs too with `--work` (one process is enough for a small agency).

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;

use crate::app::App;
use crate::config::Config;
use crate::{http, jobs, telemetry};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to listen instead of what the settings say.
    #[arg(long)]
    listen: Option<std::net::SocketAddr>,
    /// Do the jobs too.
    #[arg(long)]
    work: bool,
}

pub(super) fn run(path: &Path, args: &Args) -> anyhow::Result<ExitCode> {
    let mut config = super::settings(path)?;
    if let Some(listen) = args.listen {
        config.server.listen = listen;
    }
    telemetry::start();
    super::block_on(serve(config, args.work))
}

async fn serve(config: Config, work: bool) -> anyhow::Result<ExitCode> {
    let app = App::open(config).await?;
    let server = &app.config.server;
    let listener = TcpListener::bind(server.listen)
        .await
        .with_context(|| format!("cannot listen on {}", server.listen))?;
    let address = listener.local_addr()?;
    let stop = http::stop_signal()?;
    let patience = http::Patience {
        head: Duration::from_millis(server.head_milliseconds),
        grace: Duration::from_secs(server.shutdown_seconds),
    };
    let working = work
        .then(|| http::stop_signal().map(|stop| tokio::spawn(jobs::run(app.clone(), stop))))
        .transpose()?;
    telemetry::ready("serve", Some(&format!("http://{address}")));
    http::serve(listener, http::router(app), stop, patience).await?;
    if let Some(working) = working {
        working.await??;
    }
    Ok(ExitCode::SUCCESS)
}
