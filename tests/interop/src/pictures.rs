//! A handwritten stroke in blue and a round seal in red, on transparent ground.

use anyhow::Result;
use trinhky_pades::PreparedImage;

/// Both, ready to be written.
pub(crate) struct Pictures {
    pub(crate) hand: PreparedImage,
    pub(crate) seal: PreparedImage,
}

impl Pictures {
    pub(crate) fn draw() -> Result<Self> {
        // A wave that crosses the whole width.
        let hand = png(240, 100, [20, 40, 200], |x, y| {
            (y - 0.5 - 0.35 * (x * std::f64::consts::TAU * 2.0).sin()).abs() < 0.04
        })?;
        // Two rings and a bar.
        let seal = png(200, 200, [210, 20, 30], |x, y| {
            let from_middle = (x - 0.5).hypot(y - 0.5);
            (0.46..0.5).contains(&from_middle)
                || (0.30..0.32).contains(&from_middle)
                || ((y - 0.5).abs() < 0.03 && from_middle < 0.3)
        })?;
        Ok(Self { hand: PreparedImage::from_png(&hand)?, seal: PreparedImage::from_png(&seal)? })
    }
}

fn png(width: u32, height: u32, colour: [u8; 3], inked: impl Fn(f64, f64) -> bool) -> Result<Vec<u8>> {
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (x, y) = (f64::from(x) / f64::from(width), f64::from(y) / f64::from(height));
            pixels.extend(colour);
            pixels.push(if inked(x, y) { 255 } else { 0 });
        }
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(bytes)
}
