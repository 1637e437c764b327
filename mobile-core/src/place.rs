//! Where number and date may be filled in: ô 3 and ô 4 of page 1 (NĐ 30/2020, Phụ lục I, Phần I, Mục IV).
//!
//! ```text
//!  ┌───────────────┬────────────────┐   Ô 3 (số, ký hiệu) stands in the left half under the issuing organisation,
//!  │ 2  cơ quan    │ 1  quốc hiệu   │   ô 4 (địa danh, ngày tháng năm) in the right half under the national title,
//!  │ 3  Số: …      │ 4  …, ngày …   │   both on one line in the upper third of page 1.
//!  ├───────────────┴────────────────┤
//! ```
//!
//! The decree gives no coordinates, and an organisation's name may take several lines. So a place is a part of the page, not
//! a point: wide enough for every letterhead of that layout, too high and too narrow to reach the text of the document.

/// A rectangle in points from the lower left corner of the page as displayed: x, y, width, height.
pub(crate) type Rect = [f64; 4];

/// A declared field that the clerk fills in later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filled {
    /// Ô 3.
    Number,
    /// Ô 4.
    Date,
}

/// Whether a field of that kind lies within its ô on a page of that size. `page` counts from 1.
pub(crate) fn is_in_place(filled: Filled, page: u32, rect: Rect, page_size: [f64; 2]) -> bool {
    let [x, y, width, height] = rect;
    let [page_width, page_height] = page_size;
    // NaN fails every comparison, so a rectangle that is no rectangle lies nowhere.
    let (left, right) = match filled {
        Filled::Number => (0.0, page_width * LEFT_COLUMN_ENDS),
        Filled::Date => (page_width * RIGHT_COLUMN_BEGINS, page_width),
    };
    page == 1
        && width > 0.0
        && height > 0.0
        && height <= page_height * TALLEST
        && x >= left
        && x + width <= right
        && y >= page_height * LOWEST
        && y + height <= page_height
}

/// The number may reach a little over the middle: long notations do.
const LEFT_COLUMN_ENDS: f64 = 0.55;
/// The date may begin a little before the middle: long place names do.
const RIGHT_COLUMN_BEGINS: f64 = 0.35;
/// The upper third.
const LOWEST: f64 = 2.0 / 3.0;
/// Two lines of 14 points on A4, with room.
const TALLEST: f64 = 0.06;

#[cfg(test)]
mod tests {
    use super::*;

    const A4: [f64; 2] = [595.0, 842.0];

    #[test]
    fn the_usual_places_are_in_place() {
        assert!(is_in_place(Filled::Number, 1, [110.0, 735.0, 120.0, 18.0], A4));
        assert!(is_in_place(Filled::Date, 1, [330.0, 735.0, 210.0, 18.0], A4));
    }

    #[test]
    fn another_page_column_third_or_shape_is_not() {
        let number = [110.0, 735.0, 120.0, 18.0];
        assert!(!is_in_place(Filled::Number, 2, number, A4));
        assert!(!is_in_place(Filled::Date, 1, number, A4));
        assert!(!is_in_place(Filled::Number, 1, [330.0, 735.0, 210.0, 18.0], A4));
        assert!(!is_in_place(Filled::Number, 1, [110.0, 400.0, 120.0, 18.0], A4));
        assert!(!is_in_place(Filled::Number, 1, [110.0, 735.0, 120.0, 100.0], A4));
        assert!(!is_in_place(Filled::Number, 1, [110.0, 735.0, 0.0, 18.0], A4));
        assert!(!is_in_place(Filled::Number, 1, [-5.0, 735.0, 120.0, 18.0], A4));
        assert!(!is_in_place(Filled::Number, 1, [f64::NAN, 735.0, 120.0, 18.0], A4));
        assert!(!is_in_place(Filled::Number, 1, [110.0, 830.0, 120.0, 18.0], A4));
    }
}
