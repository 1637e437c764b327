//! A running installation with documents that wait for the seal, for tests that look at its pages with a browser.
//!
//! ```text
//! trinhky-stage [--waiting N]  → {"ready":"stage","window","server","world","pin","numbers"}, then until its input ends
//! ```

use anyhow::Result;
use clap::Parser;
use trinhky_flows::main_job::{self, Cast};
use trinhky_flows::rig::{Plan, Rig};
use trinhky_flows::sealer::TOKEN_PIN;

#[derive(Parser)]
#[command(about = "An installation with documents that wait for the seal")]
struct Arguments {
    /// How many wait.
    #[arg(long, default_value_t = 3)]
    waiting: usize,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    // Two documents a page: the queue has to be read to its end.
    let plan = Plan { settings: "[limits]\npage_rows = 2\n".to_owned(), ..Plan::default() };
    let rig = Rig::start(&plan).await?;
    let cast = Cast::gather(&rig).await?;
    let mut numbers = Vec::new();
    for _ in 0..arguments.waiting {
        let document = main_job::numbered(&rig, &cast).await?;
        numbers.push(cast.clerk.document(document).await?.number);
    }
    let window = rig.sealer(&cast.clerk)?.window().await?;
    let ready = serde_json::json!({
        "ready": "stage",
        "window": window.address,
        "server": rig.url,
        "world": rig.world.page_url,
        "pin": TOKEN_PIN,
        "numbers": numbers,
    });
    println!("{ready}");
    // Whoever started it closes its input, or is gone.
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    Ok(())
}
