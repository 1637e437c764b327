//! Drafts, and what their makers wrote.

use anyhow::{Context, Result};
use trinhky_flows::kept::Kept;
use trinhky_flows::main_job::{Cast, PATIENCE};
use trinhky_flows::rig::{Plan, Rig};
use trinhky_protos::document::{CreateDocumentRequest, PlaceRequest};
use trinhky_protos::problem::Code;

use crate::said::refused;

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
    let number_at =
        |page, rect| with(&move |r| r.places = vec![PlaceRequest { field: "DocNumber".into(), page, rect }]);
    let date_at =
        |page, rect| with(&move |r| r.places = vec![PlaceRequest { field: "DocDate".into(), page, rect }]);
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
        ("a number amid the text", number_at(1, [200.0, 300.0, 100.0, 18.0]), Code::FieldOutsidePlace),
        ("a date where numbers go", date_at(1, [60.0, 720.0, 100.0, 18.0]), Code::FieldOutsidePlace),
        ("a place off the page", number_at(1, [900.0, 720.0, 100.0, 18.0]), Code::BadPlace),
        ("a place of no size", number_at(1, [60.0, 720.0, 0.0, 18.0]), Code::BadPlace),
        ("a place on no page", number_at(99, [60.0, 720.0, 100.0, 18.0]), Code::BadPlace),
    ];
    let before = Kept::now(&rig).await?;
    for (name, request, code) in cases {
        refused(cast.drafter.create(&request).await, code).with_context(|| name.to_owned())?;
    }
    before.unchanged(&rig).await
}

#[tokio::test]
async fn pages_that_say_another_number_or_date() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let upload = async |name: &str, number: &str, date: &str| {
        let pdf = rig.folder.path().join(format!("{name}.pdf"));
        std::fs::write(&pdf, page(&[(90, number), (300, date)]))?;
        cast.drafter.upload(&pdf).await
    };
    let blank = "ngày       tháng       năm 2100";
    let refusals = [
        upload("symbol", "Số:            /NQ-HĐND", blank).await?,
        upload("symbol-and-dots", "Số: ……/NQ-HĐND", blank).await?,
        upload("typed", "Số: 29/QĐ-UBND", blank).await?,
        upload("year", "Số:            /QĐ-UBND", "ngày       tháng       năm 2020").await?,
        upload("month", "Số: ……/QĐ-UBND", "ngày       tháng 1 năm 2020").await?,
    ];
    // A year to come: the draft is taken, and no number on a day that contradicts the page.
    let later = upload("later", "Số: ……/QĐ-UBND", blank).await?;
    let before = Kept::now(&rig).await?;
    for (nth, uploaded) in refusals.iter().enumerate() {
        let answer = cast.drafter.create(&cast.request(uploaded)).await;
        refused(answer, Code::PrintedDiffers).with_context(|| format!("the page number {nth}"))?;
    }
    before.unchanged(&rig).await?;
    let draft = cast.drafter.create(&cast.request(&later)).await?;
    cast.drafter.submit(draft.id).await?;
    cast.drafter.wait_for(draft.id, "awaiting_signature", PATIENCE).await?;
    cast.leader.approve(draft.id).await?;
    cast.clerk.wait_for(draft.id, "awaiting_number", PATIENCE).await?;
    refused(cast.clerk.number(draft.id).await, Code::PrintedDiffers)
}

/// A page of one font, half as wide as high, with these lines on the height of ô 3 and ô 4.
fn page(lines: &[(u32, &str)]) -> Vec<u8> {
    use std::fmt::Write as _;
    let letters: std::collections::BTreeSet<char> = lines.iter().flat_map(|(_, line)| line.chars()).collect();
    let code = |letter: char| 1 + letters.iter().position(|known| *known == letter).unwrap_or_default();
    let (mut content, mut map) = (String::new(), String::from("begincmap\n"));
    for (x, line) in lines {
        let _ = write!(content, "BT /F 13 Tf {x} 740 Td <");
        for letter in line.chars() {
            let _ = write!(content, "{:02x}", code(letter));
        }
        content.push_str("> Tj ET ");
    }
    let _ = writeln!(map, "{} beginbfchar", letters.len());
    for letter in &letters {
        let _ = writeln!(map, "<{:02x}> <{:04x}>", code(*letter), u32::from(*letter));
    }
    map.push_str("endbfchar\nendcmap");
    let widths = vec!["500"; letters.len()].join(" ");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        format!(
            "<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman /FirstChar 1 /LastChar {} /Widths [{widths}] /ToUnicode 6 0 R >>",
            letters.len()
        ),
        format!("<< /Length {} >>\nstream\n{map}\nendstream", map.len()),
    ];
    let mut text = "%PDF-1.7\n".to_owned();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in (1..).zip(&objects) {
        let _ = writeln!(table, "{:010} 00000 n ", text.len());
        let _ = write!(text, "{number} 0 obj\n{object}\nendobj\n");
    }
    let (at, size) = (text.len(), objects.len() + 1);
    format!("{text}{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n").into_bytes()
}
