//! Where declared fields go (NĐ 30/2020 Phụ lục I, Phần I, Mục IV): number in ô 3 and date in ô 4 of page 1, the
//! signature in ô 7c and the seal in ô 8 of the last page.
//!
//! Words on the page decide if they are there ("Số:", "ngày … tháng … năm …", the signer's title and name); otherwise
//! the usual place on the sheet, moved to free space where text lies. Everything is in displayed coordinates.

mod sheet;
mod stamp;
mod texts;

use sheet::Sheet;
pub(crate) use stamp::{Stamped, stamp};

use crate::{
    intake::Refusal,
    look::Align,
    manifest::{FieldKind, Part, Printed, Slot, contradicted},
    pdf::{ObjRef, Rect, View},
    provision::{PagePlace, ProvisionPlan, TextPlan},
};
use time::Date;

/// A field with its place.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) kind: FieldKind,
    pub(crate) name: String,
    pub(crate) page: u32,
    pub(crate) page_id: ObjRef,
    pub(crate) rect: Rect,
    pub(crate) slots: Vec<Slot>,
    pub(crate) followed_by: Option<String>,
    /// What the page says of a date already.
    pub(crate) printed: Vec<Printed>,
    /// Size of the type of a text: that of the words beside it.
    pub(crate) points: f64,
    /// Where a text stands in its slots.
    pub(crate) align: Align,
}

/// The part of page 1 in which a number may stand (ô 3), for a page of this displayed size.
pub fn number_area(width: f64, height: f64) -> Rect {
    Rect { x0: 0.0, y0: 0.6 * height, x1: 0.55 * width, y1: height }
}

/// The part of page 1 in which a date may stand (ô 4), for a page of this displayed size.
pub fn date_area(width: f64, height: f64) -> Rect {
    Rect { x0: 0.3 * width, y0: 0.6 * height, x1: width, y1: height }
}

/// Places every field of the plan.
pub(crate) fn place(
    view: &View<'_, '_>,
    pages: &[ObjRef],
    plan: &ProvisionPlan,
) -> Result<Vec<Placed>, Refusal> {
    let mut desk = Desk { view, pages, sheets: Vec::new() };
    let mut placed = Vec::new();
    let last = u32::try_from(pages.len()).unwrap_or(u32::MAX);
    // Signatures first: number and date must not be put where they go on a document of one page.
    let mut leader: Option<(u32, Rect)> = None;
    for (k, signer) in (1..).zip(&plan.signers) {
        let kind = FieldKind::Signer(k);
        let name = signer.field.clone().unwrap_or_else(|| kind.name());
        let (page, rect) = if let Some(PagePlace { page, rect }) = signer.place {
            (page, rect)
        } else {
            let back = plan.signers.len() - usize::from(k);
            desk.signature(last, signer.title.as_deref(), signer.name.as_deref(), back)?
        };
        let sheet = desk.sheet(page, &name)?;
        sheet.check(rect, &name)?;
        sheet.taken.push(rect);
        placed.push(sheet.placed(kind, name, page, rect));
        leader = Some((page, rect));
    }
    if let Some(seal) = &plan.seal {
        let kind = FieldKind::Seal;
        let name = seal.field.clone().unwrap_or_else(|| kind.name());
        let (page, rect) = match (seal.place, leader) {
            (Some(PagePlace { page, rect }), _) => (page, rect),
            (None, Some((page, leader))) => (page, seal_over(leader, seal.diameter())),
            (None, None) => {
                let (page, rect) = desk.signature(last, None, None, 0)?;
                (page, seal_over(rect, seal.diameter()))
            }
        };
        let sheet = desk.sheet(page, &name)?;
        let rect = if seal.place.is_some() { rect } else { sheet.within(rect) };
        sheet.check(rect, &name)?;
        sheet.taken.push(rect);
        placed.push(sheet.placed(kind, name, page, rect));
    }
    let mut texts = Vec::new();
    for (kind, text) in [(FieldKind::Number, &plan.number), (FieldKind::Date, &plan.date)] {
        let Some(text) = text else { continue };
        let name = kind.name();
        let page = text.place.map_or(1, |place| place.page);
        let sheet = desk.sheet(page, &name)?;
        if text.place.is_none() {
            sheet.take_annotations(view)?;
        }
        let found = match text.place {
            Some(place) => {
                let placed = sheet.placed(kind, name.clone(), page, place.rect);
                let followed_by = if kind == FieldKind::Number { sheet.continuing(place.rect) } else { None };
                Placed { followed_by, ..placed }
            }
            None if kind == FieldKind::Number => sheet.number(page),
            None => sheet.date(page),
        };
        sheet.check(found.rect, &name)?;
        sheet.taken.push(found.rect);
        agrees(&found, text)?;
        texts.push(found);
    }
    for field in placed.iter_mut().chain(&mut texts) {
        field.rect = field.rect.rounded();
        for slot in &mut field.slots {
            slot.rect = slot.rect.rounded();
        }
    }
    // Manifest order: number and date are filled in the seal's revision, after every signer.
    let seal_at = placed.iter().position(|field| field.kind == FieldKind::Seal).unwrap_or(placed.len());
    placed.splice(seal_at..seal_at, texts);
    Ok(placed)
}

/// What the page has printed beside a field goes with what will be drawn there, as far as that is known.
fn agrees(found: &Placed, plan: &TextPlan) -> Result<(), Refusal> {
    let known = match (&plan.text, &plan.notation) {
        (Some(text), _) => Some(text.clone()),
        (None, Some(notation)) => Some(format!("00/{notation}")),
        (None, None) => None,
    };
    let contradicted = match (known, plan.earliest) {
        (Some(known), _) => contradicted(&known, found.followed_by.as_deref(), &found.printed),
        (None, Some(earliest)) => is_past(&found.printed, earliest)
            .then(|| found.printed.iter().map(|one| one.digits.as_str()).collect::<Vec<_>>().join("/")),
        (None, None) => None,
    };
    match contradicted {
        None => Ok(()),
        Some(printed) => Err(Refusal::Printed { field: found.name.clone(), printed }),
    }
}

/// Whether every date with these parts lies before the earliest that can be.
fn is_past(printed: &[Printed], earliest: Date) -> bool {
    let part = |part: Part| {
        let found = printed.iter().find(|one| one.part == part)?;
        found.digits.parse::<i32>().ok()
    };
    let latest = (
        part(Part::Year).unwrap_or(earliest.year()),
        part(Part::Month).unwrap_or(12),
        part(Part::Day).unwrap_or(31),
    );
    !printed.is_empty()
        && latest < (earliest.year(), i32::from(u8::from(earliest.month())), i32::from(earliest.day()))
}

/// Where a signature goes in a file that nobody provisioned: above the last occurrence of `words` on any page, or, without
/// words, at ô 7c of the last page; moved to free space. `None`: no page has the words.
///
/// # Errors
/// [`Refusal`] if a page cannot be read.
pub fn signature_place(view: &View<'_, '_>, words: Option<&str>) -> Result<Option<PagePlace>, Refusal> {
    let pages = view.pages()?;
    for (page, id) in (1..).zip(&pages).collect::<Vec<(u32, _)>>().into_iter().rev() {
        let mut sheet = Sheet::read(view, *id)?;
        sheet.take_annotations(view)?;
        let rect = match words {
            None => sheet.default_signature(0),
            Some(words) => {
                let found = sheet.lines.iter().rev().find_map(|line| line.find(words));
                let Some(found) = found else { continue };
                let between = sheet.between(None, Some(words)).filter(|rect| sheet.is_free(rect));
                between.unwrap_or_else(|| {
                    let middle = f64::midpoint(found.x0, found.x1);
                    let above = sheet.within(Rect::of(middle - 70.0, found.y1 + 2.0, 140.0, 70.0));
                    sheet.free_near(above, 0.7 * sheet.height)
                })
            }
        };
        return Ok(Some(PagePlace { page, rect: rect.rounded() }));
    }
    Ok(None)
}

/// The seal covers the left third of the signature's picture (NĐ 30/2020 Phụ lục I, Phần I, II.8).
fn seal_over(leader: Rect, diameter: f64) -> Rect {
    let middle = f64::midpoint(leader.y0, leader.y1);
    Rect::of(leader.x0 + leader.width() / 3.0 - diameter, middle - diameter / 2.0, diameter, diameter)
}

struct Desk<'v, 'f, 'a> {
    view: &'v View<'f, 'a>,
    pages: &'v [ObjRef],
    sheets: Vec<(u32, Sheet)>,
}

impl Desk<'_, '_, '_> {
    /// The page with its text; read once. Text that cannot be read is no text.
    fn sheet(&mut self, number: u32, field: &str) -> Result<&mut Sheet, Refusal> {
        let off_page = || Refusal::OffPage { field: field.to_owned() };
        let known = self.sheets.iter().position(|(have, _)| *have == number);
        if known.is_none() {
            let index = usize::try_from(number).ok().and_then(|n| n.checked_sub(1)).ok_or_else(off_page)?;
            let sheet = Sheet::read(self.view, *self.pages.get(index).ok_or_else(off_page)?)?;
            self.sheets.push((number, sheet));
        }
        let index = known.unwrap_or(self.sheets.len() - 1);
        self.sheets.get_mut(index).map(|(_, sheet)| sheet).ok_or_else(off_page)
    }

    /// Between title and name of the signer, else at ô 7c; `back` signers come after this one.
    fn signature(
        &mut self,
        last: u32,
        title: Option<&str>,
        name: Option<&str>,
        back: usize,
    ) -> Result<(u32, Rect), Refusal> {
        // The block may have been pushed to the page before by a list of attachments.
        for page in [last, last.saturating_sub(1)] {
            if page == 0 {
                continue;
            }
            if let Some(rect) = self.sheet(page, "signature")?.between(title, name) {
                return Ok((page, rect));
            }
        }
        let sheet = self.sheet(last, "signature")?;
        Ok((last, sheet.default_signature(back)))
    }
}

/// Size of the type of ô 3 and ô 4, unless the page's own words say otherwise.
pub(crate) const POINTS: f64 = 13.0;

/// Height of a line of that type.
pub(crate) const LINE: f64 = 17.0;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{
        Declared, Manifest, SignerPlan, ingest,
        look::Face,
        pdf::{Dict, File, Increment, Limits, Object, SectionKind},
        provision,
    };

    /// A page with these texts at these places, in an embedded font.
    pub(super) fn page(texts: &[(f64, f64, &str)], rotate: i64) -> Vec<u8> {
        linked(texts, rotate, &[])
    }

    /// The same with links in these rectangles.
    fn linked(texts: &[(f64, f64, &str)], rotate: i64, links: &[Rect]) -> Vec<u8> {
        use std::fmt::Write as _;
        let mut out = Increment::new(0, 1);
        out.raw(b"%PDF-1.7\n");
        let [root, pages, page, content] = std::array::from_fn(|_| out.allot());
        let face = Face::form().unwrap();
        let font = face.write(&mut out);
        let mut drawn = String::new();
        for (x, y, text) in texts {
            let codes = face.encode(text).unwrap();
            let hex: String = codes.iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02X}");
                hex
            });
            let _ = write!(drawn, "BT /F 13 Tf {x} {y} Td <{hex}> Tj ET ");
        }
        out.stream(content, &Dict::new(), drawn.as_bytes());
        let fonts = Dict::new().with("Font", Dict::new().with("F", font));
        let media = Rect::of(0.0, 0.0, 595.0, 842.0);
        let link = |rect: &Rect| {
            let dict = Dict::new().with("Type", Object::name("Annot")).with("Subtype", Object::name("Link"));
            Object::Dict(dict.with("Rect", rect.to_object()))
        };
        let dict = Dict::new()
            .with("Type", Object::name("Page"))
            .with("Annots", links.iter().map(link).collect::<Vec<_>>())
            .with("Parent", pages)
            .with("MediaBox", media.to_object())
            .with("Rotate", rotate)
            .with("Contents", content)
            .with("Resources", fonts);
        out.object(page, &Object::Dict(dict));
        let kids = Dict::new().with("Type", Object::name("Pages")).with("Count", 1);
        out.object(pages, &Object::Dict(kids.with("Kids", vec![Object::Ref(page)])));
        out.object(
            root,
            &Object::Dict(Dict::new().with("Type", Object::name("Catalog")).with("Pages", pages)),
        );
        out.finish(SectionKind::Table, &Dict::new().with("Root", root), None).bytes
    }

    fn provisioned(bytes: &[u8], plan: &ProvisionPlan) -> Manifest {
        let taken = ingest(&bytes, &Limits::default()).unwrap();
        provision(&bytes, &taken, plan, &mut Vec::new()).unwrap().manifest
    }

    fn field<'m>(manifest: &'m Manifest, name: &str) -> &'m Declared {
        manifest.field(name).unwrap()
    }

    fn overlaps_text(bytes: &[u8], rect: &Rect) -> bool {
        let file = File::open(&bytes, &Limits::default()).unwrap();
        let view = file.latest();
        let page = view.page(view.pages().unwrap()[0]).unwrap();
        view.text_lines(&page).iter().flat_map(|line| &line.words).any(|word| word.rect.overlaps(rect))
    }

    #[test]
    fn the_words_of_the_page_say_where() {
        let bytes = page(
            &[
                (90.0, 740.0, "Số:            /QĐ-UBND"),
                (300.0, 740.0, "Hà Nội, ngày       tháng       năm 2021"),
                (385.0, 320.0, "CHỦ TỊCH"),
                (370.0, 230.0, "Nguyễn Văn Ân"),
                (90.0, 320.0, "Nơi nhận:"),
            ],
            0,
        );
        let mut plan = ProvisionPlan::standard(1);
        plan.signers = vec![SignerPlan {
            title: Some("Chủ tịch".to_owned()),
            name: Some("Nguyễn Văn Ân".to_owned()),
            ..SignerPlan::default()
        }];
        let manifest = provisioned(&bytes, &plan);
        let number = field(&manifest, "DocNumber");
        assert_eq!(number.followed_by.as_deref(), Some("/QĐ-UBND"));
        assert!(number.rect.x0 > 105.0 && number.rect.x1 < 170.0, "{:?}", number.rect);
        let date = field(&manifest, "DocDate");
        assert_eq!(date.slots.iter().map(|slot| slot.part).collect::<Vec<_>>(), [Part::Day, Part::Month]);
        let leader = field(&manifest, "Signer1").rect;
        assert!(leader.y0 > 240.0 && leader.y1 < 320.0, "{leader:?}");
        assert!((f64::midpoint(leader.x0, leader.x1) - 410.0).abs() < 15.0, "{leader:?}");
        let seal = field(&manifest, "OrgSeal").rect;
        assert!((seal.x1 - (leader.x0 + leader.width() / 3.0)).abs() < 0.1);
        for slot in number.slots.iter().chain(&date.slots) {
            assert!(!overlaps_text(&bytes, &slot.rect), "{slot:?}");
        }
        assert!(!overlaps_text(&bytes, &leader));
    }

    #[test]
    fn without_words_the_usual_places_are_taken() {
        let manifest = provisioned(&page(&[], 0), &ProvisionPlan::standard(2));
        let number = field(&manifest, "DocNumber");
        assert!(number_area(595.0, 842.0).overlaps(&number.rect) && number.rect.y0 > 600.0);
        assert!(field(&manifest, "DocDate").rect.x0 > 290.0);
        assert!(!field(&manifest, "Signer1").rect.overlaps(&field(&manifest, "Signer2").rect));
        let names: Vec<_> = manifest.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["Signer1", "Signer2", "DocNumber", "DocDate", "OrgSeal"]);
    }

    #[test]
    fn text_in_the_usual_places_is_not_covered() {
        let lines: Vec<(f64, f64, &str)> = (0..12)
            .map(|n| {
                (80.0, 735.0 - 20.0 * f64::from(n), "Căn cứ Luật Tổ chức chính quyền địa phương ngày 19")
            })
            .collect();
        let bytes = page(&lines, 0);
        let manifest = provisioned(&bytes, &ProvisionPlan::standard(1));
        for declared in &manifest.fields {
            assert!(!overlaps_text(&bytes, &declared.rect), "{declared:?}");
        }
    }

    #[test]
    fn links_in_the_usual_places_are_not_covered() {
        let usual = provisioned(&page(&[], 0), &ProvisionPlan::standard(1));
        let links = ["DocNumber", "DocDate"].map(|name| field(&usual, name).rect);
        let manifest = provisioned(&linked(&[], 0, &links), &ProvisionPlan::standard(1));
        for name in ["DocNumber", "DocDate"] {
            let rect = field(&manifest, name).rect;
            assert!(!links.iter().any(|link| link.overlaps(&rect)) && rect.y0 > 0.6 * 842.0, "{rect:?}");
        }
    }

    #[test]
    fn on_a_turned_page_places_are_those_seen() {
        let manifest = provisioned(&page(&[], 90), &ProvisionPlan::standard(1));
        let number = field(&manifest, "DocNumber").rect;
        assert!(number.x1 < 842.0 && number.y0 > 0.6 * 595.0, "{number:?}");
    }
}
