//! Certificates that are not asked to sign: the SIM sees nothing, the document waits.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use trinhky_flows::kept::{Kept, Rows};
use trinhky_flows::main_job::{self, Cast};
use trinhky_flows::rig::{Plan, Rig};
use trinhky_protos::problem::Code;

use crate::said::{control, enrolled, msisdn, phone_refused, program_refused, submitted_to};

#[tokio::test]
async fn certificates_that_are_not_asked_to_sign() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let document = main_job::submitted(&cast, &rig.world.demo_pdf).await?;
    let before = main_job::sim_requests(&rig).await?;
    let is_told = async |code: Code| {
        program_refused(cast.leader.approve(document).await, code.as_str(), code.vietnamese())
    };

    for service in ["ocsp", "crl"] {
        control(&rig, "fault", json!({ "service": service, "fault": "down" })).await?;
    }
    is_told(Code::RevocationUnavailable).await?;
    for service in ["ocsp", "crl"] {
        control(&rig, "fault", json!({ "service": service, "fault": null })).await?;
    }
    control(&rig, "revoke", json!({ "msisdn": msisdn(&rig, 0)? })).await?;
    is_told(Code::CertificateRevoked).await?;
    ensure!(main_job::sim_requests(&rig).await? == before, "the SIM was asked");
    let state = cast.clerk.document(document).await?.state.name;
    ensure!(state == "awaiting_signature", "the document is {state}");
    Ok(())
}

/// Time passes, issuers are lost, SIMs are exchanged: what stands in the row is looked at every time.
#[tokio::test]
async fn certificates_that_no_longer_stand_or_are_another_persons() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let phone = enrolled(&rig, 1).await?;
    let leader = phone.session.person().id;
    let document = submitted_to(&rig, &cast, leader).await?;
    for (fixture, code, prepares) in [
        ("expired", Code::CertificateExpired, false),
        ("not-yet-valid", Code::CertificateExpired, false),
        ("wrong-ca", Code::CertificateInvalid, false),
        // Both stand before the server's roots; the device knows whose certificate it enrolled with.
        ("other-person", Code::CertificateMismatch, true),
        ("revoked", Code::CertificateMismatch, true),
    ] {
        exchange_certificate(&rig, &leader.to_string(), fixture).await?;
        // Read first: the receipt is kept, whatever comes of it.
        let reviewed = phone.session.review(&document.to_string()).await?;
        let before = Kept::now(&rig).await?;
        let checked = phone.session.check(&reviewed).await.map(drop).map_err(anyhow::Error::from);
        if prepares {
            crate::said::core_refused(checked, code.as_str(), code.vietnamese()).context(fixture)?;
            ensure!(Kept::now(&rig).await?.prompts() == before.prompts(), "{fixture}: the SIM was asked");
        } else {
            phone_refused(&phone, checked, code).context(fixture)?;
            before.unchanged(&rig).await.context(fixture)?;
        }
    }
    let state = cast.clerk.document(document).await?.state.name;
    ensure!(state == "awaiting_signature", "the document is {state}");
    Ok(())
}

/// Puts one of the world's certificates that must be refused where the leader's is.
async fn exchange_certificate(rig: &Rig, person: &str, fixture: &str) -> Result<()> {
    let fixture = rig.world.fixtures.iter().find(|one| one.name == fixture).context("a fixture")?;
    let der = pem_bytes(&std::fs::read_to_string(&fixture.certificate_pem)?)?;
    let digest = hex::encode(Sha256::digest(&der));
    let sql = format!(
        "update sims set certificate = ?, certificate_sha256 = '{digest}' where person_id = '{person}'"
    );
    ensure!(Rows::of(rig).await?.forge(&sql, &der).await? == 1, "the leader has a SIM");
    Ok(())
}

/// The first certificate of a PEM file.
pub(crate) fn pem_bytes(pem: &str) -> Result<Vec<u8>> {
    let found = trinhky_pades::x509::certificates_from_pem(pem)?;
    Ok(found.first().context("a certificate")?.as_der().to_vec())
}
