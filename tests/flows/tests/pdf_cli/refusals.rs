//! Bad input: each with its code, its exit, a sentence, and nothing written.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::json;
use trinhky_flows::process::{command, output};

use crate::bench::{Bench, nothing_at, text};

#[tokio::test]
async fn files_that_cannot_be_worked_on() -> Result<()> {
    let bench = Bench::set_up().await?;
    let good = std::fs::read(&bench.world.demo_pdf)?;
    let organisation = bench.organisation();
    let cert = text(&organisation.certificate)?;
    bench.with("text.pdf", b"Kinh gui")?;
    bench.with("empty.pdf", b"")?;
    bench.with("cut.pdf", &good[..good.len() / 2])?;
    let mut qpdf = command("qpdf");
    qpdf.args(["--encrypt", "", "owner", "256", "--"]).arg(&bench.world.demo_pdf);
    output({
        qpdf.arg(bench.file("encrypted.pdf"));
        qpdf
    })
    .await?;
    for (file, code) in [("{text.pdf}", "not_a_pdf"), ("{empty.pdf}", "empty"), ("{cut.pdf}", "truncated")] {
        for command in commands(file, cert) {
            bench.trinhky(&command).await?.unreadable(code).with_context(|| format!("{command:?}"))?;
        }
    }
    for command in commands("{encrypted.pdf}", cert) {
        bench.trinhky(&command).await?.refused("encrypted").with_context(|| format!("{command:?}"))?;
    }
    for command in commands("{missing.pdf}", cert) {
        bench.trinhky(&command).await?.usage("missing.pdf")?;
    }
    for file in ["{text.pdf}", "{missing.pdf}"] {
        bench.trinhky(&["pdf", "inspect", file]).await?.usage(".pdf")?;
        bench.trinhky(&["verify", file, "--trust", bench.trust()?]).await?.usage(".pdf")?;
        let complete = ["pdf", "complete", file, "--out", "{out.pdf}", "--cms", "{text.pdf}"];
        bench.trinhky(&complete).await?.usage(".pdf")?;
    }
    nothing_at(&bench.file("out.pdf"))
}

fn commands<'a>(file: &'a str, cert: &'a str) -> [Vec<&'a str>; 2] {
    [
        vec!["pdf", "provision", file, "--out", "{out.pdf}", "--anchors", "auto"],
        vec!["pdf", "prepare", file, "--out", "{out.pdf}", "--cert", cert, "--field", "Signature"],
    ]
}

#[tokio::test]
async fn provisioning_that_is_refused() -> Result<()> {
    let bench = Bench::set_up().await?;
    let demo = text(&bench.world.demo_pdf)?;
    let provision = |more: &[&'static str]| -> Vec<&str> {
        [&["pdf", "provision", demo, "--out", "{out.pdf}"][..], more].concat()
    };
    for (more, code) in [
        (&["--field", "A@9:1,1,50,50"][..], "field_off_page"),
        (&["--field", "A@1:590,1,50,50"], "field_off_page"),
        (&["--field", "A@1:10,10,NaN,50"], "field_off_page"),
        (&["--anchors", "auto", "--notation", "NQ-HĐND"], "printed_differs"),
    ] {
        bench.trinhky(&provision(more)).await?.refused(code).with_context(|| format!("{more:?}"))?;
    }
    for (more, words) in [
        (&[][..], "--anchors auto"),
        (&["--field", "A"], "--anchors auto"),
        (&["--field", "A@1:1,2,3"], "X,Y,W,H"),
        (&["--declare", "colour@1:1,1,50,50"], "only number and date"),
        (&["--field", "A@1:1,1,50,50", "--lock", "B=all"], "no such --field"),
        (&["--field", "A@1:1,1,50,50", "--lock", "A"], "FIELD=all"),
        (&["--anchors", "sometimes"], "auto"),
    ] {
        bench.trinhky(&provision(more)).await?.usage(words).with_context(|| format!("{more:?}"))?;
    }
    for (urgency, words) in [("gap", "hoa_toc"), ("khan@1", "NAME@PAGE:X,Y,W,H")] {
        let provision = ["pdf", "provision", demo, "--out", "{out.pdf}", "--urgency", urgency];
        bench.trinhky(&provision).await?.usage(words)?;
    }
    // Over the name of the office.
    let over = ["pdf", "provision", demo, "--out", "{out.pdf}", "--urgency", "khan@1:0,740,595,60"];
    bench.trinhky(&over).await?.refused("no_room")?;
    nothing_at(&bench.file("out.pdf"))?;
    bench.trinhky(&["pdf", "provision", demo, "--out", "{base.pdf}", "--anchors", "auto"]).await?.done()?;
    let again = ["pdf", "provision", "{base.pdf}", "--out", "{out.pdf}", "--anchors", "auto"];
    bench.trinhky(&again).await?.refused("field_taken")?;
    let signer = bench.organisation();
    bench.signed(&signer, "{base.pdf}", "signed.pdf", &["--field", "Signer1"], &[]).await?;
    let provision = ["pdf", "provision", "{signed.pdf}", "--out", "{out.pdf}", "--field", "A@1:1,1,50,50"];
    bench.trinhky(&provision).await?.refused("already_signed")?;
    nothing_at(&bench.file("out.pdf"))
}

#[tokio::test]
async fn preparing_that_is_refused() -> Result<()> {
    let bench = Bench::set_up().await?;
    let demo = text(&bench.world.demo_pdf)?;
    let signer = bench.organisation();
    let cert = text(&signer.certificate)?;
    bench.trinhky(&["pdf", "provision", demo, "--out", "{base.pdf}", "--anchors", "auto"]).await?.done()?;
    bench.with("garbage.png", b"GIF89a")?;
    bench.with("garbage.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")?;
    let prepare = |more: &[&'static str]| -> Vec<&str> {
        [&["pdf", "prepare", "{base.pdf}", "--out", "{out.pdf}", "--cert", cert][..], more].concat()
    };
    for (more, code) in [
        (&["--field", "Signer1", "--reserve", "100"][..], "reserve_too_small"),
        (&["--field", "DocNumber"], "wrong_field_kind"),
        (&["--field", "Signer1", "--fill", "OrgSeal=x"], "wrong_field_kind"),
        (&["--field", "Signer1", "--fill", "Colour=red"], "no_such_field"),
        (&["--field", "Signer1", "--fill", "number=29/NQ-HĐND"], "printed_differs"),
        (&["--field", "Signer1", "--fill", "number=中/QĐ-UBND"], "text_not_drawable"),
        (&["--field", "Signer1", "--fill", "date=sometime"], "text_not_drawable"),
        (&["--field", "New", "--page", "1", "--rect", "590,1,50,50"], "field_off_page"),
        (&["--field", "New", "--page", "7", "--rect", "1,1,50,50"], "field_off_page"),
        (&["--field", "New", "--anchor", "Không ai cả"], "anchor_not_found"),
        (&["--field", "New", "--mark", "sao_y=中"], "text_not_drawable"),
        (&["--field", "Signer1", "--lock", "only:Colour"], "no_such_field"),
        // The seal's field has a lock of its own.
        (&["--field", "OrgSeal", "--lock", "but:Signer1"], "lock_differs"),
    ] {
        bench.trinhky(&prepare(more)).await?.refused(code).with_context(|| format!("{more:?}"))?;
    }
    for (more, words) in [
        (&[][..], "--field"),
        (&["--field", "New", "--page", "1"], "--rect"),
        (&["--field", "New", "--rect", "1,1,50,50"], "--page"),
        (&["--field", "New", "--fill", "number"], "NAME=TEXT"),
        (&["--field", "New", "--at", "yesterday"], "2021-12-14T08:30:00+07:00"),
        (&["--field", "New", "--mark", "stamp=x"], "attachment=NUMBER"),
        (&["--field", "New", "--certify", "all"], "none, fill or annotate"),
        (&["--field", "New", "--lock", "only:"], "only:NAME,…"),
        (&["--field", "New", "--lock", "all", "--certify", "fill"], "--certify"),
        (&["--field", "New", "--image", "{garbage.png}"], "garbage.png"),
        (&["--field", "New", "--chain", "{garbage.pem}"], "garbage.pem"),
        (&["--field", "New", "--page", "1", "--rect", "1,1,9,9", "--anchor", "x"], "--anchor"),
    ] {
        bench.trinhky(&prepare(more)).await?.usage(words).with_context(|| format!("{more:?}"))?;
    }
    let other = ["pdf", "prepare", demo, "--out", "{out.pdf}", "--cert", "{garbage.pem}", "--field", "A"];
    bench.trinhky(&other).await?.usage("garbage.pem")?;
    nothing_at(&bench.file("out.pdf"))?;
    bench.signed(&signer, "{base.pdf}", "signed.pdf", &["--field", "Signer1"], &[]).await?;
    let twice =
        ["pdf", "prepare", "{signed.pdf}", "--out", "{out.pdf}", "--cert", cert, "--field", "Signer1"];
    bench.trinhky(&twice).await?.refused("already_filled")?;
    nothing_at(&bench.file("out.pdf"))
}

#[tokio::test]
async fn completing_that_is_refused() -> Result<()> {
    let bench = Bench::set_up().await?;
    let demo = text(&bench.world.demo_pdf)?;
    let (signer, other) = (bench.organisation(), bench.person("other-person")?);
    let (cert, others) = (text(&signer.certificate)?, text(&other.certificate)?);
    let prepare = ["pdf", "prepare", demo, "--out", "{prepared.pdf}", "--cert", cert, "--field", "Signature"];
    let earlier = bench.trinhky(&prepare).await?.done()?;
    let (attributes, value) = bench.sign(&signer, &earlier).await?;
    std::fs::copy(&attributes, bench.file("earlier.der"))?;
    std::fs::copy(&value, bench.file("earlier.bin"))?;
    // Prepared again: other bytes, since the file's identity is new.
    let prepared = bench.trinhky(&prepare).await?.done()?;
    bench.sign(&other, &prepared).await?;
    std::fs::copy(&value, bench.file("others.bin"))?;
    bench.sign(&signer, &prepared).await?;
    let mut flipped = std::fs::read(&value)?;
    flipped[17] ^= 1;
    bench.with("flipped.bin", &flipped)?;
    bench.with("garbage.der", b"\x30\x03\x02\x01\x01")?;

    let complete = |more: &[&'static str]| -> Vec<String> {
        let base = ["pdf", "complete", "{prepared.pdf}", "--out", "{out.pdf}"];
        base.iter().chain(more).map(|part| part.replace("CERT", cert).replace("OTHER", others)).collect()
    };
    let run = async |more: &[&'static str]| {
        let arguments = complete(more);
        bench.trinhky(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await
    };
    for (more, code) in [
        (&["--signature", "{earlier.bin}", "--cert", "CERT"][..], "cms_refused"),
        (&["--signature", "{flipped.bin}", "--cert", "CERT"], "cms_refused"),
        (&["--signature", "{others.bin}", "--cert", "CERT"], "cms_refused"),
        (&["--signature", "{value.bin}", "--cert", "OTHER"], "signature_value"),
        (
            &["--signature", "{value.bin}", "--cert", "CERT", "--signed-attributes", "{earlier.der}"],
            "signed_attributes_differ",
        ),
        (&["--cms", "{garbage.der}", "--cert", "CERT"], "cms_refused"),
        // Its issuer is not among the anchors.
        (&["--signature", "{value.bin}", "--cert", "CERT", "--trust", "OTHER"], "signature_not_valid"),
    ] {
        run(more).await?.refused(code).with_context(|| format!("{more:?}"))?;
    }
    for (more, words) in [
        (&[][..], "--cms"),
        (&["--signature", "{value.bin}"], "--cert"),
        (&["--cms", "{garbage.der}"], "give --cert"),
        (&["--signature", "{missing.bin}", "--cert", "CERT"], "missing.bin"),
        (&["--signature", "{value.bin}", "--cert", "CERT", "--tsa", "nowhere"], "nowhere"),
    ] {
        run(more).await?.usage(words).with_context(|| format!("{more:?}"))?;
    }
    let stamped = ["--signature", "{value.bin}", "--cert", "CERT", "--tsa"];
    for (fault, code) in [
        ("down", "timestamp_unavailable"),
        ("refuse", "tsp_rejected"),
        ("no_nonce", "tsp_nonce"),
        ("wrong_imprint", "tsp_token"),
    ] {
        bench.control("fault", json!({ "service": "tsa", "fault": fault })).await?;
        let mut arguments = complete(&stamped);
        arguments.push(bench.world.tsa_url.clone());
        let ended = bench.trinhky(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        ended.refused(code).with_context(|| fault.to_owned())?;
    }
    bench.control("fault", json!({ "service": "tsa", "fault": null })).await?;
    let unsigned = bench.with("unsigned.pdf", &std::fs::read(demo)?)?;
    let nothing = ["pdf", "complete", text(&unsigned)?, "--out", "{out.pdf}", "--cms", "{garbage.der}"];
    bench.trinhky(&nothing).await?.usage("no signature waits")?;
    nothing_at(&bench.file("out.pdf"))?;
    too_little_room(&bench).await?;
    earlier_file_stays(&bench).await
}

/// Chain and time stamp do not go into a gap that was made for a bare signature.
async fn too_little_room(bench: &Bench) -> Result<()> {
    let demo = text(&bench.world.demo_pdf)?;
    let signer = bench.organisation();
    let (cert, chain) = (text(&signer.certificate)?, text(&signer.chain)?);
    let prepare = ["pdf", "prepare", demo, "--out", "{tight.pdf}", "--cert", cert, "--field", "Signature"];
    let prepared = bench.trinhky(&[&prepare[..], &["--reserve", "3000"]].concat()).await?.done()?;
    let (_, value) = bench.sign(&signer, &prepared).await?;
    let complete = ["pdf", "complete", "{tight.pdf}", "--out", "{out.pdf}", "--signature", text(&value)?];
    let rest = ["--cert", cert, "--chain", chain, "--tsa", bench.world.tsa_url.as_str()];
    bench.trinhky(&[&complete[..], &rest].concat()).await?.refused("signature_too_large")?;
    nothing_at(&bench.file("out.pdf"))
}

/// A failure does not touch what was there under that name.
async fn earlier_file_stays(bench: &Bench) -> Result<()> {
    let kept: PathBuf = bench.with("kept.pdf", b"something of value")?;
    let complete = ["pdf", "complete", "{prepared.pdf}", "--out", "{kept.pdf}", "--cms", "{garbage.der}"];
    let signer = bench.organisation();
    let own = ["--cert", text(&signer.certificate)?];
    bench.trinhky(&[&complete[..], &own].concat()).await?.refused("cms_refused")?;
    anyhow::ensure!(std::fs::read(&kept)? == b"something of value");
    Ok(())
}
