//! Rows written by hand: whoever has the database's password still cannot raise a prompt. The gate refuses, journals why,
//! and the document goes back to its leader.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use trinhky_domain::ids::{AttemptId, DocumentId};
use trinhky_flows::clerk::Desk;
use trinhky_flows::kept::Rows;
use trinhky_flows::main_job::{self, Cast, PATIENCE};
use trinhky_flows::phone::{Phone, watch};
use trinhky_flows::rig::{Part, Plan, Rig};
use trinhky_protos::problem::Code;

use crate::said::{enrolled, submitted_to};

/// The statement that the forger puts in.
enum Forged<'a> {
    /// None at all.
    Nothing,
    /// Words.
    Words,
    /// One that the leader's device really signed, for another document.
    Used(&'a str),
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_without_a_matching_unused_decision() -> Result<()> {
    let mut rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let phone = enrolled(&rig, 1).await?;
    let leader = phone.session.person().id;
    let honest = submitted_to(&rig, &cast, leader).await?;
    ensure!(phone.approve(honest).await?.state == "embedded");
    let used = phone.last_decision().context("a decision was sent")?;
    let desk = Desk::sign_in_later(&rig.url, &rig.world.account("leader", 1)?).await?;
    let prompts = main_job::sim_requests(&rig).await?;

    for (nth, forged) in [Forged::Nothing, Forged::Words, Forged::Used(&used)].into_iter().enumerate() {
        let document = submitted_to(&rig, &cast, leader).await?;
        let reviewed = phone.session.review(&document.to_string()).await?;
        let attempt = phone.session.check(&reviewed).await?.attempt();
        approve_by_hand(&rig, &phone, document, attempt, &forged).await?;
        is_refused(&rig, &cast, &desk, document, attempt, prompts).await.with_context(|| nth.to_string())?;
    }

    // A real decision, and a recipient added afterwards.
    let document = submitted_to(&rig, &cast, leader).await?;
    rig.stop(Part::Gate).await?;
    let asked = phone.decide(document).await?;
    let attempt = asked.attempt();
    let more = "update documents set particulars = json_set(particulars, '$.recipients[#]',
        json(json_extract(particulars, '$.recipients[0]'))) where document_id = ";
    ensure!(Rows::of(&rig).await?.forge(&format!("{more}'{document}'"), &[]).await? == 1);
    rig.up(Part::Gate, &[]).await?;
    is_refused(&rig, &cast, &desk, document, attempt, prompts).await?;
    let end = watch(asked).await?;
    ensure!(end.message == Code::DecisionUnmatched.vietnamese(), "the leader is told {:?}", end.message);
    Ok(())
}

/// What the decision's commit writes, without a decision.
async fn approve_by_hand(
    rig: &Rig,
    phone: &Phone,
    document: DocumentId,
    attempt: AttemptId,
    forged: &Forged<'_>,
) -> Result<()> {
    let mut rows = Rows::of(rig).await?;
    let (decision, far) = ("01ARZ3NDEKTSV4RRFFQ69G5FAV", 4_000_000_000_000_000_i64);
    // Identifiers are their own; the row of a decision names each attempt once.
    let decision = format!("{}{}", &decision[..20], &attempt.to_string()[20..]);
    let jws = match forged {
        Forged::Nothing => None,
        Forged::Words => Some("eyJhbGciOiJub25lIn0.e30."),
        Forged::Used(jws) => Some(*jws),
    };
    let person = phone.session.person().id;
    let insert = jws.map(|jws| {
        format!(
            "insert into decisions (decision_id, attempt_id, kind, person_id, device_id, client, jws, jws_sha256, expires, at)
             select '{decision}', '{attempt}', 'approve', '{person}', device_id, 'native', '{jws}', '{decision}', {far}, 1
             from devices where person_id = '{person}' and state = 'enrolled'; "
        )
    });
    rows.script(&format!(
        "{} update attempts set state = 'approved', version = version + 1, decision_id = '{decision}',
            until = {far}, due = 1 where attempt_id = '{attempt}';
         update documents set state = 'signing', attempt_id = '{attempt}', version = version + 1
            where document_id = '{document}'",
        insert.unwrap_or_default()
    ))
    .await
}

async fn is_refused(
    rig: &Rig,
    cast: &Cast,
    leader: &Desk,
    document: DocumentId,
    attempt: AttemptId,
    prompts: usize,
) -> Result<()> {
    cast.clerk.wait_for(document, "awaiting_signature", PATIENCE).await?;
    let end: Value = leader.get(&format!("/v1/attempts/{attempt}")).await?;
    ensure!(end["state"] == "rejected" && end["message"] == Code::DecisionUnmatched.vietnamese(), "{end}");
    let journalled = format!(
        "select cast(body as text) from journal where event = 'gate.refused' and attempt_id = '{attempt}'"
    );
    let entry = Rows::of(rig).await?.text(&journalled).await?;
    ensure!(entry.contains(Code::DecisionUnmatched.as_str()), "{entry}");
    ensure!(main_job::sim_requests(rig).await? == prompts, "the SIM was asked");
    Ok(())
}
