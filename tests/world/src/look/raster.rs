//! Filling polygons into a grey coverage map (non-zero winding, 4 × 4 samples per pixel), and writing it as a PNG.

use anyhow::Result;

use super::face::Point;

const SAMPLES: usize = 4;

/// A picture in one ink on a transparent ground.
pub(crate) struct Canvas {
    width: usize,
    height: usize,
    /// Samples hit per pixel, at most `SAMPLES²`.
    hits: Vec<u8>,
}

impl Canvas {
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self { width, height, hits: vec![0; width * height] }
    }

    /// Fills contours (pixels, y downwards). Contours of one call combine by non-zero winding; calls add up.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "pixel coordinates are small and clamped to the canvas"
    )]
    pub(crate) fn fill(&mut self, contours: &[Vec<Point>]) {
        let mut crossings: Vec<(f32, i32)> = Vec::new();
        let bounds = contours
            .iter()
            .flatten()
            .fold((f32::MAX, f32::MIN), |(low, high), point| (low.min(point.1), high.max(point.1)));
        let first = bounds.0.max(0.0) as usize;
        let last = (bounds.1.max(0.0).ceil() as usize).min(self.height);
        for row in first..last {
            for sample in 0..SAMPLES {
                let y = row as f32 + (sample as f32 + 0.5) / SAMPLES as f32;
                crossings.clear();
                for contour in contours {
                    let next = contour.iter().skip(1).chain(contour.first());
                    for (from, to) in contour.iter().zip(next) {
                        if (from.1 <= y) != (to.1 <= y) {
                            let x = from.0 + (y - from.1) / (to.1 - from.1) * (to.0 - from.0);
                            crossings.push((x, if from.1 <= y { 1 } else { -1 }));
                        }
                    }
                }
                crossings.sort_by(|a, b| a.0.total_cmp(&b.0));
                let mut winding = 0;
                for (here, there) in crossings.iter().zip(crossings.iter().skip(1)) {
                    winding += here.1;
                    if winding != 0 {
                        self.span(row, here.0, there.0);
                    }
                }
            }
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "pixel coordinates are small and clamped to the canvas"
    )]
    fn span(&mut self, row: usize, from: f32, to: f32) {
        let grid = |x: f32| (x * SAMPLES as f32).round().clamp(0.0, (self.width * SAMPLES) as f32) as usize;
        for sample in grid(from)..grid(to) {
            if let Some(pixel) = self.hits.get_mut(row * self.width + sample / SAMPLES) {
                *pixel = (*pixel + 1).min((SAMPLES * SAMPLES) as u8);
            }
        }
    }

    /// An RGBA PNG at 300 dpi.
    pub(crate) fn png(&self, ink: [u8; 3]) -> Result<Vec<u8>> {
        let mut pixels = Vec::with_capacity(self.hits.len() * 4);
        for hits in &self.hits {
            pixels.extend_from_slice(&ink);
            pixels.push(hits.saturating_mul(16));
        }
        let mut out = Vec::new();
        let mut encoder =
            png::Encoder::new(&mut out, u32::try_from(self.width)?, u32::try_from(self.height)?);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        let per_metre = 11811;
        encoder.set_pixel_dims(Some(png::PixelDimensions {
            xppu: per_metre,
            yppu: per_metre,
            unit: png::Unit::Meter,
        }));
        encoder.write_header()?.write_image_data(&pixels)?;
        Ok(out)
    }
}
