//! Appearance streams (ISO 32000-2, 12.5.5): a picture, a line of text, or nothing.
//!
//! Every appearance is a form as large as the widget is when displayed, turned by its `/Matrix` against the page's
//! rotation, so that it stands upright.

use std::fmt::Write as _;

use super::{Face, PreparedImage, Undrawable};
use crate::{
    manifest::Part,
    pdf::{Dict, Increment, ObjRef, Object, Rect},
};

/// A form that draws nothing: PDF/A asks every widget for an appearance.
pub(crate) fn empty(out: &mut Increment, size: (f64, f64), rotate: u16) -> ObjRef {
    let form = out.allot();
    out.stream(form, &form_dict(size, rotate, Dict::new()), b"");
    form
}

/// A picture as large as fits, centred.
pub(crate) fn picture(
    out: &mut Increment,
    image: &PreparedImage,
    size: (f64, f64),
    rotate: u16,
    flat: bool,
) -> ObjRef {
    let (width, height) = (f64::from(image.width), f64::from(image.height));
    let scale = (size.0 / width).min(size.1 / height);
    let (width, height) = (width * scale, height * scale);
    let (left, bottom) = ((size.0 - width) / 2.0, (size.1 - height) / 2.0);
    let xobject = image.write(out, flat);
    let mut resources = Dict::new().with("XObject", Dict::new().with("Im", xobject));
    let colour = if flat {
        let [red, green, blue] = image.ink();
        format!("{red:.3} {green:.3} {blue:.3} rg ")
    } else {
        // Ink on ink: the strokes of a signature show through the seal over them.
        let multiply =
            Dict::new().with("Type", Object::name("ExtGState")).with("BM", Object::name("Multiply"));
        resources.set("ExtGState", Dict::new().with("Ink", multiply));
        "/Ink gs ".to_owned()
    };
    let content = format!("q {colour}{width:.3} 0 0 {height:.3} {left:.3} {bottom:.3} cm /Im Do Q");
    let form = out.allot();
    out.stream(form, &form_dict(size, rotate, resources), content.as_bytes());
    form
}

/// What a line of text needs to know.
pub(crate) struct Line<'a> {
    /// The parts and where each goes, relative to the lower left corner of the widget as displayed.
    pub(crate) parts: Vec<(Rect, String)>,
    /// The font object, and the subset its codes come from.
    pub(crate) font: ObjRef,
    /// The subset.
    pub(crate) face: &'a Face,
    /// Size of the type in points, made smaller where a part would not fit.
    pub(crate) points: f64,
    /// Slanted.
    pub(crate) italic: bool,
    /// Where each part stands in its slot.
    pub(crate) align: Align,
}

/// Where text stands in its slot: the quadding of a form field (12.7.4.3, `/Q`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Align {
    /// Behind the label, nothing behind it.
    #[default]
    Left,
    /// In the middle of a blank.
    Centre,
    /// Against what follows it on the page, as `29` against `/QĐ-UBND`.
    Right,
}

impl Align {
    /// The value of `/Q`.
    pub(crate) const fn quadding(self) -> i64 {
        match self {
            Self::Left => 0,
            Self::Centre => 1,
            Self::Right => 2,
        }
    }

    /// What `/Q` says; anything else is the default, as the standard has it.
    pub(crate) const fn from_quadding(quadding: Option<i64>) -> Self {
        match quadding {
            Some(1) => Self::Centre,
            Some(2) => Self::Right,
            _ => Self::Left,
        }
    }
}

/// The default appearance of a text field: the provisioned font in black (12.7.4.3, `/DA`).
pub(crate) fn default_appearance(points: f64) -> String {
    format!("/{} {points} Tf 0 g", super::FORM_FONT_NAME)
}

/// The size of the type that a default appearance names, if it is one to be read.
pub(crate) fn points_of(default_appearance: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(default_appearance).ok()?;
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let operator = words.iter().position(|word| *word == "Tf")?;
    let points: f64 = words.get(operator.checked_sub(1)?)?.parse().ok()?;
    POINTS.contains(&points).then_some(points)
}

/// Text in black, aligned in its slots.
pub(crate) fn typeset(
    out: &mut Increment,
    line: &Line<'_>,
    size: (f64, f64),
    rotate: u16,
) -> Result<ObjRef, Undrawable> {
    let mut content = String::from("/Tx BMC q BT 0 g");
    for (slot, text) in &line.parts {
        let codes = line.face.encode(text)?;
        #[expect(clippy::cast_precision_loss, reason = "widths are a few thousand units")]
        let width = line.face.width(text) as f64 / 1000.0;
        let points = if width * line.points > slot.width() && width > 0.0 {
            slot.width() / width
        } else {
            line.points
        };
        let slant = if line.italic { SLANT } else { 0.0 };
        let room = slot.width() - width * points;
        let x = match line.align {
            Align::Left => slot.x0,
            // Slanted type leans over to the right; its middle is where half a digit's height says.
            Align::Centre => slot.x0 + room / 2.0 - slant * MIDDLE * points,
            Align::Right => slot.x0 + room,
        };
        let y = slot.y0 + BASELINE * line.points;
        let name = super::FORM_FONT_NAME;
        // Writing to a string cannot fail.
        let _ = write!(content, " /{name} {points:.2} Tf 1 0 {slant} 1 {x:.3} {y:.3} Tm <");
        for byte in codes {
            let _ = write!(content, "{byte:02X}");
        }
        content.push_str("> Tj");
    }
    content.push_str(" ET Q EMC");
    let fonts = Dict::new().with(super::FORM_FONT_NAME, line.font);
    let form = out.allot();
    out.stream(form, &form_dict(size, rotate, Dict::new().with("Font", fonts)), content.as_bytes());
    Ok(form)
}

/// The texts of the parts of a field; a date is taken apart where the page has its words already.
pub(crate) fn parts_of(text: &str, wanted: &[Part]) -> Option<Vec<String>> {
    if wanted.iter().all(|part| *part == Part::Whole) {
        return Some(wanted.iter().map(|_| text.to_owned()).collect());
    }
    let numbers: Vec<&str> =
        text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty()).collect();
    let [day, month, year] = numbers.as_slice() else { return None };
    Some(
        wanted
            .iter()
            .map(|part| match part {
                Part::Whole => text.to_owned(),
                Part::Day => (*day).to_owned(),
                Part::Month => (*month).to_owned(),
                Part::Year => (*year).to_owned(),
                Part::YearInCentury => year.get(year.len().saturating_sub(2)..).unwrap_or(year).to_owned(),
            })
            .collect(),
    )
}

pub(super) fn form_dict(size: (f64, f64), rotate: u16, resources: Dict) -> Dict {
    let number = |value: f64| Object::Real((value * 1000.0).round() / 1000.0);
    let mut dict = Dict::new()
        .with("Type", Object::name("XObject"))
        .with("Subtype", Object::name("Form"))
        .with("BBox", vec![Object::Int(0), Object::Int(0), number(size.0), number(size.1)])
        .with("Resources", resources);
    let matrix = match rotate {
        90 => Some([0.0, 1.0, -1.0, 0.0, size.1, 0.0]),
        180 => Some([-1.0, 0.0, 0.0, -1.0, size.0, size.1]),
        270 => Some([0.0, -1.0, 1.0, 0.0, 0.0, size.0]),
        _ => None,
    };
    if let Some(matrix) = matrix {
        dict.set("Matrix", matrix.map(number).to_vec());
    }
    dict
}

/// Sizes of type that make sense on a page of an office.
pub(crate) const POINTS: std::ops::RangeInclusive<f64> = 6.0..=24.0;

/// The baseline above the lower edge of a slot, in parts of the type size: room for the dot below of ạ and ệ. The boxes of
/// words on a page (`pdf::text`) begin as far below their baseline, so that both stand on one line.
pub(crate) const BASELINE: f64 = 0.22;

/// How far slanted type leans, and half the height of its digits, in parts of the type size.
const SLANT: f64 = 0.2;
const MIDDLE: f64 = 0.33;
