//! The SIM signs after its wish was withdrawn. The value is kept sealed; only the leader, with the device key, adopts it or
//! gives it up, and nobody asks the SIM again.

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use trinhky_cluster::Durability;
use trinhky_domain::ids::DocumentId;
use trinhky_flows::clerk::{Desk, refusal};
use trinhky_flows::kept::{Kept, Rows};
use trinhky_flows::main_job::{self, Cast, PATIENCE};
use trinhky_flows::phone::{Phone, enrolled, watch};
use trinhky_flows::process::{binary, command, output};
use trinhky_flows::rig::{Engine, Part, Plan, Rig};
use trinhky_flows::sims;
use trinhky_mobile_core::Asked;

/// Everybody, the second leader's phone and its session.
async fn gathered(rig: &Rig) -> Result<(Cast, Phone, Desk)> {
    let cast = Cast::gather(rig).await?;
    let phone = enrolled(rig, 1).await?;
    let desk = Desk::with_token(&rig.url, phone.session.token().to_owned())?;
    Ok((cast, phone, desk))
}

/// A document whose leader decided, that `who` then gave back by `way`, and whose SIM signed after that.
async fn signed_too_late(rig: &Rig, cast: &Cast, phone: &Phone, who: &Desk, way: &str) -> Result<DocumentId> {
    let document = main_job::submitted_to(rig, cast, phone.session.person().id).await?;
    sims::behave(rig, 1, "manual").await?;
    let before = main_job::sim_requests(rig).await?;
    let asked = phone.decide(document).await?;
    sims::prompted(rig, before + 1).await?;
    let path = format!("/v1/documents/{document}/{way}");
    let noted: Value = who.post(&path, &json!({ "reason": "Sai nơi nhận" })).await?;
    ensure!(noted["state"]["name"] == "signing", "the wish waits for the end: {noted}");
    sims::accept(rig, 1).await?;
    let end = watch(asked).await?;
    ensure!(end.state == "signed_held" && end.signature.is_none(), "{end:?}");
    Ok(document)
}

/// The one late signature of the leader.
async fn held(phone: &Phone, document: DocumentId, adoptable: bool) -> Result<String> {
    let held = phone.session.held().await?;
    let [one] = held.as_slice() else { anyhow::bail!("{} late signatures, not one: {held:?}", held.len()) };
    ensure!(one.document == document && one.adoptable == adoptable, "{one:?}");
    Ok(one.attempt.to_string())
}

async fn adopt(phone: &Phone, document: DocumentId, attempt: &str) -> Result<Asked> {
    let reviewed = phone.session.review(&document.to_string()).await?;
    Ok(phone.session.check_held(&reviewed, attempt).await?.adopt().await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_signature_is_adopted_by_the_leader_and_the_document_is_released() -> Result<()> {
    let mut rig = Rig::start(&Plan::default()).await?;
    let (cast, phone, leader) = gathered(&rig).await?;
    let document = signed_too_late(&rig, &cast, &phone, &cast.drafter, "withdraw").await?;
    ensure!(cast.clerk.document(document).await?.state.name == "withdrawn");
    let attempt = held(&phone, document, true).await?;
    let mut rows = Rows::of(&rig).await?;
    let plain = "select count(*) from attempts where state = 'signed_held'
        and (signature is not null or cms is not null or protocol is not null)";
    ensure!(rows.number(plain).await? == 0, "the value lies in the row in plain");

    // Nobody else's, and nobody's without the device key.
    let kept = Kept::now(&rig).await?;
    for act in ["adopt", "void"] {
        let path = format!("/v1/attempts/{attempt}/{act}");
        let said = cast.leader.desk()?.post::<Value>(&path, &json!({ "jws": "e30.e30.AA" })).await;
        ensure!(refusal(&said.err().context("taken")?) == "not_found", "another leader's");
        let said = leader.post::<Value>(&path, &json!({ "jws": "e30.e30.AA" })).await;
        ensure!(refusal(&said.err().context("taken")?) == "decision_invalid", "nobody signed it");
    }
    kept.unchanged(&rig).await?;

    // Decided, and the processes die before anything came of it: the rows go on by themselves.
    rig.kill(Part::Work).await?;
    let asked = main_job::sim_requests(&rig).await?;
    drop(adopt(&phone, document, &attempt).await?);
    rig.kill(Part::Serve).await?;
    ensure!(rows.number("select count(*) from decisions where kind = 'adopt'").await? == 1);
    rig.all_up().await?;
    cast.clerk.wait_for(document, "awaiting_number", PATIENCE).await?;
    ensure!(main_job::sim_requests(&rig).await? == asked, "the SIM was asked again");
    ensure!(phone.session.held().await?.is_empty(), "it waits no longer");

    let released = main_job::seal_and_release(&rig, &cast, document).await?;
    let pdf = rig.folder.path().join("released.pdf");
    cast.clerk.fetch(&released.head.sha256.to_string(), &pdf).await?;
    let (trust, pdf) = (rig.world.roots_pem.display().to_string(), pdf.display().to_string());
    rig.trinhky(&["verify", &pdf, "--trust", &trust, "--revocation", "require", "--offline"]).await?;
    evidence_names_the_adoption(&rig, &cast, document).await
}

/// The evidence proves what it says, and holds the decision that let the signature count.
async fn evidence_names_the_adoption(rig: &Rig, cast: &Cast, document: DocumentId) -> Result<()> {
    let path = format!("/v1/documents/{document}/evidence");
    let response = cast.clerk.request(Method::GET, &path).send().await?.error_for_status()?;
    let bundle = rig.folder.path().join("evidence.zip");
    std::fs::write(&bundle, response.bytes().await?)?;
    let mut verify = command(binary("trinhky")?);
    verify.args(["audit", "verify"]).arg(&bundle).arg("--trust").arg(&rig.world.roots_pem);
    output(verify).await?;
    let zip = zip::ZipArchive::new(std::fs::File::open(&bundle)?)?;
    let late = zip.file_names().filter_map(Result::ok).any(|name| name.starts_with("late/adopt-"));
    ensure!(late, "the evidence has no adoption");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_signature_is_given_up_and_nothing_is_left_of_it() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let (cast, phone, leader) = gathered(&rig).await?;
    let document = signed_too_late(&rig, &cast, &phone, &leader, "return").await?;
    let attempt = held(&phone, document, true).await?;
    // Corrected, the document is another one: what was signed fits no more.
    let uploaded = cast.drafter.upload(&rig.world.demo_pdf).await?;
    cast.drafter.revise(document, &cast.request(&uploaded)).await?;
    held(&phone, document, false).await?;
    ensure!(adopt(&phone, document, &attempt).await.is_err(), "it was adopted into another version");

    let said = phone.session.void_held(&attempt, "Văn bản đã sửa").await?;
    ensure!(said.state == "voided" && said.ended, "{said:?}");
    let mut rows = Rows::of(&rig).await?;
    let left = "select count(*) from attempts where state = 'voided'
        and coalesce(signature, sealed_signature, cms, stamped_cms) is null and protocol is null";
    ensure!(rows.number(left).await? == 1, "something is left of it");
    let journalled = "select count(*) from journal where event = 'attempt.voided'";
    ensure!(rows.number(journalled).await? == 1, "it is not in the journal");
    ensure!(phone.session.held().await?.is_empty());
    ensure!(cast.drafter.document(document).await?.state.name == "draft", "the document stays where it is");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_signature_is_adopted_on_postgres() -> Result<()> {
    let engine = Engine::Postgres(Durability::None);
    let rig = Rig::start(&Plan { engine, ..Plan::default() }).await?;
    let (cast, phone, leader) = gathered(&rig).await?;
    let document = signed_too_late(&rig, &cast, &phone, &leader, "reject").await?;
    let attempt = held(&phone, document, true).await?;
    let end = watch(adopt(&phone, document, &attempt).await?).await?;
    ensure!(end.state == "embedded" && end.cms_from.as_deref() == Some("server"), "{end:?}");
    cast.clerk.wait_for(document, "awaiting_number", PATIENCE).await?;
    Ok(())
}
