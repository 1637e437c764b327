//! Writing the revision: widgets, appearances and the signature dictionary, then the patch of `/ByteRange`.
//!
//! As few objects as possible: with a provisioned base only the widgets that change and what is new.

use unicode_normalization::UnicodeNormalization as _;

use super::{Fill, Gap, PrepareError, Prepared, SignRequest};
use crate::{
    digest::{Digest, Midstate},
    index::{BaseIndex, FieldSite},
    look::{self, Face, Undrawable},
    manifest::Slot,
    pdf::{Dict, File, Increment, Limits, ObjRef, Object, Rect, View, read_indirect, write_dict},
    place::LINE,
    provision::POINTS,
    source::Source,
};
use time::OffsetDateTime;

/// A widget and where it was found.
#[derive(Clone)]
pub(super) struct Widget {
    site: FieldSite,
    pub(super) dict: Dict,
}

/// Where the fields to be patched are, in absolute offsets.
#[derive(Clone, Copy)]
pub(super) struct Patch {
    byte_range_at: u64,
    contents_at: u64,
    hex_len: u64,
}

pub(super) struct Appending<'a> {
    base: &'a dyn Source,
    index: &'a BaseIndex,
    next: BaseIndex,
    pub(super) out: Increment,
    own_font: Option<(ObjRef, Face)>,
}

impl<'a> Appending<'a> {
    pub(super) fn new(base: &'a dyn Source, index: &'a BaseIndex) -> Self {
        let mut out = Increment::new(index.len, index.size);
        if !index.ends_line {
            out.raw(b"\n");
        }
        Self { base, index, next: index.clone(), out, own_font: None }
    }

    /// The widget of a site, read from its place.
    pub(super) fn widget(&self, site: &FieldSite) -> Result<Widget, PrepareError> {
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
    pub(super) fn new_widget(&mut self, request: &SignRequest) -> Result<Widget, PrepareError> {
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
        view: &View<'_, '_>,
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

    fn put_in_form(&mut self, view: &View<'_, '_>, widget: ObjRef) -> Result<(), PrepareError> {
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
    pub(super) fn sign(&mut self, widget: Widget, signature: ObjRef, request: &SignRequest) {
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
    pub(super) fn fill(&mut self, fill: &Fill) -> Result<(), PrepareError> {
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
    pub(super) fn signature(
        &mut self,
        id: ObjRef,
        widget: &Dict,
        request: &SignRequest,
        reserve: u32,
    ) -> Patch {
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

    pub(super) fn finish(mut self, patch: Patch, midstate: &Midstate, request: &SignRequest) -> Prepared {
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

/// `[0 a b c]` with three numbers of up to 13 digits.
const BYTE_RANGE_WIDTH: usize = 48;
const MOST_TEXT: usize = 200;
