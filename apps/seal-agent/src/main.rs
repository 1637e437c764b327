//! The clerk's half of signing: the organisation's token over PKCS#11, used only after the leader's signature, decision
//! and enrolment were verified here against the agent's own roots and list.
//!
//! A small local program, so that neither the server nor the web app ever reaches the token. See `config` for its file.
//!
//! ```text
//! trinhky-seal-agent --config F seal --document ID [--yes] [--pin-stdin]   → {"document","number","date","base_sha256","sealed":true}
//! trinhky-seal-agent --config F doctor                                     → {"ok","checks":[…]}
//! ```
//!
//! Exit 0: sealed (or all is well). 1: refused, `{"error":{"code","message","what"}}`. 2: usage.

mod clock;
mod config;
mod desk;
mod doctor;
mod error;
mod examine;
mod journal;
mod leaders;
mod pin;
mod screen;
mod seal;
mod signatures;
#[cfg(test)]
mod testing;
mod token;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde_json::{Value, json};
use trinhky_protos::ids::DocumentId;

use crate::config::Config;
use crate::error::Error;
use crate::pin::PinFrom;
use crate::seal::Manner;
use crate::token::Module;

/// Đóng dấu (chữ ký số của cơ quan) bằng thiết bị lưu khóa của văn thư.
#[derive(Debug, Parser)]
#[command(name = "trinhky-seal-agent", version)]
struct Arguments {
    /// The agent's own configuration, TOML.
    #[arg(long)]
    config: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Verify, show, sign on the token, hand in.
    Seal {
        /// The document.
        #[arg(long)]
        document: DocumentId,
        /// Do not ask for confirmation: for a desk without a person.
        #[arg(long)]
        yes: bool,
        /// Read the PIN from one line of standard input instead of the terminal.
        #[arg(long)]
        pin_stdin: bool,
    },
    /// Say whether roots, token and server are ready.
    Doctor,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(value) => {
            println!("{value}");
            ExitCode::from(u8::from(value.get("ok") == Some(&Value::Bool(false))))
        }
        Err(error) => {
            eprintln!("{} ({}: {error})", error.vietnamese(), error.code());
            let what = error.to_string();
            println!(
                "{}",
                json!({"error": {"code": error.code(), "message": error.vietnamese(), "what": what}})
            );
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<Value, Error> {
    let config = Config::read(&arguments.config)?;
    let module = Module::load(&config.token.module);
    match arguments.action {
        Action::Seal { document, yes, pin_stdin } => {
            let module = module?;
            let server = desk::sign_in(&config).await?;
            let pin = if pin_stdin { PinFrom::Stdin } else { PinFrom::Terminal };
            seal::seal(&config, &module, &server, document, Manner { unattended: yes, pin }).await
        }
        Action::Doctor => Ok(doctor::doctor(&config, module.as_ref()).await),
    }
}
