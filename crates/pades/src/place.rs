//! Where declared fields go (NĐ 30/2020 Phụ lục I, Phần I, Mục IV): number in ô 3 and date in ô 4 of page 1, the
//! signature in ô 7c and the seal in ô 8 of the last page.
//!
//! Words on the page decide if they are there ("Số:", "ngày … tháng … năm …", the signer's title and name); otherwise
//! the usual place on the sheet, moved to free space where text lies. Everything is in displayed coordinates.

use crate::{
    intake::Refusal,
    manifest::{FieldKind, Part, Slot},
    pdf::{ObjRef, Page, Rect, TextLine, View},
    provision::{PagePlace, ProvisionPlan},
};

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
        let found = match text.place {
            Some(place) => sheet.placed(kind, name.clone(), page, place.rect),
            None if kind == FieldKind::Number => sheet.number(page),
            None => sheet.date(page),
        };
        sheet.check(found.rect, &name)?;
        sheet.taken.push(found.rect);
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
            let page = self.view.page(*self.pages.get(index).ok_or_else(off_page)?)?;
            let lines = self.view.text_lines(&page);
            let (width, height) = page.displayed_size();
            self.sheets.push((number, Sheet { page, lines, width, height, taken: Vec::new() }));
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

/// A page as it is displayed, with its text and what was placed on it.
struct Sheet {
    page: Page,
    lines: Vec<TextLine>,
    width: f64,
    height: f64,
    taken: Vec<Rect>,
}

impl Sheet {
    fn placed(&self, kind: FieldKind, name: String, page: u32, rect: Rect) -> Placed {
        let slots = if kind.is_text() { vec![Slot { part: Part::Whole, rect }] } else { Vec::new() };
        Placed { kind, name, page, page_id: self.page.id, rect, slots, followed_by: None }
    }

    fn check(&self, rect: Rect, field: &str) -> Result<(), Refusal> {
        let finite = [rect.x0, rect.y0, rect.x1, rect.y1].iter().all(|value| value.is_finite());
        let within =
            rect.x0 >= -0.5 && rect.y0 >= -0.5 && rect.x1 <= self.width + 0.5 && rect.y1 <= self.height + 0.5;
        if finite && within && rect.width() > 1.0 && rect.height() > 1.0 {
            return Ok(());
        }
        Err(Refusal::OffPage { field: field.to_owned() })
    }

    /// Pushed back onto the page, smaller if it must be.
    fn within(&self, rect: Rect) -> Rect {
        let scale = (self.width / rect.width()).min(self.height / rect.height()).min(1.0);
        let (width, height) = (rect.width() * scale, rect.height() * scale);
        let x = rect.x0.min(self.width - width).max(0.0);
        let y = rect.y0.min(self.height - height).max(0.0);
        Rect::of(x, y, width, height)
    }

    fn is_free(&self, rect: &Rect) -> bool {
        let clear = Rect { x0: rect.x0 - 1.0, y0: rect.y0 - 1.0, x1: rect.x1 + 1.0, y1: rect.y1 + 1.0 };
        let text = self.lines.iter().flat_map(|line| &line.words).any(|word| word.rect.overlaps(&clear));
        !text && !self.taken.iter().any(|taken| taken.overlaps(&clear))
    }

    /// The nearest free place up or down (at most `reach` points) to `rect`; `rect` itself if there is none.
    fn free_near(&self, rect: Rect, reach: f64) -> Rect {
        let mut step = 0.0;
        while step <= reach {
            for dy in [-step, step] {
                let moved = Rect { y0: rect.y0 + dy, y1: rect.y1 + dy, ..rect };
                let on_page = moved.y0 >= 0.0 && moved.y1 <= self.height;
                if on_page && self.is_free(&moved) {
                    return moved;
                }
            }
            step += 3.0;
        }
        rect
    }

    /// Behind "Số:", up to what follows on the line.
    fn number(&self, page: u32) -> Placed {
        let area = number_area(self.width, self.height);
        for line in &self.lines {
            let Some(at) =
                line.words.iter().position(|word| matches!(word.text.as_str(), "Số:" | "Số" | "SỐ:"))
            else {
                continue;
            };
            let Some(label) = line.words.get(at).filter(|word| word.rect.overlaps(&area)) else { continue };
            let mut behind = line.words.iter().skip(at + 1).filter(|word| !is_filler(&word.text)).peekable();
            let next = behind.peek().filter(|word| word.rect.x0 < 0.6 * self.width);
            let start = label.rect.x1 + 2.0;
            let end = next.map_or((label.rect.x1 + 130.0).min(area.x1), |word| word.rect.x0 - 1.0);
            if end - start < 14.0 {
                continue;
            }
            let rect = Rect {
                x0: start,
                y0: label.rect.y0,
                x1: end,
                y1: label.rect.y0 + LINE.max(label.rect.height()),
            };
            let mut placed = self.placed(FieldKind::Number, FieldKind::Number.name(), page, rect);
            placed.followed_by = next.map(|word| word.text.clone());
            return placed;
        }
        let default = self.sheet_rect(85.0, 113.0, 160.0, LINE);
        let rect = self.free_near(default, 0.2 * self.height);
        self.placed(FieldKind::Number, FieldKind::Number.name(), page, rect)
    }

    /// In the blanks of "ngày … tháng … năm …", else at ô 4.
    fn date(&self, page: u32) -> Placed {
        let area = date_area(self.width, self.height);
        for line in &self.lines {
            if let Some(placed) = self.date_blanks(line, &area, page) {
                return placed;
            }
        }
        let default = self.sheet_rect(300.0, 113.0, 200.0, LINE);
        let rect = self.free_near(default, 0.2 * self.height);
        self.placed(FieldKind::Date, FieldKind::Date.name(), page, rect)
    }

    fn date_blanks(&self, line: &TextLine, area: &Rect, page: u32) -> Option<Placed> {
        let find = |from: usize, wanted: &str| {
            line.words.iter().enumerate().skip(from).find(|(_, word)| word.text.to_lowercase() == wanted)
        };
        let (i, day) = find(0, "ngày")?;
        let (j, month) = find(i + 1, "tháng")?;
        let (k, year) = find(j + 1, "năm")?;
        if !day.rect.overlaps(area) || !year.rect.overlaps(area) {
            return None;
        }
        let blank = |range: std::ops::Range<usize>| {
            line.words.get(range).is_some_and(|words| words.iter().all(|word| is_filler(&word.text)))
        };
        if !blank(i + 1..j) || !blank(j + 1..k) {
            return None;
        }
        let (y0, y1) = (day.rect.y0, day.rect.y0 + LINE.max(day.rect.height()));
        let slot = |part, x0: f64, x1: f64| {
            (x1 - x0 >= 10.0).then_some(Slot { part, rect: Rect { x0: x0 + 1.0, y0, x1: x1 - 1.0, y1 } })
        };
        let mut slots = vec![
            slot(Part::Day, day.rect.x1, month.rect.x0)?,
            slot(Part::Month, month.rect.x1, year.rect.x0)?,
        ];
        let after = line.words.iter().skip(k + 1).find(|word| !is_filler(&word.text));
        if after.is_none_or(|word| word.rect.x0 - year.rect.x1 > 30.0) {
            let end = after.map_or((year.rect.x1 + 34.0).min(self.width), |word| word.rect.x0);
            slots.push(slot(Part::Year, year.rect.x1, end)?);
        }
        let rect = Rect { x0: slots.first()?.rect.x0, y0, x1: slots.last()?.rect.x1, y1 };
        let mut placed = self.placed(FieldKind::Date, FieldKind::Date.name(), page, rect);
        placed.slots = slots;
        Some(placed)
    }

    /// Between the signer's title (or "KT.", "TM." …) and name, centred on the name.
    fn between(&self, title: Option<&str>, name: Option<&str>) -> Option<Rect> {
        let name = self.lines.iter().rev().find_map(|line| line.find(name?))?;
        let middle = f64::midpoint(name.x0, name.x1);
        let ends =
            |line: &Rect| (f64::midpoint(line.x0, line.x1) - middle).abs() < 120.0 && line.y0 > name.y1;
        let above = match title.and_then(|title| self.lines.iter().rev().find_map(|line| line.find(title))) {
            Some(title) if ends(&title) => title.y0,
            _ => {
                let words = self.lines.iter().flat_map(|line| &line.words).map(|word| word.rect);
                let over = words.filter(|word| {
                    word.y0 >= name.y1 && word.x0 < name.x1 + 20.0 && word.x1 > name.x0 - 20.0
                });
                over.map(|word| word.y0).fold(f64::INFINITY, f64::min).min(name.y1 + 90.0)
            }
        };
        let gap = above - name.y1 - 4.0;
        if gap < 24.0 {
            return None;
        }
        let height = gap.min(70.0);
        let y = name.y1 + 2.0 + (gap - height) / 2.0;
        Some(self.within(Rect::of(middle - height, y, 2.0 * height, height)))
    }

    fn default_signature(&self, back: usize) -> Rect {
        #[expect(clippy::cast_precision_loss, reason = "a handful of signers")]
        let column = back as f64 % 2.0;
        let mut x = 0.667 * self.width - 70.0 - column * 200.0;
        x = x.max(4.0);
        let lowest = self
            .lines
            .iter()
            .flat_map(|line| &line.words)
            .map(|word| word.rect.y0)
            .fold(f64::INFINITY, f64::min);
        // Below the last text if there is room, else where the form has it.
        let y = if lowest.is_finite() && lowest > 160.0 { lowest - 90.0 } else { 0.22 * self.height };
        let wide = 140.0_f64.min(self.width * 0.9);
        let rect = self.within(Rect::of(x, y, wide, wide / 2.0));
        self.free_near(rect, 0.7 * self.height)
    }

    /// A place on A4 given from the upper left corner, in proportion on other sheets.
    fn sheet_rect(&self, x: f64, from_top: f64, width: f64, height: f64) -> Rect {
        let (sx, sy) = (self.width / 595.276, self.height / 841.89);
        let width = (width * sx).clamp(20.0, 300.0).min(self.width);
        let height = height.min(self.height);
        self.within(Rect::of(x * sx, self.height - from_top * sy - height, width, height))
    }
}

/// Dots, underscores and the like that hold a blank open.
fn is_filler(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| matches!(c, '.' | '…' | '_' | '-' | '\u{a0}' | ' '))
}

/// Height of a line of type of 13 points.
pub(crate) const LINE: f64 = 17.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Declared, Manifest, SignerPlan, ingest,
        look::Face,
        pdf::{Dict, File, Increment, Limits, Object, SectionKind},
        provision,
    };

    /// A page with these texts at these places, in an embedded font.
    fn page(texts: &[(f64, f64, &str)], rotate: i64) -> Vec<u8> {
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
        let dict = Dict::new()
            .with("Type", Object::name("Page"))
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
    fn on_a_turned_page_places_are_those_seen() {
        let manifest = provisioned(&page(&[], 90), &ProvisionPlan::standard(1));
        let number = field(&manifest, "DocNumber").rect;
        assert!(number.x1 < 842.0 && number.y0 > 0.6 * 595.0, "{number:?}");
    }
}
