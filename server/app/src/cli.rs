//! The command line: one subcommand, one file.

mod admin;
mod audit;
mod config_check;
mod doctor;
mod file;
mod gate;
mod migrate;
mod openapi;
mod pdf;
mod serve;
mod verify;
mod work;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;

/// Trình ký bằng SIM PKI: mobile-backed signing for Vietnamese agencies.
#[derive(Debug, Parser)]
#[command(name = "trinhky", version, about)]
struct Cli {
    /// The settings file.
    #[arg(long, global = true, env = "TRINHKY_CONFIG", default_value = "trinhky.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer HTTP requests.
    Serve(serve::Args),
    /// Do the jobs: finish signatures and seals, push, sweep.
    Work,
    /// Bring the database's schema up to date.
    Migrate,
    /// Administer.
    #[command(subcommand)]
    Admin(admin::Command),
    /// Ask every dependency whether it answers.
    Doctor,
    /// The PDF engine on files, step by step.
    #[command(subcommand)]
    Pdf(Box<pdf::Command>),
    /// Say about every signature of a PDF whether it holds, and what was changed after it.
    Verify(verify::Args),
    /// Evidence of documents.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Raise prompts on SIM cards; the only process that may.
    Gate,
    /// Print the OpenAPI document.
    Openapi,
    /// Look at the settings.
    #[command(subcommand)]
    Config(config_check::Command),
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match &cli.command {
        Command::Serve(args) => serve::run(&cli.config, args),
        Command::Work => work::run(&cli.config),
        Command::Migrate => migrate::run(&cli.config),
        Command::Admin(command) => admin::run(&cli.config, command),
        Command::Doctor => doctor::run(&cli.config),
        Command::Gate => gate::run(&cli.config),
        Command::Verify(args) => clock().map(|clock| verify::run(&cli.config, clock.now(), args)),
        Command::Audit(command) => Ok(audit::run(command)),
        Command::Pdf(command) => clock().map(|clock| pdf::run(&cli.config, clock.as_ref(), command)),
        Command::Openapi => Ok(openapi::run()),
        Command::Config(command) => config_check::run(&cli.config, command),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// The clock of this process.
fn clock() -> anyhow::Result<std::sync::Arc<dyn crate::ambient::Clock>> {
    crate::ambient::clock_from(std::env::var("TRINHKY_CLOCK").ok().as_deref())
}

/// The settings, from the file and this process's variables.
fn settings(path: &Path) -> anyhow::Result<Config> {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Ok(Config::load(path, variables)?)
}

/// Runs a future on a runtime of its own.
fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future)
}

#[expect(clippy::print_stderr, reason = "a command line speaks to the person who typed it")]
fn complain(error: &anyhow::Error) {
    eprintln!("trinhky: {error:#}");
}
