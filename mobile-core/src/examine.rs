//! What must hold before anybody is asked to consent: plain values in, a finding out. No network, no key.
//!
//! Every comparison is against something this device computed or remembers, never against another word of the server.

use sha2::{Digest as _, Sha256};
use time::{Duration, OffsetDateTime};
use trinhky_pades::changes::{TailExpectation, TailRefused, TailReview, check_tail};
use trinhky_pades::cms::{self, ID_DATA};
use trinhky_pades::intake::ingest;
use trinhky_pades::manifest::{FieldKind, Manifest};
use trinhky_pades::pdf::Limits;
use trinhky_pades::{Digest, Midstate};
use trinhky_protos::HexDigest;
use trinhky_protos::audit::{Checkpoint, Consistency};
use trinhky_protos::document::{DocumentView, SignerView};
use trinhky_protos::session::PersonView;
use trinhky_protos::signing::{DECISION_SECONDS, PrepareResponse};

use crate::bundle::main_file;
use crate::certificate;
use crate::check::{DeclaredField, Finding};
use crate::error::Error;
use crate::keep::{Memory, Pin};
use crate::prompt;
use crate::review::Reviewed;

/// Everything the preparation must be, from what was reviewed and remembered. No network, no key: plain values in, a
/// finding out.
pub(crate) fn examine(
    reviewed: &Reviewed,
    prepared: &PrepareResponse,
    person: &PersonView,
    memory: &Memory,
    pin: &Pin,
    growth: Option<&Consistency>,
    now: OffsetDateTime,
) -> Result<Finding, Error> {
    examine_as(my_turn(reviewed.document(), person)?, reviewed, prepared, person, (memory, pin), growth, now)
}

/// The same for a signer and field that were found otherwise.
pub(crate) fn examine_as(
    (signer, field): (SignerView, String),
    reviewed: &Reviewed,
    prepared: &PrepareResponse,
    person: &PersonView,
    (memory, pin): (&Memory, &Pin),
    growth: Option<&Consistency>,
    now: OffsetDateTime,
) -> Result<Finding, Error> {
    let document = reviewed.document();
    if prepared.expires_at <= now {
        return Err(Error::Expired(prepared.expires_at));
    }
    // What is signed now could otherwise raise a prompt on some other day.
    if prepared.expires_at - now > Duration::seconds(DECISION_SECONDS) {
        return Err(Error::GoodForTooLong(prepared.expires_at));
    }
    check_base(reviewed, prepared)?;
    let manifest = check_manifest(document, &prepared.manifest.0)?;
    if prepared.certificate != pin.certificate {
        return Err(Error::CertificateMismatch {
            why: "it is not the one this device was enrolled with".into(),
        });
    }
    let certificate = certificate::of_person(&prepared.certificate.0, &person.full_name, now)?;
    if prepared.field != field {
        let why = format!("it signs {}, not {field}", prepared.field);
        return Err(Error::WrongField { why });
    }

    let base = reviewed.main().as_slice();
    let ingested = ingest(&base, &Limits::default()).map_err(|error| Error::Document(error.to_string()))?;
    let expected = TailExpectation { field: &field, fills: &[], manifest: Some(&manifest) };
    let review = check_tail(&base, &ingested.index, &prepared.tail.0, &expected)?;
    let content = byte_range_digest(&ingested.midstate, &prepared.tail.0, &review)?;
    let dtbs = cms::signed_attributes(&content, &prepared.certificate.0, ID_DATA)
        .map_err(|error| Error::CertificateMismatch { why: error.to_string() })?
        .dtbs_digest();
    if let Some(signed) = pin.code_kind.filter(|kind| *kind != prepared.code_kind) {
        return Err(Error::CodeKind { signed, given: prepared.code_kind });
    }
    let prompt = prompt::for_document(&prepared.display_text, document, prepared.code_kind, &dtbs)?;

    if !memory.history.knows(prepared.previous_decision) {
        return Err(Error::History { newest: prepared.previous_decision });
    }
    check_audit(memory.checkpoint.as_deref(), prepared.checkpoint.as_deref(), growth)?;
    let fields = review.declared.into_iter().map(|field| DeclaredField {
        rect: [field.rect.x0, field.rect.y0, field.rect.width(), field.rect.height()],
        name: field.name,
        page: field.page,
        text: field.text,
    });
    let fields = fields.collect();
    let tail = HexDigest(Sha256::digest(&prepared.tail.0).into());
    Ok(Finding { signer, certificate, content, dtbs, prompt, tail, fields })
}

/// The signer whose turn it is, if that is this person, and the field they sign.
pub(crate) fn my_turn(document: &DocumentView, person: &PersonView) -> Result<(SignerView, String), Error> {
    let state = &document.state;
    let not_waiting = |why: String| Error::NotWaiting(why);
    if state.name != "awaiting_signature" {
        return Err(not_waiting(format!("it is {}", state.name)));
    }
    let place = state.signer.ok_or_else(|| not_waiting("it names no signer".into()))?;
    let signer = usize::try_from(place)
        .ok()
        .and_then(|place| document.signers.get(place.checked_sub(1)?))
        .ok_or_else(|| not_waiting(format!("it has no signer {place}")))?;
    if signer.person != person.id || state.turn_of != Some(person.id) {
        return Err(not_waiting("it is another person's turn".into()));
    }
    let place = u16::try_from(place).map_err(|_| not_waiting(format!("it has no signer {place}")))?;
    Ok((signer.clone(), FieldKind::Signer(place).name()))
}

/// The place of this person in the chain of a document that was given back: where a late signature of theirs belongs.
pub(crate) fn my_place(document: &DocumentView, person: &PersonView) -> Result<(SignerView, String), Error> {
    if !GIVEN_BACK.contains(&document.state.name.as_str()) {
        return Err(Error::NotWaiting(format!("it is {}", document.state.name)));
    }
    let place = document.signers.iter().position(|signer| signer.person == person.id);
    let place = place.and_then(|place| Some((document.signers.get(place)?, u16::try_from(place + 1).ok()?)));
    let (signer, place) = place.ok_or_else(|| Error::NotWaiting("you are no signer of it".into()))?;
    Ok((signer.clone(), FieldKind::Signer(place).name()))
}

/// Where a document lies whose signature came too late.
const GIVEN_BACK: [&str; 3] = ["returned", "withdrawn", "rejected"];

/// The signature is appended to the very bytes that were digested here.
fn check_base(reviewed: &Reviewed, prepared: &PrepareResponse) -> Result<(), Error> {
    let shown = reviewed.head();
    if prepared.base.sha256 != shown.sha256 {
        let what = "the base of the preparation".to_owned();
        return Err(Error::BaseChanged { what, expected: shown.sha256, found: prepared.base.sha256 });
    }
    if prepared.base.length != shown.length {
        let what = "the base of the preparation".to_owned();
        return Err(Error::WrongLength { what, expected: shown.length, found: prepared.base.length });
    }
    Ok(())
}

/// The manifest in these exact bytes, if it is the one the document names and is about its base.
///
/// # Errors
/// [`Error::Manifest`].
pub fn check_manifest(document: &DocumentView, bytes: &[u8]) -> Result<Manifest, Error> {
    let digest = HexDigest(Sha256::digest(bytes).into());
    if digest != document.manifest {
        return Err(Error::Manifest(format!("its digest is {digest}, not {}", document.manifest)));
    }
    let manifest: Manifest =
        serde_json::from_slice(bytes).map_err(|error| Error::Manifest(error.to_string()))?;
    let main = main_file(document)?;
    if manifest.base_sha256.0 != main.sha256.0 || manifest.base_len != main.length {
        return Err(Error::Manifest("it describes another file".into()));
    }
    Ok(manifest)
}

/// SHA-256 over base and tail without the gap. The base is hashed already: its midstate goes on with the tail.
///
/// # Errors
/// [`Error::Tail`] if the `ByteRange` is not the whole file but the gap, or the gap is not empty.
pub fn byte_range_digest(base: &Midstate, tail: &[u8], review: &TailReview) -> Result<Digest, Error> {
    let malformed = || Error::Tail(TailRefused::Signature("byte_range"));
    let within = |at: u64| usize::try_from(at.checked_sub(base.len())?).ok();
    let [start, first, resume, rest] = review.byte_range;
    let whole = base.len() + tail.len() as u64;
    if start != 0 || !review.unsigned || resume.checked_add(rest) != Some(whole) {
        return Err(malformed());
    }
    let before = within(first).and_then(|end| tail.get(..end)).ok_or_else(malformed)?;
    let after = within(resume).and_then(|begin| tail.get(begin..)).ok_or_else(malformed)?;
    let mut hasher = base.resume();
    hasher.update(before);
    hasher.update(after);
    Ok(hasher.finish())
}

/// Between which sizes the audit log has grown since this device last saw it: then a proof is due.
pub(crate) fn growth(seen: Option<&str>, given: Option<&str>) -> Option<(u64, u64)> {
    let (seen, given) = (Checkpoint::parse(seen?)?.size, Checkpoint::parse(given?)?.size);
    (seen < given).then_some((seen, given))
}

/// The audit log only grows, and has one past: no fewer entries than this device has seen, no other root over as many,
/// and a longer one begins with the one seen. Whose signature stands below a checkpoint is for auditors.
fn check_audit(seen: Option<&str>, given: Option<&str>, growth: Option<&Consistency>) -> Result<(), Error> {
    let forked = |why: &str| Error::AuditForked { why: why.into() };
    let read = |text: &str| Checkpoint::parse(text).ok_or_else(|| forked("the checkpoint is not one"));
    let given = given.map(read).transpose()?;
    let Some(seen) = seen.map(read).transpose()? else { return Ok(()) };
    let given = given.ok_or(Error::AuditShrank { seen: seen.size, given: 0 })?;
    if given.size < seen.size {
        return Err(Error::AuditShrank { seen: seen.size, given: given.size });
    }
    if given.size == seen.size && given == seen {
        return Ok(());
    }
    match growth {
        Some(proof) if proof.proves(&seen, &given) => Ok(()),
        Some(_) => Err(forked("what was given as proof does not lead from the log seen before to this one")),
        None => Err(forked("nothing proves that it begins with the log seen before")),
    }
}
