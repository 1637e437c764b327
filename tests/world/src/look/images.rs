//! A leader's signature (blue strokes) and the office's seal (red, 36 mm across), both on a transparent ground.
//!
//! Colours and size follow Nghị định 30/2020 (chữ ký số của người có thẩm quyền: màu xanh; dấu cơ quan: màu đỏ, kích
//! thước thực tế của dấu). The seal says that it is for testing.

use std::f32::consts::{PI, TAU};

use anyhow::Result;

use super::{
    face::{Face, Point, SERIF, cubic},
    raster::Canvas,
};
use crate::keys::sha256;

const BLUE: [u8; 3] = [0x12, 0x3c, 0xb4];
const RED: [u8; 3] = [0xd6, 0x1a, 0x1a];
/// 36 mm at 300 dpi.
const SEAL: u16 = 425;

/// A signature that looks different for everybody: loops and a flourish whose shape comes from the name.
pub(crate) fn signature(name: &str) -> Result<Vec<u8>> {
    let seed = sha256(name.as_bytes());
    let vary = |index: usize, low: f32, high: f32| {
        low + (high - low) * f32::from(seed.get(index % 32).copied().unwrap_or(0)) / 255.0
    };
    let mut canvas = Canvas::new(600, 260);
    let mut at: Point = (50.0, vary(0, 120.0, 170.0));
    let loops: u8 = 4 + seed.first().map_or(0, |byte| byte % 3);
    for step in 0..loops {
        let index = usize::from(step) * 5;
        let next = (at.0 + vary(index + 1, 60.0, 95.0), vary(index + 2, 110.0, 180.0));
        let up = vary(index + 3, 20.0, 90.0);
        let lean = vary(index + 4, -50.0, 30.0);
        stroke(&mut canvas, [at, (at.0 + 90.0 + lean, up), (next.0 - 110.0 + lean, up), next], 3.4);
        at = next;
    }
    let sweep = vary(30, 195.0, 235.0);
    stroke(&mut canvas, [at, (at.0 + 60.0, sweep), (120.0, sweep + 20.0), (90.0, sweep - 20.0)], 2.8);
    stroke(
        &mut canvas,
        [(90.0, sweep - 20.0), (220.0, sweep - 45.0), (430.0, sweep - 30.0), (555.0, sweep - 60.0)],
        2.2,
    );
    canvas.png(BLUE)
}

/// A pen stroke along a curve, thinner towards its ends.
fn stroke(canvas: &mut Canvas, curve: [Point; 4], width: f32) {
    let steps = 64u8;
    for step in 0..steps {
        let [t0, t1] = [step, step + 1].map(|step| f32::from(step) / f32::from(steps));
        let (from, to) = (cubic(curve, t0), cubic(curve, t1));
        let half = width * (0.45 + 0.75 * (t0 * PI).sin());
        let length = (to.0 - from.0).hypot(to.1 - from.1).max(0.001);
        let normal = (-(to.1 - from.1) / length * half, (to.0 - from.0) / length * half);
        canvas.fill(&[vec![
            (from.0 + normal.0, from.1 + normal.1),
            (to.0 + normal.0, to.1 + normal.1),
            (to.0 - normal.0, to.1 - normal.1),
            (from.0 - normal.0, from.1 - normal.1),
        ]]);
        canvas.fill(&[circle(to, half, false)]);
    }
}

/// The seal: two rings, the names around, a star in the middle.
pub(crate) fn seal(around: &str, below: &str) -> Result<Vec<u8>> {
    let size = f32::from(SEAL);
    let centre = (size / 2.0, size / 2.0);
    let mut canvas = Canvas::new(usize::from(SEAL), usize::from(SEAL));
    for (outer, inner) in [(0.495, 0.478), (0.462, 0.455), (0.305, 0.298)] {
        canvas.fill(&[circle(centre, outer * size, false), circle(centre, inner * size, true)]);
    }
    let face = Face::new(SERIF)?;
    ring_text(&mut canvas, &face, around, centre, 0.352 * size, 31.0, false)?;
    ring_text(&mut canvas, &face, below, centre, 0.408 * size, 24.0, true)?;
    canvas.fill(&[star(centre, 0.15 * size)]);
    for (text, height) in [("MẪU", 0.21), ("THỬ NGHIỆM", -0.205)] {
        let left = centre.0 - face.width(text, 25.0)? / 2.0;
        line_text(&mut canvas, &face, text, (left, centre.1 - height * size + 9.0), 25.0)?;
    }
    canvas.png(RED)
}

/// Text along a circle: over the top clockwise, or along the bottom so that it is read upright.
fn ring_text(
    canvas: &mut Canvas,
    face: &Face<'_>,
    text: &str,
    centre: Point,
    radius: f32,
    size: f32,
    bottom: bool,
) -> Result<()> {
    let spread = face.width(text, size)? / radius;
    let mut angle = if bottom { PI + spread / 2.0 } else { -spread / 2.0 };
    for character in text.chars() {
        let glyph = face.glyph(character)?;
        let advance = face.advance(glyph) * size / 1000.0;
        let turn = if bottom { -advance / radius } else { advance / radius };
        let middle = angle + turn / 2.0;
        // The angle is measured from the top, clockwise; the glyph stands on the circle.
        let foot = (centre.0 + radius * middle.sin(), centre.1 - radius * middle.cos());
        let lean = if bottom { middle - PI } else { middle };
        let place = |(x, y): Point| {
            let (x, y) = (x - advance / 2.0, -y);
            (foot.0 + x * lean.cos() - y * lean.sin(), foot.1 + x * lean.sin() + y * lean.cos())
        };
        let contours: Vec<Vec<Point>> = face
            .outline(glyph, size)?
            .into_iter()
            .map(|contour| contour.into_iter().map(place).collect())
            .collect();
        canvas.fill(&contours);
        angle += turn;
    }
    Ok(())
}

fn line_text(canvas: &mut Canvas, face: &Face<'_>, text: &str, start: Point, size: f32) -> Result<()> {
    let mut at = start.0;
    for character in text.chars() {
        let glyph = face.glyph(character)?;
        let contours: Vec<Vec<Point>> = face
            .outline(glyph, size)?
            .into_iter()
            .map(|contour| contour.into_iter().map(|(x, y)| (at + x, start.1 - y)).collect())
            .collect();
        canvas.fill(&contours);
        at += face.advance(glyph) * size / 1000.0;
    }
    Ok(())
}

fn circle(centre: Point, radius: f32, reversed: bool) -> Vec<Point> {
    let steps = 180u8;
    let direction = if reversed { -1.0 } else { 1.0 };
    (0..steps)
        .map(|step| {
            let angle = direction * TAU * f32::from(step) / f32::from(steps);
            (centre.0 + radius * angle.cos(), centre.1 + radius * angle.sin())
        })
        .collect()
}

fn star(centre: Point, radius: f32) -> Vec<Point> {
    (0..10u8)
        .map(|corner| {
            let reach = if corner % 2 == 0 { radius } else { radius * 0.382 };
            let angle = TAU * f32::from(corner) / 10.0;
            (centre.0 + reach * angle.sin(), centre.1 - reach * angle.cos())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(png: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.width, info.height, pixels)
    }

    #[test]
    fn the_seal_is_red_round_and_transparent() {
        let (width, height, pixels) =
            decode(&seal("ỦY BAN NHÂN DÂN PHƯỜNG MƯỜNG THANH", "TỈNH TƯỞNG TƯỢNG").unwrap());
        assert_eq!((width, height), (425, 425));
        let inked = pixels.chunks(4).filter(|pixel| pixel[3] > 200).count();
        assert!((15_000..80_000).contains(&inked), "{inked}");
        assert_eq!((pixels[3], &pixels[..3]), (0, &RED[..]), "the corner is clear");
    }

    #[test]
    fn signatures_differ_by_name() {
        let [first, second] =
            ["Trần Quốc Cường", "Lường Thị Phượng"].map(|name| decode(&signature(name).unwrap()).2);
        assert_ne!(first, second);
        let inked = first.chunks(4).filter(|pixel| pixel[3] > 200).count();
        assert!((2_000..30_000).contains(&inked), "{inked}");
    }
}
