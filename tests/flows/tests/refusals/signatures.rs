//! Signatures over other bytes, or by somebody else: from the SIM, from the leader's device, from the clerk's token.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use trinhky_flows::clerk::{Desk, refusal};
use trinhky_flows::kept::{Kept, Rows};
use trinhky_flows::liar::Liar;
use trinhky_flows::main_job::{self, Cast, PATIENCE};
use trinhky_flows::phone::{Phone, watch};
use trinhky_flows::process::{command, output};
use trinhky_flows::rig::{Part, Plan, Rig};
use trinhky_pades::cms::{self, ID_DATA, SignatureValue};
use trinhky_pades::digest::Digest;
use trinhky_protos::Base64Bytes;
use trinhky_protos::problem::Code;
use trinhky_protos::seal::{SealRequest, SealTaskView};
use trinhky_protos::signing::CmsRequest;

use crate::certificates::pem_bytes;
use crate::said::{behave, core_refused, enrolled, phone_refused, refused, submitted_to};

/// The phone verifies before the worker can: nothing is made of it, and the leader is asked again.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_sim_signed_over_another_hash_or_with_another_key() -> Result<()> {
    let mut rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let phone = enrolled(&rig, 1).await?;
    for behaviour in ["wrong_hash", "wrong_key", "certificate_swap"] {
        behave(&rig, 1, behaviour).await?;
        let document = submitted_to(&rig, &cast, phone.session.person().id).await?;
        rig.stop(Part::Work).await?;
        let asked = phone.decide(document).await?;
        let (attempt, before) = (asked.attempt(), Kept::now(&rig).await?);
        let invalid = Code::SignatureInvalid;
        core_refused(watch(asked).await, invalid.as_str(), invalid.vietnamese()).context(behaviour)?;
        rig.up(Part::Work, &[]).await?;
        cast.clerk.wait_for(document, "awaiting_signature", PATIENCE).await?;
        let now = Kept::now(&rig).await?;
        ensure!(now.files() == before.files(), "{behaviour}: a file was kept");
        ensure!(now.prompts() - before.prompts() <= 1, "{behaviour}: the SIM was asked again");
        let mut rows = Rows::of(&rig).await?;
        let row =
            format!("select state || coalesce(hex(cms), '') from attempts where attempt_id = '{attempt}'");
        ensure!(rows.text(&row).await? == "rejected", "{behaviour}: {}", rows.text(&row).await?);
    }
    Ok(())
}

/// A signature package of another document, handed in for this one.
#[tokio::test(flavor = "multi_thread")]
async fn another_package_than_the_signature_makes() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let first: Arc<Mutex<Option<Value>>> = Arc::default();
    let kept = first.clone();
    let liar = Liar::asking(&rig.url, move |path, body| {
        if path.ends_with("/cms") {
            let mut first = kept.lock().unwrap_or_else(PoisonError::into_inner);
            match first.as_ref() {
                Some(other) => *body = other.clone(),
                // The enrolment's own package comes first, over the statement.
                None => *first = Some(body.clone()),
            }
        }
    })
    .await?;
    let phone = Phone::sign_in(&liar.url, &rig.world.account("leader", 1)?).await?;
    phone.enrol().await?;
    let document = submitted_to(&rig, &cast, phone.session.person().id).await?;
    let asked = phone.decide(document).await?;
    let attempt = asked.attempt();
    phone_refused(&phone, watch(asked).await, Code::CmsMismatch)?;

    // The signature itself is good: the server makes the package by itself, and keeps nothing of the other one.
    let signed = cast.clerk.wait_for(document, "awaiting_number", PATIENCE).await?;
    ensure!(signed.signers.len() == 1, "{signed:?}");
    let mut rows = Rows::of(&rig).await?;
    let row = format!("select cms_from from attempts where attempt_id = '{attempt}'");
    ensure!(rows.text(&row).await? == "server", "the package is said to be the device's");
    let other = first.lock().unwrap_or_else(PoisonError::into_inner).take().context("a package")?;
    let other: Base64Bytes = serde_json::from_value(other["cms"].clone())?;
    let row = format!(
        "select count(*) from attempts where attempt_id = '{attempt}' and hex(cms) = '{}'",
        hex::encode_upper(&other.0)
    );
    ensure!(rows.number(&row).await? == 0, "the other package was kept");
    Ok(())
}

/// The clerk's token signed something else, or it is not the organisation's.
#[tokio::test]
async fn seals_over_another_hash_or_by_another_key() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let document = main_job::signed(&rig, &cast).await?;
    let task = cast.clerk.number(document).await?;
    let content = content_of(&rig, &cast, &task).await?;
    let seal = pem_bytes(&std::fs::read_to_string(&rig.world.seal.certificate_pem)?)?;
    let stranger = rig.world.fixtures.iter().find(|one| one.name == "other-person").context("a fixture")?;
    let theirs = pem_bytes(&std::fs::read_to_string(&stranger.certificate_pem)?)?;
    let folder = rig.folder.path();
    let path = format!("/v1/documents/{document}/seal");

    let other = Digest::of(b"another document");
    let before = Kept::now(&rig).await?;
    for (what, cms, code) in [
        (
            "another hash",
            signed(folder, &other, &seal, &rig.world.seal.key_p8).await?,
            Code::SignatureInvalid,
        ),
        (
            "another person",
            signed(folder, &content, &theirs, &stranger.key_p8).await?,
            Code::CertificateMismatch,
        ),
        // The organisation's certificate, around a value of somebody else's key.
        ("another key", signed(folder, &content, &seal, &stranger.key_p8).await?, Code::SignatureInvalid),
    ] {
        let request = SealRequest { base: task.base.sha256, cms: Base64Bytes(cms) };
        refused(cast.clerk.post::<Value>(&path, &request).await, code).context(what)?;
        before.unchanged(&rig).await.context(what)?;
    }
    let moved = SealRequest { base: trinhky_protos::HexDigest([7; 32]), cms: Base64Bytes(vec![0x30]) };
    refused(cast.clerk.post::<Value>(&path, &moved).await, Code::HeadMoved)?;
    before.unchanged(&rig).await?;

    rig.seal(&cast.clerk, document).await?;
    cast.clerk.wait_for(document, "sealed", PATIENCE).await?;
    Ok(())
}

/// Every part of the package counts, not only what the signature covers: one bit in the certificates that go along with it, and
/// the seal is not taken.
#[tokio::test]
async fn a_seal_with_any_byte_changed() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let document = main_job::signed(&rig, &cast).await?;
    let task = cast.clerk.number(document).await?;
    let content = content_of(&rig, &cast, &task).await?;
    let chain: Vec<&[u8]> = task.chain.iter().map(|issuer| issuer.0.as_slice()).collect();
    ensure!(!chain.is_empty(), "an issuer goes along with the seal");
    let value = value_over(rig.folder.path(), &content, &task.certificate.0, &rig.world.seal.key_p8).await?;
    let made = |chain: &[&[u8]]| {
        let attributes = cms::signed_attributes(&content, &task.certificate.0, ID_DATA)?;
        anyhow::Ok(cms::assemble(&attributes, &value, &task.certificate.0, chain)?)
    };
    let right = made(&chain)?;
    let stranger = rig.world.fixtures.iter().find(|one| one.name == "other-person").context("a fixture")?;
    let stranger = pem_bytes(&std::fs::read_to_string(&stranger.certificate_pem)?)?;

    let path = format!("/v1/documents/{document}/seal");
    let hand_in = async |cms: &[u8]| {
        let request = SealRequest { base: task.base.sha256, cms: Base64Bytes(cms.to_vec()) };
        cast.clerk.post::<Value>(&path, &request).await
    };
    let before = Kept::now(&rig).await?;
    for (what, chain) in [("no issuer", &[][..]), ("a stranger's certificate", &[chain[0], &stranger])] {
        refused(hand_in(&made(chain)?).await, Code::CmsMismatch).context(what)?;
    }
    for (region, cms) in with_one_byte_changed(&right, &content, &task.certificate.0, &chain)? {
        let error = hand_in(&cms).await.err().with_context(|| format!("taken with another {region}"))?;
        let codes = [Code::SignatureInvalid, Code::CertificateMismatch, Code::CmsMismatch].map(Code::as_str);
        ensure!(codes.contains(&refusal(&error).as_str()), "{region}: {error:#}");
    }
    before.unchanged(&rig).await?;
    hand_in(&right).await?;
    cast.clerk.wait_for(document, "sealed", PATIENCE).await?;
    Ok(())
}

/// The same for the package of the leader's device: byte for byte the server's own, or it is not taken.
#[tokio::test(flavor = "multi_thread")]
async fn a_package_of_the_leaders_device_with_any_byte_changed() -> Result<()> {
    let mut rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let handed_in: Arc<Mutex<Vec<CmsRequest>>> = Arc::default();
    let kept = handed_in.clone();
    let liar = Liar::asking(&rig.url, move |path, body| {
        if path.ends_with("/cms") {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend(serde_json::from_value(body.clone()));
            // The enrolment's own goes through.
            if kept.len() > 1 {
                body["cms"] = "MAA=".into();
            }
        }
    })
    .await?;
    let phone = Phone::sign_in(&liar.url, &rig.world.account("leader", 1)?).await?;
    phone.enrol().await?;
    let document = submitted_to(&rig, &cast, phone.session.person().id).await?;
    // Without it nobody but the device makes the package.
    rig.stop(Part::Work).await?;
    let asked = phone.decide(document).await?;
    let path = format!("/v1/attempts/{}/cms", asked.attempt());
    phone_refused(&phone, watch(asked).await, Code::CmsMismatch)?;
    let right = handed_in.lock().unwrap_or_else(PoisonError::into_inner).pop().context("a package")?.cms.0;

    let leader = Desk::with_token(&rig.url, phone.session.token().to_owned())?;
    let message = cms::parse(&right)?;
    let certificate = message.signers.first().and_then(|signer| message.certificate_of(signer));
    let certificate = certificate.context("the signer's certificate")?.as_der().to_vec();
    let others = message.certificates.iter().map(trinhky_pades::x509::Certificate::as_der);
    let chain: Vec<&[u8]> = others.filter(|other| *other != certificate).collect();
    let content = message.signers.first().and_then(|signer| signer.message_digest()).context("a digest")?;
    let content = Digest(content.try_into()?);
    let before = Kept::now(&rig).await?;
    for (region, cms) in with_one_byte_changed(&right, &content, &certificate, &chain)? {
        let request = CmsRequest { cms: Base64Bytes(cms) };
        refused(leader.post::<Value>(&path, &request).await, Code::CmsMismatch).context(region)?;
    }
    before.unchanged(&rig).await?;
    let request = CmsRequest { cms: Base64Bytes(right) };
    let taken: Value = leader.post(&path, &request).await?;
    ensure!(taken["cms_from"] == "device", "{taken}");
    rig.up(Part::Work, &[]).await?;
    cast.clerk.wait_for(document, "awaiting_number", PATIENCE).await?;
    Ok(())
}

/// The package with one bit changed at the beginning, in the middle and at the end of each of its parts, and everywhere
/// between them that belongs to none.
fn with_one_byte_changed(
    cms: &[u8],
    content: &Digest,
    certificate: &[u8],
    chain: &[&[u8]],
) -> Result<Vec<(String, Vec<u8>)>> {
    let attributes = cms::signed_attributes(content, certificate, ID_DATA)?;
    // Within the message they stand under another tag.
    let attributes = attributes.as_der().get(1..).context("attributes")?.to_vec();
    let issuers = chain.iter().map(|issuer| ("issuer's certificate", *issuer));
    let parts = [("signer's certificate", certificate), ("signed attributes", attributes.as_slice())];
    let mut regions = Vec::new();
    for (name, part) in parts.into_iter().chain(issuers) {
        let at = cms.windows(part.len()).position(|window| window == part);
        regions.push((name, at.with_context(|| format!("the {name} stands in it"))?, part.len()));
    }
    let (end, signed) = (cms.len(), regions.iter().map(|(_, at, length)| at + length).max().unwrap_or(0));
    // Behind the attributes: algorithm and value; at the front: versions, types and digest algorithms.
    regions.push(("signature", signed, end - signed));
    let first = regions.iter().map(|(_, at, _)| *at).min().unwrap_or(0);
    let mut places: Vec<(&str, usize)> = (0..first).map(|at| ("head", at)).collect();
    for (name, at, length) in regions {
        places.extend(
            [0, 1, length / 4, length / 2, length - length / 4, length - 2, length - 1]
                .map(|n| (name, at + n)),
        );
    }
    Ok(places
        .into_iter()
        .map(|(name, at)| {
            let mut changed = cms.to_vec();
            changed[at] ^= 1;
            (format!("{name}, byte {at}"), changed)
        })
        .collect())
}

/// What the seal's signature is over: the ByteRange of base and appended part.
async fn content_of(rig: &Rig, cast: &Cast, task: &SealTaskView) -> Result<Digest> {
    let base = rig.folder.path().join("base-of-the-seal.pdf");
    cast.clerk.fetch(&task.base.sha256.to_string(), &base).await?;
    let whole = [std::fs::read(&base)?, task.tail.0.clone()].concat();
    let tail = String::from_utf8_lossy(&task.tail.0).into_owned();
    let range = tail.split_once("/ByteRange").and_then(|(_, rest)| rest.split_once(['[']));
    let range = range.and_then(|(_, rest)| rest.split_once(']')).context("a ByteRange")?.0;
    let numbers: Vec<usize> = range.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [from, first, resume, second] = numbers[..] else { anyhow::bail!("a ByteRange of four: {range}") };
    let parts = (whole.get(from..from + first), whole.get(resume..resume + second));
    let (Some(one), Some(other)) = parts else { anyhow::bail!("a ByteRange within the file: {range}") };
    Ok(Digest::of(&[one, other].concat()))
}

/// A detached CMS of these parts, whether they fit or not.
async fn signed(folder: &Path, content: &Digest, certificate: &[u8], key: &Path) -> Result<Vec<u8>> {
    let attributes = cms::signed_attributes(content, certificate, ID_DATA)?;
    let value = value_over(folder, content, certificate, key).await?;
    Ok(cms::assemble(&attributes, &value, certificate, &[])?)
}

/// What a key makes of the attributes.
async fn value_over(
    folder: &Path,
    content: &Digest,
    certificate: &[u8],
    key: &Path,
) -> Result<SignatureValue> {
    let attributes = cms::signed_attributes(content, certificate, ID_DATA)?;
    let (input, value) = (folder.join("attributes.der"), folder.join("value.bin"));
    std::fs::write(&input, attributes.as_der())?;
    let mut openssl = command("openssl");
    openssl.args(["dgst", "-sha256", "-sign"]).arg(key).arg("-out").arg(&value).arg(&input);
    output(openssl).await?;
    let mut raw = std::fs::read(&value)?;
    if SignatureValue::from_raw(&raw, certificate).is_err() {
        // Of another kind of key than the certificate's: as long as it should be, at least.
        raw = vec![0x5a; 256];
    }
    Ok(SignatureValue::from_raw(&raw, certificate)?)
}
