//! `upgrade`: from B-B over B-T and B-LT to B-LTA and to a renewed archive, with one and with two signatures.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use trinhky_flows::main_job::sha256_of;

use crate::bench::{Bench, nothing_at, text};

#[tokio::test]
async fn a_signature_is_raised_level_by_level() -> Result<()> {
    let bench = Bench::set_up().await?;
    let demo = text(&bench.world.demo_pdf)?;
    let signer = bench.organisation();
    bench.signed(&signer, demo, "B.pdf", &["--field", "Signature"], &[]).await?;
    let mut from = "B.pdf";
    // The last one again: the archive is renewed by one more time stamp.
    for (level, to, named) in [
        ("T", "T.pdf", "B-T"),
        ("LT", "LT.pdf", "B-LT"),
        ("LTA", "LTA.pdf", "B-LTA"),
        ("LTA", "LTA2.pdf", "B-LTA"),
    ] {
        let raised = raise(&bench, from, to, level).await?.done()?;
        ensure!(raised["verdict"] == "TOTAL-PASSED", "{level}: {raised}");
        ensure!(raised["sha256"] == sha256_of(&bench.file(to))?, "{level}: {raised}");
        let own = signature(&raised)?;
        ensure!(own["level"] == named, "{level}: {own}");
        bench.judged(to, 1, &[from]).await?;
        let revocation = if level == "T" { "if-available" } else { "require" };
        bench.verified(to, revocation).await.with_context(|| to.to_owned())?;
        from = to;
    }
    Ok(())
}

#[tokio::test]
async fn two_signatures_with_time_stamps_become_b_lta_at_once() -> Result<()> {
    let bench = Bench::set_up().await?;
    let (demo, tsa) = (text(&bench.world.demo_pdf)?, bench.world.tsa_url.clone());
    bench.trinhky(&["pdf", "provision", demo, "--out", "{base.pdf}", "--anchors", "auto"]).await?.done()?;
    let (leader, seal) = (bench.person("other-person")?, bench.organisation());
    let stamped = ["--tsa", tsa.as_str()];
    bench.signed(&leader, "{base.pdf}", "one.pdf", &["--field", "Signer1"], &stamped).await?;
    let fill = ["--field", "OrgSeal", "--fill", "number=29/QĐ-UBND", "--fill", "date=2026-03-05"];
    bench.signed(&seal, "{one.pdf}", "two.pdf", &fill, &stamped).await?;
    let raised = raise(&bench, "two.pdf", "LTA.pdf", "LTA").await?.done()?;
    let own = raised["signatures"].as_array().context("signatures")?;
    let levels: Vec<&Value> =
        own.iter().filter(|one| one["kind"] == "approval").map(|one| &one["level"]).collect();
    ensure!(levels == ["B-LTA", "B-LTA"], "{raised}");
    bench.judged("LTA.pdf", 2, &["base.pdf", "one.pdf", "two.pdf"]).await?;
    bench.verified("LTA.pdf", "require").await.map(drop)
}

#[tokio::test]
async fn nothing_is_raised_while_somebody_who_is_needed_fails() -> Result<()> {
    let bench = Bench::set_up().await?;
    let demo = text(&bench.world.demo_pdf)?;
    let signer = bench.organisation();
    bench.signed(&signer, demo, "B.pdf", &["--field", "Signature"], &[]).await?;
    for (faults, level, code) in [
        (vec![("tsa", "down")], "T", "timestamp_unavailable"),
        (vec![("tsa", "close")], "T", "timestamp_unavailable"),
        (vec![("tsa", "error_page")], "T", "timestamp_unavailable"),
        (vec![("tsa", "refuse")], "T", "tsp_rejected"),
        (vec![("tsa", "wrong_nonce")], "T", "tsp_nonce"),
        (vec![("tsa", "wrong_imprint")], "T", "tsp_token"),
        (vec![("tsa", "bad_signature")], "LTA", "tsp_token"),
        (vec![("ocsp", "down"), ("crl", "down")], "LT", "revocation_unavailable"),
        (vec![("ocsp", "unknown"), ("crl", "expired")], "LTA", "revocation_unavailable"),
    ] {
        for (service, fault) in &faults {
            bench.control("fault", json!({ "service": service, "fault": fault })).await?;
        }
        let ended = raise(&bench, "B.pdf", "out.pdf", level).await?;
        ended.refused(code).with_context(|| format!("{faults:?}"))?;
        nothing_at(&bench.file("out.pdf")).with_context(|| format!("{faults:?}"))?;
        for (service, _) in faults {
            bench.control("fault", json!({ "service": service, "fault": null })).await?;
        }
    }
    // A responder that fails is no hindrance while there is a list.
    bench.control("fault", json!({ "service": "ocsp", "fault": "down" })).await?;
    raise(&bench, "B.pdf", "by-list.pdf", "LT").await?.done()?;
    bench.judged("by-list.pdf", 1, &["B.pdf"]).await
}

#[tokio::test]
async fn what_does_not_hold_is_not_raised() -> Result<()> {
    let bench = Bench::set_up().await?;
    let demo = text(&bench.world.demo_pdf)?;
    bench.with("unsigned.pdf", &std::fs::read(demo)?)?;
    for name in ["expired", "revoked", "wrong-ca", "not-yet-valid"] {
        let signer = bench.person(name)?;
        let file = format!("{name}.pdf");
        bench.signed(&signer, demo, &file, &["--field", "Signature"], &[]).await?;
        let level = if name == "revoked" { "LT" } else { "T" };
        let ended = raise(&bench, &file, "out.pdf", level).await?;
        let code = if name == "revoked" { "not_trusted" } else { "signature_not_valid" };
        ended.refused(code).with_context(|| name.to_owned())?;
    }
    raise(&bench, "unsigned.pdf", "out.pdf", "T").await?.refused("no_signature")?;
    bench.with("text.pdf", b"Kinh gui")?;
    raise(&bench, "text.pdf", "out.pdf", "T").await?.unreadable("not_a_pdf")?;
    nothing_at(&bench.file("out.pdf"))
}

async fn raise(bench: &Bench, from: &str, to: &str, level: &str) -> Result<crate::bench::Ended> {
    let (from, to) = (format!("{{{from}}}"), format!("{{{to}}}"));
    let tsa = bench.world.tsa_url.as_str();
    let chain = text(&bench.world.chain_pem)?;
    let arguments = ["pdf", "upgrade", &from, "--out", &to, "--level", level, "--tsa", tsa];
    bench.trinhky(&[&arguments[..], &["--trust", bench.trust()?, "--chain", chain]].concat()).await
}

/// The one that is no time stamp.
fn signature(raised: &Value) -> Result<&Value> {
    let all = raised["signatures"].as_array().context("signatures")?;
    all.iter().find(|one| one["kind"] == "approval").context("an approval")
}
