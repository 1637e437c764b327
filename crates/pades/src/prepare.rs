//! The first half of a signature: one revision, complete but for the signature value, appended to a base that is not
//! touched (ISO 32000-2, 7.5.6 and 12.8; ETSI EN 319 142-1, PAdES baseline).
//!
//! ```text
//! base ─┬─ widget with /V, appearance, fills ─ signature dictionary: /ByteRange, /Contents <000…> ─ xref ─ %%EOF
//!       └─ unchanged                           digest = SHA-256 of all but the gap: only the tail is hashed
//! ```
//!
//! [`Prepared`] is plain data: stored, and patched later by [`Prepared::complete`](crate::complete); never made again,
//! because whatever is made again differs. An approval signature: no certification, no `DocMDP`.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::OffsetDateTime;
use unicode_normalization::UnicodeNormalization as _;

use crate::{
    digest::{Digest, Midstate},
    index::{BaseIndex, FieldSite},
    look::{self, Face, PreparedImage, Undrawable},
    manifest::Slot,
    pdf::{Dict, File, Increment, Limits, ObjRef, Object, PdfError, Rect, read_indirect, write_dict},
    place::LINE,
    provision::{POINTS, PagePlace},
    source::{Source, SourceError},
};

/// What is to be signed, and how it looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignRequest {
    /// The signature field. If the file has none of this name it is added in the same revision, at `place`.
    pub field: String,
    /// The signer's certificate, DER: only this one may complete.
    #[serde(with = "crate::prepare::base64_bytes")]
    pub certificate: Vec<u8>,
    /// The picture of the signature or seal; none: an empty appearance.
    pub image: Option<PreparedImage>,
    /// Texts that are filled in the same revision.
    pub fills: Vec<Fill>,
    /// The time the signer claims (`/M`), with its zone. The time stamp proves the true one later.
    #[serde(with = "time::serde::rfc3339")]
    pub claimed_time: OffsetDateTime,
    /// Bytes kept free for the signature; [`SignRequest::RESERVE`] fits chain and time stamp.
    pub reserve: Option<u32>,
    /// Sixteen fresh bytes: the second half of the file's identity.
    pub file_id_seed: [u8; 16],
    /// The signer's name.
    pub name: Option<String>,
    /// Why it is signed.
    pub reason: Option<String>,
    /// Where it is signed.
    pub location: Option<String>,
    /// Where the field goes if the file has none of that name; none: it is not shown.
    pub place: Option<PagePlace>,
}

impl SignRequest {
    /// Bytes kept free unless the request says otherwise: 32 KiB.
    pub const RESERVE: u32 = 32 << 10;

    /// A signature in `field` by the holder of `certificate`, without picture or fills.
    pub fn new(
        field: &str,
        certificate: &[u8],
        claimed_time: OffsetDateTime,
        file_id_seed: [u8; 16],
    ) -> Self {
        Self {
            field: field.to_owned(),
            certificate: certificate.to_vec(),
            image: None,
            fills: Vec::new(),
            claimed_time,
            reserve: None,
            file_id_seed,
            name: None,
            reason: None,
            location: None,
            place: None,
        }
    }
}

/// A text for a declared field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// Name of the field.
    pub field: String,
    /// The text, drawn as it is.
    pub text: String,
}

/// Where the signature value will go: `<`, digits, `>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Offset of `<` within the tail.
    pub at_in_tail: u64,
    /// Number of hex digits.
    pub hex_len: u64,
}

/// A revision that waits for its signature; JSON, versioned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// Version of this form.
    pub version: u16,
    /// The field that is signed.
    pub field: String,
    /// SHA-256 of the base.
    pub base_sha256: Digest,
    /// Length of the base.
    pub base_len: u64,
    /// The hash at the end of the base.
    pub base_midstate: Midstate,
    /// What is appended, the gap filled with zeros.
    #[serde(with = "crate::prepare::base64_bytes")]
    pub tail: Vec<u8>,
    /// The gap.
    pub contents: Gap,
    /// `/ByteRange`.
    pub byte_range: [u64; 4],
    /// SHA-256 of everything outside the gap: the message digest to be signed.
    pub digest: Digest,
    /// SHA-256 of the certificate that may complete.
    pub certificate_sha256: Digest,
    /// `/M`.
    #[serde(with = "time::serde::rfc3339")]
    pub claimed_time: OffsetDateTime,
    /// What was filled.
    pub fills: Vec<Fill>,
    /// The index of the file with this revision; its SHA-256 is set on completion.
    pub(crate) next: BaseIndex,
}

impl Prepared {
    /// The version this crate writes.
    pub const VERSION: u16 = 1;
}

/// Why a revision cannot be prepared. [`PrepareError::code`] is stable.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PrepareError {
    /// Base, index and midstate are not of the same file.
    #[error("the base has moved: prepare again on the file as it is now")]
    WrongBase,
    /// There is no field of this name, and it cannot be added here.
    #[error("the file has no field called {0}")]
    NoSuchField(String),
    /// The field is of another kind.
    #[error("the field {0} is of another kind")]
    WrongKind(String),
    /// The field already has a signature or a text.
    #[error("the field {0} is already filled")]
    AlreadyFilled(String),
    /// The text cannot be drawn.
    #[error("the text for {field} cannot be drawn: {why}")]
    Text {
        /// Its name.
        field: String,
        /// What is wrong with it.
        why: String,
    },
    /// A signature of this certificate would not fit.
    #[error("{reserve} bytes are too few for this signature; keep at least {need} free")]
    ReserveTooSmall {
        /// What was asked for.
        reserve: u32,
        /// What is needed.
        need: u32,
    },
    /// A field was to be added to a file whose structure does not allow it.
    #[error("the field does not lie on a page of the file")]
    OffPage,
    /// The base cannot be read.
    #[error(transparent)]
    Pdf(#[from] PdfError),
}

impl PrepareError {
    /// Stable, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongBase => "base_moved",
            Self::NoSuchField(_) => "no_such_field",
            Self::WrongKind(_) => "wrong_field_kind",
            Self::AlreadyFilled(_) => "already_filled",
            Self::Text { .. } => "text_not_drawable",
            Self::ReserveTooSmall { .. } => "reserve_too_small",
            Self::OffPage => "field_off_page",
            Self::Pdf(_) => "unreadable",
        }
    }
}

impl From<SourceError> for PrepareError {
    fn from(error: SourceError) -> Self {
        Self::Pdf(error.into())
    }
}

/// Prepares one revision with one signature and, if asked, filled texts.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use trinhky_pades::*;
/// # let bytes = pdf::minimal();
/// # let taken = ingest(&bytes, &pdf::Limits::default())?;
/// # let mut base = Vec::new();
/// # let made = provision(&bytes, &taken, &ProvisionPlan::standard(1), &mut base)?;
/// # let (certificate, now) = (b"certificate".to_vec(), time::OffsetDateTime::UNIX_EPOCH);
/// let request = SignRequest::new("Signer1", &certificate, now, [7; 16]);
/// let prepared = prepare(&base, &made.index, &made.midstate, &request)?;
/// assert_eq!(prepared.byte_range[1], base.len() as u64 + prepared.contents.at_in_tail);
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`PrepareError`].
pub fn prepare(
    base: &dyn Source,
    index: &BaseIndex,
    midstate: &Midstate,
    request: &SignRequest,
) -> Result<Prepared, PrepareError> {
    if base.len() != index.len || midstate.len() != index.len {
        return Err(PrepareError::WrongBase);
    }
    let reserve = request.reserve.unwrap_or(SignRequest::RESERVE);
    let need = u32::try_from(request.certificate.len()).unwrap_or(u32::MAX).saturating_add(SIGNATURE_ALONE);
    if reserve < need {
        return Err(PrepareError::ReserveTooSmall { reserve, need });
    }
    let mut appending = Appending::new(base, index);
    let signature = appending.out.allot();
    let widget = match index.field(&request.field) {
        Some(site) => appending.widget(site)?,
        None => appending.new_widget(request)?,
    };
    appending.sign(widget.clone(), signature, request);
    for fill in &request.fills {
        appending.fill(fill)?;
    }
    let gap = appending.signature(signature, &widget.dict, request, reserve);
    Ok(appending.finish(gap, midstate, request))
}

/// A widget and where it was found.
#[derive(Clone)]
struct Widget {
    site: FieldSite,
    dict: Dict,
}

/// Where the fields to be patched are, in absolute offsets.
#[derive(Clone, Copy)]
struct Patch {
    byte_range_at: u64,
    contents_at: u64,
    hex_len: u64,
}

struct Appending<'a> {
    base: &'a dyn Source,
    index: &'a BaseIndex,
    next: BaseIndex,
    out: Increment,
    own_font: Option<(ObjRef, Face)>,
}

impl<'a> Appending<'a> {
    fn new(base: &'a dyn Source, index: &'a BaseIndex) -> Self {
        let mut out = Increment::new(index.len, index.size);
        if !index.ends_line {
            out.raw(b"\n");
        }
        Self { base, index, next: index.clone(), out, own_font: None }
    }

    /// The widget of a site, read from its place.
    fn widget(&self, site: &FieldSite) -> Result<Widget, PrepareError> {
        if !site.signature {
            return Err(PrepareError::WrongKind(site.name.clone()));
        }
        self.any_widget(site)
    }

    fn any_widget(&self, site: &FieldSite) -> Result<Widget, PrepareError> {
        if site.filled {
            return Err(PrepareError::AlreadyFilled(site.name.clone()));
        }
        let indirect = read_indirect(self.base, site.at, &Limits::default(), &mut |_| None)?;
        match indirect.object {
            Object::Dict(dict) if indirect.id == site.id => Ok(Widget { site: site.clone(), dict }),
            _ => Err(PrepareError::WrongBase),
        }
    }

    /// A field that was not provisioned: fine for one signature, or for a file that others signed before.
    fn new_widget(&mut self, request: &SignRequest) -> Result<Widget, PrepareError> {
        let limits = Limits { file_len: u64::MAX, ..Limits::default() };
        let file = File::open_strict(self.base, &limits)?;
        let view = file.latest();
        let pages = view.pages()?;
        let (number, shown) =
            request.place.map_or((1, Rect::of(0.0, 0.0, 0.0, 0.0)), |place| (place.page, place.rect));
        let at = usize::try_from(number)
            .ok()
            .and_then(|number| number.checked_sub(1))
            .ok_or(PrepareError::OffPage)?;
        let page = view.page(*pages.get(at).ok_or(PrepareError::OffPage)?)?;
        let (width, height) = page.displayed_size();
        if shown.x0 < 0.0 || shown.y0 < 0.0 || shown.x1 > width + 0.5 || shown.y1 > height + 0.5 {
            return Err(PrepareError::OffPage);
        }
        let id = self.out.allot();
        let shown = shown.rounded();
        let rect = page.to_page(shown).rounded();
        let mut dict = Dict::new()
            .with("Type", Object::name("Annot"))
            .with("Subtype", Object::name("Widget"))
            .with("FT", Object::name("Sig"))
            .with("T", look::text_object(&request.field))
            .with("F", 132)
            .with("Rect", rect.to_object())
            .with("P", page.id);
        if page.rotate != 0 {
            dict.set("MK", Dict::new().with("R", i64::from(page.rotate)));
        }
        let whole = Rect::of(0.0, 0.0, shown.width(), shown.height()).rounded();
        self.put_on_page(&view, &page.dict, page.id, id)?;
        self.put_in_form(&view, id)?;
        let site = FieldSite {
            name: request.field.clone(),
            signature: true,
            id,
            at: 0,
            page: number,
            page_id: page.id,
            rotate: page.rotate,
            rect,
            size: (whole.x1, whole.y1),
            filled: false,
            slots: Vec::new(),
            max_len: None,
            italic: false,
        };
        self.next.fields.push(site.clone());
        Ok(Widget { site, dict })
    }

    fn put_on_page(
        &mut self,
        view: &crate::pdf::View<'_, '_>,
        page: &Dict,
        page_id: ObjRef,
        widget: ObjRef,
    ) -> Result<(), PrepareError> {
        let mut annots = view.array(page, "Annots")?;
        annots.push(Object::Ref(widget));
        if let Some(Object::Ref(array)) = page.get("Annots") {
            self.out.object(*array, &Object::Array(annots));
        } else {
            let page = page.clone().with("Annots", annots);
            self.out.object(page_id, &Object::Dict(page));
        }
        Ok(())
    }

    fn put_in_form(&mut self, view: &crate::pdf::View<'_, '_>, widget: ObjRef) -> Result<(), PrepareError> {
        let root_id = view.root_ref()?;
        let root = view.root()?;
        let mut form = view.dict(&root, "AcroForm")?;
        let mut fields = view.array(&form, "Fields")?;
        fields.push(Object::Ref(widget));
        let flags = view.value(&form, "SigFlags")?.as_int().unwrap_or(0);
        let mut form_changes = flags & 3 != 3;
        form.set("SigFlags", flags | 3);
        if let Some(Object::Ref(array)) = form.get("Fields") {
            self.out.object(*array, &Object::Array(fields));
        } else {
            form.set("Fields", fields);
            form_changes = true;
        }
        match root.get("AcroForm") {
            Some(Object::Ref(id)) if form_changes => {
                self.out.object(*id, &Object::Dict(form));
            }
            Some(Object::Ref(_)) => {}
            _ => {
                let id = self.out.allot();
                self.out.object(id, &Object::Dict(form));
                self.out.object(root_id, &Object::Dict(root.with("AcroForm", id)));
            }
        }
        Ok(())
    }

    /// Writes the signed widget with its appearance.
    fn sign(&mut self, widget: Widget, signature: ObjRef, request: &SignRequest) {
        let Widget { site, mut dict } = widget;
        let flat = self.index.pdfa_part == Some(1);
        let shown = site.size.0 > 0.0 && site.size.1 > 0.0;
        let appearance = match &request.image {
            Some(image) if shown => look::picture(&mut self.out, image, site.size, site.rotate, flat),
            _ => look::empty(&mut self.out, site.size, site.rotate),
        };
        dict.set("V", signature);
        dict.set("AP", Dict::new().with("N", appearance));
        self.rewrite(&site, &dict);
    }

    /// Writes a filled text widget: new value, new appearance, read-only.
    fn fill(&mut self, fill: &Fill) -> Result<(), PrepareError> {
        let site =
            self.index.field(&fill.field).ok_or_else(|| PrepareError::NoSuchField(fill.field.clone()))?;
        if site.signature {
            return Err(PrepareError::WrongKind(fill.field.clone()));
        }
        let Widget { site, mut dict } = self.any_widget(site)?;
        let refuse = |why: String| PrepareError::Text { field: fill.field.clone(), why };
        let length = fill.text.chars().count();
        if fill.text.trim().is_empty() || length > site.max_len.map_or(MOST_TEXT, usize::from) {
            return Err(refuse("it is empty or too long for the field".to_owned()));
        }
        let slots = if site.slots.is_empty() {
            let rect = Rect::of(2.0, 0.0, (site.size.0 - 4.0).max(1.0), site.size.1.max(LINE));
            vec![Slot { part: crate::manifest::Part::Whole, rect }]
        } else {
            site.slots.clone()
        };
        let wanted: Vec<_> = slots.iter().map(|slot| slot.part).collect();
        let texts = look::parts_of(&fill.text, &wanted);
        let texts = texts.ok_or_else(|| refuse("day, month and year were expected".to_owned()))?;
        let parts = slots.iter().map(|slot| slot.rect).zip(texts).collect();
        let drawn = self.typeset(&fill.text, parts, &site).map_err(|error| refuse(error.to_string()))?;
        let flags = dict.get("Ff").and_then(Object::as_int).unwrap_or(0);
        dict.set("V", look::text_object(&fill.text));
        dict.set("Ff", flags | 1);
        dict.set("AP", Dict::new().with("N", drawn));
        self.rewrite(&site, &dict);
        Ok(())
    }

    /// The line in the form's font, or in a subset of its own if that lacks a character.
    fn typeset(
        &mut self,
        text: &str,
        parts: Vec<(Rect, String)>,
        site: &FieldSite,
    ) -> Result<ObjRef, Undrawable> {
        let form = Face::form()?;
        let known = self.index.form.as_ref().and_then(|form| form.font);
        let (points, italic) = (POINTS, site.italic);
        if let Some((font, look::FORM_FONT_VERSION)) = known
            && form.covers(text)
        {
            let line = look::Line { parts, font, face: form, points, italic };
            return look::typeset(&mut self.out, &line, site.size, site.rotate);
        }
        let reusable = self.own_font.take().filter(|(_, face)| face.covers(text));
        let (font, face) = if let Some(own) = reusable {
            own
        } else {
            let face = Face::of(text.nfc())?;
            (face.write(&mut self.out), face)
        };
        let line = look::Line { parts, font, face: &face, points, italic };
        let drawn = look::typeset(&mut self.out, &line, site.size, site.rotate);
        self.own_font = Some((font, face));
        drawn
    }

    fn rewrite(&mut self, site: &FieldSite, dict: &Dict) {
        let at = self.out.object(site.id, &Object::Dict(dict.clone()));
        if let Some(next) = self.next.fields.iter_mut().find(|next| next.id == site.id) {
            next.at = at;
            next.filled = true;
        }
    }

    /// Writes the signature dictionary; `/ByteRange` and `/Contents` come last and are patched.
    fn signature(&mut self, id: ObjRef, widget: &Dict, request: &SignRequest, reserve: u32) -> Patch {
        let mut dict = Dict::new()
            .with("Type", Object::name("Sig"))
            .with("Filter", Object::name("Adobe.PPKLite"))
            .with("SubFilter", Object::name("ETSI.CAdES.detached"))
            .with("M", Object::Str(pdf_date(request.claimed_time).into_bytes()));
        for (key, text) in
            [("Name", &request.name), ("Reason", &request.reason), ("Location", &request.location)]
        {
            if let Some(text) = text {
                dict.set(key, look::text_object(text));
            }
        }
        if let Some(Object::Dict(lock)) = widget.get("Lock") {
            dict.set("Reference", vec![Object::Dict(field_mdp(lock, self.index.root))]);
        }
        let mut bytes = Vec::new();
        write_dict(&mut bytes, &dict);
        bytes.truncate(bytes.len().saturating_sub(3)); // ` >>`
        bytes.extend_from_slice(b" /ByteRange ");
        let range_in = bytes.len() as u64;
        bytes.extend_from_slice(&[b' '; BYTE_RANGE_WIDTH]);
        bytes.extend_from_slice(b" /Contents ");
        let contents_in = bytes.len() as u64;
        let hex_len = 2 * u64::from(reserve);
        bytes.push(b'<');
        bytes.resize(bytes.len() + usize::try_from(hex_len).unwrap_or(0), b'0');
        bytes.extend_from_slice(b"> >>");
        let body = self.out.verbatim(id, &bytes);
        Patch { byte_range_at: body + range_in, contents_at: body + contents_in, hex_len }
    }

    fn finish(mut self, patch: Patch, midstate: &Midstate, request: &SignRequest) -> Prepared {
        let mut trailer = self.index.trailer_dict();
        trailer.set("ID", file_id(&trailer, self.index, request));
        let finished = self.out.finish(self.index.kind, &trailer, Some(self.index.startxref));
        let mut tail = finished.bytes;
        let total = self.index.len + tail.len() as u64;
        let behind = patch.contents_at + patch.hex_len + 2;
        let byte_range = [0, patch.contents_at, behind, total - behind];
        let text = format!("[{} {} {} {}]", byte_range[0], byte_range[1], byte_range[2], byte_range[3]);
        let padded = format!("{text:<BYTE_RANGE_WIDTH$}");
        let inner = |at: u64| usize::try_from(at - self.index.len).unwrap_or(usize::MAX);
        let range_at = inner(patch.byte_range_at);
        if let Some(place) = tail.get_mut(range_at..range_at + BYTE_RANGE_WIDTH) {
            place.copy_from_slice(padded.as_bytes());
        }
        let (before, after) = (tail.get(..inner(patch.contents_at)), tail.get(inner(behind)..));
        let mut hasher = midstate.resume();
        hasher.update(before.unwrap_or_default());
        hasher.update(after.unwrap_or_default());
        let digest = hasher.finish();
        self.next.len = total;
        self.next.revisions += 1;
        self.next.startxref = finished.startxref;
        self.next.size = finished.size;
        self.next.ends_line = true;
        self.next.trailer = BaseIndex::carried(&trailer);
        if let Some(form) = &mut self.next.form {
            form.sig_flags |= 3;
        }
        Prepared {
            version: Prepared::VERSION,
            field: request.field.clone(),
            base_sha256: self.index.sha256,
            base_len: self.index.len,
            base_midstate: midstate.clone(),
            contents: Gap { at_in_tail: patch.contents_at - self.index.len, hex_len: patch.hex_len },
            tail,
            byte_range,
            digest,
            certificate_sha256: Digest::of(&request.certificate),
            claimed_time: request.claimed_time,
            fills: request.fills.clone(),
            next: self.next,
        }
    }
}

/// The reference that makes a `/Lock` count (12.8.2.4).
fn field_mdp(lock: &Dict, root: ObjRef) -> Dict {
    let mut params = Dict::new()
        .with("Type", Object::name("TransformParams"))
        .with("Action", lock.get("Action").cloned().unwrap_or_else(|| Object::name("All")))
        .with("V", Object::name("1.2"));
    if let Some(fields) = lock.get("Fields") {
        params.set("Fields", fields.clone());
    }
    Dict::new()
        .with("Type", Object::name("SigRef"))
        .with("TransformMethod", Object::name("FieldMDP"))
        .with("TransformParams", params)
        .with("Data", root)
        .with("DigestMethod", Object::name("SHA256"))
}

/// The first half stays, the second is new (14.4).
fn file_id(trailer: &Dict, index: &BaseIndex, request: &SignRequest) -> Vec<Object> {
    new_file_id(trailer, index, &request.file_id_seed, request.field.as_bytes())
}

pub(crate) fn new_file_id(trailer: &Dict, index: &BaseIndex, seed: &[u8], what: &[u8]) -> Vec<Object> {
    let mixed = Digest::of(&[seed, index.sha256.as_bytes().as_slice(), what].concat());
    let fresh = Object::Str(mixed.0.iter().copied().take(16).collect());
    let first = trailer.get("ID").and_then(Object::as_array).and_then(<[Object]>::first).cloned();
    vec![first.unwrap_or_else(|| fresh.clone()), fresh]
}

/// `D:20261122090301+07'00'` (7.9.4).
fn pdf_date(time: OffsetDateTime) -> String {
    let (hours, minutes, _) = time.offset().as_hms();
    let sign = if time.offset().is_negative() { '-' } else { '+' };
    format!(
        "D:{:04}{:02}{:02}{:02}{:02}{:02}{sign}{:02}'{:02}'",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
        hours.unsigned_abs(),
        minutes.unsigned_abs()
    )
}

/// Bytes as base64 in JSON.
pub(crate) mod base64_bytes {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        STANDARD.decode(text.as_bytes()).map_err(de::Error::custom)
    }
}

/// `[0 a b c]` with three numbers of up to 13 digits.
const BYTE_RANGE_WIDTH: usize = 48;
/// Structure, attributes and an RSA-4096 value, without certificates and time stamp.
const SIGNATURE_ALONE: u32 = 1536;
const MOST_TEXT: usize = 200;
