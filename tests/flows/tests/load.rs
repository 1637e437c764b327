//! Two hundred leaders and two hundred documents at once on SQLite: all released, numbers 1 to 200 without gap.

use anyhow::{Result, ensure};
use trinhky_flows::load;
use trinhky_flows::rig::{Plan, Rig};

const LEADERS: u32 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_at_once() -> Result<()> {
    let rig = Rig::start(&Plan { leaders: LEADERS, ..Plan::default() }).await?;
    let pdf = rig.world.demo_pdf.clone();
    let figures = load::run(&rig, LEADERS as usize, &pdf).await?;
    println!("{}", serde_json::to_string_pretty(&figures)?);
    ensure!(figures.documents == LEADERS as usize);
    Ok(())
}
