//! The objects of provisioning: font, widgets with their appearances, arrays of annotations, form and catalog.

use std::collections::HashSet;

use super::{
    ProvisionPlan,
    metadata::{self, Packet},
    replaced::{Replaced, Role},
    tagging::Tagging,
};
use crate::{
    digest::Digest,
    index::FieldSite,
    intake::{Ingested, Refusal},
    look::{self, Face},
    manifest::{self, Declared, FieldKind, Printed, Slot, beyond},
    pdf::{Dict, Increment, ObjRef, Object, Rect, View},
    place::{self, Placed, Stamped},
    provision::PagePlace,
    rewrite::{self, Replacement},
    survey::Survey,
};

/// What drawing knows once every object has its number.
pub(super) struct Drawn {
    pub(super) root: ObjRef,
    pub(super) acroform: ObjRef,
    pub(super) fields_array: ObjRef,
    pub(super) font: ObjRef,
    pub(super) fields: Vec<Declared>,
    pub(super) sites: Vec<FieldSite>,
    /// Where the stamp of urgency stands.
    pub(super) urgency: Option<PagePlace>,
}

pub(super) struct Drawing<'v, 'f, 'a> {
    pub(super) view: &'v View<'f, 'a>,
    plan: &'v ProvisionPlan,
    pub(super) survey: &'v Survey,
    placed: Vec<Placed>,
    stamped: Option<Stamped>,
    /// Fields that are filled or signed later.
    names: Vec<String>,
    /// Number or date are drawn now.
    some_drawn: bool,
    /// The new objects, written to a scratch at offset 0 and moved to their place by `rewrite`.
    pub(super) new: Increment,
    pub(super) replaced: Replaced,
    sha256: Digest,
    pdfa: bool,
    pub(super) tagging: Option<Tagging>,
}

impl<'v, 'f, 'a> Drawing<'v, 'f, 'a> {
    pub(super) fn new(
        view: &'v View<'f, 'a>,
        survey: &'v Survey,
        ingested: &Ingested,
        plan: &'v ProvisionPlan,
        (placed, stamped): (Vec<Placed>, Option<Stamped>),
        first: u32,
    ) -> Self {
        let drawn = |kind| match kind {
            FieldKind::Number => plan.number.as_ref().is_some_and(|number| number.text.is_some()),
            FieldKind::Date => plan.date.as_ref().is_some_and(|date| date.text.is_some()),
            FieldKind::Signer(_) | FieldKind::Seal => false,
        };
        let names: Vec<String> =
            placed.iter().filter(|field| !drawn(field.kind)).map(|field| field.name.clone()).collect();
        let some_drawn = names.len() < placed.len();
        let new = Increment::new(0, first);
        let (sha256, pdfa) = (ingested.sha256, survey.pdfa_part.is_some());
        Self {
            view,
            plan,
            survey,
            placed,
            stamped,
            names,
            some_drawn,
            new,
            replaced: Replaced::default(),
            sha256,
            pdfa,
            tagging: None,
        }
    }

    pub(super) fn draw(mut self) -> Result<(Replacement, Drawn), Refusal> {
        let root_ref = self.view.root_ref()?;
        let mut root = self.view.root()?;
        let face = Face::form().map_err(|error| text_refusal("the form", &error))?;
        let font = face.write(&mut self.new);
        self.tagging = Tagging::of(self.view, &root)?;
        let mut declared = Vec::new();
        let mut sites = Vec::new();
        for placed in std::mem::take(&mut self.placed) {
            let annots = self.annots(placed.page_id)?;
            let (field, site) = self.widget(&placed, annots, font, face)?;
            declared.push(field);
            sites.push(site);
        }
        let urgency = match self.stamped.take() {
            None => None,
            Some(stamped) => {
                self.stamp(&stamped)?;
                Some(stamped.at)
            }
        };
        if let Some(tagging) = self.tagging.take() {
            tagging.finish(self.view, &mut self.new, &mut self.replaced)?;
        }
        let widgets: Vec<ObjRef> = declared.iter().map(|field| field.id).collect();
        let (acroform, fields_array) = self.form(&mut root, &widgets, font)?;
        if !root.contains("Extensions") && !self.pdfa {
            // ETSI.CAdES.detached came to PDF 1.7 as an extension of ETSI's.
            let level = Dict::new().with("BaseVersion", Object::name("1.7")).with("ExtensionLevel", 2);
            root.set("Extensions", Dict::new().with("ESIC", level));
        }
        rewrite::strip_catalog(self.view, &mut root)?;
        if !matches!(self.view.value(&root, "StructTreeRoot")?, Object::Dict(_)) {
            root.remove("StructTreeRoot");
        }
        self.metadata(&mut root)?;
        self.replaced.put(root_ref.number, Role::Catalog, Object::Dict(root))?;
        let mut trailer = Dict::new();
        for key in ["Root", "Info", "ID"] {
            if let Some(value) = self.view.trailer().get(key) {
                trailer.set(key, value.clone());
            }
        }
        trailer.set("Root", ObjRef::new(root_ref.number));
        self.information(&mut trailer)?;
        if trailer.get("ID").and_then(Object::as_array).is_none_or(|id| id.len() != 2) {
            let half = self.sha256.0.iter().copied().take(16).collect::<Vec<u8>>();
            trailer.set("ID", vec![Object::Str(half.clone()), Object::Str(half)]);
        }
        let drawn = Drawn {
            root: ObjRef::new(root_ref.number),
            acroform,
            fields_array,
            font,
            fields: declared,
            sites,
            urgency,
        };
        Ok((Replacement { objects: self.replaced.into_objects(), new: self.new, trailer }, drawn))
    }

    /// The metadata as strict readers want them.
    fn metadata(&mut self, root: &mut Dict) -> Result<(), Refusal> {
        let Object::Stream(stream) = self.view.value(root, "Metadata")? else {
            root.remove("Metadata");
            return Ok(());
        };
        let packet = self.view.decode(&stream).map(|decoded| decoded.data).unwrap_or_default();
        match metadata::look(&packet) {
            Packet::Kept => {}
            Packet::Useless if self.pdfa => {}
            Packet::Useless => {
                root.remove("Metadata");
            }
            Packet::Enveloped(packet) => {
                let id = self.new.allot();
                let dict =
                    Dict::new().with("Type", Object::name("Metadata")).with("Subtype", Object::name("XML"));
                self.new.stream(id, &dict, &packet);
                root.set("Metadata", id);
            }
        }
        Ok(())
    }

    /// The document information shall be an object of its own (7.5.5) that says a few words. What some files name there
    /// leads to the rest of the document: the form, the catalog, a page. Its words are kept.
    fn information(&mut self, trailer: &mut Dict) -> Result<(), Refusal> {
        let Object::Dict(info) = self.view.value(trailer, "Info")? else {
            trailer.remove("Info");
            return Ok(());
        };
        let mut words = Dict::new();
        for (key, value) in info.iter() {
            let value = self.view.resolve(value)?;
            if matches!(value, Object::Str(_) | Object::Name(_) | Object::Bool(_) | Object::Int(_)) {
                words.push(key.to_vec(), value);
            }
        }
        words.tidy();
        let is_form = !info.is_empty() && self.view.dict(&self.view.root()?, "AcroForm")? == info;
        let own = trailer.get("Info").is_some_and(|info| info.as_ref().is_some());
        if own && !is_form && !info.contains("Type") && words.len() == info.len() {
            return Ok(());
        }
        words.remove("Type");
        let id = self.new.allot();
        self.new.object(id, &Object::Dict(words));
        trailer.set("Info", id);
        Ok(())
    }

    /// The page's array of annotations, in an object of its own: what was there may be another page's as well.
    pub(super) fn annots(&mut self, page_id: ObjRef) -> Result<ObjRef, Refusal> {
        let mut page = match self.replaced.get(page_id.number, Role::Page) {
            Some(Object::Dict(page)) => page.clone(),
            _ => match self.view.get(page_id)? {
                Object::Dict(page) => page,
                _ => return Err(Refusal::Broken("a page is no dictionary".to_owned())),
            },
        };
        if let Some(Object::Ref(annots)) = page.get("Annots")
            && self.replaced.get(annots.number, Role::Annotations).is_some()
        {
            return Ok(*annots);
        }
        let items = self.view.array(&page, "Annots")?;
        let annots = self.new.allot();
        self.replaced.put(annots.number, Role::Annotations, Object::Array(items))?;
        page.set("Annots", annots);
        if !page.contains("Tabs") {
            page.set("Tabs", Object::name("S"));
        }
        self.replaced.put(page_id.number, Role::Page, Object::Dict(page))?;
        Ok(annots)
    }

    /// Writes one widget and puts it on its page.
    fn widget(
        &mut self,
        placed: &Placed,
        annots: ObjRef,
        font: ObjRef,
        face: &Face,
    ) -> Result<(Declared, FieldSite), Refusal> {
        let page = self.view.page(placed.page_id)?;
        let rect = page.to_page(placed.rect).rounded();
        let whole = Rect::of(0.0, 0.0, placed.rect.width(), placed.rect.height()).rounded();
        let shown = (whole.x1, whole.y1);
        let id = self.new.allot();
        let text = self.drawn_now(placed);
        let locks = self.locks(placed.kind);
        let relative: Vec<_> = placed.slots.iter().map(|slot| slot.relative_to(placed.rect)).collect();
        let italic = placed.kind == FieldKind::Date;
        let mut widget = Dict::new()
            .with("Type", Object::name("Annot"))
            .with("Subtype", Object::name("Widget"))
            .with("FT", Object::name(if placed.kind.is_text() { "Tx" } else { "Sig" }))
            .with("T", look::text_object(&placed.name))
            .with("TU", look::text_object(&self.label(placed.kind)))
            .with("F", 4)
            .with("Rect", rect.to_object())
            .with("P", ObjRef::new(placed.page_id.number));
        if page.rotate != 0 {
            widget.set("MK", Dict::new().with("R", i64::from(page.rotate)));
        }
        if let Some(tagging) = &mut self.tagging {
            let key = tagging.form(&mut self.new, id, ObjRef::new(placed.page_id.number));
            widget.set("StructParent", key);
        }
        let mut max_len = None;
        let appearance = if placed.kind.is_text() {
            max_len = Some(MAX_LEN);
            widget.set(manifest::SLOTS_KEY, Slot::to_object(&relative));
            widget.set(manifest::ITALIC_KEY, Object::Bool(italic));
            Printed::note(&mut widget, placed.followed_by.as_deref(), &placed.printed);
            widget.set("DA", Object::Str(look::default_appearance(placed.points).into_bytes()));
            widget.set("Q", placed.align.quadding());
            widget.set("MaxLen", i64::from(MAX_LEN));
            match &text {
                None => look::empty(&mut self.new, shown, page.rotate),
                Some(text) => {
                    let parts: Vec<_> = relative.iter().map(|slot| slot.part).collect();
                    let refuse = |why: String| Refusal::Text { field: placed.name.clone(), why };
                    if text.chars().count() > usize::from(MAX_LEN) {
                        return Err(refuse(format!("it is longer than {MAX_LEN} characters")));
                    }
                    let texts = look::parts_of(text, &parts);
                    let texts =
                        texts.ok_or_else(|| refuse("day, month and year were expected".to_owned()))?;
                    let parts = relative.iter().map(|slot| slot.rect).zip(texts).collect();
                    let (points, align) = (placed.points, placed.align);
                    let line = look::Line { parts, font, face, points, italic, align };
                    widget.set("V", look::text_object(text));
                    widget.set("Ff", 1);
                    look::typeset(&mut self.new, &line, shown, page.rotate)
                        .map_err(|e| refuse(e.to_string()))?
                }
            }
        } else {
            look::empty(&mut self.new, shown, page.rotate)
        };
        widget.set("AP", Dict::new().with("N", appearance));
        if locks {
            widget.set("Lock", self.lock());
        }
        let at = self.new.object(id, &Object::Dict(widget));
        self.replaced.push(annots.number, Role::Annotations, id);
        let filled = text.is_some();
        let site = FieldSite {
            name: placed.name.clone(),
            signature: !placed.kind.is_text(),
            id,
            at,
            page: placed.page,
            page_id: ObjRef::new(placed.page_id.number),
            rotate: page.rotate,
            rect,
            size: shown,
            filled,
            slots: relative,
            max_len,
            italic,
            followed_by: placed.followed_by.clone(),
            printed: placed.printed.clone(),
        };
        let declared = Declared {
            name: placed.name.clone(),
            kind: placed.kind,
            id,
            page: placed.page,
            page_id: ObjRef::new(placed.page_id.number),
            annots,
            rect: placed.rect,
            slots: placed.slots.clone(),
            max_len,
            followed_by: placed.followed_by.clone(),
            printed: placed.printed.clone(),
            text,
            locks,
        };
        Ok((declared, site))
    }

    /// Whether signing this field locks the form.
    fn locks(&self, kind: FieldKind) -> bool {
        match kind {
            FieldKind::Signer(k) => {
                self.plan.signers.get(usize::from(k) - 1).is_some_and(|signer| signer.locks)
            }
            FieldKind::Seal => self.plan.seal.as_ref().is_some_and(|seal| seal.locks),
            FieldKind::Number | FieldKind::Date => false,
        }
    }

    /// The text that is drawn at provisioning, if any: what the page lacks of the number, or the date.
    fn drawn_now(&self, placed: &Placed) -> Option<String> {
        match placed.kind {
            FieldKind::Number => {
                let full = self.plan.number.as_ref()?.text.as_deref()?;
                Some(beyond(full, placed.followed_by.as_deref()).to_owned())
            }
            FieldKind::Date => self.plan.date.as_ref()?.text.clone(),
            _ => None,
        }
    }

    /// The form dictionary and its fields, each a new object of its own: what was there, if anything, may also be
    /// something else.
    fn form(
        &mut self,
        root: &mut Dict,
        widgets: &[ObjRef],
        font: ObjRef,
    ) -> Result<(ObjRef, ObjRef), Refusal> {
        let mut form = self.view.dict(root, "AcroForm")?;
        let acroform = self.new.allot();
        let mut fields = self.view.array(&form, "Fields")?;
        let mut listed = HashSet::new();
        fields.retain(|field| {
            self.view.resolve(field).is_ok_and(|field| field.as_dict().is_some())
                && field.as_ref().is_none_or(|id| listed.insert(id.number))
        });
        for field in &mut fields {
            if let Object::Dict(dict) = field {
                // Fields shall be objects of their own (12.7.3).
                let (dict, id) = (dict.clone(), self.new.allot());
                self.replaced.put(id.number, Role::Field, Object::Dict(dict))?;
                *field = Object::Ref(id);
            }
        }
        fields.extend(widgets.iter().map(|id| Object::Ref(*id)));
        let fields_array = self.new.allot();
        form.remove("XFA");
        form.remove("NeedAppearances");
        form.set("Fields", fields_array);
        // Signature fields exist from now on, and the file is only ever appended to (Table 225).
        form.set("SigFlags", 3);
        let mut resources = self.view.dict(&form, "DR")?;
        let mut fonts = self.view.dict(&resources, "Font")?;
        fonts.set(look::FORM_FONT_NAME, font);
        resources.set("Font", fonts);
        form.set("DR", resources);
        if !form.contains("DA") {
            form.set("DA", Object::Str(look::default_appearance(place::POINTS).into_bytes()));
        }
        self.replaced.put(fields_array.number, Role::Fields, Object::Array(fields))?;
        self.replaced.put(acroform.number, Role::Form, Object::Dict(form))?;
        root.set("AcroForm", acroform);
        Ok((acroform, fields_array))
    }

    /// The last signature locks every field. Where the document brings text fields of its own, or number and date are
    /// drawn already, it names the fields that are ours instead: a validator in wide use takes an appearance that is
    /// older than the locking revision for a change to it. So it does with the appearance that PDF/A-1 asks of the field of
    /// a later document time stamp.
    fn lock(&self) -> Dict {
        let lock = Dict::new().with("Type", Object::name("SigFieldLock"));
        let stamps_have_appearances = self.survey.pdfa_part == Some(1);
        if self.survey.field_names.is_empty() && !self.some_drawn && !stamps_have_appearances {
            return lock.with("Action", Object::name("All"));
        }
        let ours = self.names.iter().map(|name| look::text_object(name)).collect::<Vec<_>>();
        lock.with("Action", Object::name("Include")).with("Fields", ours)
    }

    /// What a reader aloud says.
    fn label(&self, kind: FieldKind) -> String {
        match kind {
            FieldKind::Number => "Số, ký hiệu văn bản".to_owned(),
            FieldKind::Date => "Ngày, tháng, năm ban hành".to_owned(),
            FieldKind::Signer(k) => {
                let signer = self.plan.signers.get(usize::from(k) - 1);
                let who = signer.and_then(|signer| signer.name.as_deref().or(signer.title.as_deref()));
                who.map_or_else(|| format!("Chữ ký số {k}"), |who| format!("Chữ ký số của {who}"))
            }
            FieldKind::Seal => {
                let who = self.plan.seal.as_ref().and_then(|seal| seal.organisation.as_deref());
                format!("Chữ ký số của {}", who.unwrap_or("cơ quan, tổ chức"))
            }
        }
    }
}

pub(super) fn text_refusal(field: &str, error: &look::Undrawable) -> Refusal {
    Refusal::Text { field: field.to_owned(), why: error.to_string() }
}

const MAX_LEN: u16 = 60;
