//! `trinhky serve`: HTTP, and the jobs too with `--work` (one process is enough for a small agency).

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;

use crate::app::App;
use crate::{http, telemetry};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to listen instead of what the settings say.
    #[arg(long)]
    listen: Option<std::net::SocketAddr>,
}

pub(super) fn run(path: &Path, args: &Args) -> anyhow::Result<ExitCode> {
    let mut config = super::settings(path)?;
    if let Some(listen) = args.listen {
        config.server.listen = listen;
    }
    telemetry::start();
    super::block_on(serve(config))
}

async fn serve(config: crate::config::Config) -> anyhow::Result<ExitCode> {
    let app = App::open(config)?;
    let server = &app.config.server;
    let listener = TcpListener::bind(server.listen)
        .await
        .with_context(|| format!("cannot listen on {}", server.listen))?;
    let address = listener.local_addr()?;
    let stop = http::stop_signal()?;
    let grace = Duration::from_secs(server.shutdown_seconds);
    telemetry::ready("serve", Some(&format!("http://{address}")));
    http::serve(listener, http::router(app), stop, grace).await?;
    Ok(ExitCode::SUCCESS)
}
