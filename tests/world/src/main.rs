//! `trinhky-world serve`: starts the imaginary province, prints one JSON line, serves until it is told to end.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use tokio::{
    io::AsyncReadExt,
    signal::unix::{SignalKind, signal},
};
use trinhky_world::{Options, Running};

#[derive(Parser)]
#[command(name = "trinhky-world", about = "An imaginary province for demos and tests; loopback only")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until Ctrl-C or SIGTERM; prints one JSON line when ready.
    Serve(Serve),
    /// Writes the built-in document: a decision in the layout of NĐ 30/2020.
    DemoPdf {
        /// Where to.
        out: PathBuf,
        /// Who will sign it.
        #[arg(long, default_value = "Trần Quốc Cường")]
        signer: String,
    },
}

#[derive(Args)]
struct Serve {
    /// Folder of keys, certificates and the import file; the same folder gives the same world. Default: a temporary one.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Where to tell the time: `unix:PATH`. Default: `clock.sock` in the folder.
    #[arg(long, value_name = "unix:PATH")]
    clock: Option<String>,
    /// Port of TSA, OCSP, CRL, push, page and control.
    #[arg(long, default_value_t = 0)]
    http_port: u16,
    /// Port of the MSSP.
    #[arg(long, default_value_t = 0)]
    mssp_port: u16,
    /// Number of leaders with SIMs.
    #[arg(long, default_value_t = 3)]
    leaders: usize,
    /// Put a leader per magic number into the import file.
    #[arg(long)]
    magic: bool,
    /// SIMs accept by themselves after so many milliseconds.
    #[arg(long, default_value_t = 300)]
    accept_after_ms: u64,
    /// SIMs wait for the page's buttons.
    #[arg(long)]
    manual: bool,
    /// Keep RSA keys and images here for the next world, which then starts faster.
    #[arg(long, env = "TRINHKY_WORLD_POOL")]
    pool: Option<PathBuf>,
    /// End when this process ends.
    #[arg(long)]
    parent_pid: Option<u32>,
    /// End when standard input closes.
    #[arg(long)]
    until_stdin_closes: bool,
}

fn main() -> Result<()> {
    let command = match Cli::parse().command {
        Command::Serve(command) => command,
        Command::DemoPdf { out, signer } => {
            return Ok(std::fs::write(out, trinhky_world::demo_document(&signer)?)?);
        }
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let ended = runtime.block_on(serve(&command));
    // A read of standard input cannot be cancelled: do not wait for it.
    runtime.shutdown_background();
    ended
}

async fn serve(serve: &Serve) -> Result<()> {
    // Before the ready line: whoever has read it may ask for the end at once.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (dir, temporary) = match &serve.dir {
        Some(dir) => (dir.clone(), false),
        None => (std::env::temp_dir().join(format!("trinhky-world-{}", std::process::id())), true),
    };
    let clock_socket = match serve.clock.as_deref() {
        Some(text) => Some(PathBuf::from(text.strip_prefix("unix:").context("--clock is unix:PATH")?)),
        None => None,
    };
    let options = Options {
        dir: dir.clone(),
        http_port: serve.http_port,
        mssp_port: serve.mssp_port,
        clock_socket,
        leaders: serve.leaders,
        magic: serve.magic,
        pool: serve.pool.clone(),
        accept_after_ms: (!serve.manual).then_some(serve.accept_after_ms),
    };
    let running = Running::start(&options).await?;
    print_line(&serde_json::to_string(running.ready())?)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = parent_ended(serve.parent_pid) => {}
        () = stdin_closed(serve.until_stdin_closes) => {}
    }
    drop(running);
    if temporary {
        std::fs::remove_dir_all(&dir).context("temporary folder")?;
    }
    Ok(())
}

/// The one line on standard output; flushed, since the reader waits for it.
fn print_line(line: &str) -> Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush().context("standard output")
}

async fn parent_ended(pid: Option<u32>) {
    let Some(pid) = pid else { return std::future::pending().await };
    let process = PathBuf::from(format!("/proc/{pid}"));
    while process.exists() {
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
}

async fn stdin_closed(wanted: bool) {
    if !wanted {
        return std::future::pending().await;
    }
    let mut stdin = tokio::io::stdin();
    let mut buffer = [0; 256];
    while matches!(stdin.read(&mut buffer).await, Ok(read) if read > 0) {}
}
