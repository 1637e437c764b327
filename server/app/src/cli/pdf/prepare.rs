//! `trinhky pdf prepare`: a revision that is complete but for the signature value.

use std::path::PathBuf;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use time::{Date, OffsetDateTime, UtcOffset, format_description::well_known::Iso8601};
use trinhky_pades::cms::{ID_DATA, signed_attributes};
use trinhky_pades::pdf::{File, Limits, Rect};
use trinhky_pades::{Concat, Fill, PagePlace, PreparedImage, SignRequest, hash_source, ingest, prepare};
use trinhky_simpki::code::{CodeKind, CodeOver, CodePolicy};
use trinhky_simpki::digest::DtbsDigest;

use super::super::file::FileSource;
use super::super::verify::{certificates, instant};
use super::{Outcome, rectangle, refused, write};
use crate::ambient::{Clock, Random as _};

#[derive(Debug, clap::Args)]
pub(in super::super) struct Args {
    input: PathBuf,
    /// Where the prepared file goes.
    #[arg(long)]
    out: PathBuf,
    /// The signer's certificate (PEM).
    #[arg(long)]
    cert: PathBuf,
    /// The signature field; added in the same revision if the file has none of this name.
    #[arg(long)]
    field: String,
    /// Page of a field that is added.
    #[arg(long, requires = "rect", conflicts_with = "anchor")]
    page: Option<u32>,
    /// Rectangle of a field that is added.
    #[arg(long, value_parser = rectangle, requires = "page")]
    rect: Option<Rect>,
    /// Words on the page above which a field is added.
    #[arg(long)]
    anchor: Option<String>,
    /// The picture of the signature or seal (PNG).
    #[arg(long)]
    image: Option<PathBuf>,
    /// `number=TEXT`, `date=2021-12-14`, or any text field `NAME=TEXT`.
    #[arg(long = "fill", value_parser = fill)]
    fills: Vec<(String, String)>,
    /// Bytes kept free for the signature.
    #[arg(long)]
    reserve: Option<u32>,
    /// The time the signer claims (RFC 3339); now, if not given.
    #[arg(long, value_parser = instant)]
    at: Option<OffsetDateTime>,
}

fn fill(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("{text}: give NAME=TEXT"))?;
    Ok(match name {
        "number" => ("DocNumber".to_owned(), value.to_owned()),
        "date" => ("DocDate".to_owned(), spelt(value)),
        _ => (name.to_owned(), value.to_owned()),
    })
}

/// An ISO date as documents write it (NĐ 30/2020, Phụ lục I, Phần I, II.4.b): day and the months 1 and 2 in two digits.
fn spelt(value: &str) -> String {
    Date::parse(value, &Iso8601::DATE).map_or_else(
        |_| value.to_owned(),
        |date| {
            let month = u8::from(date.month());
            let month = if month < 3 { format!("{month:02}") } else { month.to_string() };
            format!("ngày {:02} tháng {month} năm {}", date.day(), date.year())
        },
    )
}

pub(super) fn run(clock: &dyn Clock, args: &Args) -> anyhow::Result<Outcome> {
    let source = FileSource::open(&args.input)?;
    let found = certificates(std::slice::from_ref(&args.cert))?;
    let certificate =
        found.first().with_context(|| format!("{}: holds no certificate", args.cert.display()))?;
    let taken = match ingest(&source, &Limits::default()) {
        Ok(taken) => taken,
        Err(refusal) => return Ok(refused(refusal.code(), &refusal)),
    };
    let mut seed = [0; 16];
    crate::ambient::SystemRandom.fill(&mut seed);
    let hanoi = UtcOffset::from_hms(7, 0, 0).context("the zone of Hà Nội")?;
    let at = args.at.unwrap_or_else(|| clock.now().to_offset(hanoi));
    let mut request = SignRequest::new(&args.field, certificate.as_der(), at, seed);
    request.reserve = args.reserve;
    request.name = certificate.subject().common_name().map(str::to_owned);
    request.fills =
        args.fills.iter().map(|(field, text)| Fill { field: field.clone(), text: text.clone() }).collect();
    request.place = match (args.page, args.rect, &args.anchor) {
        (Some(page), Some(rect), _) => Some(PagePlace { page, rect }),
        (_, _, Some(words)) => Some(above(&source, words)?),
        _ => None,
    };
    if let Some(path) = &args.image {
        let png = std::fs::read(path).with_context(|| path.display().to_string())?;
        request.image = Some(PreparedImage::from_png(&png).with_context(|| path.display().to_string())?);
    }
    let prepared = match prepare(&source, &taken.index, &taken.midstate, &request) {
        Ok(prepared) => prepared,
        Err(refusal) => return Ok(refused(refusal.code(), &refusal)),
    };
    let attributes = signed_attributes(&prepared.digest, certificate.as_der(), ID_DATA)?;
    let whole = Concat { base: &source, tail: &prepared.tail };
    let sha256 = hash_source(&whole)?.0;
    let base = std::fs::read(&args.input).with_context(|| args.input.display().to_string())?;
    write(&args.out, &[&base, &prepared.tail])?;
    let dtbs = attributes.dtbs_digest();
    let policy = CodePolicy::SimComputed { kind: CodeKind::MobileId4, over: CodeOver::Digest };
    Ok(Outcome::Done(json!({
        "sha256": sha256,
        "byte_range": prepared.byte_range,
        "digest": prepared.digest,
        "signed_attributes": STANDARD.encode(attributes.as_der()),
        "dtbs_digest": dtbs,
        "code": policy.code(&DtbsDigest(dtbs.0)).map(|code| code.to_string()),
    })))
}

/// A place for a signature above the last occurrence of `words`.
fn above(source: &FileSource, words: &str) -> anyhow::Result<PagePlace> {
    const SIZE: (f64, f64) = (140.0, 70.0);
    let file = File::open_strict(source, &Limits::default())?;
    let view = file.latest();
    let pages = view.pages()?;
    for (number, id) in (1..).zip(&pages).collect::<Vec<(u32, _)>>().into_iter().rev() {
        let page = view.page(*id)?;
        if let Some(found) = view.text_lines(&page).iter().rev().find_map(|line| line.find(words)) {
            let middle = f64::midpoint(found.x0, found.x1);
            let rect = Rect::of(middle - SIZE.0 / 2.0, found.y1 + 2.0, SIZE.0, SIZE.1);
            return Ok(PagePlace { page: number, rect });
        }
    }
    anyhow::bail!("no page shows {words:?}; give --page and --rect")
}
