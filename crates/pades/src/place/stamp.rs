//! Where the stamp of urgency goes (ô 10b): the nearest room below number and symbol in the left half of the page, below
//! what stands there already (`V/v …`, ô 5b), and never over words, fields or notes.

use super::{LINE, Placed, Sheet, number_area, texts::is_label};
use crate::{
    intake::Refusal,
    manifest::FieldKind,
    pdf::{ObjRef, Rect, View},
    provision::PagePlace,
    urgency::UrgencyStamp,
};

/// A stamp with its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamped {
    pub(crate) stamp: UrgencyStamp,
    pub(crate) at: PagePlace,
    pub(crate) page_id: ObjRef,
}

/// Places the stamp among the words of the page and the fields that were placed before.
///
/// # Errors
/// [`Refusal::NoRoom`] if it would cover something wherever it went, [`Refusal::OffPage`].
pub(crate) fn stamp(
    view: &View<'_, '_>,
    pages: &[ObjRef],
    stamp: UrgencyStamp,
    placed: &[Placed],
) -> Result<Stamped, Refusal> {
    let page = stamp.place.map_or(1, |place| place.page);
    let index = usize::try_from(page).ok().and_then(|page| page.checked_sub(1));
    let off_page = || Refusal::OffPage { field: NAME.to_owned() };
    let id = *index.and_then(|index| pages.get(index)).ok_or_else(off_page)?;
    let mut sheet = Sheet::read(view, id)?;
    sheet.take_annotations(view)?;
    let here = || placed.iter().filter(|field| field.page == page);
    sheet.taken.extend(here().map(|field| field.rect));
    let (width, height) = stamp.urgency.size();
    let rect = if let Some(PagePlace { rect, .. }) = stamp.place {
        let (x, y) = (f64::midpoint(rect.x0, rect.x1), f64::midpoint(rect.y0, rect.y1));
        Some(Rect::of(x - width / 2.0, y - height / 2.0, width, height)).filter(|rect| sheet.has_room(rect))
    } else {
        let number = here().find(|field| field.kind == FieldKind::Number).map(|field| field.rect);
        sheet.below(sheet.number_line(number), width, height)
    };
    let rect = rect.ok_or(Refusal::NoRoom { what: NAME })?.rounded();
    sheet.check(rect, NAME)?;
    Ok(Stamped { stamp, at: PagePlace { page, rect }, page_id: sheet.page.id })
}

impl Sheet {
    /// What of the left column stands on the line of number and symbol, the field for them included.
    fn number_line(&self, field: Option<Rect>) -> Rect {
        let area = number_area(self.width, self.height);
        let words = || self.lines.iter().flat_map(|line| &line.words).map(|word| (word, word.rect));
        let label = || {
            let mut pieces = self.lines.iter().flat_map(|line| line.pieces(false)).map(|(_, piece)| piece);
            pieces.find(|piece| is_label(&piece.text) && piece.rect.overlaps(&area)).map(|piece| piece.rect)
        };
        let line = field.or_else(label).unwrap_or_else(|| self.sheet_rect(85.0, 113.0, 160.0, LINE));
        let level = |rect: &Rect| rect.y0 < line.y1 && rect.y1 > line.y0 && rect.x1 < self.width / 2.0;
        let beside = words().map(|(_, rect)| rect).filter(level);
        let line = Rect { x1: line.x1.min(self.width / 2.0), ..line };
        beside.fold(line, |line, word| Rect {
            x0: line.x0.min(word.x0),
            x1: line.x1.max(word.x1),
            y0: line.y0.min(word.y0),
            ..line
        })
    }

    /// The nearest room of this size below a line: in its middle, else to its sides within the left half, else lower, down
    /// to the middle of the page.
    fn below(&self, line: Rect, width: f64, height: f64) -> Option<Rect> {
        let words = self.lines.iter().flat_map(|line| &line.words).map(|word| word.rect.x0);
        let left = words.fold(line.x0, f64::min).max(0.0);
        let right = (self.width / 2.0).max(left + width).min(self.width) - width;
        let middle = (f64::midpoint(line.x0, line.x1) - width / 2.0).clamp(left.min(right), right.max(left));
        let mut y = line.y0 - CLEAR - height;
        let mut tries = self.tries();
        while y >= self.height / 2.0 {
            let mut aside = 0.0;
            while aside <= right - left {
                tries = tries.checked_sub(1)?;
                for x in [middle - aside, middle + aside] {
                    let rect = Rect::of(x, y, width, height);
                    if x >= left && x <= right && self.has_room(&rect) {
                        return Some(rect);
                    }
                }
                aside += STEP;
            }
            y -= STEP;
        }
        None
    }

    /// Whether nothing stands where the stamp goes, or close to it.
    fn has_room(&self, rect: &Rect) -> bool {
        let clear =
            Rect { x0: rect.x0 - CLEAR, y0: rect.y0 - CLEAR, x1: rect.x1 + CLEAR, y1: rect.y1 + CLEAR };
        self.is_free(&clear)
    }
}

/// What the stamp is called where it cannot be placed.
const NAME: &str = "urgency";

/// Kept free around it, in points.
const CLEAR: f64 = 3.0;

const STEP: f64 = 2.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ProvisionPlan, Provisioned, ingest,
        pdf::{File, Limits},
        place::tests::page,
        provision,
        urgency::Urgency,
    };

    fn stamped(bytes: &[u8], urgency: Urgency, place: Option<PagePlace>) -> Result<Provisioned, Refusal> {
        let taken = ingest(&bytes, &Limits::default()).unwrap();
        let urgency = Some(UrgencyStamp { urgency, place });
        provision(&bytes, &taken, &ProvisionPlan { urgency, ..ProvisionPlan::standard(1) }, &mut Vec::new())
    }

    fn covers_text(bytes: &[u8], rect: &Rect) -> bool {
        let file = File::open(&bytes, &Limits::default()).unwrap();
        let view = file.latest();
        let page = view.page(view.pages().unwrap()[0]).unwrap();
        view.text_lines(&page).iter().flat_map(|line| &line.words).any(|word| word.rect.overlaps(rect))
    }

    const HEAD: [(f64, f64, &str); 3] = [
        (90.0, 760.0, "ỦY BAN NHÂN DÂN TỈNH"),
        (100.0, 740.0, "Số:            /UBND-VX"),
        (300.0, 740.0, "Hà Nội, ngày       tháng       năm 2021"),
    ];

    #[test]
    fn it_stands_below_the_number() {
        for urgency in Urgency::ALL {
            let bytes = page(&HEAD, 0);
            let made = stamped(&bytes, urgency, None).unwrap();
            let PagePlace { page: 1, rect } = made.urgency.unwrap() else { panic!("page 1") };
            let (width, height) = urgency.size();
            assert!((rect.width() - width).abs() < 0.01 && (rect.height() - height).abs() < 0.01);
            let number = made.manifest.field("DocNumber").unwrap().rect;
            assert!(rect.y1 < number.y0 && number.y0 - rect.y1 < 12.0, "{rect:?} {number:?}");
            // In the middle of "Số:            /UBND-VX".
            let middle = f64::midpoint(rect.x0, rect.x1);
            assert!((150.0..200.0).contains(&middle), "{middle}");
            assert!(!covers_text(&bytes, &rect));
        }
    }

    #[test]
    fn it_stands_below_what_a_letter_is_about() {
        let about = [(95.0, 720.0, "V/v triển khai nhiệm vụ"), (95.0, 704.0, "phòng, chống thiên tai")];
        let bytes = page(&[&HEAD[..], &about].concat(), 0);
        let made = stamped(&bytes, Urgency::Flash, None).unwrap();
        let rect = made.urgency.unwrap().rect;
        assert!(rect.y1 < 704.0 && rect.y1 > 680.0 && !covers_text(&bytes, &rect), "{rect:?}");
    }

    #[test]
    fn where_there_is_no_room_it_is_refused() {
        let full: Vec<(f64, f64, &str)> = (0..25)
            .map(|n| {
                (80.0, 720.0 - 16.0 * f64::from(n), "Căn cứ Luật Tổ chức chính quyền địa phương ngày 19")
            })
            .collect();
        let bytes = page(&[&HEAD[..], &full].concat(), 0);
        let refused = stamped(&bytes, Urgency::Urgent, None).unwrap_err();
        assert_eq!((&refused, refused.code()), (&Refusal::NoRoom { what: "urgency" }, "no_room"));
        // A person finds some elsewhere; not over words either.
        let place = |x, y| Some(PagePlace { page: 1, rect: Rect::of(x, y, 100.0, 40.0) });
        let made = stamped(&bytes, Urgency::Urgent, place(60.0, 780.0)).unwrap();
        assert!((made.urgency.unwrap().rect.x0 - (110.0 - Urgency::Urgent.size().0 / 2.0)).abs() < 0.01);
        assert_eq!(stamped(&bytes, Urgency::Urgent, place(80.0, 600.0)).unwrap_err().code(), "no_room");
        assert_eq!(
            stamped(&bytes, Urgency::Urgent, place(580.0, 800.0)).unwrap_err().code(),
            "field_off_page"
        );
        let second = Some(PagePlace { page: 2, rect: Rect::of(60.0, 600.0, 100.0, 40.0) });
        assert_eq!(stamped(&bytes, Urgency::Urgent, second).unwrap_err().code(), "field_off_page");
    }

    #[test]
    fn on_a_turned_page_it_stands_upright() {
        let bytes = page(&[], 90);
        let rect = stamped(&bytes, Urgency::Urgent, None).unwrap().urgency.unwrap().rect;
        assert!(rect.x1 < 421.0 && rect.y0 > 297.0 && rect.width() > rect.height(), "{rect:?}");
    }
}
