//! Many leaders and many documents at once, on both engines: all released, numbers without gap; and an urgent document does
//! not wait behind them. How long the steps take is printed, and nothing is asserted of it: `make bench` measures.

use std::sync::Arc;

use anyhow::{Result, ensure};
use trinhky_cluster::Durability;
use trinhky_flows::load::{self, Crowd};
use trinhky_flows::rig::{Engine, Plan, Rig};
use trinhky_flows::urgent;

/// Two hundred in a release build; a debug build does as much in a minute with these.
const LEADERS: u32 = 48;

/// As many jobs as a worker has under way at once: what it had begun before it saw the urgent one.
const UNDER_WAY: u64 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_at_once_on_sqlite() -> Result<()> {
    let mut rig = Rig::start(&Plan { leaders: LEADERS, ..Plan::busy() }).await?;
    let crowd = everybody(&rig, LEADERS).await?;
    let pdf = rig.world.demo_pdf.clone();
    let passed = urgent::passes(&mut rig, &crowd, &pdf).await?;
    ensure!(passed < UNDER_WAY, "{passed} ordinary messages went before the urgent one");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_at_once_on_postgres() -> Result<()> {
    const LEADERS: u32 = 24;
    let engine = Engine::Postgres(Durability::None);
    let rig = Rig::start(&Plan { leaders: LEADERS, engine, ..Plan::busy() }).await?;
    everybody(&rig, LEADERS).await.map(drop)
}

async fn everybody(rig: &Rig, leaders: u32) -> Result<Arc<Crowd>> {
    let crowd = Arc::new(Crowd::gather(rig, leaders as usize).await?);
    let figures = load::run(&crowd, &rig.world.demo_pdf).await?;
    println!("{}", serde_json::to_string_pretty(&figures)?);
    ensure!(figures.documents == leaders as usize);
    Ok(crowd)
}
