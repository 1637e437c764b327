//! Number and date among the words of the page: behind "Số:" and in the blanks of "ngày … tháng … năm …", in the size of
//! the type beside them, so that the filled text stands as if it had been typed (NĐ 30/2020 Phụ lục I, ô 3 and ô 4).

use super::{LINE, POINTS, Placed, Sheet, date_area, number_area};
use crate::{
    look::{self, Align},
    manifest::{FieldKind, Part, Printed, Slot},
    pdf::{Kind, Rect, TextLine, Word},
};

impl Sheet {
    /// Behind "Số:", up to what follows on the line.
    pub(super) fn number(&self, page: u32) -> Placed {
        let mut printed = None;
        for line in &self.lines {
            match self.number_blank(line, page) {
                Some(Blank::Found(placed)) => return *placed,
                // A number that somebody typed: nothing is found, and it must not go unnoticed.
                Some(Blank::Typed(number)) => printed = printed.or(Some(number)),
                None => {}
            }
        }
        let default = self.sheet_rect(85.0, 113.0, 160.0, LINE);
        let rect = self.free_near(default, 0.2 * self.height);
        let placed = self.placed(FieldKind::Number, FieldKind::Number.name(), page, rect);
        Placed { align: Align::Centre, followed_by: printed, ..placed }
    }

    fn number_blank(&self, line: &TextLine, page: u32) -> Option<Blank> {
        let area = number_area(self.width, self.height);
        let pieces = line.pieces(false);
        let at = pieces.iter().position(|(_, word)| is_label(&word.text))?;
        let (_, label) = pieces.get(at).filter(|(_, label)| label.rect.overlaps(&area))?;
        let mut behind = pieces.get(at + 1..).unwrap_or_default();
        let mut label_end = label.rect.x1;
        let mut colon = label.text.ends_with(':');
        if let [(_, word), others @ ..] = behind
            && word.text == ":"
        {
            (behind, label_end, colon) = (others, word.rect.x1, true);
        }
        let fillers = behind.iter().take_while(|(kind, _)| *kind == Kind::Filler).count();
        let words: Vec<&Word> = behind.iter().skip(fillers).map(|(_, word)| word).collect();
        let next = words.first().filter(|word| word.rect.x0 < 0.6 * self.width);
        let followed_by = next.map(|_| continued(&words, points_beside(label)));
        let continues = followed_by.as_deref().is_some_and(continues_a_number);
        // "Số" begins many a sentence; without a colon something else must say that a number is wanted.
        if !colon && fillers == 0 && !continues {
            return None;
        }
        if let Some(typed) = followed_by.as_deref().filter(|text| is_a_number(text)) {
            return Some(Blank::Typed(typed.to_owned()));
        }
        let points = points_beside(label);
        let start = label_end + BLANK * points;
        let end = next.map_or((label_end + 130.0).min(area.x1), |word| word.rect.x0 - CLOSE);
        if end - start < 14.0 {
            return None;
        }
        let rect = Rect { x0: start, y0: label.rect.y0, x1: end, y1: label.rect.y0 + height_of(points) };
        let mut placed = self.placed(FieldKind::Number, FieldKind::Number.name(), page, rect);
        placed.followed_by = followed_by;
        placed.points = points;
        if continues {
            placed.align = Align::Right;
        }
        Some(Blank::Found(Box::new(placed)))
    }

    /// What continues a number that a person placed here.
    pub(super) fn continuing(&self, rect: Rect) -> Option<String> {
        self.lines.iter().find_map(|line| {
            let pieces = line.pieces(false);
            let beside = |word: &Word| {
                let level = word.rect.y0 < rect.y1 && word.rect.y1 > rect.y0;
                level && word.rect.x0 > rect.x1 - 3.0 && word.rect.x0 < rect.x1 + 6.0
            };
            let at = pieces.iter().position(|(kind, word)| *kind != Kind::Filler && beside(word))?;
            let words: Vec<&Word> = pieces.get(at..)?.iter().map(|(_, word)| word).collect();
            Some(continued(&words, POINTS)).filter(|text| continues_a_number(text))
        })
    }

    /// In the blanks of "ngày … tháng … năm …", else at ô 4.
    pub(super) fn date(&self, page: u32) -> Placed {
        let area = date_area(self.width, self.height);
        for line in &self.lines {
            if let Some(placed) = self.date_blanks(line, &area, page) {
                return placed;
            }
        }
        let default = self.sheet_rect(300.0, 113.0, 200.0, LINE);
        let rect = self.free_near(default, 0.2 * self.height);
        let placed = self.placed(FieldKind::Date, FieldKind::Date.name(), page, rect);
        Placed { align: Align::Centre, ..placed }
    }

    fn date_blanks(&self, line: &TextLine, area: &Rect, page: u32) -> Option<Placed> {
        let pieces = line.pieces(true);
        let find = |from: usize, wanted: &str| {
            pieces.iter().enumerate().skip(from).find(|(_, (_, word))| word.text.to_lowercase() == wanted)
        };
        let (i, (_, day)) = find(0, "ngày")?;
        let (j, (_, month)) = find(i + 1, "tháng")?;
        let (k, (_, year)) = find(j + 1, "năm")?;
        if !day.rect.overlaps(area) || !year.rect.overlaps(area) {
            return None;
        }
        let points = points_beside(day);
        let (y0, y1) = (day.rect.y0, day.rect.y0 + height_of(points));
        let slot = |part, x0: f64, x1: f64| {
            (x1 - x0 >= 10.0).then_some(Slot { part, rect: Rect { x0: x0 + 1.0, y0, x1: x1 - 1.0, y1 } })
        };
        let (mut slots, mut printed) = (Vec::new(), Vec::new());
        for (part, from, to, x0, x1) in
            [(Part::Day, i, j, day.rect.x1, month.rect.x0), (Part::Month, j, k, month.rect.x1, year.rect.x0)]
        {
            match Between::of(pieces.get(from + 1..to)?)? {
                Between::Blank => slots.push(slot(part, x0, x1)?),
                Between::Number(number) => printed.push(Printed { part, digits: number.text.clone() }),
            }
        }
        let behind = pieces.get(k + 1..).unwrap_or_default();
        let digits = behind.iter().find(|(kind, _)| *kind != Kind::Filler);
        let digits =
            digits.filter(|(kind, word)| *kind == Kind::Digits && word.rect.x0 - year.rect.x1 <= 30.0);
        // Nothing has to be kept free behind the year: a blank, then its digits.
        let room = |from: f64, digits: f64| {
            let end = (from + (2.0 * BLANK + DIGIT * digits) * points).min(self.width);
            let next = behind.iter().find(|(kind, word)| *kind != Kind::Filler && word.rect.x0 > from);
            next.map_or(end, |(_, word)| word.rect.x0.min(end))
        };
        match digits {
            None => {
                let end = room(year.rect.x1, 4.0);
                slots.push(slot(Part::Year, year.rect.x1, end)?);
            }
            Some((_, word)) => match word.text.len() {
                4 => printed.push(Printed { part: Part::Year, digits: word.text.clone() }),
                // `năm 20…`: the century stands there already.
                2 if word.text == "20" => {
                    let start = word.rect.x1 - 1.0;
                    let end = room(start, 2.0);
                    slots.push(slot(Part::YearInCentury, start, end)?);
                }
                _ => return None,
            },
        }
        let rect = Rect { x0: slots.first()?.rect.x0, y0, x1: slots.last()?.rect.x1, y1 };
        let mut placed = self.placed(FieldKind::Date, FieldKind::Date.name(), page, rect);
        placed.slots = slots;
        placed.printed = printed;
        placed.points = points;
        placed.align = Align::Centre;
        Some(placed)
    }
}

/// What stands behind "Số:".
enum Blank {
    /// Room for the number.
    Found(Box<Placed>),
    /// A number.
    Typed(String),
}

pub(super) fn is_label(word: &str) -> bool {
    matches!(word, "Số:" | "Số" | "SỐ:" | "SỐ")
}

/// What follows the blank, up to the next wide gap: `/QĐ-UBND`, also where it was typed as `/QĐ - UBND`.
fn continued(words: &[&Word], points: f64) -> String {
    let mut text = String::new();
    let mut end = None;
    for word in words {
        let joins = |open: f64| {
            let tied = text.ends_with(['/', '-', '–']) || word.text.starts_with(['/', '-', '–']);
            tied && word.rect.x0 - open < points
        };
        if end.is_none_or(joins) {
            text.push_str(&word.text);
            end = Some(word.rect.x1);
        } else {
            break;
        }
    }
    text
}

/// Whether a text is the second half of a number and symbol.
fn continues_a_number(text: &str) -> bool {
    text.starts_with(['/', '-', '–'])
}

/// Whether a text is a number with its symbol: `29/QĐ-UBND`, `15a/2026/QĐ-UBND`.
fn is_a_number(text: &str) -> bool {
    text.split_once('/').is_some_and(|(number, symbol)| {
        number.starts_with(|c: char| c.is_ascii_digit()) && number.len() <= 6 && !symbol.is_empty()
    })
}

/// What stands between two words of a date.
enum Between<'w> {
    /// Room to write.
    Blank,
    /// Digits.
    Number(&'w Word),
}

impl<'w> Between<'w> {
    /// `None` if it is something else.
    fn of(pieces: &'w [(Kind, Word)]) -> Option<Self> {
        let mut words = pieces.iter().filter(|(kind, _)| *kind != Kind::Filler);
        match (words.next(), words.next()) {
            (None, _) => Some(Self::Blank),
            (Some((Kind::Digits, number)), None) => Some(Self::Number(number)),
            _ => None,
        }
    }
}

/// The size of the type of a word, from the height of its box (`pdf::text`); turned or odd type counts as usual.
fn points_beside(word: &Word) -> f64 {
    let points = (word.rect.height() / 1.02 * 2.0).round() / 2.0;
    if look::POINTS.contains(&points) { points } else { POINTS }
}

/// Height of a slot for type of this size.
fn height_of(points: f64) -> f64 {
    LINE / POINTS * points
}

/// A blank and a digit, in parts of the type size.
const BLANK: f64 = 0.25;
const DIGIT: f64 = 0.5;

/// How near a number stands to what continues it, in points.
const CLOSE: f64 = 0.3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Manifest, PagePlace, ProvisionPlan, Refusal, TextPlan, ingest, manifest,
        pdf::{File, Limits, Object},
        place::tests::page,
        provision,
    };

    /// Where the parts of a field's text begin on the page, with their size: read from its appearance.
    fn drawn(bytes: &[u8], plan: &ProvisionPlan, name: &str) -> (Vec<(f64, f64)>, f64, Vec<Rect>) {
        let taken = ingest(&bytes, &Limits::default()).unwrap();
        let mut base = Vec::new();
        let manifest = provision(&bytes, &taken, plan, &mut base).unwrap().manifest;
        let declared = manifest.field(name).unwrap();
        let file = File::open(&base, &Limits::default()).unwrap();
        let view = file.latest();
        let Object::Dict(widget) = view.get(declared.id).unwrap() else { panic!("a widget") };
        let appearance = view.dict(&widget, "AP").unwrap();
        let Object::Stream(form) = view.value(&appearance, "N").unwrap() else { panic!("a form") };
        let content = String::from_utf8(view.decode(&form).unwrap().data).unwrap();
        let words: Vec<&str> = content.split_whitespace().collect();
        let number = |at: usize| words[at].parse::<f64>().unwrap();
        let at = |word: &str| {
            words.iter().enumerate().filter(|(_, w)| **w == word).map(|(i, _)| i).collect::<Vec<_>>()
        };
        let begins = at("Tm")
            .into_iter()
            .map(|i| (declared.rect.x0 + number(i - 2), declared.rect.y0 + number(i - 1)));
        let points = number(at("Tf")[0] - 1);
        (begins.collect(), points, declared.slots.iter().map(|slot| slot.rect).collect())
    }

    fn plan() -> ProvisionPlan {
        let mut plan = ProvisionPlan::standard(1);
        let text = |text: &str| crate::TextPlan { text: Some(text.to_owned()), ..crate::TextPlan::default() };
        plan.number = Some(text("29/QĐ-UBND"));
        plan.date = Some(text("ngày 02 tháng 3 năm 2026"));
        plan
    }

    #[test]
    fn a_number_stands_against_what_continues_it() {
        let bytes = page(&[(90.0, 740.0, "Số:            /QĐ-UBND")], 0);
        let (begins, points, slots) = drawn(&bytes, &plan(), "DocNumber");
        let [(x, y)] = begins[..] else { panic!("one part") };
        assert!((points - 13.0).abs() < 0.01 && (y - 740.0).abs() < 0.05, "{points} {y}");
        // Two digits of half the size each.
        assert!((x + 13.0 - slots[0].x1).abs() < 0.05, "{x} {slots:?}");
    }

    #[test]
    fn a_number_that_nothing_continues_stands_a_blank_behind_its_label() {
        for line in ["Số:", "Số:                       Hà Nội"] {
            let bytes = page(&[(90.0, 740.0, line)], 0);
            let (begins, _, slots) = drawn(&bytes, &plan(), "DocNumber");
            assert!((begins[0].0 - slots[0].x0).abs() < 0.05, "{line}: {begins:?} {slots:?}");
        }
    }

    #[test]
    fn a_date_fills_its_blanks_on_the_line_of_the_page() {
        let bytes = page(&[(300.0, 740.0, "Hà Nội, ngày       tháng       năm")], 0);
        let (begins, _, slots) = drawn(&bytes, &plan(), "DocDate");
        assert_eq!((begins.len(), slots.len()), (3, 3));
        for ((x, y), slot) in begins.iter().zip(&slots) {
            assert!(*x >= slot.x0 - 1.0 && x + 6.5 <= slot.x1 + 1.0, "{x} {slot:?}");
            assert!((y - 740.0).abs() < 0.05, "{y}");
        }
    }

    /// Provisions a page with one line in ô 3 or ô 4.
    fn declared(line: &str, x: f64, plan: &ProvisionPlan) -> Result<Manifest, Refusal> {
        let bytes = page(&[(x, 740.0, line)], 0);
        let taken = ingest(&bytes, &Limits::default()).unwrap();
        provision(&bytes, &taken, plan, &mut Vec::new()).map(|made| made.manifest)
    }

    /// Where a text of the embedded face ends that begins at `x`.
    fn end_of(text: &str, x: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "widths are a few thousand units")]
        let width = look::Face::form().unwrap().width(text) as f64;
        x + width / 1000.0 * 13.0
    }

    #[test]
    fn a_number_goes_into_its_gap_however_it_was_left() {
        for (label, gap, rest) in [
            ("Số:", "            ", "/QĐ-UBND"),
            ("Số:", "……", "/QĐ-UBND"),
            ("Số:", " ..... ", "/QĐ-UBND"),
            ("Số:", ".......", "/QĐ-UBND"),
            ("Số:", " ____ ", "/QĐ-UBND"),
            ("Số: ", "_______", "/QĐ-UBND"),
            ("Số", " :       ", "/QĐ-UBND"),
            ("Số", "         ", "/QĐ-UBND"),
            ("SỐ:", " …  … ", "/QĐ-UBND"),
            ("Số:", "        ", "/2026/QĐ-UBND"),
            ("Số:", "        ", "/ QĐ - UBND"),
            ("Số:", " . . . . ", "/QĐ-UBND"),
        ] {
            let line = format!("{label}{gap}{rest}");
            let manifest = declared(&line, 90.0, &ProvisionPlan::standard(1)).unwrap();
            let number = manifest.field("DocNumber").unwrap();
            let (from, to) = (end_of(label.trim_end(), 90.0), end_of(&format!("{label}{gap}"), 90.0));
            assert!(number.rect.x0 >= from - 0.1 && number.rect.x1 <= to + 0.1, "{line}: {:?}", number.rect);
            assert!(
                (number.rect.y0 - 740.0).abs() < 4.0 && number.rect.width() >= 14.0,
                "{line}: {number:?}"
            );
            assert_eq!(number.followed_by.as_deref(), Some(rest.replace(' ', "").as_str()), "{line}");
            let full = format!("29{}", rest.replace(' ', ""));
            assert_eq!((number.to_draw(&full), number.contradicted(&full)), ("29", None), "{line}");
        }
    }

    #[test]
    fn a_symbol_is_the_same_however_it_was_typed() {
        for end in ["/QÐ-UBND", "/qđ-ubnd", "/QĐ – UBND", "/QĐ‑UBND"] {
            assert_eq!(manifest::beyond("29/QĐ-UBND", Some(end)), "29", "{end}");
        }
        for end in ["/QD-UBND", "/NQ-HĐND", "/QĐ", "/QĐ-UBND-VX", "29/QĐ-UBND"] {
            assert_eq!(manifest::contradicted("29/QĐ-UBND", Some(end), &[]).as_deref(), Some(end), "{end}");
        }
        assert_eq!(manifest::contradicted("29/QĐ-UBND", Some("Hà"), &[]), None);
    }

    #[test]
    fn a_page_that_says_another_number_is_refused() {
        let mut plan = ProvisionPlan::standard(1);
        plan.number = Some(TextPlan { notation: Some("QĐ-UBND".to_owned()), ..TextPlan::default() });
        for line in [
            "Số:            /NQ-HĐND",
            "Số: ……/NQ-HĐND",
            "Số:            /2025/QĐ-UBND",
            "Số: 29/QĐ-UBND",
            "Số:29/QĐ-UBND",
            "Số: 115a/2026/QĐ-UBND",
        ] {
            let refused = declared(line, 90.0, &plan).unwrap_err();
            assert_eq!(refused.code(), "printed_differs", "{line}");
        }
        for line in ["Số:            /QĐ-UBND", "Số:", "Số: ………", "Số lượng: 29/30 bản", "", "Số 29 phố Huế"]
        {
            let manifest = declared(line, 90.0, &plan).unwrap();
            assert_eq!(manifest.field("DocNumber").unwrap().contradicted("29/QĐ-UBND"), None, "{line}");
        }
        // Also where a person chose the place.
        let place = PagePlace { page: 1, rect: Rect::of(112.0, 737.0, 30.0, 17.0) };
        let number = plan.number.as_mut().unwrap();
        number.place = Some(place);
        let line = format!("Số:{}/NQ-HĐND", " ".repeat(10));
        assert_eq!(declared(&line, 90.0, &plan).unwrap_err().code(), "printed_differs");
    }

    #[test]
    fn a_date_goes_into_its_gaps_however_they_were_left() {
        use Part::{Day, Month, Year, YearInCentury};
        for (line, slots, printed) in [
            ("Hà Nội, ngày       tháng       năm 2026", vec![Day, Month], vec!["2026"]),
            ("Hà Nội, ngày … tháng … năm 2026", vec![Day, Month], vec!["2026"]),
            ("Hà Nội, ngày    tháng 5 năm 2026", vec![Day], vec!["5", "2026"]),
            ("Hà Nội, ngày ..... tháng ..... năm ......", vec![Day, Month, Year], vec![]),
            ("Hà Nội, ngày....tháng....năm....", vec![Day, Month, Year], vec![]),
            ("Hà Nội, ngày……tháng……năm 2026", vec![Day, Month], vec!["2026"]),
            ("Hà Nội,ngày ___ tháng ___ năm2026", vec![Day, Month], vec!["2026"]),
            ("Hà Nội, ngày     tháng05năm 2026", vec![Day], vec!["05", "2026"]),
            ("Hà Nội, ngày     tháng     năm 20…", vec![Day, Month, YearInCentury], vec!["20"]),
            ("Hà Nội, ngày     tháng     năm 20", vec![Day, Month, YearInCentury], vec!["20"]),
        ] {
            let manifest = declared(line, 300.0, &ProvisionPlan::standard(1)).unwrap();
            let date = manifest.field("DocDate").unwrap();
            assert_eq!(date.slots.iter().map(|slot| slot.part).collect::<Vec<_>>(), slots, "{line}");
            let said: Vec<&str> = date.printed.iter().map(|one| one.digits.as_str()).collect();
            let wanted: Vec<&str> = printed.into_iter().filter(|digits| *digits != "20").collect();
            assert_eq!(said, wanted, "{line}");
            assert_eq!(date.contradicted("ngày 03 tháng 5 năm 2026"), None, "{line}");
            let other = date.contradicted("ngày 03 tháng 6 năm 2027");
            assert_eq!(other.is_some(), !wanted.is_empty(), "{line}: {other:?}");
        }
    }

    #[test]
    fn a_month_or_year_that_has_passed_is_refused() {
        let mut plan = ProvisionPlan::standard(1);
        let earliest = Some(time::macros::date!(2026 - 05 - 20));
        plan.date = Some(TextPlan { earliest, ..TextPlan::default() });
        for line in ["ngày    tháng 4 năm 2026", "ngày     tháng     năm 2025", "ngày     tháng 12 năm 2025"]
        {
            assert_eq!(declared(line, 300.0, &plan).unwrap_err().code(), "printed_differs", "{line}");
        }
        for line in
            ["ngày    tháng 5 năm 2026", "ngày     tháng     năm 2026", "ngày     tháng 1 năm 2027", "ngày"]
        {
            assert!(declared(line, 300.0, &plan).is_ok(), "{line}");
        }
    }

    #[test]
    fn what_is_printed_is_kept_in_the_file_itself() {
        for (line, x, field) in
            [("Số: ….../QĐ-UBND", 90.0, "DocNumber"), ("ngày     tháng 5 năm 2026", 300.0, "DocDate")]
        {
            let bytes = page(&[(x, 740.0, line)], 0);
            let taken = ingest(&bytes, &Limits::default()).unwrap();
            let mut base = Vec::new();
            let made = provision(&bytes, &taken, &ProvisionPlan::standard(1), &mut base).unwrap();
            let again = ingest(&base, &Limits::default()).unwrap();
            let (known, read) = (made.index.field(field).unwrap(), again.index.field(field).unwrap());
            assert_eq!((&known.followed_by, &known.printed), (&read.followed_by, &read.printed), "{line}");
            assert!(read.followed_by.is_some() || !read.printed.is_empty(), "{line}");
        }
    }
}
