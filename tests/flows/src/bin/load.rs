//! `trinhky-load`: many leaders and documents at once on both engines, urgent ones among them, and what the server takes
//! to start and to rest, as rows for the benchmarks.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::Parser;
use serde_json::{Value, json};
use trinhky_cluster::Durability;
use trinhky_flows::load::{self, Crowd, Figures};
use trinhky_flows::rig::{Engine, Plan, Rig};
use trinhky_flows::serving::{self, limits};
use trinhky_flows::urgent;

#[derive(Parser)]
#[command(about = "Many documents at once, on SQLite and PostgreSQL")]
struct Arguments {
    /// Leaders, and documents.
    #[arg(long, default_value_t = 200)]
    leaders: u32,
    /// Where the rows go.
    #[arg(long)]
    out: PathBuf,
}

const STARTS: usize = 5;
const LARGE: usize = 50_000_000;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut rows = Vec::new();
    for (name, engine) in [("sqlite", Engine::Sqlite), ("postgres", Engine::Postgres(Durability::Real))] {
        let plan = Plan { leaders: arguments.leaders, engine, ..Plan::busy() };
        let mut rig = Rig::start(&plan).await?;
        let crowd = Arc::new(Crowd::gather(&rig, arguments.leaders as usize).await?);
        let pdf = rig.world.demo_pdf.clone();
        let figures = load::run(&crowd, &pdf).await?;
        rows.push(job(name, &figures));
        if engine == Engine::Sqlite {
            let times = urgent::among(&rig, &crowd, &pdf).await?;
            rows.push(row("push/urgent", "ms", &times, Some(limits::URGENT_MS)));
            rows.extend(served(&mut rig).await?);
        }
    }
    std::fs::write(&arguments.out, serde_json::to_string_pretty(&rows)? + "\n")?;
    Ok(())
}

fn job(engine: &str, figures: &Figures) -> Value {
    let name = format!("job/{engine}");
    let mut row = row(&name, "documents/s", &[figures.documents_per_second], None);
    eprintln!("  {} documents in {:.1} s", figures.documents, figures.seconds);
    for (step, times) in &figures.steps {
        eprintln!("  {step:<8} p50 {:>6} ms   p99 {:>6} ms   max {:>6} ms", times.p50, times.p99, times.max);
    }
    row["documents"] = json!(figures.documents);
    row["steps"] = json!(figures.steps);
    row
}

/// On the database that the load left behind.
async fn served(rig: &mut Rig) -> Result<Vec<Value>> {
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(serving::start(rig).await?);
    }
    let idle = serving::idle(rig).await?;
    let pdf = serving::large_pdf(rig.folder.path(), LARGE)?;
    let upload = serving::upload(rig, &pdf).await?;
    Ok(vec![
        row("serve/start", "ms", &starts, Some(limits::START_MS)),
        row("serve/idle", "MB", &[idle], Some(limits::IDLE_MB)),
        row("serve/upload", "MB", &[upload], Some(limits::UPLOAD_MB)),
    ])
}

fn row(name: &str, unit: &str, values: &[f64], limit: Option<f64>) -> Value {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
    let (min, max) = (sorted.first().copied(), sorted.last().copied());
    let within = limit.map(|limit| if max.unwrap_or_default() <= limit { "within" } else { "ABOVE" });
    eprintln!(
        "{name}: {median:.2} {unit}{}",
        match (within, limit) {
            (Some(word), Some(limit)) => format!(" (most {:.2}; {word} {limit})", max.unwrap_or_default()),
            _ => String::new(),
        }
    );
    json!({
        "name": name, "value": median, "unit": unit, "floor": null, "peer": null, "ratio_to_floor": null,
        "ratio_to_peer": null, "runs": values.len(), "min": min, "median": median, "max": max, "peak_kb": null,
        "limit": limit,
    })
}
