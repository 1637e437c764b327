//! The sheet of paper: a page as it is displayed, what stands on it, and where there is room.

use super::{POINTS, Placed};
use crate::{
    intake::Refusal,
    look::Align,
    manifest::{FieldKind, Part, Slot},
    pdf::{ObjRef, Object, Page, Rect, TextLine, View},
};

/// A page as it is displayed, with its text and what was placed on it.
pub(super) struct Sheet {
    pub(super) page: Page,
    pub(super) lines: Vec<TextLine>,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) taken: Vec<Rect>,
}

impl Sheet {
    pub(super) fn read(view: &View<'_, '_>, id: ObjRef) -> Result<Self, Refusal> {
        let page = view.page(id)?;
        let lines = view.text_lines(&page);
        let (width, height) = page.displayed_size();
        Ok(Self { page, lines, width, height, taken: Vec::new() })
    }

    /// Nothing new goes over fields and notes that are there.
    pub(super) fn take_annotations(&mut self, view: &View<'_, '_>) -> Result<(), Refusal> {
        for annotation in view.array(&self.page.dict, "Annots")? {
            if let Ok(Object::Dict(annotation)) = view.resolve(&annotation)
                && let Some(rect) = Rect::from_object(&view.value(&annotation, "Rect")?)
            {
                self.taken.push(self.page.to_displayed(rect.normalised()));
            }
        }
        Ok(())
    }

    pub(super) fn placed(&self, kind: FieldKind, name: String, page: u32, rect: Rect) -> Placed {
        let slots = if kind.is_text() { vec![Slot { part: Part::Whole, rect }] } else { Vec::new() };
        Placed {
            kind,
            name,
            page,
            page_id: self.page.id,
            rect,
            slots,
            followed_by: None,
            printed: Vec::new(),
            points: POINTS,
            align: Align::Left,
        }
    }

    pub(super) fn check(&self, rect: Rect, field: &str) -> Result<(), Refusal> {
        let finite = [rect.x0, rect.y0, rect.x1, rect.y1].iter().all(|value| value.is_finite());
        let within =
            rect.x0 >= -0.5 && rect.y0 >= -0.5 && rect.x1 <= self.width + 0.5 && rect.y1 <= self.height + 0.5;
        if finite && within && rect.width() > 1.0 && rect.height() > 1.0 {
            return Ok(());
        }
        Err(Refusal::OffPage { field: field.to_owned() })
    }

    /// Pushed back onto the page, smaller if it must be.
    pub(super) fn within(&self, rect: Rect) -> Rect {
        let scale = (self.width / rect.width()).min(self.height / rect.height()).min(1.0);
        let (width, height) = (rect.width() * scale, rect.height() * scale);
        let x = rect.x0.min(self.width - width).max(0.0);
        let y = rect.y0.min(self.height - height).max(0.0);
        Rect::of(x, y, width, height)
    }

    pub(super) fn is_free(&self, rect: &Rect) -> bool {
        let clear = Rect { x0: rect.x0 - 1.0, y0: rect.y0 - 1.0, x1: rect.x1 + 1.0, y1: rect.y1 + 1.0 };
        let text = self.lines.iter().flat_map(|line| &line.words).any(|word| word.rect.overlaps(&clear));
        !text && !self.taken.iter().any(|taken| taken.overlaps(&clear))
    }

    /// How many places may be tried: the page is as large as somebody likes, and so full.
    pub(super) fn tries(&self) -> usize {
        let words: usize = self.lines.iter().map(|line| line.words.len()).sum();
        WORK / (words + self.taken.len() + 1000)
    }

    /// The nearest free place up or down (at most `reach` points) to `rect`; `rect` itself if there is none.
    pub(super) fn free_near(&self, rect: Rect, reach: f64) -> Rect {
        let mut step = 0.0;
        let mut tries = self.tries();
        while step <= reach && tries > 0 {
            tries -= 1;
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

    /// Between the signer's title (or "KT.", "TM." …) and name, centred on the name.
    pub(super) fn between(&self, title: Option<&str>, name: Option<&str>) -> Option<Rect> {
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

    pub(super) fn default_signature(&self, back: usize) -> Rect {
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
    pub(super) fn sheet_rect(&self, x: f64, from_top: f64, width: f64, height: f64) -> Rect {
        let (sx, sy) = (self.width / 595.276, self.height / 841.89);
        let width = (width * sx).clamp(20.0, 300.0).min(self.width);
        let height = height.min(self.height);
        self.within(Rect::of(x * sx, self.height - from_top * sy - height, width, height))
    }
}

/// Words and fields that are looked at to find a place.
const WORK: usize = 300_000_000;
