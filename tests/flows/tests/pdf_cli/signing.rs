//! `provision`, `prepare`, `complete`, `inspect`: every flag, on the province's document and on foreign ones.

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use trinhky_flows::main_job::sha256_of;
use trinhky_flows::process::{command, output};
use trinhky_pades::pdf::Rect;

use crate::bench::{Bench, text};

#[tokio::test]
async fn a_document_is_provisioned_signed_numbered_and_sealed() -> Result<()> {
    let bench = Bench::set_up().await?;
    let (demo, image) = (text(&bench.world.demo_pdf)?, text(&bench.world.seal_image)?);
    let tsa = bench.world.tsa_url.clone();
    let provision = ["pdf", "provision", demo, "--out", "{base.pdf}", "--anchors", "auto"];
    let made = bench.trinhky(&provision).await?.done()?;
    ensure!(made["sha256"] == sha256_of(&bench.file("base.pdf"))? && made["revisions"] == 1, "{made}");
    let names = |fields: &Value| -> Vec<String> {
        let fields = fields.as_array().cloned().unwrap_or_default();
        fields.iter().map(|field| field["name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    ensure!(names(&made["fields"]) == ["Signer1", "DocNumber", "DocDate", "OrgSeal"], "{made}");

    let leader = bench.person("other-person")?;
    let at = "2026-11-22T09:03:01+07:00";
    let prepare = ["--field", "Signer1", "--image", image, "--at", at, "--reserve", "20000"];
    let complete = ["--tsa", tsa.as_str(), "--trust", bench.trust()?];
    let (prepared, completed) =
        bench.signed(&leader, "{base.pdf}", "leader.pdf", &prepare, &complete).await?;
    says_what_was_prepared(&bench, &prepared)?;
    let bytes = std::fs::read(bench.file("leader.pdf"))?;
    ensure!(completed["sha256"] == hex::encode(Sha256::digest(&bytes)), "{completed}");
    ensure!(completed["signature"]["level"] == "B-T", "{completed}");
    ensure!(completed["signature"]["claimed_time"] == at, "{completed}");
    ensure!(gap(&prepared)? == 2 * 20_000 + 2, "{prepared}");
    bench.judged_midway("leader.pdf", 1, &["base.pdf"]).await?;

    let seal = ["--field", "OrgSeal", "--image", image];
    let fills = ["--fill", "number=29/QĐ-UBND", "--fill", "date=2026-03-05"];
    let seal = [&seal[..], &fills].concat();
    let organisation = bench.organisation();
    // The chain of the earlier signer lies in its own message.
    bench.signed(&organisation, "{leader.pdf}", "sealed.pdf", &seal, &complete).await?;
    bench.judged("sealed.pdf", 2, &["base.pdf", "leader.pdf"]).await?;
    let said = bench.page_1("sealed.pdf").await?;
    // The page has "/QĐ-UBND" and "năm" already: neither is said twice.
    ensure!(said.contains("Số:29/QĐ-UBND") && said.matches("QĐ-UBND").count() == 1, "{said}");
    ensure!(said.contains("ngày05tháng3năm2026"), "{said}");

    let report = bench.verified("sealed.pdf", "if-available").await?;
    ensure!(report["verdict"] == "TOTAL-PASSED", "{report}");
    let seen = bench.trinhky(&["pdf", "inspect", "{sealed.pdf}"]).await?.done()?;
    ensure!(seen["revisions"].as_array().map(Vec::len) == Some(3), "{seen}");
    ensure!(seen["signatures"].as_array().map(Vec::len) == Some(2), "{seen}");
    let declared: Vec<&Value> = seen["fields"].as_array().context("fields")?.iter().collect();
    ensure!(declared.iter().all(|field| field["filled"] == true), "{seen}");
    ensure!(declared.iter().filter(|field| field["declared"] == true).count() == 2, "{seen}");
    Ok(())
}

#[tokio::test]
async fn the_urgency_of_a_document_is_stamped_before_it_is_signed() -> Result<()> {
    let bench = Bench::set_up().await?;
    let demo = text(&bench.world.demo_pdf)?;
    let signer = bench.person("other-person")?;
    for (urgency, words, (width, height)) in [
        ("khan", "KHẨN", (20.0, 8.0)),
        ("thuong_khan", "THƯỢNGKHẨN", (40.0, 8.0)),
        ("hoa_toc", "HỎATỐC", (30.0, 8.0)),
    ] {
        let provision = ["pdf", "provision", demo, "--out", "{base.pdf}", "--anchors", "auto"];
        let made = bench.trinhky(&[&provision[..], &["--urgency", urgency]].concat()).await?.done()?;
        let place: Rect = serde_json::from_value(made["urgency"]["rect"].clone())?;
        let near = |points: f64, millimetres: f64| (points * 25.4 / 72.0 - millimetres).abs() < 0.1;
        ensure!(made["urgency"]["page"] == 1 && near(place.width(), width), "{made}");
        ensure!(near(place.height(), height), "{made}");
        bench.signed(&signer, "{base.pdf}", "signed.pdf", &["--field", "Signer1"], &[]).await?;
        bench.judged_midway("signed.pdf", 1, &["base.pdf"]).await?;
        ensure!(bench.page_1("signed.pdf").await?.contains(words), "{urgency}");
        // Red, in its place and nowhere else: dots of a point, from the upper left corner.
        let seen = bench.seen("signed.pdf", 1).await?;
        let (page_height, dots) = (f64::from(u32::try_from(seen.1)?), red(&seen));
        ensure!(dots.len() > 50, "{urgency}: {} dots", dots.len());
        for (x, y) in dots {
            let (x, y) = (f64::from(u32::try_from(x)?), page_height - f64::from(u32::try_from(y)?));
            let inside = x > place.x0 - 2.0 && x < place.x1 + 2.0 && y > place.y0 - 2.0 && y < place.y1 + 2.0;
            ensure!(inside, "{urgency}: red at {x} {y}, not in {place:?}");
        }
        std::fs::remove_file(bench.file("base.pdf"))?;
    }
    Ok(())
}

/// The digests of a preparation are those of the bytes.
fn says_what_was_prepared(bench: &Bench, prepared: &Value) -> Result<()> {
    let bytes = std::fs::read(bench.file("prepared.pdf"))?;
    ensure!(prepared["sha256"] == hex::encode(Sha256::digest(&bytes)), "{prepared}");
    let range: Vec<usize> = serde_json::from_value(prepared["byte_range"].clone())?;
    let [0, first, resume, rest] = range[..] else { anyhow::bail!("{prepared}") };
    ensure!(resume + rest == bytes.len(), "{prepared}");
    let covered = Sha256::new().chain_update(&bytes[..first]).chain_update(&bytes[resume..]).finalize();
    ensure!(prepared["digest"] == hex::encode(covered), "{prepared}");
    let attributes = STANDARD.decode(prepared["signed_attributes"].as_str().context("attributes")?)?;
    ensure!(prepared["dtbs_digest"] == hex::encode(Sha256::digest(&attributes)), "{prepared}");
    ensure!(attributes.windows(32).any(|window| *window == covered[..]), "the digest is signed");
    let code = prepared["code"].as_str().context("a code")?;
    ensure!(code.len() == 4 && code.bytes().all(|digit| digit.is_ascii_digit()), "{code}");
    Ok(())
}

fn gap(prepared: &Value) -> Result<u64> {
    let range: [u64; 4] = serde_json::from_value(prepared["byte_range"].clone())?;
    Ok(range[2] - range[1])
}

#[tokio::test]
async fn fields_are_placed_and_locked_as_told() -> Result<()> {
    let bench = Bench::set_up().await?;
    let demo = text(&bench.world.demo_pdf)?;
    let provision = ["pdf", "provision", demo, "--out", "{base.pdf}"];
    let fields = ["--field", "First@1:60,80,100,50", "--field", "Second@1:200,80,100,50"];
    let rest = ["--declare", "number@1:60,600,100,18", "--lock", "Second=all"];
    let made = bench.trinhky(&[&provision[..], &fields, &rest].concat()).await?.done()?;
    let of = |name: &str| {
        let fields = made["fields"].as_array().cloned().unwrap_or_default();
        fields.into_iter().find(|field| field["name"] == name).unwrap_or_default()
    };
    ensure!(of("First")["locks"] == false && of("Second")["locks"] == true, "{made}");
    ensure!(of("First")["rect"]["x0"] == 60.0 && of("Second")["rect"]["x1"] == 300.0, "{made}");
    ensure!(of("DocNumber")["rect"]["y0"] == 600.0 && of("DocDate").is_null(), "{made}");
    let (first, second) = (bench.person("other-person")?, bench.organisation());
    bench.signed(&first, "{base.pdf}", "first.pdf", &["--field", "First"], &[]).await?;
    let fill = ["--field", "Second", "--fill", "number=07/QĐ-UBND"];
    bench.signed(&second, "{first.pdf}", "second.pdf", &fill, &["--trust", bench.trust()?]).await?;
    bench.judged("second.pdf", 2, &["base.pdf", "first.pdf"]).await?;
    // The lock holds: nothing more can be signed by our own hand.
    let cert = text(&first.certificate)?;
    let more = ["pdf", "prepare", "{second.pdf}", "--out", "{x.pdf}", "--cert", cert, "--field", "DocNumber"];
    bench.trinhky(&more).await?.refused("wrong_field_kind")
}

#[tokio::test]
async fn a_document_is_certified_or_locked_as_asked() -> Result<()> {
    let bench = Bench::set_up().await?;
    let demo = text(&bench.world.demo_pdf)?;
    let base = ["pdf", "provision", demo, "--out", "{base.pdf}", "--field", "First@1:60,80,100,50"];
    let rest = ["--field", "Second@1:200,80,100,50", "--declare", "number@1:60,600,100,18"];
    bench.trinhky(&[&base[..], &rest].concat()).await?.done()?;
    let (first, second) = (bench.person("other-person")?, bench.organisation());
    let cert = text(&second.certificate)?;
    let fill = ["--field", "Second", "--fill", "number=07/QĐ-UBND"];
    for (asked, kind, refused) in [
        (["--certify", "none"], "certification", Some("certification_forbids")),
        (["--certify", "fill"], "certification", None),
        (["--certify", "annotate"], "certification", None),
        (["--lock", "all"], "approval", Some("field_locked")),
        (["--lock", "only:DocNumber,First"], "approval", Some("field_locked")),
        (["--lock", "but:DocNumber,Second"], "approval", None),
    ] {
        let said = || format!("{asked:?}");
        let prepare = [&["--field", "First"][..], &asked].concat();
        let trust = ["--trust", bench.trust()?];
        let (_, completed) = bench.signed(&first, "{base.pdf}", "first.pdf", &prepare, &trust).await?;
        ensure!(completed["signature"]["kind"] == kind, "{}: {completed}", said());
        bench.judged_midway("first.pdf", 1, &["base.pdf"]).await.with_context(said)?;
        let more = ["pdf", "prepare", "{first.pdf}", "--out", "{second.pdf}", "--cert", cert];
        if let Some(code) = refused {
            bench.trinhky(&[&more[..], &fill].concat()).await?.refused(code).with_context(said)?;
            continue;
        }
        let (_, completed) = bench.signed(&second, "{first.pdf}", "second.pdf", &fill, &trust).await?;
        ensure!(completed["verdict"] == "TOTAL-PASSED", "{}: {completed}", said());
        bench.judged("second.pdf", 2, &["base.pdf", "first.pdf"]).await.with_context(said)?;
        let late = [&more[..], &["--field", "New", "--certify", "fill"]].concat();
        let code = if kind == "certification" { "already_certified" } else { "certification_not_first" };
        bench.trinhky(&late).await?.refused(code).with_context(said)?;
        std::fs::remove_file(bench.file("second.pdf"))?;
    }
    Ok(())
}

#[tokio::test]
async fn one_signature_needs_no_provisioning() -> Result<()> {
    let bench = Bench::set_up().await?;
    let (demo, image) = (text(&bench.world.demo_pdf)?, text(&bench.world.seal_image)?);
    let signer = bench.organisation();
    let trust = ["--trust", bench.trust()?];
    let signer_name = "Trần Quốc Cường";
    for (name, prepare) in [
        ("nowhere.pdf", vec![]),
        ("rect.pdf", vec!["--page", "1", "--rect", "60,60,120,60", "--image", image]),
        ("anchor.pdf", vec!["--anchor", signer_name, "--image", image]),
        ("default.pdf", vec!["--image", image]),
    ] {
        let prepare = [&["--field", "Signature"][..], &prepare].concat();
        let (_, completed) =
            bench.signed(&signer, demo, name, &prepare, &trust).await.with_context(|| name.to_owned())?;
        ensure!(completed["verdict"] == "TOTAL-PASSED", "{name}: {completed}");
        bench.judged(name, 1, &[]).await?;
        let seen = bench.trinhky(&["pdf", "inspect", &format!("{{{name}}}")]).await?.done()?;
        let rect = &seen["fields"][0]["rect"];
        let drawn = !red(&bench.seen(name, 1).await?).is_empty();
        ensure!(drawn == (name != "nowhere.pdf"), "{name}: {seen}");
        if name == "rect.pdf" {
            ensure!(rect["x0"] == 60.0 && rect["y1"] == 120.0, "{name}: {seen}");
        }
    }
    // Above the signer's name, and in the right half where ô 7c is.
    for name in ["anchor.pdf", "default.pdf"] {
        let (width, _, _) = bench.seen(name, 1).await?;
        let at = red(&bench.seen(name, 1).await?);
        ensure!(at.iter().all(|(x, _)| *x > width / 2), "{name}: {at:?}");
    }
    Ok(())
}

/// Where a picture is red: x and y in pixels from the upper left corner.
pub(crate) fn red((width, _, pixels): &(usize, usize, Vec<u8>)) -> Vec<(usize, usize)> {
    let is_red = |pixel: &[u8]| matches!(*pixel, [r, g, b] if r > 120 && r > g.saturating_add(60) && r > b.saturating_add(60));
    let reds = pixels.chunks_exact(3).enumerate().filter(|(_, pixel)| is_red(pixel));
    reds.map(|(at, _)| (at % width, at / width)).collect()
}

#[tokio::test]
async fn a_ready_cms_is_taken_as_it_is() -> Result<()> {
    let bench = Bench::set_up().await?;
    let demo = text(&bench.world.demo_pdf)?;
    let (signer, trust) = (bench.organisation(), bench.trust()?);
    let (_, completed) = bench.signed(&signer, demo, "raw.pdf", &["--field", "Signature"], &[]).await?;
    ensure!(completed["signature"]["checks"]["integrity"]["ok"] == true, "{completed}");
    // The CMS of a finished signature, put into the same gap again.
    let bytes = std::fs::read(bench.file("raw.pdf"))?;
    let prepared = std::fs::read(bench.file("prepared.pdf"))?;
    let from = bytes.iter().zip(&prepared).position(|(one, other)| one != other).context("a gap")?;
    let digits: Vec<u8> = bytes[from..].iter().copied().take_while(u8::is_ascii_hexdigit).collect();
    let whole = hex::decode(&digits)?;
    let length = 4 + usize::from(whole[2]) * 256 + usize::from(whole[3]);
    bench.with("one.cms", &whole[..length])?;
    let complete = ["pdf", "complete", "{prepared.pdf}", "--out", "{cms.pdf}", "--cms", "{one.cms}"];
    let done = bench.trinhky(&[&complete[..], &["--trust", trust]].concat()).await?.done()?;
    ensure!(done["verdict"] == "TOTAL-PASSED", "{done}");
    ensure!(std::fs::read(bench.file("cms.pdf"))? == bytes, "the same bytes");
    // With openssl as the judge of the message itself.
    let range = completed["signature"].clone();
    ensure!(range["coverage"] == "whole-file", "{range}");
    let mut covered = prepared[..from - 1].to_vec();
    covered.extend(&prepared[from + prepared[from..].iter().take_while(|b| **b == b'0').count() + 1..]);
    bench.with("covered.bin", &covered)?;
    let mut openssl = command("openssl");
    openssl.args(["cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-in"]);
    openssl.arg(bench.file("one.cms")).arg("-content").arg(bench.file("covered.bin"));
    openssl.arg("-CAfile").arg(&bench.world.roots_pem).args(["-out", "/dev/null"]);
    output(openssl).await.map(drop)
}
