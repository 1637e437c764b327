//! Writing the revision: widgets, appearances and the signature dictionary, then the patch of `/ByteRange`.
//!
//! As few objects as possible: with a provisioned base only the widgets that change and what is new.

use unicode_normalization::UnicodeNormalization as _;

use super::{Fill, Gap, Gapped, PrepareError, SignRequest};
use crate::{
    changes::{Lock, fields},
    digest::{Digest, Midstate},
    index::{BaseIndex, FieldSite},
    look::{self, Face, PreparedImage, Undrawable},
    manifest::Slot,
    mark::Mark,
    pdf::{Dict, File, Increment, Limits, ObjRef, Object, PdfError, Rect, View, read_indirect, write_dict},
    place::{self, LINE},
    protection::{self, Protected, Protection},
    provision::PagePlace,
    source::Source,
};
use time::OffsetDateTime;

/// A widget and where it was found.
#[derive(Clone)]
pub(crate) struct Widget {
    site: FieldSite,
    pub(super) dict: Dict,
}

/// Where the fields to be patched are, in absolute offsets.
#[derive(Clone, Copy)]
pub(crate) struct Patch {
    byte_range_at: u64,
    contents_at: u64,
    hex_len: u64,
}

/// Where a field goes that the file has not.
pub(crate) enum Shown {
    /// It is not shown.
    Not,
    /// Where a person chose.
    At(PagePlace),
    /// In the corner of page 1 where a mark of these lines stands.
    InCorner(Vec<String>),
}

impl Shown {
    /// As a request wants it.
    pub(super) fn of(request: &SignRequest) -> Self {
        match (request.place, &request.mark) {
            (Some(place), _) => Self::At(place),
            (None, Some(mark)) => Self::InCorner(mark.lines(request.claimed_time)),
            (None, None) => Self::Not,
        }
    }
}

/// How a text is set in its slots.
#[derive(Clone, Copy)]
struct Style {
    points: f64,
    align: look::Align,
}

pub(crate) struct Appending<'a> {
    base: &'a dyn Source,
    index: &'a BaseIndex,
    next: BaseIndex,
    pub(crate) out: Increment,
    own_font: Option<(ObjRef, Face)>,
    /// The catalog, if the revision changes it.
    root: Option<Dict>,
}

impl<'a> Appending<'a> {
    pub(crate) fn new(base: &'a dyn Source, index: &'a BaseIndex) -> Self {
        let mut out = Increment::new(index.len, index.size);
        if !index.ends_line {
            out.raw(b"\n");
        }
        Self { base, index, next: index.clone(), out, own_font: None, root: None }
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
    pub(crate) fn new_widget(&mut self, name: &str, shown: Shown) -> Result<Widget, PrepareError> {
        let file = self.file()?;
        let view = file.latest();
        let pages = view.pages()?;
        let number = if let Shown::At(place) = &shown { place.page } else { 1 };
        let at = usize::try_from(number)
            .ok()
            .and_then(|number| number.checked_sub(1))
            .ok_or(PrepareError::OffPage)?;
        let page = view.page(*pages.get(at).ok_or(PrepareError::OffPage)?)?;
        let (width, height) = page.displayed_size();
        let shown = match shown {
            Shown::Not => Rect::of(0.0, 0.0, 0.0, 0.0),
            Shown::At(place) => place.rect,
            Shown::InCorner(lines) => {
                Mark::place(&lines, (width, height)).map_err(|error| undrawable(name, &error))?
            }
        };
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
            .with("T", look::text_object(name))
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
            name: name.to_owned(),
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
            followed_by: None,
            printed: Vec::new(),
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
                self.root = Some(root.with("AcroForm", id));
            }
        }
        Ok(())
    }

    /// Writes the signed widget with its appearance.
    pub(crate) fn sign(&mut self, widget: Widget, signature: ObjRef, image: Option<&PreparedImage>) {
        let Widget { site, mut dict } = widget;
        let flat = self.index.pdfa_part == Some(1);
        let shown = site.size.0 > 0.0 && site.size.1 > 0.0;
        let appearance = match image {
            Some(image) if shown => Some(look::picture(&mut self.out, image, site.size, site.rotate, flat)),
            // What is not shown needs no appearance, except by PDF/A-1 (6.9). A new one under a lock of all fields,
            // as a document time stamp would bring, is a change of a locked field to validators in wide use.
            _ => (shown || flat).then(|| look::empty(&mut self.out, site.size, site.rotate)),
        };
        dict.set("V", signature);
        if let Some(appearance) = appearance {
            dict.set("AP", Dict::new().with("N", appearance));
        }
        self.rewrite(&site, &dict);
    }

    /// Writes the signed widget with the lines of a mark, against the right edge.
    pub(super) fn sign_marked(
        &mut self,
        widget: Widget,
        signature: ObjRef,
        lines: Vec<String>,
    ) -> Result<(), PrepareError> {
        let Widget { site, mut dict } = widget;
        let text = lines.concat();
        let style = Style { points: Mark::POINTS, align: look::Align::Right };
        let slots = Mark::slots(lines, site.size);
        let drawn = self.typeset(&text, slots, &site, style).map_err(|e| undrawable(&site.name, &e))?;
        dict.set("V", signature);
        dict.set("AP", Dict::new().with("N", drawn));
        self.rewrite(&site, &dict);
        Ok(())
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
        // Size and place in the slot stand in the widget, as for any text field.
        let points = dict.get("DA").and_then(Object::as_str).and_then(look::points_of);
        let style = Style {
            points: points.unwrap_or(place::POINTS),
            align: look::Align::from_quadding(dict.get("Q").and_then(Object::as_int)),
        };
        let drawn =
            self.typeset(&fill.text, parts, &site, style).map_err(|error| refuse(error.to_string()))?;
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
        style: Style,
    ) -> Result<ObjRef, Undrawable> {
        let form = Face::form()?;
        let known = self.index.form.as_ref().and_then(|form| form.font);
        let (Style { points, align }, italic) = (style, site.italic);
        if let Some((font, look::FORM_FONT_VERSION)) = known
            && form.covers(text)
        {
            let line = look::Line { parts, font, face: form, points, italic, align };
            return look::typeset(&mut self.out, &line, site.size, site.rotate);
        }
        let reusable = self.own_font.take().filter(|(_, face)| face.covers(text));
        let (font, face) = if let Some(own) = reusable {
            own
        } else {
            let face = Face::of(text.nfc())?;
            (face.write(&mut self.out), face)
        };
        let line = look::Line { parts, font, face: &face, points, italic, align };
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

    /// Asks whether the file's earlier signatures allow this one, takes a certification into the catalog, and answers what
    /// the field's own `/Lock` says.
    pub(super) fn protect(
        &mut self,
        widget: &Widget,
        signature: ObjRef,
        request: &SignRequest,
    ) -> Result<Option<Dict>, PrepareError> {
        if matches!(request.protection, Protection::Certify(_)) {
            self.certify(signature)?;
        }
        let new = self.index.field(&request.field).is_none();
        let shown = widget.site.size.0 > 0.0 && widget.site.size.1 > 0.0;
        self.index.protected.allows(&request.field, new && shown)?;
        for fill in &request.fills {
            self.index.protected.allows(&fill.field, false)?;
        }
        let own = match widget.dict.get("Lock") {
            None => None,
            Some(Object::Dict(lock)) if !lock.iter().any(|(_, value)| value.as_ref().is_some()) => {
                Some(lock.clone())
            }
            Some(_) => {
                let file = self.file()?;
                let view = file.latest();
                let lock = view.dict(&widget.dict, "Lock")?;
                Some(protection::plain(&view, &lock)).filter(|lock| !lock.is_empty())
            }
        };
        if let Protection::Lock(Lock::Include(names) | Lock::Exclude(names)) = &request.protection {
            self.are_fields(names)?;
        }
        self.next.protected.add(Protected::asked(&request.protection, own.as_ref()));
        Ok(own)
    }

    /// Names the signature in the catalog's `/Perms` (12.8.6): the first of the file, and the only certification.
    fn certify(&mut self, signature: ObjRef) -> Result<(), PrepareError> {
        let file = self.file()?;
        let view = file.latest();
        let root = self.root.take().map_or_else(|| view.root(), Ok)?;
        let mut permissions = view.dict(&root, "Perms")?;
        if self.index.protected.certified || permissions.contains("DocMDP") {
            return Err(PrepareError::AlreadyCertified);
        }
        for field in fields::walk(&view)?.values().filter(|field| field.kind == b"Sig") {
            if !view.value(&field.dict, "V")?.is_null() {
                return Err(PrepareError::CertifiesLate);
            }
        }
        permissions.set("DocMDP", signature);
        self.root = Some(root.with("Perms", permissions));
        Ok(())
    }

    /// A name that no field has locks nothing: somebody mistyped it.
    fn are_fields(&self, names: &[String]) -> Result<(), PrepareError> {
        let file = self.file()?;
        let known = fields::walk(&file.latest())?;
        let unknown = names.iter().find(|name| {
            let one = Lock::Include(vec![(*name).clone()]);
            !known.values().any(|field| one.covers(&field.name)) && self.next.field(name).is_none()
        });
        unknown.map_or(Ok(()), |name| Err(PrepareError::NoSuchField(name.clone())))
    }

    /// The base, opened: for what its index does not say.
    fn file(&self) -> Result<File<'a>, PdfError> {
        File::open_strict(self.base, &Limits { file_len: u64::MAX, ..Limits::default() })
    }

    /// Writes a signature dictionary; `/ByteRange` and `/Contents` come last and are patched.
    pub(crate) fn signature(&mut self, id: ObjRef, dict: &Dict, reserve: u32) -> Patch {
        let mut bytes = Vec::new();
        write_dict(&mut bytes, dict);
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

    /// Closes the revision: cross-reference, trailer, `/ByteRange`; digests everything outside the gap.
    pub(crate) fn finish(
        mut self,
        patch: Patch,
        midstate: &Midstate,
        field: &str,
        seed: &[u8; 16],
    ) -> Gapped {
        let mut trailer = self.index.trailer_dict();
        if let Some(root) = self.root.take() {
            self.out.object(self.index.root, &Object::Dict(root));
        }
        trailer.set("ID", new_file_id(&trailer, self.index, seed, field.as_bytes()));
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
        let contents = Gap { at_in_tail: patch.contents_at - self.index.len, hex_len: patch.hex_len };
        Gapped { tail, contents, byte_range, digest, next: self.next }
    }
}

/// The dictionary of a signature, but for what is patched.
pub(super) fn dictionary(request: &SignRequest, references: Vec<Object>) -> Dict {
    let mut dict = Dict::new()
        .with("Type", Object::name("Sig"))
        .with("Filter", Object::name("Adobe.PPKLite"))
        .with("SubFilter", Object::name("ETSI.CAdES.detached"))
        .with("M", Object::Str(pdf_date(request.claimed_time).into_bytes()));
    for (key, text) in [("Name", &request.name), ("Reason", &request.reason), ("Location", &request.location)]
    {
        if let Some(text) = text {
            dict.set(key, look::text_object(text));
        }
    }
    if !references.is_empty() {
        dict.set("Reference", references);
    }
    dict
}

/// The first half stays, the second is new (14.4).
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

fn undrawable(field: &str, error: &Undrawable) -> PrepareError {
    PrepareError::Text { field: field.to_owned(), why: error.to_string() }
}
