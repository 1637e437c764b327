//! A document that was given back is corrected and goes its way again: another base, everybody asked anew.

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::Value;
use trinhky_cluster::Durability;
use trinhky_flows::clerk::{Desk, refusal};
use trinhky_flows::kept::{Kept, Rows};
use trinhky_flows::main_job::{self, Cast, PATIENCE};
use trinhky_flows::rig::{Engine, Plan, Rig};
use trinhky_protos::document::{CreateDocumentRequest, DocumentView};

const CORRECTED: &str = "Về việc ban hành Quy chế đã sửa khoản 2";

/// The corrected document, brought by whoever corrects it.
async fn corrected(rig: &Rig, cast: &Cast, by: &Desk) -> Result<CreateDocumentRequest> {
    // The same pages with a comment behind them: other bytes, as after a correction.
    let mut bytes = std::fs::read(&rig.world.demo_pdf)?;
    bytes.extend_from_slice(b"% corrected\n");
    let path = rig.folder.path().join("corrected.pdf");
    std::fs::write(&path, bytes)?;
    let uploaded = by.upload(&path).await?;
    Ok(CreateDocumentRequest { subject: CORRECTED.into(), ..cast.request(&uploaded) })
}

async fn returned_and_released(plan: &Plan) -> Result<()> {
    let rig = Rig::start(plan).await?;
    let cast = Cast::gather(&rig).await?;
    let document = main_job::submitted(&cast, &rig.world.demo_pdf).await?;
    let waiting = cast.clerk.wait_for(document, "awaiting_signature", PATIENCE).await?;
    let request = corrected(&rig, &cast, &cast.drafter).await?;

    if plan.engine == Engine::Sqlite {
        let kept = Kept::now(&rig).await?;
        let said = cast.drafter.revise(document, &request).await.err().context("taken on its chain")?;
        ensure!(refusal(&said) == "wrong_state", "{said:#}");
        let stranger = rig.desk("checker").await?;
        let said = stranger.revise(document, &request).await.err().context("taken from a stranger")?;
        ensure!(refusal(&said) == "not_found", "{said:#}");
        kept.unchanged(&rig).await?;
    }

    let returned = cast.leader.desk()?.give_back(document, "Sửa khoản 2").await?;
    ensure!(returned.state.name == "returned" && returned.state.reason.as_deref() == Some("Sửa khoản 2"));
    let revise = |version: u64| {
        let request =
            cast.drafter.request(Method::POST, &format!("/v1/documents/{document}/revise")).json(&request);
        request.header("if-match", format!("\"{version}\"")).header("idempotency-key", "correct")
    };
    let stale = cast.drafter.request(Method::POST, &format!("/v1/documents/{document}/revise"));
    let stale = stale.json(&request).header("if-match", "\"1\"").send().await?;
    ensure!(stale.status() == 409, "another version was corrected: {}", stale.status());
    let answer = revise(returned.version).send().await?.error_for_status()?.text().await?;
    // The answer was lost: it is asked again with what was known then.
    let again = revise(returned.version).send().await?.error_for_status()?.text().await?;
    ensure!(again == answer, "asked again it is answered otherwise: {again}");
    let revised: DocumentView = serde_json::from_str(&answer)?;
    ensure!(revised.state.name == "draft" && revised.subject == CORRECTED, "{answer}");
    ensure!(
        revised.head.sha256 != waiting.head.sha256 && revised.version == returned.version + 1,
        "{answer}"
    );

    cast.drafter.submit(document).await?;
    let waiting_again = cast.clerk.wait_for(document, "awaiting_signature", PATIENCE).await?;
    ensure!(waiting_again.number == waiting.number, "the number follows the document through returns");
    let asked = main_job::sim_requests(&rig).await?;
    cast.leader.approve(document).await?;
    cast.clerk.wait_for(document, "awaiting_number", PATIENCE).await?;
    ensure!(main_job::sim_requests(&rig).await? == asked + 1);
    let released = main_job::seal_and_release(&rig, &cast, document).await?;
    ensure!(
        released.subject == CORRECTED && released.number.as_deref() == Some("01/QĐ-UBND"),
        "{released:?}"
    );
    let pdf = rig.folder.path().join("released.pdf");
    cast.clerk.fetch(&released.head.sha256.to_string(), &pdf).await?;
    let (trust, pdf) = (rig.world.roots_pem.display().to_string(), pdf.display().to_string());
    rig.trinhky(&["verify", &pdf, "--trust", &trust, "--revocation", "require", "--offline"]).await?;
    Ok(())
}

#[tokio::test]
async fn a_returned_document_is_corrected_and_released() -> Result<()> {
    returned_and_released(&Plan::default()).await
}

#[tokio::test]
async fn a_returned_document_keeps_the_number_it_took_before_on_postgres() -> Result<()> {
    let engine = Engine::Postgres(Durability::None);
    returned_and_released(&Plan { profile: "kien_giang_2017", engine, ..Plan::default() }).await
}

/// Given back after it was numbered, signed anew on the same day: the number stays, and the leader does not decide on it.
#[tokio::test]
async fn a_numbered_document_that_was_given_back_keeps_its_number_for_the_day() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let document = main_job::numbered(&rig, &cast).await?;
    let returned = cast.clerk.give_back(document, "In sai").await?;
    ensure!(returned.number.as_deref() == Some("01/QĐ-UBND"), "{returned:?}");
    // The assigned clerk corrects it too.
    let request = corrected(&rig, &cast, &cast.clerk).await?;
    cast.clerk.revise(document, &request).await?;
    cast.clerk.submit(document).await?;
    cast.leader.approve(document).await?;
    cast.clerk.wait_for(document, "awaiting_number", PATIENCE).await?;
    let released = main_job::seal_and_release(&rig, &cast, document).await?;
    ensure!(released.number == returned.number, "{:?}", released.number);
    let mut rows = Rows::of(&rig).await?;
    ensure!(rows.number("select count(*) from numbers").await? == 1, "a second number");
    Ok(())
}

/// Checkers are asked anew too: what they said was about other bytes.
#[tokio::test]
async fn opinions_on_the_bytes_before_do_not_count() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let checker = rig.desk("checker").await?;
    let who = checker.me().await?.id;
    let uploaded = cast.drafter.upload(&rig.world.demo_pdf).await?;
    let request = CreateDocumentRequest { content_checker: Some(who), ..cast.request(&uploaded) };
    let draft = cast.drafter.create(&request).await?;
    let waiting = cast.drafter.submit(draft.id).await?;
    checker.approve_review(&waiting).await?;
    cast.leader.desk()?.give_back(draft.id, "Sửa khoản 2").await?;
    let request =
        CreateDocumentRequest { content_checker: Some(who), ..corrected(&rig, &cast, &cast.drafter).await? };
    cast.drafter.revise(draft.id, &request).await?;
    let again = cast.drafter.submit(draft.id).await?;
    ensure!(again.state.name == "in_review" && again.state.turn_of == Some(who), "{:?}", again.state);
    let stale =
        checker.approve_review(&waiting).await.err().context("an opinion on other bytes was taken")?;
    ensure!(refusal(&stale) == "head_moved", "{stale:#}");
    let passed = checker.approve_review(&again).await?;
    ensure!(passed.state.name == "awaiting_signature", "{:?}", passed.state);
    nothing_of_others(&rig, &cast.leader.desk()?, draft.id).await
}

/// The leader reads the document and may not correct it.
async fn nothing_of_others(
    rig: &Rig,
    leader: &Desk,
    document: trinhky_domain::ids::DocumentId,
) -> Result<()> {
    let kept = Kept::now(rig).await?;
    let said = leader.post::<Value>(&format!("/v1/documents/{document}/renumber"), &Value::Null).await;
    ensure!(refusal(&said.err().context("the leader renumbered")?) == "not_the_clerk");
    kept.unchanged(rig).await
}
