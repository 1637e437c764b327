//! `trinhky-load`: many leaders and documents at once, as rows for the benchmarks.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use serde_json::json;
use trinhky_flows::load;
use trinhky_flows::rig::{Plan, Rig};

#[derive(Parser)]
#[command(about = "Many documents at once, on SQLite")]
struct Arguments {
    /// Leaders, and documents.
    #[arg(long, default_value_t = 200)]
    leaders: u32,
    /// Where the rows go.
    #[arg(long)]
    out: PathBuf,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let rig = Rig::start(&Plan { leaders: arguments.leaders, ..Plan::default() }).await?;
    let pdf = rig.world.demo_pdf.clone();
    let figures = load::run(&rig, arguments.leaders as usize, &pdf).await?;
    eprintln!(
        "job/sqlite: {} documents in {:.1} s, {:.2} documents/s",
        figures.documents, figures.seconds, figures.documents_per_second
    );
    for (step, times) in &figures.steps {
        eprintln!("  {step:<8} p50 {:>6} ms   p99 {:>6} ms   max {:>6} ms", times.p50, times.p99, times.max);
    }
    let value = figures.documents_per_second;
    let rows = json!([{
        "name": "job/sqlite", "value": value, "unit": "documents/s", "floor": null, "peer": null,
        "ratio_to_floor": null, "ratio_to_peer": null, "runs": 1, "min": value, "median": value, "max": value,
        "peak_kb": null, "steps": figures.steps,
    }]);
    std::fs::write(&arguments.out, serde_json::to_string_pretty(&rows)? + "\n")?;
    Ok(())
}
