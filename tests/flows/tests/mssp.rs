//! Everything a SIM and its service can do to a leader, through the whole product: the state the attempt ends in, what the
//! leader is told, that the document waits for the leader again (or went on), and that the SIM was asked once.
//!
//! The gate alone meets every code and fault in `server/app/tests/gate`; here each *kind* of ending is met once more with
//! phone, server, worker and rows around it.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use trinhky_flows::clerk::Desk;
use trinhky_flows::kept::Rows;
use trinhky_flows::logs;
use trinhky_flows::main_job::{self, Cast, PATIENCE};
use trinhky_flows::phone::{enrolled, watch};
use trinhky_flows::rig::{Part, Plan, Rig};
use trinhky_flows::sims;
use trinhky_simpki::status::Sentence;

/// A short dialog, so that what nobody answers is over soon, and long enough for a busy machine.
const SHORT: &[(&str, &str)] = &[
    ("TRINHKY_GATE_DIALOG_SECONDS", "7"),
    ("TRINHKY_GATE_GRACE_SECONDS", "3"),
    ("TRINHKY_GATE_TIMEOUT_SECONDS", "7"),
    logs::TALKATIVE,
];

/// The second leader: the first one's phone runs in Python, and is not wanted here.
const LEADER: usize = 1;

/// A behaviour of the SIM, the attempt's end, and the sentence where the service's code has one of its own.
const ENDINGS: &[(&str, &str, Option<Sentence>)] = &[
    ("code_401", "declined", Some(Sentence::Declined)),
    ("code_402", "blocked", Some(Sentence::PinBlocked)),
    ("code_105", "not_enrolled", Some(Sentence::NotEnrolled)),
    ("code_209", "undeliverable", Some(Sentence::Unreachable)),
    ("code_406", "undeliverable", Some(Sentence::Busy)),
    ("code_103", "rejected", Some(Sentence::DisplayTooLong)),
    ("code_501", "cert_invalid", Some(Sentence::CertificateRevoked)),
    ("code_504", "expired", Some(Sentence::Expired)),
    ("code_900", "provider_down", Some(Sentence::ServiceDown)),
    ("drop_ack", "lapsed", Some(Sentence::Lapsed)),
    ("empty_500", "lapsed", Some(Sentence::Lapsed)),
    ("wrong_number_echo", "rejected", Some(Sentence::EchoMismatch)),
    // The gate keeps what came; the phone refuses it before the leader's eyes, and the worker for itself.
    ("wrong_hash", "rejected", None),
    ("wrong_key", "rejected", None),
    ("short_signature", "rejected", None),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_ending_is_told_and_leaves_the_document_with_the_leader() -> Result<()> {
    let mut rig = Rig::start(&Plan::default()).await?;
    logs::talk(&mut rig).await?;
    rig.stop(Part::Gate).await?;
    rig.up(Part::Gate, SHORT).await?;
    let cast = Cast::gather(&rig).await?;
    let phone = enrolled(&rig, LEADER).await?;
    let desk = Desk::with_token(&rig.url, phone.session.token().to_owned())?;
    for (behaviour, ending, sentence) in ENDINGS {
        sims::behave(&rig, LEADER, behaviour).await?;
        let document = main_job::submitted_to(&rig, &cast, phone.session.person().id).await?;
        let before = main_job::sim_requests(&rig).await?;
        let asked = phone.decide(document).await.with_context(|| (*behaviour).to_owned())?;
        let attempt = asked.attempt();
        match (watch(asked).await, sentence) {
            (Ok(end), Some(sentence)) => {
                ensure!(end.message == sentence.vi(), "{behaviour}: the leader is told {:?}", end.message);
            }
            (Err(refused), None) => {
                let refused = format!("{refused:#}");
                ensure!(refused.contains("does not fit what was shown"), "{behaviour}: {refused}");
            }
            // The server looks at the raw value too; whoever looks first refuses it.
            (Ok(end), None) if end.state == *ending => {}
            (Ok(end), None) => {
                bail!("{behaviour}: the phone took what it should have refused: {}", end.state)
            }
            (Err(refused), Some(_)) => return Err(refused.context(*behaviour)),
        }
        cast.clerk.wait_for(document, "awaiting_signature", PATIENCE).await?;
        let end: Value = desk.get(&format!("/v1/attempts/{attempt}")).await?;
        ensure!(end["state"] == *ending, "{behaviour}: {} instead of {ending}", end["state"]);
        let asked = main_job::sim_requests(&rig).await? - before;
        ensure!(asked == 1, "{behaviour}: the SIM was asked {asked} times");
        println!("{behaviour}: {ending}");
    }
    // After all that the leader can still sign.
    sims::behave(&rig, LEADER, "accept").await?;
    let document = main_job::submitted_to(&rig, &cast, phone.session.person().id).await?;
    let end = phone.approve(document).await?;
    ensure!(end.state == "embedded", "{}", end.state);
    // Nor did any of the service's errors bring a number or a subject into a log.
    logs::told_nothing(&rig, &["Về việc ban hành"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_killed_under_an_open_prompt_is_followed_by_one_that_only_asks_after_it() -> Result<()> {
    let mut rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let phone = enrolled(&rig, LEADER).await?;
    sims::behave(&rig, LEADER, "manual").await?;
    let document = main_job::submitted_to(&rig, &cast, phone.session.person().id).await?;
    let before = main_job::sim_requests(&rig).await?;
    let asked = phone.decide(document).await?;
    // The acknowledgement is in the row a moment after the request is in the service's log.
    let open = format!(
        "select count(*) from attempts where attempt_id = '{}' and state = 'accepted'",
        asked.attempt()
    );
    let mut rows = Rows::of(&rig).await?;
    let acknowledged = async {
        while rows.number(&open).await? == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, acknowledged).await.context("the prompt was not acknowledged")??;
    rig.kill(Part::Gate).await?;
    sims::accept(&rig, LEADER).await?;
    rig.up(Part::Gate, &[]).await?;
    let end = watch(asked).await?;
    ensure!(end.state == "embedded", "{}: {}", end.state, end.message);
    let requests = main_job::sim_requests(&rig).await? - before;
    ensure!(requests == 1, "the SIM was asked {requests} times");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_given_back_before_its_prompt_asks_no_sim() -> Result<()> {
    let mut rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let phone = enrolled(&rig, LEADER).await?;
    let document = main_job::submitted_to(&rig, &cast, phone.session.person().id).await?;
    rig.stop(Part::Gate).await?;
    let before = main_job::sim_requests(&rig).await?;
    let asked = phone.decide(document).await?;
    let withdraw = format!("/v1/documents/{document}/withdraw");
    let noted: Value = cast.drafter.post(&withdraw, &json!({ "reason": "gửi nhầm bản" })).await?;
    ensure!(noted["state"]["name"] == "signing", "the wish waits for the attempt's end: {}", noted["state"]);
    rig.up(Part::Gate, &[]).await?;
    let end = watch(asked).await?;
    ensure!(end.state == "lapsed", "{}: {}", end.state, end.message);
    cast.clerk.wait_for(document, "withdrawn", PATIENCE).await?;
    ensure!(main_job::sim_requests(&rig).await? == before, "a SIM was asked for a withdrawn document");
    Ok(())
}
