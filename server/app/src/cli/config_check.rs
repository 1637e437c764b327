//! `trinhky config check`: the settings, read as a start would read them.

use std::path::Path;
use std::process::ExitCode;

use crate::gateways::Gateways;
use crate::trust::Trust;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Exit 0 when a start would take the settings; else say what to change.
    Check,
}

#[expect(clippy::print_stdout, reason = "the answer is this command's output")]
pub(super) fn run(path: &Path, command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check => {
            let config = super::settings(path)?;
            config.examine()?;
            Trust::read(&config.trust)?;
            Gateways::open(&config)?;
            println!("{} is good.", path.display());
            Ok(ExitCode::SUCCESS)
        }
    }
}
