//! Decisions: about other bytes than those shown, used before, second ones.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use trinhky_domain::ids::DocumentId;
use trinhky_flows::clerk::Desk;
use trinhky_flows::kept::{Kept, Rows};
use trinhky_flows::main_job::{self, Cast};
use trinhky_flows::phone::{Phone, watch};
use trinhky_flows::rig::{Plan, Rig};
use trinhky_flows::sims::{self, prompted};
use trinhky_mobile_core::Asked;
use trinhky_protos::problem::Code;

use crate::said::{behave, core_refused, enrolled, phone_refused, refused, submitted_to};

#[tokio::test]
async fn decisions_that_are_not_taken() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let phone = enrolled(&rig, 1).await?;
    let document = submitted_to(&rig, &cast, phone.session.person().id).await?;

    let other = || Value::from("00".repeat(32));
    let liar = Lying { rig: &rig, phone: &phone, document };
    liar.refused("head", |claims| claims["head"] = "00".repeat(32).into(), Code::HeadMoved).await?;
    for claim in ["tail", "dtbs", "bundle", "manifest", "certificate", "previous"] {
        liar.refused(claim, move |claims| claims[claim] = other(), Code::DecisionInvalid).await?;
    }
    for claim in ["challenge", "urgency", "capacity", "numbering", "display_text", "client", "checkpoint"] {
        liar.refused(claim, move |claims| claims[claim] = "khác".into(), Code::DecisionInvalid).await?;
    }
    let elsewhere = |claims: &mut Value| claims["recipients"][0]["name"] = "Nơi khác".into();
    liar.refused("recipients", elsewhere, Code::DecisionInvalid).await?;
    let shorter = |claims: &mut Value| claims["files"][0]["length"] = 1.into();
    liar.refused("files", shorter, Code::DecisionInvalid).await?;
    liar.refused("exp", |claims| claims["exp"] = 1_000_000.into(), Code::DecisionExpired).await?;

    let approved = phone.approve(document).await?;
    ensure!(approved.state == "embedded", "{approved:?}");
    let replayed = phone.last_decision().context("a decision was sent")?;
    let desk = Desk::sign_in_later(&rig.url, &rig.world.account("leader", 1)?).await?;
    let path = format!("/v1/attempts/{}/decision", approved.id);
    let before = Kept::now(&rig).await?;
    refused(desk.post::<Value>(&path, &json!({ "jws": replayed })).await, Code::DecisionReplayed)?;
    let ended = format!("/v1/attempts/{}/cms", approved.id);
    refused(desk.post::<Value>(&ended, &json!({ "cms": "MAA=" })).await, Code::AttemptEnded)?;
    before.unchanged(&rig).await
}

/// One number, one prompt: a second decision waits with its place, and is asked by itself when its turn comes. A second
/// decision on what is being signed is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_decision_on_one_number_waits_and_on_one_revision_is_refused() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let phone = enrolled(&rig, 1).await?;
    let leader = phone.session.person().id;
    let first = submitted_to(&rig, &cast, leader).await?;
    let second = submitted_to(&rig, &cast, leader).await?;
    behave(&rig, 1, "manual").await?;
    let began = main_job::sim_requests(&rig).await?;

    // Prepared twice while nothing was decided: only one of them can be.
    let reviewed = phone.session.review(&first.to_string()).await?;
    let (one, other) = (phone.session.check(&reviewed).await?, phone.session.check(&reviewed).await?);
    let signing = one.decide().await?;
    prompted(&rig, began + 1).await?;
    let before = Kept::now(&rig).await?;
    phone_refused(&phone, other.decide().await.map_err(Into::into), Code::AlreadyDeciding)?;
    // The core sees by itself that the document is being signed, and asks for nothing.
    core_refused(phone.decide(first).await, Code::WrongState.as_str(), Code::WrongState.vietnamese())?;
    before.unchanged(&rig).await?;

    let waiting = phone.decide(second).await?;
    let (status, view) = phone.last_answer().context("the decision was answered")?;
    ensure!(status == 202, "a decision that waits is answered {status}");
    ensure!(view["state"] == "approved" && view["place"] == 1, "{view}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    ensure!(main_job::sim_requests(&rig).await? == began + 1, "the second prompt did not wait");
    let live =
        "select count(*) from attempts where state in ('sending', 'accepted', 'indeterminate', 'signed_raw')";
    ensure!(Rows::of(&rig).await?.number(live).await? == 1, "two live attempts on one number");

    for (asked, prompts) in [(signing, began + 1), (waiting, began + 2)] {
        prompted(&rig, prompts).await?;
        accepted(&rig, asked).await?;
    }
    ensure!(main_job::sim_requests(&rig).await? == began + 2, "a prompt too many");
    Ok(())
}

async fn accepted(rig: &Rig, asked: Asked) -> Result<()> {
    sims::accept(rig, 1).await?;
    let end = watch(asked).await?;
    ensure!(end.state == "embedded", "{}: {}", end.state, end.message);
    Ok(())
}

/// A phone whose decisions are changed before they are signed.
struct Lying<'a> {
    rig: &'a Rig,
    phone: &'a Phone,
    document: DocumentId,
}

impl Lying<'_> {
    async fn refused(
        &self,
        what: &str,
        lie: impl Fn(&mut Value) + Send + Sync + 'static,
        code: Code,
    ) -> Result<()> {
        let reviewed = self.phone.session.review(&self.document.to_string()).await?;
        let checked = self.phone.session.check(&reviewed).await?;
        let before = Kept::now(self.rig).await?;
        self.phone.lie(Some(Box::new(lie)));
        let decided = checked.decide().await;
        self.phone.lie(None);
        phone_refused(self.phone, decided.map_err(Into::into), code).with_context(|| what.to_owned())?;
        before.unchanged(self.rig).await.with_context(|| what.to_owned())
    }
}
