//! The clerk's half of signing: the organisation's token over PKCS#11, used only after the leader's signature, decision
//! and enrolment were verified here against the agent's own roots and list.
//!
//! A small local program, so that neither the server nor the web app ever reaches the token. See `config` for its file.
//!
//! ```text
//! trinhky-seal-agent --config F seal --document ID [--yes] [--pin-stdin]   → {"document","number","date","base_sha256","sealed":true}
//! trinhky-seal-agent --config F window [--no-open] [--port N]              a page of its own on loopback, for many documents
//! trinhky-seal-agent --config F doctor                                     → {"ok","checks":[…]}
//! trinhky-seal-agent --config F journal-repair --line N --reason R
//!     (--document ID --number N --date D | --nothing)                      → {"ok","line","kept","next"}
//! ```
//!
//! Exit 0: sealed (or all is well). 1: refused, `{"error":{"code","message","what"}}`. 2: usage.

mod checks;
mod clock;
mod config;
mod desk;
mod doctor;
mod error;
mod examine;
mod journal;
mod leaders;
mod pin;
mod render;
mod screen;
mod seal;
mod signatures;
#[cfg(test)]
mod testing;
mod token;
mod window;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde_json::{Value, json};
use trinhky_protos::ids::DocumentId;

use crate::config::Config;
use crate::error::Error;
use crate::journal::Journal;
use crate::journal::repair::Found;
use crate::pin::PinFrom;
use crate::seal::Manner;
use crate::token::Module;
use crate::window::Opening;

/// Đóng dấu (chữ ký số của cơ quan) bằng thiết bị lưu khóa của văn thư.
#[derive(Debug, Parser)]
#[command(name = "trinhky-seal-agent", version)]
struct Arguments {
    /// The agent's own configuration, TOML.
    #[arg(long, default_value = "seal-agent.toml")]
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
    /// Open the agent's own window: queue, checks, pages, seal.
    Window {
        /// Print the address instead of opening the browser.
        #[arg(long)]
        no_open: bool,
        /// The port on loopback; 0 for one that is free.
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// Say whether roots, token, server, drawing and journal are ready.
    Doctor,
    /// Write what stood on a damaged line of the journal, as the book of the register says.
    JournalRepair {
        /// The line that `doctor` names.
        #[arg(long)]
        line: usize,
        /// Where you know it from: it stays in the journal.
        #[arg(long)]
        reason: String,
        /// The document that was sealed.
        #[arg(long, required_unless_present = "nothing", requires_all = ["number", "date"])]
        document: Option<DocumentId>,
        /// Its number as drawn, `29/QĐ-UBND`.
        #[arg(long, requires = "document")]
        number: Option<String>,
        /// Its date, `YYYY-MM-DD`.
        #[arg(long, requires = "document", value_parser = journal::repair::day)]
        date: Option<String>,
        /// Nothing was sealed there.
        #[arg(long, conflicts_with = "document")]
        nothing: bool,
    },
    /// Draw one page of the PDF on standard input: the window's child.
    #[command(hide = true)]
    Draw {
        #[arg(long)]
        page: u32,
        #[arg(long)]
        width: u16,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Action::Draw { page, width } = arguments.action {
        return match render::draw(page, width) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("{why}");
                ExitCode::FAILURE
            }
        };
    }
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
    match arguments.action {
        Action::Seal { document, yes, pin_stdin } => {
            let module = Module::load(&config.token.module)?;
            let server = desk::sign_in(&config).await?;
            let pin = if pin_stdin { PinFrom::Stdin } else { PinFrom::Terminal };
            seal::seal(&config, &module, &server, document, Manner { unattended: yes, pin }).await
        }
        Action::Window { no_open, port } => {
            let server = desk::sign_in(&config).await?;
            window::serve(config, server, Opening { print_only: no_open, port }).await
        }
        Action::Doctor => Ok(doctor::doctor(&config, Module::load(&config.token.module).as_ref()).await),
        Action::JournalRepair { line, reason, document, number, date, nothing: _ } => {
            let found = match (document, number, date) {
                (Some(document), Some(number), Some(date)) => Found::Seal { document, number, date },
                _ => Found::Nothing,
            };
            let repaired = Journal::at(&config.journal).repair(line, found, reason, clock::now()?)?;
            let next = repaired.next.map(|error| error.to_string());
            Ok(json!({"ok": next.is_none(), "line": line, "kept": repaired.kept, "next": next}))
        }
        Action::Draw { .. } => Ok(Value::Null),
    }
}
