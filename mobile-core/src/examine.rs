//! What must hold before anybody is asked to consent: plain values in, a finding out. No network, no key.
//!
//! Every comparison is against something this device computed or remembers, never against another word of the server.

use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use trinhky_pades::changes::{TailExpectation, TailRefused, TailReview, check_tail};
use trinhky_pades::cms::{self, ID_DATA};
use trinhky_pades::intake::ingest;
use trinhky_pades::manifest::{FieldKind, Manifest};
use trinhky_pades::pdf::Limits;
use trinhky_pades::{Digest, Midstate};
use trinhky_protos::HexDigest;
use trinhky_protos::document::{DocumentView, SignerView};
use trinhky_protos::session::PersonView;
use trinhky_protos::signing::PrepareResponse;

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
    now: OffsetDateTime,
) -> Result<Finding, Error> {
    let document = reviewed.document();
    let (signer, field) = my_turn(document, person)?;
    if prepared.expires_at <= now {
        return Err(Error::Expired(prepared.expires_at));
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
    let prompt = prompt::for_document(&prepared.display_text, document, prepared.code_kind, &dtbs)?;

    if !memory.history.knows(prepared.previous_decision) {
        return Err(Error::History { newest: prepared.previous_decision });
    }
    check_audit(memory.checkpoint.as_deref(), prepared.checkpoint.as_deref())?;
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
    if manifest.version != Manifest::VERSION {
        return Err(Error::Manifest(format!("it is of version {}", manifest.version)));
    }
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

/// The audit log only grows (C2SP checkpoint: origin, size, root hash, one a line).
fn check_audit(seen: Option<&str>, given: Option<&str>) -> Result<(), Error> {
    let size = |text: &str| text.lines().nth(1).and_then(|line| line.parse::<u64>().ok());
    match (seen.and_then(size), given.and_then(size).unwrap_or(0)) {
        (Some(seen), given) if given < seen => Err(Error::AuditShrank { seen, given }),
        _ => Ok(()),
    }
}
