//! A stamp: words in a frame of one line, both in bright red (đỏ tươi).

use std::fmt::Write as _;

use super::{FORM_FONT_NAME, Face, Undrawable, appearance::form_dict};
use crate::pdf::{Dict, Increment, ObjRef};

/// The words in the middle of a frame that is as large as the stamp, its line included.
pub(crate) fn framed(
    out: &mut Increment,
    (font, face): (ObjRef, &Face),
    (words, points): (&str, f64),
    size: (f64, f64),
    rotate: u16,
) -> Result<ObjRef, Undrawable> {
    let codes = face.encode(words)?;
    #[expect(clippy::cast_precision_loss, reason = "widths are some thousand units")]
    let width = face.width(words) as f64 / 1000.0 * points;
    let x = (size.0 - width) / 2.0;
    let y = (size.1 - face.cap_height() * points) / 2.0;
    let (inner_width, inner_height) = (size.0 - LINE, size.1 - LINE);
    let half = LINE / 2.0;
    let mut content = format!(
        "q {RED} RG {LINE} w {half} {half} {inner_width:.3} {inner_height:.3} re S \
         BT {RED} rg /{FORM_FONT_NAME} {points} Tf {x:.3} {y:.3} Td <"
    );
    for byte in codes {
        // Writing to a string cannot fail.
        let _ = write!(content, "{byte:02X}");
    }
    content.push_str("> Tj ET Q");
    let fonts = Dict::new().with(FORM_FONT_NAME, font);
    let form = out.allot();
    out.stream(form, &form_dict(size, rotate, Dict::new().with("Font", fonts)), content.as_bytes());
    Ok(form)
}

const RED: &str = "1 0 0";

/// Width of the frame's line in points.
const LINE: f64 = 1.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::urgency::Urgency;

    #[test]
    fn the_words_fit_their_frames() {
        for urgency in Urgency::ALL {
            let face = Face::bold(urgency.words().chars()).unwrap();
            let (width, height) = urgency.size();
            let words =
                f64::from(u16::try_from(face.width(urgency.words())).unwrap()) / 1000.0 * Urgency::POINTS;
            assert!(words + 2.0 * LINE + 2.0 < width, "{urgency:?}: {words} of {width}");
            assert!(1.5 * face.cap_height() * Urgency::POINTS < height, "{urgency:?}");
        }
    }
}
