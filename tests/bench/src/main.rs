//! Benchmarks of Trình Ký beside the floor (`openssl dgst -sha256`) and the peer (pyHanko), in one run.
//!
//! Every operation runs in a process of its own, so that its peak memory is its own; the numbers are ratios, because
//! machines are noisy. `measure` is that process; `files` is the driver that starts them and writes the rows.

mod files;
mod measure;
mod row;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Benchmarks beside the floor and the peer")]
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
        /// Signer's certificate, PEM.
        #[arg(long)]
        cert: PathBuf,
        /// Signer's key, PKCS#8 PEM.
        #[arg(long)]
        key: PathBuf,
        /// How often.
        #[arg(long, default_value_t = 5)]
        runs: u32,
    },
    /// Every operation on every file of a folder, with floor and peer; writes rows as JSON.
    Files(files::Arguments),
}

fn main() -> Result<()> {
    match Arguments::parse().what {
        What::Measure { operation, file, cert, key, runs } => {
            let measured = measure::run(operation, &file, &cert, &key, runs)?;
            println!("{}", serde_json::to_string(&measured)?);
            Ok(())
        }
        What::Files(arguments) => files::run(&arguments),
    }
}
