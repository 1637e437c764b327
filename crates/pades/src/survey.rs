//! A walk over what a reader of a document meets: catalog, pages, annotations and form. It finds scripts and
//! automatic actions, existing signatures, and the widgets that a later revision may fill or sign.

use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use crate::{
    index::{FieldSite, FormSite},
    intake::{Finding, dict_of},
    manifest::{self, Printed, Slot},
    pdf::{Dict, ObjRef, Object, Page, PageTree, PdfError, Place, Rect, View},
    protection::Protected,
};

/// What the walk found.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) pages: Vec<ObjRef>,
    /// Whether the tree of pages leads to nothing else.
    pub(crate) pages_whole: bool,
    pub(crate) signatures: u32,
    pub(crate) dynamic_xfa: bool,
    pub(crate) pdfa_part: Option<u8>,
    pub(crate) form: Option<FormSite>,
    pub(crate) fields: Vec<FieldSite>,
    pub(crate) field_names: Vec<String>,
    /// Fields that get another partial name, by object.
    pub(crate) renamed: BTreeMap<u32, String>,
    /// Full names that widgets have once fields are renamed.
    pub(crate) new_names: BTreeMap<u32, String>,
    pub(crate) findings: Vec<Finding>,
    /// What its signatures forbid.
    pub(crate) protected: Protected,
}

/// Walks the document.
pub(crate) fn survey(view: &View<'_, '_>) -> Result<Survey, PdfError> {
    let root = view.root()?;
    let PageTree { pages, whole } = view.page_tree()?;
    let mut survey = Survey { pages, pages_whole: whole, ..Survey::default() };
    survey.catalog(view, &root)?;
    survey.annotations(view)?;
    survey.form(view, &root)?;
    survey.findings.sort_unstable();
    survey.findings.dedup();
    view.file().within_limits()?;
    Ok(survey)
}

impl Survey {
    fn catalog(&mut self, view: &View<'_, '_>, root: &Dict) -> Result<(), PdfError> {
        let open = view.value(root, "OpenAction")?;
        if let Object::Dict(action) = &open {
            self.action(view, action)?;
            if !view.value(action, "S")?.is_name(b"GoTo") {
                self.findings.push(Finding::AutomaticAction);
            }
        }
        if !view.dict(root, "AA")?.is_empty() {
            self.findings.push(Finding::AutomaticAction);
        }
        let names = view.dict(root, "Names")?;
        if names.contains("JavaScript") {
            self.findings.push(Finding::JavaScript);
        }
        if names.contains("EmbeddedFiles") {
            self.findings.push(Finding::EmbeddedFiles);
        }
        if root.contains("OCProperties") {
            self.findings.push(Finding::OptionalContent);
        }
        self.pdfa_part = pdfa_part(view, root);
        Ok(())
    }

    /// Notes what an action and those chained to it would do.
    fn action(&mut self, view: &View<'_, '_>, action: &Dict) -> Result<(), PdfError> {
        let mut next = vec![action.clone()];
        let mut left = view.file().limits().depth;
        while let Some(action) = next.pop() {
            let kind = view.value(&action, "S")?;
            match kind.as_name().unwrap_or_default() {
                b"JavaScript" => self.findings.push(Finding::JavaScript),
                name if ACTIVE.contains(&name) => self.findings.push(Finding::ActiveAction),
                _ => {}
            }
            let Some(rest) = left.checked_sub(1) else { break };
            left = rest;
            match view.value(&action, "Next")? {
                Object::Dict(one) => next.push(one),
                Object::Array(many) => {
                    for one in many.iter().take(left) {
                        next.push(dict_of(&view.resolve(one)?));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn annotations(&mut self, view: &View<'_, '_>) -> Result<(), PdfError> {
        let mut left = MOST_ANNOTATIONS;
        for page in self.pages.clone() {
            let Ok(Object::Dict(page)) = view.get(page) else { continue };
            if page.contains("AA") {
                self.findings.push(Finding::AutomaticAction);
            }
            for annotation in view.array(&page, "Annots").unwrap_or_default() {
                left = left.checked_sub(1).ok_or(PdfError::Limit("too many annotations"))?;
                let Ok(Object::Dict(annotation)) = view.resolve(&annotation) else { continue };
                self.scripts(view, &annotation)?;
            }
        }
        Ok(())
    }

    /// `/A` and `/AA` of an annotation or a field.
    fn scripts(&mut self, view: &View<'_, '_>, dict: &Dict) -> Result<(), PdfError> {
        if dict.contains("A") {
            self.action(view, &view.dict(dict, "A")?)?;
        }
        if dict.contains("AA") {
            self.findings.push(Finding::AutomaticAction);
            for (_, trigger) in view.dict(dict, "AA")?.iter() {
                self.action(view, &dict_of(&view.resolve(trigger)?))?;
            }
        }
        Ok(())
    }

    fn form(&mut self, view: &View<'_, '_>, root: &Dict) -> Result<(), PdfError> {
        let form = view.dict(root, "AcroForm")?;
        if form.is_empty() {
            return Ok(());
        }
        if form.contains("XFA") {
            self.dynamic_xfa = view.value(root, "NeedsRendering")?.as_bool() == Some(true);
            self.findings.push(Finding::StaticXfa);
        }
        if view.value(&form, "NeedAppearances")?.as_bool() == Some(true) {
            self.findings.push(Finding::NeedAppearances);
        }
        let id = root.get("AcroForm").and_then(Object::as_ref);
        let at = id.and_then(|id| place_at(view, id));
        let sig_flags = view.value(&form, "SigFlags")?.as_int().unwrap_or(0);
        let fonts = view.dict(&view.dict(&form, "DR")?, "Font")?;
        let font = fonts.get(crate::look::FORM_FONT_NAME).and_then(Object::as_ref);
        let ours = |id: &ObjRef| crate::look::Face::form().is_ok_and(|face| face.is_at(view, *id));
        let font = font.filter(ours).map(|id| (id, crate::look::FORM_FONT_VERSION));
        self.form = Some(FormSite { id, at, sig_flags, font });
        let page_of = self.widget_pages(view);
        let above: Rc<Above> = Rc::default();
        let fields = view.array(&form, "Fields")?.into_iter().rev();
        let mut stack: Vec<(Object, Rc<Above>, usize)> =
            fields.map(|field| (field, Rc::clone(&above), 0)).collect();
        let mut known = HashMap::new();
        let mut left = MOST_FIELDS;
        let mut left_of_names = MOST_NAMES;
        while let Some((object, above, depth)) = stack.pop() {
            left = left.checked_sub(1).ok_or(PdfError::Limit("too many form fields"))?;
            let (prefix, inherited) = above.as_ref();
            if depth > view.file().limits().depth {
                return Err(PdfError::Limit("the form is nested too deeply"));
            }
            let Ok(Object::Dict(field)) = view.resolve(&object) else { continue };
            self.scripts(view, &field)?;
            let mut inherited = inherited.clone();
            for key in ["FT", "V", "Ff"] {
                if let Some(value) = field.get(key) {
                    inherited.set(key, value.clone());
                }
            }
            let own = view.value(&field, "T")?;
            let name = match (own.as_str().map(crate::look::text_string), &object) {
                (None, _) => prefix.clone(),
                (Some(own), Object::Ref(id)) => self.named(prefix, &own, *id, &mut known),
                (Some(own), _) => prefix.below(&own, &own),
            };
            left_of_names = left_of_names
                .checked_sub(name.is.len() + value_len(inherited.get("V")))
                .ok_or(PdfError::Limit("the names of form fields are too long"))?;
            let kids = view.array(&field, "Kids")?;
            let named_kids = kids.iter().any(|kid| {
                view.resolve(kid).is_ok_and(|kid| kid.as_dict().is_some_and(|kid| kid.contains("T")))
            });
            if named_kids {
                let above = Rc::new((name, inherited));
                stack.extend(kids.into_iter().rev().map(|kid| (kid, Rc::clone(&above), depth + 1)));
                if stack.len() > 2 * MOST_FIELDS {
                    return Err(PdfError::Limit("too many form fields"));
                }
                continue;
            }
            if let (Object::Ref(id), true) = (&object, name.is != name.becomes) {
                self.new_names.insert(id.number, name.becomes);
            }
            self.terminal(view, &object, name.is, &field, &inherited, &page_of)?;
        }
        if !self.field_names.is_empty() {
            self.findings.push(Finding::HasForm);
        }
        Ok(())
    }

    /// The name of the field `id`. A full stop in it becomes a line, and of several of one name those behind the first
    /// are numbered.
    fn named(
        &mut self,
        prefix: &Name,
        own: &str,
        id: ObjRef,
        known: &mut HashMap<String, (u32, u32)>,
    ) -> Name {
        let plain = own.replace('.', "_");
        let mut partial = plain.clone();
        let mut name = prefix.below(own, &partial);
        if let Some(&(first, mut count)) = known.get(&name.becomes).filter(|(first, _)| *first != id.number) {
            let shared = name.becomes.clone();
            while known.contains_key(&name.becomes) {
                count += 1;
                partial = format!("{plain}_{count}");
                name = prefix.below(own, &partial);
            }
            known.insert(shared, (first, count));
        }
        known.entry(name.becomes.clone()).or_insert((id.number, 1));
        if partial != own {
            self.findings.push(Finding::FieldNames);
            self.field_names.push(name.becomes.clone());
            self.renamed.insert(id.number, partial);
        }
        name
    }

    fn terminal(
        &mut self,
        view: &View<'_, '_>,
        object: &Object,
        name: String,
        field: &Dict,
        inherited: &Dict,
        page_of: &HashMap<ObjRef, (u32, ObjRef)>,
    ) -> Result<(), PdfError> {
        let kind = view.value(inherited, "FT")?;
        let signature = kind.is_name(b"Sig");
        let filled = !view.value(inherited, "V")?.is_null();
        if signature && filled {
            self.signatures += 1;
            let value = dict_of(&view.value(inherited, "V")?);
            self.protected.add(Protected::by(view, &value, field));
        }
        self.field_names.push(name.clone());
        let usable = signature || kind.is_name(b"Tx");
        let (Object::Ref(id), true, false) = (object, usable, field.contains("Kids")) else { return Ok(()) };
        let (Some(at), Some((page, page_id))) = (place_at(view, *id), page_of.get(id)) else { return Ok(()) };
        let rect = Rect::from_object(&view.value(field, "Rect")?);
        // The index is JSON, which knows no infinity.
        let finite = |rect: &Rect| rect.width().is_finite() && rect.height().is_finite();
        let Some(rect) = rect.filter(finite) else { return Ok(()) };
        let slots = Slot::from_object(&view.value(field, manifest::SLOTS_KEY)?);
        // Whatever a form may have of its own, what is signed and what was declared here is always among them.
        let most = if signature || !slots.is_empty() { MOST_SIGNED } else { MOST_SITES };
        if self.fields.len() >= most {
            return Ok(());
        }
        let on: Page = view.page(*page_id)?;
        let (followed_by, printed) = Printed::from_object(&view.value(field, manifest::PRINTED_KEY)?);
        let shown = on.to_displayed(rect);
        let whole = Rect::of(0.0, 0.0, shown.width(), shown.height()).rounded();
        self.fields.push(FieldSite {
            name,
            signature,
            id: *id,
            at,
            page: *page,
            page_id: *page_id,
            rotate: on.rotate,
            rect: rect.rounded(),
            size: (whole.x1, whole.y1),
            filled,
            slots,
            max_len: view.value(field, "MaxLen")?.as_int().and_then(|n| u16::try_from(n).ok()),
            italic: view.value(field, manifest::ITALIC_KEY)?.as_bool() == Some(true),
            followed_by,
            printed,
        });
        Ok(())
    }

    /// Which page each annotation is on.
    fn widget_pages(&self, view: &View<'_, '_>) -> HashMap<ObjRef, (u32, ObjRef)> {
        let mut pages = HashMap::new();
        for (number, id) in (1..).zip(&self.pages) {
            let Ok(Object::Dict(page)) = view.get(*id) else { continue };
            for annotation in view.array(&page, "Annots").unwrap_or_default() {
                if let Object::Ref(annotation) = annotation {
                    pages.insert(annotation, (number, *id));
                }
            }
        }
        pages
    }
}

/// What a field has from those above it.
type Above = (Name, Dict);

/// Full name of a field: as it is, and as it will be.
#[derive(Debug, Clone, Default)]
struct Name {
    is: String,
    becomes: String,
}

impl Name {
    fn below(&self, own: &str, becomes: &str) -> Self {
        let joined = |parent: &str, own: &str| {
            if parent.is_empty() { own.to_owned() } else { format!("{parent}.{own}") }
        };
        Self { is: joined(&self.is, own), becomes: joined(&self.becomes, becomes) }
    }
}

/// About how long a direct value is; what it refers to costs nothing here.
fn value_len(value: Option<&Object>) -> usize {
    value.map_or(0, Object::size)
}

fn place_at(view: &View<'_, '_>, id: ObjRef) -> Option<u64> {
    match view.place(id.number) {
        Place::At { offset, .. } => Some(offset),
        _ => None,
    }
}

/// `pdfaid:part` of the document's XMP metadata, as element or attribute.
fn pdfa_part(view: &View<'_, '_>, root: &Dict) -> Option<u8> {
    let Ok(Object::Stream(stream)) = view.value(root, "Metadata") else { return None };
    if stream.len > MOST_METADATA {
        return None;
    }
    let xmp = view.decode(&stream).ok()?.data;
    let at = memchr::memmem::find(&xmp, b"pdfaid:part")?;
    let rest = xmp.get(at + 11..)?;
    let digit = rest.iter().take(8).find(|byte| byte.is_ascii_digit())?;
    Some(digit - b'0')
}

/// Actions that act on the machine or on what is seen (12.6.4), JavaScript aside.
pub(crate) const ACTIVE: [&[u8]; 9] = [
    b"Launch",
    b"SubmitForm",
    b"ImportData",
    b"ResetForm",
    b"Hide",
    b"SetOCGState",
    b"Rendition",
    b"GoTo3DView",
    b"RichMediaExecute",
];

const MOST_ANNOTATIONS: usize = 200_000;
const MOST_FIELDS: usize = 50_000;
/// Most bytes of all names, and of values that fields inherit.
const MOST_NAMES: usize = 32 << 20;
/// More text fields than this are not filled by name.
const MOST_SITES: usize = 256;
/// More fields than this are not signed by name.
const MOST_SIGNED: usize = 4096;
const MOST_METADATA: u64 = 4 << 20;
