//! Many leaders and many documents at once on SQLite: all released, numbers without gap. Two dozen here, in a debug build;
//! `make bench` does the same with two hundred and prints how long each step takes.

use anyhow::{Result, ensure};
use trinhky_flows::load;
use trinhky_flows::rig::{Plan, Rig};

const LEADERS: u32 = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_dozen_at_once() -> Result<()> {
    let rig = Rig::start(&Plan { leaders: LEADERS, ..Plan::default() }).await?;
    let pdf = rig.world.demo_pdf.clone();
    let figures = load::run(&rig, LEADERS as usize, &pdf).await?;
    println!("{}", serde_json::to_string_pretty(&figures)?);
    ensure!(figures.documents == LEADERS as usize);
    Ok(())
}
