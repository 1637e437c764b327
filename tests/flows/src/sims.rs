//! What the leaders' virtual SIMs do, as the world is told, and when one shows its prompt.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::clerk::Desk;
use crate::main_job;
use crate::rig::Rig;

/// Tells the world something.
///
/// # Errors
/// The world does not answer, or does not know it.
pub async fn control(rig: &Rig, what: &str, wish: Value) -> Result<()> {
    let desk = Desk::new(&format!("{}/{what}", rig.world.control_url.trim_end_matches('/')))?;
    desk.request(reqwest::Method::POST, "").json(&wish).send().await?.error_for_status()?;
    Ok(())
}

/// What the `nth` leader's SIM does from now on.
///
/// # Errors
/// As [`control`].
pub async fn behave(rig: &Rig, nth: usize, behaviour: &str) -> Result<()> {
    let wish = json!({ "behaviour": behaviour });
    control(rig, &format!("sims/{}/behaviour", msisdn(rig, nth)?), wish).await
}

/// The holder of the `nth` leader's SIM enters the PIN.
///
/// # Errors
/// As [`control`]; there is no prompt.
pub async fn accept(rig: &Rig, nth: usize) -> Result<()> {
    control(rig, &format!("sims/{}/accept", msisdn(rig, nth)?), json!({})).await
}

/// Waits until the SIMs have shown as many prompts as this, since the world began.
///
/// # Errors
/// They have not, within twenty seconds.
pub async fn prompted(rig: &Rig, prompts: usize) -> Result<()> {
    for _ in 0..400 {
        if main_job::sim_requests(rig).await? == prompts {
            // The acknowledgement is in the row a moment after the request is in the service's log.
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    bail!("the SIM was not asked a time {prompts}")
}

/// The number of the `nth` leader.
///
/// # Errors
/// There is no such leader.
pub fn msisdn(rig: &Rig, nth: usize) -> Result<String> {
    let leader = rig.world.accounts.iter().filter(|account| account.role == "leader").nth(nth);
    leader.and_then(|leader| leader.msisdn.clone()).context("a leader with a number")
}
