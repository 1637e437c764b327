//! `trinhky admin`: what only an administrator at the machine does.

mod forms;
mod import;
mod jobs;
mod province;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Bring offices, people, certificates and the seal in from a TOML file; importing twice changes nothing.
    Import {
        /// The file; its format stands at the head of `cli/admin/province.rs` and in the operators' handbook.
        file: PathBuf,
    },
    /// List what the workers gave up after too many failures.
    Jobs {
        /// Try all of it again.
        #[arg(long)]
        again: bool,
    },
}

pub(super) fn run(settings: &Path, command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Import { file } => import::run(settings, file),
        Command::Jobs { again } => jobs::run(settings, *again),
    }
}
