//! Benchmarks of Trình Ký beside the floor (`openssl dgst -sha256`) and the peers (pyHanko, pdfsig, `PDFBox`, EU DSS), in
//! one run.
//!
//! Every operation runs in a process of its own, so that its peak memory is its own; the numbers are ratios, because
//! machines are noisy. `measure` is that process; `files` is the driver that starts them, writes the rows and the
//! plots and says which targets were missed; `instructions` counts what a clock cannot, and `worst` looks for the file
//! of a corpus that costs most.

mod documents;
mod files;
mod inflate;
mod instructions;
mod measure;
mod peers;
mod plot;
mod row;
mod targets;
mod worst;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Benchmarks beside the floor and the peers")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// One operation on one file, in this process; prints milliseconds and peak memory as JSON.
    Measure {
        /// Which operation.
        operation: measure::Operation,
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        key: documents::Key,
        /// How often.
        #[arg(long, default_value_t = 5)]
        runs: u32,
    },
    /// Provisions a file, signs it `signatures` times and writes the result, for the peers to verify.
    Sign {
        /// The file.
        file: PathBuf,
        /// Where the signed one goes.
        out: PathBuf,
        #[command(flatten)]
        key: documents::Key,
        /// How many signatures.
        #[arg(long, default_value_t = 1)]
        signatures: u16,
    },
    /// Every operation on every file of a folder, with floor and peers; writes rows as JSON, and plots.
    Files(files::Arguments),
    /// Counts instructions under callgrind and compares them with the table in the repository.
    Instructions(instructions::Arguments),
    /// Takes in and verifies every file below a folder, each in a process of its own, and reports the worst.
    Worst(worst::Arguments),
    /// Takes in and verifies one file, whatever it is; prints milliseconds and peak memory as JSON.
    Look {
        /// The file.
        file: PathBuf,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().what {
        What::Measure { operation, file, key, runs } => print(&measure::run(operation, &file, &key, runs)?),
        What::Sign { file, out, key, signatures } => documents::write_signed(&file, &out, &key, signatures),
        What::Files(arguments) => files::run(&arguments),
        What::Instructions(arguments) => instructions::run(&arguments),
        What::Worst(arguments) => worst::run(&arguments),
        What::Look { file } => print(&worst::look(&file)?),
    }
}

fn print(measured: &measure::Measured) -> Result<()> {
    println!("{}", serde_json::to_string(measured)?);
    Ok(())
}
