//! What proves afterwards that everything was as it is said to have been: the evidence of a document, checked without a
//! server; and what a copy of the database does not hold.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use trinhky_flows::clerk::{Desk, refusal};
use trinhky_flows::kept::Rows;
use trinhky_flows::main_job::{self, Cast, Steps};
use trinhky_flows::process::{binary, command};
use trinhky_flows::rig::{Plan, Rig};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

#[tokio::test]
async fn the_evidence_of_a_document_proves_what_it_says() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let out = rig.folder.path().join("out");
    let outcome = main_job::run(&rig, &cast, &rig.world.demo_pdf, &out, &mut Steps::default()).await?;
    let bundle = out.join("evidence.zip");
    let path = format!("/v1/documents/{}/evidence", outcome.document.id);
    let response = cast.clerk.request(reqwest::Method::GET, &path).send().await?.error_for_status()?;
    std::fs::write(&bundle, response.bytes().await?)?;

    let (valid, report) = verify(&rig, &bundle).await?;
    ensure!(valid, "{report}");
    let checks = report["checks"].as_array().context("checks")?;
    let decided = checks.iter().any(|check| check["check"] == "decisions/Signer1/checkpoint");
    ensure!(decided && checks.len() > 10, "{report}");
    // The device named the journal it had been shown.
    let jws = text_of(&bundle, "decisions/Signer1.jws")?;
    let claims = jws.split('.').nth(1).context("claims")?;
    let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims)?;
    let claims: Value = serde_json::from_slice(&claims)?;
    let seen = claims["checkpoint"].as_str().context("the decision names a checkpoint")?;
    ensure!(seen.starts_with("trinhky/journal\n") && seen.contains("\n— trinhky/journal "), "{seen}");

    for (part, from, to, check) in [
        ("journal/0000.json", "document", "dokument", "journal/0000"),
        ("journal/checkpoint.txt", "trinhky/journal", "another/journal", "journal/checkpoint"),
        ("journal/consistency.json", "\"first\": ", "\"first\": 1", "decisions/Signer1/checkpoint"),
        ("decisions/Signer1.jws", ".", ".e", "decisions/Signer1"),
        ("enrolments/Signer1.json", "84900000001", "84900000002", "decisions/Signer1"),
        ("document.json", "Các phòng", "Mọi phòng", "decisions/Signer1"),
    ] {
        let spoilt = spoil(&bundle, part, from, to)?;
        let (valid, report) = verify(&rig, &spoilt).await?;
        let failed = report["checks"].as_array().context("checks")?.iter().find(|one| one["ok"] == false);
        ensure!(!valid && failed.is_some_and(|one| one["check"] == check), "{part}: {report}");
    }
    Ok(())
}

#[tokio::test]
async fn a_copy_of_the_database_opens_nothing() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let account = rig.world.account("leader", 1)?;
    Desk::sign_in(&rig.url, &account).await?;
    let mut copy = Vec::new();
    for name in ["rows.db", "rows.db-wal"] {
        copy.extend(std::fs::read(rig.folder.path().join(name)).unwrap_or_default());
    }
    for account in &rig.world.accounts {
        let secret = secret_of(&account.totp_secret)?;
        for plain in [secret.as_slice(), account.totp_secret.as_bytes(), account.password.as_bytes()] {
            let found = copy.windows(plain.len()).any(|window| window == plain);
            ensure!(!found, "a secret of {} is in the database", account.username);
        }
    }

    // An installation from before: what stands plain opens nothing, and migrating seals it.
    let person = Rows::of(&rig).await?.text("select person_id from people where login = 'phuong.lt'").await?;
    let plain = format!("update accounts set totp_secret = ? where person_id = '{person}'");
    let secret = secret_of(&account.totp_secret)?;
    ensure!(Rows::of(&rig).await?.forge(&plain, &secret).await? == 1);
    let refused = Desk::sign_in_later(&rig.url, &account).await.err().context("a plain secret opened")?;
    ensure!(refusal(&refused) == "bad_credentials", "{refused:#}");
    let said = rig.trinhky(&["migrate"]).await?;
    ensure!(said.contains("1 second factors were sealed"), "{said}");
    Desk::sign_in(&rig.url, &account).await?;
    Ok(())
}

async fn verify(rig: &Rig, bundle: &Path) -> Result<(bool, Value)> {
    let mut trinhky = command(binary("trinhky")?);
    trinhky.args(["audit", "verify"]).arg(bundle).arg("--trust").arg(&rig.world.roots_pem);
    let output = trinhky.output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_slice(&output.stdout).with_context(|| said.into_owned())?;
    match output.status.code() {
        Some(0) => Ok((true, report)),
        Some(1) => Ok((false, report)),
        other => bail!("ended with {other:?}: {report}"),
    }
}

fn secret_of(base32: &str) -> Result<Vec<u8>> {
    totp_rs::Secret::Encoded(base32.to_owned()).to_bytes().map_err(|error| anyhow::anyhow!("{error}"))
}

fn text_of(bundle: &Path, part: &str) -> Result<String> {
    let mut text = String::new();
    ZipArchive::new(std::fs::File::open(bundle)?)?.by_name(part)?.read_to_string(&mut text)?;
    Ok(text)
}

/// The bundle with the first `from` in one of its parts written as `to`.
fn spoil(bundle: &Path, part: &str, from: &str, to: &str) -> Result<PathBuf> {
    let spoilt = bundle.with_file_name(format!("spoilt-{}.zip", part.replace('/', "-")));
    let mut zip = ZipArchive::new(std::fs::File::open(bundle)?)?;
    let mut written = ZipWriter::new(std::fs::File::create(&spoilt)?);
    for nth in 0..zip.len() {
        let mut entry = zip.by_index(nth)?;
        let name = entry.name()?.into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        if name == part {
            let text = String::from_utf8(bytes)?;
            ensure!(text.contains(from), "{part} has no {from}");
            bytes = text.replacen(from, to, 1).into_bytes();
        }
        written.start_file(name, SimpleFileOptions::default())?;
        written.write_all(&bytes)?;
    }
    written.finish()?;
    Ok(spoilt)
}
