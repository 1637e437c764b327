//! The organisation's signature where it shows no seal: on an attachment in a file of its own, and on an electronic copy
//! of a paper (NĐ 30/2020 Phụ lục I, Phần I Mục II.8.b and III.1.d; Phần II Mục I.3).
//!
//! Top right of page 1, no picture, Times upright 10 points in black. The decree asks for the time by ISO 8601 with the
//! zone of Việt Nam and says no more; the strict form is taken. It is the time that the signature claims.

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, UtcOffset};

use crate::{
    look::{Face, Undrawable},
    pdf::Rect,
};

/// What stands in the corner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// On an attachment in a file of its own.
    Attachment {
        /// Số, ký hiệu of the document it belongs to, as `29/2021/QĐ-UBND`.
        number: String,
    },
    /// On an electronic copy of a paper.
    Copy {
        /// The kind of copy.
        form: CopyForm,
        /// Who copies.
        organisation: String,
    },
}

/// The kinds of copies (NĐ 30/2020 Điều 25).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CopyForm {
    /// Sao y.
    SaoY,
    /// Sao lục.
    SaoLuc,
    /// Trích sao.
    TrichSao,
}

impl CopyForm {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SaoY => "Sao y",
            Self::SaoLuc => "Sao lục",
            Self::TrichSao => "Trích sao",
        }
    }
}

impl Mark {
    /// Size of the type.
    pub const POINTS: f64 = 10.0;

    /// The lines of the mark on something signed at this time.
    ///
    /// ```
    /// # use trinhky_pades::mark::Mark;
    /// let mark = Mark::Attachment { number: "29/2021/QĐ-UBND".into() };
    /// let at = time::macros::datetime!(2021-12-14 02:03:04 UTC);
    /// assert_eq!(mark.lines(at), ["29/2021/QĐ-UBND", "2021-12-14T09:03:04+07:00"]);
    /// ```
    pub fn lines(&self, signed_at: OffsetDateTime) -> Vec<String> {
        let time = iso_8601(signed_at);
        match self {
            Self::Attachment { number } => vec![number.clone(), time],
            Self::Copy { form, organisation } => vec![form.name().to_owned(), organisation.clone(), time],
        }
    }

    /// Where it goes on a page of this displayed size: in the corner, inside the margin, as wide as its longest line.
    ///
    /// # Errors
    /// [`Undrawable`] if the typeface lacks a character.
    pub(crate) fn place(lines: &[String], (width, height): (f64, f64)) -> Result<Rect, Undrawable> {
        let mut longest = 0;
        for line in lines {
            longest = longest.max(Face::of(line.chars())?.width(line));
        }
        #[expect(clippy::cast_precision_loss, reason = "widths are some thousand units, lines are three")]
        let (wanted, high) = (longest as f64 / 1000.0 * Self::POINTS + 1.0, lines.len() as f64 * Self::LINE);
        let wide = wanted.min(width - 2.0 * MARGIN);
        Ok(Rect::of(width - MARGIN - wide, height - MARGIN - high, wide, high))
    }

    /// Slots of the lines in a widget of this size, the first on top.
    pub(crate) fn slots(lines: Vec<String>, (width, height): (f64, f64)) -> Vec<(Rect, String)> {
        let tops = std::iter::successors(Some(height), |top| Some(top - Self::LINE));
        let slots = tops.map(|top| Rect::of(0.0, top - Self::LINE, width, Self::LINE));
        slots.zip(lines).collect()
    }

    /// From one line to the next.
    const LINE: f64 = 1.2 * Self::POINTS;
}

/// `2021-12-14T09:03:04+07:00`: Việt Nam has one zone and no summer time.
fn iso_8601(at: OffsetDateTime) -> String {
    let hanoi = UtcOffset::from_hms(7, 0, 0).unwrap_or(UtcOffset::UTC);
    let at = at.to_offset(hanoi);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}+07:00",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// 10 mm: printers reach it, and the head of the document, which begins at 20 mm, stays clear.
const MARGIN: f64 = 28.35;

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_copy_says_its_form_who_and_when() {
        let mark =
            Mark::Copy { form: CopyForm::SaoLuc, organisation: "UBND phường Mường Thanh".into() };
        assert_eq!(
            mark.lines(datetime!(2026-02-05 17:30 UTC)),
            ["Sao lục", "UBND phường Mường Thanh", "2026-02-06T00:30:00+07:00"]
        );
    }

    #[test]
    fn it_stands_in_the_corner_whatever_its_length() {
        for name in ["Sở", &"Ủy ban nhân dân ".repeat(30)] {
            let mark = Mark::Copy { form: CopyForm::SaoY, organisation: name.to_owned() };
            let lines = mark.lines(OffsetDateTime::UNIX_EPOCH);
            let rect = Mark::place(&lines, (595.0, 842.0)).unwrap();
            assert!((rect.x1 - (595.0 - MARGIN)).abs() < 0.01 && (rect.y1 - (842.0 - MARGIN)).abs() < 0.01);
            assert!(rect.x0 >= MARGIN - 0.01, "{rect:?}");
            let slots = Mark::slots(lines, (rect.width(), rect.height()));
            assert!(slots.iter().all(|(slot, _)| slot.y0 >= -0.01), "{slots:?}");
        }
    }
}
