//! What must not happen, each with its code, its status and a Vietnamese sentence, and nothing stored that should not be.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use trinhky_domain::ids::DocumentId;
use trinhky_flows::clerk::{Answered, Desk, refusal};
use trinhky_flows::main_job::{self, Cast, PATIENCE};
use trinhky_flows::phone::Phone;
use trinhky_flows::process::{command, output};
use trinhky_flows::rig::{Plan, Rig};
use trinhky_protos::document::CreateDocumentRequest;
use trinhky_protos::problem::Code;

/// Uploads beyond this are refused in these tests.
const UPLOAD_LIMIT: u64 = 2_000_000;

#[tokio::test]
async fn files_that_are_not_taken() -> Result<()> {
    let limits = format!("[limits]\nupload_bytes = {UPLOAD_LIMIT}\n");
    let rig = Rig::start(&Plan { settings: limits, ..Plan::default() }).await?;
    let desk = rig.desk("drafter").await?;
    let folder = rig.folder.path();
    let good = std::fs::read(&rig.world.demo_pdf)?;

    let write = |name: &str, bytes: &[u8]| -> Result<PathBuf> {
        let path = folder.join(name);
        std::fs::write(&path, bytes)?;
        Ok(path)
    };
    let encrypted = folder.join("encrypted.pdf");
    let mut qpdf = command("qpdf");
    qpdf.args(["--encrypt", "secret", "owner", "256", "--"]).arg(&rig.world.demo_pdf).arg(&encrypted);
    output(qpdf).await?;
    let cases = [
        (write("text.pdf", b"Kinh gui: day khong phai la PDF")?, Code::NotAPdf),
        (write("png.pdf", b"\x89PNG\r\n\x1a\n0000000000000000")?, Code::NotAPdf),
        (write("cut.pdf", &good[..good.len() / 2])?, Code::Truncated),
        (encrypted, Code::Encrypted),
        (write("empty.pdf", b"")?, Code::EmptyFile),
        (write("large.pdf", &[good.as_slice(), &vec![b' '; 2_100_000]].concat())?, Code::TooLarge),
    ];
    let before = stored(folder)?;
    for (pdf, code) in cases {
        refused(desk.upload(&pdf).await, code).with_context(|| pdf.display().to_string())?;
        let digest = main_job::sha256_of(&pdf)?;
        refused(desk.get::<Value>(&format!("/v1/files/{digest}")).await, Code::NotFound)?;
    }
    ensure!(stored(folder)? == before, "a refused file is still there: {:?}", stored(folder)?);
    Ok(())
}

#[tokio::test]
async fn a_file_that_already_carries_an_invalid_signature() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let out = rig.folder.path().join("out");
    let pdf = rig.world.demo_pdf.clone();
    let outcome = main_job::run(&rig, &cast, &pdf, &out, &mut main_job::Steps::default()).await?;
    let mut bytes = std::fs::read(&outcome.released)?;
    let at = bytes.windows(9).position(|window| window == b"/MediaBox").context("a page")?;
    let digit = bytes[at..].iter().position(u8::is_ascii_digit).context("a number")? + at;
    bytes[digit] ^= 1;
    let broken = out.join("broken.pdf");
    std::fs::write(&broken, bytes)?;
    refused(cast.drafter.upload(&broken).await, Code::InvalidSignaturePresent)
}

#[tokio::test]
async fn documents_that_are_not_taken() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let uploaded = cast.drafter.upload(&rig.world.demo_pdf).await?;
    let with = |change: &dyn Fn(&mut CreateDocumentRequest)| {
        let mut request = cast.request(&uploaded);
        change(&mut request);
        request
    };
    let nobody = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse()?;
    let clerk = cast.clerk_id;
    let cases: Vec<(&str, CreateDocumentRequest, Code)> = vec![
        ("mật", with(&|r| r.secrecy = "secret".into()), Code::Classified),
        ("tối mật", with(&|r| r.secrecy = "top_secret".into()), Code::Classified),
        ("tuyệt mật", with(&|r| r.secrecy = "absolute_secret".into()), Code::Classified),
        ("no subject", with(&|r| r.subject.clear()), Code::MissingMetadata),
        ("no recipients", with(&|r| r.recipients.clear()), Code::MissingMetadata),
        ("no signers", with(&|r| r.signers.clear()), Code::MissingMetadata),
        ("an unknown signer", with(&|r| r.signers[0].person = nobody), Code::UnknownSigner),
        ("a clerk as signer", with(&|r| r.signers[0].person = clerk), Code::UnknownSigner),
        ("an unknown clerk", with(&|r| r.clerk = nobody), Code::UnknownPerson),
        ("a file that was not uploaded", with(&|r| r.files[0].sha256.0[0] ^= 1), Code::UnknownFile),
        ("no main file", with(&|r| r.files.clear()), Code::MissingMetadata),
    ];
    let before: Value = cast.drafter.get("/v1/documents").await?;
    for (name, request, code) in cases {
        refused(cast.drafter.create(&request).await, code).with_context(|| name.to_owned())?;
    }
    let after: Value = cast.drafter.get("/v1/documents").await?;
    ensure!(before == after, "a refused document is there");
    Ok(())
}

#[tokio::test]
async fn decisions_that_are_not_taken() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let phone = Phone::sign_in(&rig.url, &rig.world.account("leader", 1)?).await?;
    phone.enrol().await?;
    let leader = phone.session.person().id;
    let document = submitted_to(&rig, &cast, leader).await?;
    let before = main_job::sim_requests(&rig).await?;

    let other = "00".repeat(32);
    let head = other.clone();
    lied(&phone, document, move |claims| claims["head"] = head.clone().into(), Code::HeadMoved).await?;
    for claim in ["tail", "dtbs", "bundle", "manifest", "certificate", "previous"] {
        let other = other.clone();
        lied(&phone, document, move |claims| claims[claim] = other.clone().into(), Code::DecisionInvalid)
            .await
            .with_context(|| claim.to_owned())?;
    }
    let text = |claim: &'static str| move |claims: &mut Value| claims[claim] = "khác".into();
    for claim in ["challenge", "urgency", "capacity", "numbering", "display_text", "client"] {
        lied(&phone, document, text(claim), Code::DecisionInvalid).await.with_context(|| claim.to_owned())?;
    }
    lied(
        &phone,
        document,
        |claims| claims["recipients"][0]["name"] = "Nơi khác".into(),
        Code::DecisionInvalid,
    )
    .await?;
    lied(&phone, document, |claims| claims["files"][0]["length"] = 1.into(), Code::DecisionInvalid).await?;
    lied(&phone, document, |claims| claims["exp"] = 1_000_000.into(), Code::DecisionExpired).await?;
    ensure!(main_job::sim_requests(&rig).await? == before, "a refused decision reached the SIM");

    let approved = phone.approve(document).await?;
    ensure!(approved.state == "embedded", "{approved:?}");
    let replayed = phone.last_decision().context("a decision was sent")?;
    let desk = Desk::sign_in_later(&rig.url, &rig.world.account("leader", 1)?).await?;
    let again = desk
        .post::<Value>(
            &format!("/v1/attempts/{}/decision", approved.id),
            &serde_json::json!({ "jws": replayed }),
        )
        .await;
    refused(again, Code::DecisionReplayed)?;
    ensure!(main_job::sim_requests(&rig).await? == before + 1, "a replay reached the SIM");
    Ok(())
}

#[tokio::test]
async fn seals_and_releases_that_must_wait() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let document = main_job::submitted(&cast, &rig.world.demo_pdf).await?;
    refused(cast.clerk.number(document).await, Code::LeaderSignatureMissing)?;
    refused(cast.clerk.release(document).await, Code::LeaderSignatureMissing)?;
    cast.leader.approve(document).await?;
    cast.clerk.wait_for(document, "awaiting_number", PATIENCE).await?;
    refused(cast.drafter.number(document).await, Code::NotTheClerk)?;
    cast.clerk.number(document).await?;
    refused(cast.clerk.release(document).await, Code::SignatureBroken)?;
    refused(cast.drafter.release(document).await, Code::NotTheClerk)?;
    Ok(())
}

#[tokio::test]
async fn certificates_that_are_not_asked_to_sign() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let document = main_job::submitted(&cast, &rig.world.demo_pdf).await?;
    let before = main_job::sim_requests(&rig).await?;
    let number = rig.world.accounts.iter().find_map(|account| account.msisdn.clone()).context("a number")?;

    control(&rig, "fault", serde_json::json!({ "service": "ocsp", "fault": "down" })).await?;
    control(&rig, "fault", serde_json::json!({ "service": "crl", "fault": "down" })).await?;
    leader_is_told(&cast, document, Code::RevocationUnavailable).await?;
    control(&rig, "fault", serde_json::json!({ "service": "ocsp", "fault": null })).await?;
    control(&rig, "fault", serde_json::json!({ "service": "crl", "fault": null })).await?;

    control(&rig, "revoke", serde_json::json!({ "msisdn": number })).await?;
    leader_is_told(&cast, document, Code::CertificateRevoked).await?;
    ensure!(main_job::sim_requests(&rig).await? == before, "the SIM was asked");
    let state = cast.clerk.document(document).await?.state.name;
    ensure!(state == "awaiting_signature", "the document is {state}");
    Ok(())
}

async fn leader_is_told(cast: &Cast, document: DocumentId, code: Code) -> Result<()> {
    let Err(error) = cast.leader.approve(document).await else { bail!("signed, and not told {code:?}") };
    let told = format!("{error:#}");
    ensure!(told.contains(code.as_str()), "told {told}, not {code:?}");
    Ok(())
}

async fn control(rig: &Rig, what: &str, wish: Value) -> Result<()> {
    let desk = Desk::new(&format!("{}/{what}", rig.world.control_url.trim_end_matches('/')))?;
    desk.request(reqwest::Method::POST, "").json(&wish).send().await?.error_for_status()?;
    Ok(())
}

async fn submitted_to(rig: &Rig, cast: &Cast, leader: trinhky_domain::ids::PersonId) -> Result<DocumentId> {
    let uploaded = cast.drafter.upload(&rig.world.demo_pdf).await?;
    let mut request = cast.request(&uploaded);
    request.signers[0].person = leader;
    let draft = cast.drafter.create(&request).await?;
    Ok(cast.drafter.submit(draft.id).await?.id)
}

async fn lied(
    phone: &Phone,
    document: DocumentId,
    lie: impl Fn(&mut Value) + Send + Sync + 'static,
    code: Code,
) -> Result<()> {
    phone.lie(Some(Box::new(lie)));
    let decided = phone.decide(document).await;
    phone.lie(None);
    match decided {
        Ok(_) => bail!("the lie was believed"),
        Err(error) => {
            let told = format!("{error:#}");
            ensure!(told.contains(code.as_str()), "refused with {told}, not {code:?}");
            Ok(())
        }
    }
}

/// Asserts a refusal: its code, its status, its Vietnamese sentence.
fn refused<T>(answer: Result<T>, code: Code) -> Result<()> {
    let Err(error) = answer else { bail!("taken, and not refused with {code:?}") };
    ensure!(refusal(&error) == code.as_str(), "refused with {error:#}, not {code:?}");
    let answered = error.downcast_ref::<Answered>().context("the server answered")?;
    ensure!(answered.status.as_u16() == code.status(), "{code:?} came with {}", answered.status);
    let problem = answered.problem.as_ref().context("it is a problem")?;
    ensure!(problem.detail == code.vietnamese(), "the sentence is {:?}", problem.detail);
    Ok(())
}

/// How many files the server keeps.
fn stored(folder: &Path) -> Result<usize> {
    fn count(folder: &Path) -> std::io::Result<usize> {
        let mut files = 0;
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            files += if path.is_dir() { count(&path)? } else { 1 };
        }
        Ok(files)
    }
    Ok(count(&folder.join("files"))?)
}
