//! `trinhky pdf prepare`: a revision that is complete but for the signature value.

use std::path::PathBuf;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use time::{Date, OffsetDateTime, UtcOffset, format_description::well_known::Iso8601};
use trinhky_pades::changes::Lock;
use trinhky_pades::cms::{ID_DATA, signed_attributes};
use trinhky_pades::pdf::{File, Limits, Rect};
use trinhky_pades::x509::Certificate;
use trinhky_pades::{
    CopyForm, Fill, Mark, PagePlace, Permission, PreparedImage, Protection, SignRequest, ingest, prepare,
    resume, signature_place,
};
use trinhky_simpki::code::{CodeKind, CodeOver, CodePolicy};
use trinhky_simpki::digest::DtbsDigest;

use super::super::file::FileSource;
use super::super::verify::{certificates, instant};
use super::{Outcome, append, not_taken, rectangle, refused};
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
    /// Certificates above the signer's (PEM): room is kept for them.
    #[arg(long)]
    chain: Vec<PathBuf>,
    /// The signature field; added in the same revision if the file has none of this name.
    #[arg(long)]
    field: String,
    /// Page of a field that is added.
    #[arg(long, requires = "rect", conflicts_with = "anchor")]
    page: Option<u32>,
    /// Rectangle of a field that is added.
    #[arg(long, value_parser = rectangle, requires = "page")]
    rect: Option<Rect>,
    /// Words on the page above which a field is added. Without words or rectangle, one that shows a picture goes to ô 7c of
    /// the last page.
    #[arg(long)]
    anchor: Option<String>,
    /// The picture of the signature or seal (PNG).
    #[arg(long)]
    image: Option<PathBuf>,
    /// Lines instead of a picture, top right of page 1 (NĐ 30/2020 Phụ lục I): `attachment=NUMBER` on an attachment in a
    /// file of its own; `sao_y=OFFICE`, `sao_luc=OFFICE`, `trich_sao=OFFICE` on an electronic copy of a paper.
    #[arg(long, value_parser = mark, conflicts_with_all = ["image", "anchor"])]
    mark: Option<Mark>,
    /// `number=TEXT`, `date=2021-12-14`, or any text field `NAME=TEXT`.
    #[arg(long = "fill", value_parser = fill)]
    fills: Vec<(String, String)>,
    /// Certify the document, as its first signature: nothing may come after it but long-term data (`none`), fields that are
    /// there may be filled and signed (`fill`), or annotations may be made too (`annotate`).
    #[arg(long, value_parser = certify, conflicts_with = "lock")]
    certify: Option<Permission>,
    /// Lock fields: `all`, `only:NAME,…` or `but:NAME,…`. Without it, what the field's own lock says.
    #[arg(long, value_parser = lock)]
    lock: Option<Lock>,
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

fn certify(text: &str) -> Result<Permission, String> {
    match text {
        "none" => Ok(Permission::Nothing),
        "fill" => Ok(Permission::Fill),
        "annotate" => Ok(Permission::Annotate),
        _ => Err(format!("{text}: give none, fill or annotate")),
    }
}

fn lock(text: &str) -> Result<Lock, String> {
    let usage = || format!("{text}: give all, only:NAME,… or but:NAME,…");
    if text == "all" {
        return Ok(Lock::All);
    }
    let (which, names) = text.split_once(':').ok_or_else(usage)?;
    let names: Vec<String> = names.split(',').map(|name| name.trim().to_owned()).collect();
    if names.iter().any(String::is_empty) {
        return Err(usage());
    }
    match which {
        "only" => Ok(Lock::Include(names)),
        "but" => Ok(Lock::Exclude(names)),
        _ => Err(usage()),
    }
}

fn mark(text: &str) -> Result<Mark, String> {
    let usage =
        || format!("{text}: give attachment=NUMBER, sao_y=OFFICE, sao_luc=OFFICE or trich_sao=OFFICE");
    let (kind, what) = text.split_once('=').filter(|(_, what)| !what.trim().is_empty()).ok_or_else(usage)?;
    let form = match kind {
        "attachment" => return Ok(Mark::Attachment { number: what.to_owned() }),
        "sao_y" => CopyForm::SaoY,
        "sao_luc" => CopyForm::SaoLuc,
        "trich_sao" => CopyForm::TrichSao,
        _ => return Err(usage()),
    };
    Ok(Mark::Copy { form, organisation: what.to_owned() })
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
        Err(refusal) => return Ok(not_taken(&args.input, &refusal)),
    };
    let mut seed = [0; 16];
    crate::ambient::SystemRandom.fill(&mut seed);
    let hanoi = UtcOffset::from_hms(7, 0, 0).context("the zone of Hà Nội")?;
    let at = args.at.unwrap_or_else(|| clock.now().to_offset(hanoi));
    let mut request = SignRequest::new(&args.field, certificate.as_der(), at, seed);
    let chain = certificates(&args.chain)?;
    request.reserve = args.reserve.or_else(|| room_for(certificate, &chain));
    request.name = certificate.subject().common_name().map(str::to_owned);
    request.mark.clone_from(&args.mark);
    request.protection = match (args.certify, &args.lock) {
        (Some(permission), _) => Protection::Certify(permission),
        (None, Some(lock)) => Protection::Lock(lock.clone()),
        (None, None) => Protection::AsField,
    };
    for (field, text) in &args.fills {
        let site = taken.index.field(field);
        if let Some(printed) = site.and_then(|site| site.contradicted(text)) {
            let why = format!("the page has {printed:?} printed beside {field}, which is not {text:?}");
            return Ok(refused("printed_differs", &why));
        }
        let text = site.map_or(text.as_str(), |site| site.to_draw(text)).to_owned();
        request.fills.push(Fill { field: field.clone(), text });
    }
    if let Some(path) = &args.image {
        let png = std::fs::read(path).with_context(|| path.display().to_string())?;
        request.image = Some(PreparedImage::from_png(&png).with_context(|| path.display().to_string())?);
    }
    if taken.index.field(&args.field).is_none() {
        request.place = match place(args, &source)? {
            Ok(place) => place,
            Err(outcome) => return Ok(outcome),
        };
    }
    let prepared = match prepare(&source, &taken.index, &taken.midstate, &request) {
        Ok(prepared) => prepared,
        Err(refusal) => return Ok(refused(refusal.code(), &refusal)),
    };
    let attributes = signed_attributes(&prepared.digest, certificate.as_der(), ID_DATA)?;
    append(&args.input, &args.out, &prepared.tail)?;
    let dtbs = attributes.dtbs_digest();
    let policy = CodePolicy::SimComputed { kind: CodeKind::MobileId4, over: CodeOver::Digest };
    Ok(Outcome::Done(json!({
        // Base and tail: what was hashed once is not hashed again.
        "sha256": resume(&taken.midstate, &prepared.tail),
        "byte_range": prepared.byte_range,
        "digest": prepared.digest,
        "signed_attributes": STANDARD.encode(attributes.as_der()),
        "dtbs_digest": dtbs,
        "code": policy.code(&DtbsDigest(dtbs.0)).map(|code| code.to_string()),
    })))
}

/// Where a field is added; nowhere for a mark, which knows its corner, and for a signature that shows nothing.
fn place(args: &Args, source: &FileSource) -> anyhow::Result<Result<Option<PagePlace>, Outcome>> {
    if let (Some(page), Some(rect)) = (args.page, args.rect) {
        return Ok(Ok(Some(PagePlace { page, rect })));
    }
    if args.anchor.is_none() && args.image.is_none() {
        return Ok(Ok(None));
    }
    let named = || args.input.display().to_string();
    let file = File::open_strict(source, &Limits::default()).with_context(named)?;
    let words = args.anchor.as_deref();
    let found = signature_place(&file.latest(), words).with_context(named)?;
    Ok(match (found, words) {
        (None, Some(words)) => {
            let why = format!("no page shows {words:?}; give other words, or --page and --rect");
            Err(refused("anchor_not_found", &why))
        }
        (found, _) => Ok(found),
    })
}

/// Bytes to keep free where a long chain needs more than usual: certificates, attributes, value, and a time stamp with a
/// chain of its own.
fn room_for(certificate: &Certificate, chain: &[Certificate]) -> Option<u32> {
    let needed = SignRequest::room_for(chain.iter().chain([certificate]).map(|one| one.as_der().len()));
    (needed > SignRequest::RESERVE).then_some(needed)
}
