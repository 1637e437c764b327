//! The page tree (ISO 32000-2, 7.7.3) with inherited attributes, and the geometry of a page as a person sees it.

use std::collections::HashSet;

use super::{
    error::PdfError,
    object::{Dict, ObjRef, Object},
    view::View,
};

/// A rectangle in points: lower left and upper right corner.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Rect {
    /// Left.
    pub x0: f64,
    /// Bottom.
    pub y0: f64,
    /// Right.
    pub x1: f64,
    /// Top.
    pub y1: f64,
}

impl Rect {
    /// From the lower left corner and the size.
    pub fn of(x: f64, y: f64, width: f64, height: f64) -> Self {
        Self { x0: x, y0: y, x1: x + width, y1: y + height }
    }

    /// The corners in order, whatever order they were written in.
    #[must_use]
    pub fn normalised(self) -> Self {
        Self {
            x0: self.x0.min(self.x1),
            y0: self.y0.min(self.y1),
            x1: self.x0.max(self.x1),
            y1: self.y0.max(self.y1),
        }
    }

    /// To a thousandth of a point: what is written to a file and to JSON reads back the same.
    #[must_use]
    pub fn rounded(self) -> Self {
        let round = |value: f64| (value * 1000.0).round() / 1000.0;
        Self { x0: round(self.x0), y0: round(self.y0), x1: round(self.x1), y1: round(self.y1) }
    }

    /// Width in points.
    pub fn width(&self) -> f64 {
        self.x1 - self.x0
    }

    /// Height in points.
    pub fn height(&self) -> f64 {
        self.y1 - self.y0
    }

    /// Whether the two share an area.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.x0 < other.x1 && other.x0 < self.x1 && self.y0 < other.y1 && other.y0 < self.y1
    }

    /// The common area, if there is one.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let both = Self {
            x0: self.x0.max(other.x0),
            y0: self.y0.max(other.y0),
            x1: self.x1.min(other.x1),
            y1: self.y1.min(other.y1),
        };
        (both.x0 < both.x1 && both.y0 < both.y1).then_some(both)
    }

    /// From `[x0 y0 x1 y1]`.
    pub fn from_object(object: &Object) -> Option<Self> {
        let [a, b, c, d] = object.as_array()? else { return None };
        let rect = Self { x0: a.as_number()?, y0: b.as_number()?, x1: c.as_number()?, y1: d.as_number()? };
        Some(rect.normalised())
    }

    /// As `[x0 y0 x1 y1]`, to a thousandth of a point.
    pub fn to_object(&self) -> Object {
        let rect = self.rounded();
        Object::Array([rect.x0, rect.y0, rect.x1, rect.y1].map(Object::Real).to_vec())
    }
}

/// A page with what it inherits.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The page object.
    pub id: ObjRef,
    /// Its dictionary as written.
    pub dict: Dict,
    /// The visible part: crop box within media box.
    pub visible: Rect,
    /// Clockwise rotation when displayed: 0, 90, 180 or 270.
    pub rotate: u16,
    /// `/Resources`, resolved one level.
    pub resources: Dict,
}

impl Page {
    /// Width and height as displayed.
    pub fn displayed_size(&self) -> (f64, f64) {
        let (width, height) = (self.visible.width(), self.visible.height());
        if self.rotate % 180 == 90 { (height, width) } else { (width, height) }
    }

    /// From displayed coordinates (origin at the lower left corner of what is seen) to the page's own.
    pub fn to_page(&self, shown: Rect) -> Rect {
        let v = &self.visible;
        let point = |x: f64, y: f64| match self.rotate {
            90 => (v.x1 - y, v.y0 + x),
            180 => (v.x1 - x, v.y1 - y),
            270 => (v.x0 + y, v.y1 - x),
            _ => (v.x0 + x, v.y0 + y),
        };
        let (a, b) = (point(shown.x0, shown.y0), point(shown.x1, shown.y1));
        Rect { x0: a.0, y0: a.1, x1: b.0, y1: b.1 }.normalised()
    }

    /// From the page's own coordinates to displayed ones.
    pub fn to_displayed(&self, own: Rect) -> Rect {
        let v = &self.visible;
        let point = |x: f64, y: f64| match self.rotate {
            90 => (y - v.y0, v.x1 - x),
            180 => (v.x1 - x, v.y1 - y),
            270 => (v.y1 - y, x - v.x0),
            _ => (x - v.x0, y - v.y0),
        };
        let (a, b) = (point(own.x0, own.y0), point(own.x1, own.y1));
        Rect { x0: a.0, y0: a.1, x1: b.0, y1: b.1 }.normalised()
    }
}

/// What the tree of pages holds.
pub(crate) struct PageTree {
    /// References to all pages in order.
    pub(crate) pages: Vec<ObjRef>,
    /// Whether each of its leaves is a page that can be read.
    pub(crate) whole: bool,
}

impl View<'_, '_> {
    /// References to all pages in order.
    ///
    /// # Errors
    /// [`PdfError::Limit`] for too many pages or too deep a tree; broken branches are left out, as viewers do.
    pub fn pages(&self) -> Result<Vec<ObjRef>, PdfError> {
        self.page_tree().map(|tree| tree.pages)
    }

    /// The pages, and whether the tree has branches that are none.
    ///
    /// # Errors
    /// As [`View::pages`].
    pub(crate) fn page_tree(&self) -> Result<PageTree, PdfError> {
        let limits = self.file().limits();
        let root = self.root()?;
        let (mut pages, mut whole) = (Vec::new(), true);
        let mut seen = HashSet::new();
        let mut stack: Vec<(Object, usize)> =
            root.get("Pages").map(|pages| (pages.clone(), 0)).into_iter().collect();
        while let Some((node, depth)) = stack.pop() {
            let Object::Ref(id) = node else {
                whole = false;
                continue;
            };
            if !seen.insert(id) {
                return Err(PdfError::Wrong("the page tree (one node occurs twice)"));
            }
            if depth > limits.depth {
                return Err(PdfError::Limit("the page tree is too deep"));
            }
            let Ok(Object::Dict(dict)) = self.get(id) else {
                whole = false;
                continue;
            };
            let kids = self.array(&dict, "Kids")?;
            if dict.contains("Kids") {
                stack.extend(kids.into_iter().rev().map(|kid| (kid, depth + 1)));
                // Each stands for a page, or for a tree of pages.
                if stack.len() > 2 * limits.pages {
                    return Err(PdfError::Limit("too many pages"));
                }
            } else if depth > 0 && (dict.is_type(b"Page") || !dict.contains("Type")) {
                pages.push(id);
                if pages.len() > limits.pages {
                    return Err(PdfError::Limit("too many pages"));
                }
            } else {
                whole = false;
            }
        }
        Ok(PageTree { pages, whole })
    }

    /// One page with what it inherits.
    ///
    /// # Errors
    /// [`PdfError::Wrong`] if it is no dictionary; otherwise as [`View::get`]. A missing or empty `/MediaBox` counts
    /// as A4, as viewers do.
    pub fn page(&self, id: ObjRef) -> Result<Page, PdfError> {
        let Object::Dict(dict) = self.get(id)? else { return Err(PdfError::Wrong("a page")) };
        let rect = |object: Object| -> Option<Rect> {
            let items: Option<Vec<Object>> =
                object.as_array()?.iter().map(|item| self.resolve(item).ok()).collect();
            Rect::from_object(&Object::Array(items?)).filter(|r| r.width() > 1.0 && r.height() > 1.0)
        };
        let media = rect(self.inherited(&dict, "MediaBox")?).unwrap_or(A4);
        let crop = rect(self.inherited(&dict, "CropBox")?).and_then(|crop| crop.intersection(&media));
        let turn = self.inherited(&dict, "Rotate")?.as_int().unwrap_or(0).rem_euclid(360);
        let resources = match self.inherited(&dict, "Resources")? {
            Object::Dict(resources) => resources,
            _ => Dict::new(),
        };
        let rotate = u16::try_from(turn / 90 * 90).unwrap_or(0);
        Ok(Page { id, dict, visible: crop.unwrap_or(media), rotate, resources })
    }

    /// An attribute of a page or of the nearest ancestor that has it (7.7.3.4).
    fn inherited(&self, page: &Dict, key: &str) -> Result<Object, PdfError> {
        let mut node = page.clone();
        for _ in 0..self.file().limits().depth {
            let value = self.value(&node, key)?;
            if !value.is_null() {
                return Ok(value);
            }
            match self.value(&node, "Parent")? {
                Object::Dict(parent) => node = parent,
                _ => break,
            }
        }
        Ok(Object::Null)
    }
}

const A4: Rect = Rect { x0: 0.0, y0: 0.0, x1: 595.276, y1: 841.89 };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displayed_coordinates_and_back() {
        for rotate in [0, 90, 180, 270] {
            let visible = Rect { x0: 10.0, y0: 20.0, x1: 110.0, y1: 320.0 };
            let (dict, resources) = (Dict::new(), Dict::new());
            let page = Page { id: ObjRef::new(1), dict, visible, rotate, resources };
            let (width, height) = page.displayed_size();
            assert_eq!((width, height), if rotate % 180 == 0 { (100.0, 300.0) } else { (300.0, 100.0) });
            let shown = Rect::of(0.0, 0.0, 30.0, 10.0);
            let own = page.to_page(shown);
            assert!(own.x0 >= 10.0 && own.x1 <= 110.0 && own.y0 >= 20.0 && own.y1 <= 320.0);
            assert_eq!(page.to_displayed(own), shown);
        }
    }
}
