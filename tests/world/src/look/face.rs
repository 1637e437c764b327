//! One font face: glyphs, advances and outlines. Liberation Serif (SIL OFL), complete for Vietnamese.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use skrifa::{
    FontRef, GlyphId, MetadataProvider,
    instance::{LocationRef, Size},
    outline::{DrawSettings, OutlinePen},
};
use subsetter::GlyphRemapper;

/// Liberation Serif, metric-compatible with Times New Roman, which Nghị định 30/2020 asks for.
pub(crate) const SERIF: &[u8] = include_bytes!("../../../../crates/pades/assets/LiberationSerif-Regular.ttf");

/// A point in pixels or font units.
pub(crate) type Point = (f32, f32);

/// The face with what is asked of it.
pub(crate) struct Face<'a> {
    font: FontRef<'a>,
    data: &'a [u8],
}

impl<'a> Face<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Result<Self> {
        Ok(Self { font: FontRef::new(data).context("font")?, data })
    }

    /// The glyph of a character.
    pub(crate) fn glyph(&self, character: char) -> Result<GlyphId> {
        self.font.charmap().map(character).with_context(|| format!("the font lacks {character:?}"))
    }

    /// Advance width in thousandths of the font size.
    pub(crate) fn advance(&self, glyph: GlyphId) -> f32 {
        let metrics = self.font.glyph_metrics(Size::new(1000.0), LocationRef::default());
        metrics.advance_width(glyph).unwrap_or(0.0)
    }

    /// Width of a text in the unit of `size`.
    pub(crate) fn width(&self, text: &str, size: f32) -> Result<f32> {
        let mut sum = 0.0;
        for character in text.chars() {
            sum += self.advance(self.glyph(character)?);
        }
        Ok(sum * size / 1000.0)
    }

    /// Contours of a glyph at a size, y upwards, curves flattened.
    pub(crate) fn outline(&self, glyph: GlyphId, size: f32) -> Result<Vec<Vec<Point>>> {
        let mut flat = Flat::default();
        if let Some(outline) = self.font.outline_glyphs().get(glyph) {
            let settings = DrawSettings::unhinted(Size::new(size), LocationRef::default());
            outline.draw(settings, &mut flat).map_err(|error| anyhow!("glyph outline: {error}"))?;
        }
        Ok(flat.contours)
    }

    /// A font file with only these glyphs, and their new numbers.
    pub(crate) fn subset(&self, characters: &BTreeMap<char, GlyphId>) -> Result<(Vec<u8>, GlyphRemapper)> {
        let mut mapper = GlyphRemapper::new();
        for glyph in characters.values() {
            mapper.remap(u16::try_from(glyph.to_u32())?);
        }
        let font = subsetter::subset(self.data, 0, &mapper).map_err(|error| anyhow!("subset: {error:?}"))?;
        Ok((font, mapper))
    }
}

/// Collects contours with curves cut into eight lines.
#[derive(Default)]
struct Flat {
    contours: Vec<Vec<Point>>,
}

impl Flat {
    fn last(&self) -> Point {
        self.contours.last().and_then(|contour| contour.last()).copied().unwrap_or_default()
    }

    fn push(&mut self, point: Point) {
        if let Some(contour) = self.contours.last_mut() {
            contour.push(point);
        }
    }
}

impl OutlinePen for Flat {
    fn move_to(&mut self, x: f32, y: f32) {
        self.contours.push(vec![(x, y)]);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.push((x, y));
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        let (x0, y0) = self.last();
        for step in 1..=8u8 {
            let t = f32::from(step) / 8.0;
            let u = 1.0 - t;
            self.push((u * u * x0 + 2.0 * u * t * cx + t * t * x, u * u * y0 + 2.0 * u * t * cy + t * t * y));
        }
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        let start = self.last();
        for step in 1..=8u8 {
            self.push(cubic([start, (ax, ay), (bx, by), (x, y)], f32::from(step) / 8.0));
        }
    }

    fn close(&mut self) {}
}

/// A point on a cubic Bézier curve.
pub(crate) fn cubic([p0, p1, p2, p3]: [Point; 4], t: f32) -> Point {
    let u = 1.0 - t;
    let weights = [u * u * u, 3.0 * u * u * t, 3.0 * u * t * t, t * t * t];
    [p0, p1, p2, p3]
        .iter()
        .zip(weights)
        .fold((0.0, 0.0), |(x, y), (point, weight)| (x + point.0 * weight, y + point.1 * weight))
}
