//! Registers of outgoing numbers (sổ đăng ký văn bản đi): series, serial, and how a number is written.
//!
//! One register per office, series and year; gap-free, in time order, never typed by a person (Decree 30/2020
//! Articles 14-15, Annex I.II.3, R49-R52, C1.7). A number that will not be used stays in the book, void, with its
//! reason. Paper and electronic documents draw from the same register.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};

use crate::document::Version;
use crate::ids::{OfficeId, RegisterId};
use crate::paper::{DocumentType, Family};
use crate::policy::SeriesRule;
use crate::refused::Refused;

/// Which sequence a number belongs to within an office and a year (C1.7).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Series {
    /// All administrative documents.
    Administrative,
    /// One kind of administrative document.
    OfType(DocumentType),
    /// One kind of legal normative document (VBQPPL).
    Legal(DocumentType),
    /// All copies: sao y, trích sao, sao lục.
    Copies,
    /// An advisory council that uses the office's seal (Annex I.II.3.a), by its symbol.
    Council(String),
}

impl Series {
    /// The series a document draws from.
    pub fn of(family: Family, kind: DocumentType, rule: SeriesRule, council: Option<&str>) -> Self {
        match (council, family) {
            (Some(symbol), _) => Self::Council(symbol.to_owned()),
            (None, Family::Legal) => Self::Legal(kind),
            (None, Family::Administrative) if kind.is_copy() => Self::Copies,
            (None, Family::Administrative) => match rule {
                SeriesRule::One => Self::Administrative,
                SeriesRule::PerType => Self::OfType(kind),
            },
        }
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Administrative => f.write_str("administrative"),
            Self::OfType(kind) => write!(f, "type:{kind}"),
            Self::Legal(kind) => write!(f, "legal:{kind}"),
            Self::Copies => f.write_str("copies"),
            Self::Council(symbol) => write!(f, "council:{symbol}"),
        }
    }
}

/// The text names no series.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a series: {0:?}")]
pub struct NotASeries(String);

impl FromStr for Series {
    type Err = NotASeries;

    fn from_str(text: &str) -> Result<Self, NotASeries> {
        let wrong = || NotASeries(text.to_owned());
        match text.split_once(':') {
            None if text == "administrative" => Ok(Self::Administrative),
            None if text == "copies" => Ok(Self::Copies),
            Some(("type", kind)) => kind.parse().map(Self::OfType).map_err(|_| wrong()),
            Some(("legal", kind)) => kind.parse().map(Self::Legal).map_err(|_| wrong()),
            Some(("council", symbol)) if !symbol.is_empty() => Ok(Self::Council(symbol.to_owned())),
            _ => Err(wrong()),
        }
    }
}

/// What a number looks like on paper, besides its serial and year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symbol {
    /// Which rules hold.
    pub family: Family,
    /// Kind of document.
    pub kind: DocumentType,
    /// The issuing office's abbreviation, for instance `UBND`.
    pub office: String,
    /// The drafting unit or field, for instance `VX`: required on a công văn, unused elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

impl Symbol {
    /// The notation without the number (`CodeNotation`, at most 30 characters): `QĐ-UBND`, `UBND-VX`, `2021/QĐ-UBND`.
    ///
    /// # Errors
    /// [`Refused::NumberUnwritable`] when a part is missing, too long, or holds `/` or a space.
    pub fn notation(&self, year: i32) -> Result<String, Refused> {
        let clean = |part: &str| {
            !part.is_empty() && !part.contains(|c: char| c == '/' || c.is_whitespace() || c.is_control())
        };
        if !clean(&self.office) {
            return Err(Refused::NumberUnwritable { what: "the office has no usable symbol" });
        }
        let text = match (self.kind.abbreviation(), self.family) {
            (Some(kind), Family::Legal) => format!("{year}/{kind}-{}", self.office),
            (None, Family::Legal) => {
                return Err(Refused::NumberUnwritable { what: "this kind is never a legal document" });
            }
            (Some(kind), Family::Administrative) => format!("{kind}-{}", self.office),
            (None, Family::Administrative) => match &self.unit {
                Some(unit) if clean(unit) => format!("{}-{unit}", self.office),
                _ => {
                    return Err(Refused::NumberUnwritable {
                        what: "a letter needs the drafting unit's symbol",
                    });
                }
            },
        };
        if text.chars().count() > MAX_NOTATION {
            return Err(Refused::NumberUnwritable { what: "the symbol is longer than 30 characters" });
        }
        Ok(text)
    }
}

/// The serial within a register; 1 is the first of the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Serial(pub u32);

impl fmt::Display for Serial {
    /// As written: a number below ten has a leading zero (Decree 30/2020, Annex I.II.3.a).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.0)
    }
}

/// A number that was taken: it is this document's, or void, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentNumber {
    /// Which register it came from.
    pub register: RegisterId,
    /// Its serial there.
    pub serial: Serial,
    /// The notation beside it.
    pub notation: String,
    /// The date of the document: the +07:00 day the number was taken.
    #[serde(with = "crate::dates")]
    pub date: Date,
}

impl fmt::Display for DocumentNumber {
    /// `01/2021/QĐ-UBND`, as it is drawn after "Số:".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.serial, self.notation)
    }
}

/// One register: one office, one series, one year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// Identity.
    pub id: RegisterId,
    /// Whose it is.
    pub office: OfficeId,
    /// Which series.
    pub series: Series,
    /// Which year, +07:00.
    pub year: i32,
    /// The last number taken, or the last one given before the book was kept here; 0 when there is none.
    pub last: u32,
    /// The date of the last number.
    pub last_date: Option<Date>,
    /// Numbers up to this were given before the book was kept here, on paper: they are this year's, and not in it.
    pub given_before: u32,
    /// Counts changes; guards the write.
    pub version: Version,
}

/// A number on its way into the book: it exists only inside a [`Change`](crate::Change).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub(crate) number: DocumentNumber,
    pub(crate) expected: Version,
}

impl Taken {
    /// The number.
    pub const fn number(&self) -> &DocumentNumber {
        &self.number
    }

    /// The version of the register it was taken from: the write is refused when the register has moved.
    pub const fn expected(&self) -> Version {
        self.expected
    }
}

/// A number made void: it stays in the book with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voided {
    pub(crate) register: RegisterId,
    pub(crate) serial: Serial,
    pub(crate) reason: String,
    pub(crate) at: OffsetDateTime,
}

impl Voided {
    /// Which register.
    pub const fn register(&self) -> RegisterId {
        self.register
    }

    /// Which serial.
    pub const fn serial(&self) -> Serial {
        self.serial
    }

    /// Why.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// When.
    pub const fn at(&self) -> OffsetDateTime {
        self.at
    }
}

impl Register {
    /// A new, empty register.
    pub const fn new(id: RegisterId, office: OfficeId, series: Series, year: i32) -> Self {
        Self { id, office, series, year, last: 0, last_date: None, given_before: 0, version: Version::FIRST }
    }

    /// The next number, dated `date` (R52: unique, in time order).
    ///
    /// # Errors
    /// [`Refused::WrongRegister`] for a date of another year, [`Refused::DateBeforeSeries`] for a date before the last
    /// one of the series, [`Refused::NumberUnwritable`] when the parts do not make a number within C1.5's lengths.
    pub(crate) fn take(&self, symbol: &Symbol, date: Date) -> Result<Taken, Refused> {
        if date.year() != self.year {
            return Err(Refused::WrongRegister);
        }
        if let Some(last) = self.last_date
            && date < last
        {
            return Err(Refused::DateBeforeSeries { last });
        }
        let serial = self.last.checked_add(1).filter(|serial| *serial <= MAX_SERIAL);
        let serial = Serial(serial.ok_or(Refused::NumberUnwritable { what: "the register is full" })?);
        let notation = symbol.notation(self.year)?;
        let number = DocumentNumber { register: self.id, serial, notation, date };
        Ok(Taken { number, expected: self.version })
    }
}

/// C1.5 field 5.
const MAX_NOTATION: usize = 30;
/// Far beyond any office's year, and well within the 11 characters of C1.5 field 4.
const MAX_SERIAL: u32 = 9_999_999;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::{date, datetime};

    fn register() -> Register {
        let now = datetime!(2026-01-01 08:00 +7);
        Register::new(RegisterId::at(now, 1), OfficeId::at(now, 2), Series::Administrative, 2026)
    }

    fn symbol(family: Family, kind: DocumentType, unit: Option<&str>) -> Symbol {
        Symbol { family, kind, office: "UBND".to_owned(), unit: unit.map(str::to_owned) }
    }

    #[test]
    fn numbers_are_written_as_the_decree_shows_them() {
        let mut register = register();
        register.last = 28;
        let write = |symbol: &Symbol, last| {
            let register = Register { last, ..register.clone() };
            register.take(symbol, date!(2026 - 03 - 01)).expect("taken").number.to_string()
        };
        let decision = symbol(Family::Administrative, DocumentType::Decision, None);
        assert_eq!(write(&decision, 0), "01/QĐ-UBND");
        assert_eq!(write(&decision, 1009), "1010/QĐ-UBND");
        assert_eq!(write(&symbol(Family::Legal, DocumentType::Decision, None), 28), "29/2026/QĐ-UBND");
        assert_eq!(
            write(&symbol(Family::Administrative, DocumentType::Letter, Some("VX")), 11),
            "12/UBND-VX"
        );
    }

    #[test]
    fn a_letter_without_a_unit_cannot_be_numbered() {
        let taken = register()
            .take(&symbol(Family::Administrative, DocumentType::Letter, None), date!(2026 - 03 - 01));
        assert_eq!(taken.expect_err("refused").code(), "number_unwritable");
    }

    #[test]
    fn a_number_is_never_dated_before_the_last_one() {
        let register = Register { last: 3, last_date: Some(date!(2026 - 03 - 02)), ..register() };
        let symbol = symbol(Family::Administrative, DocumentType::Decision, None);
        assert!(register.take(&symbol, date!(2026 - 03 - 02)).is_ok());
        assert_eq!(
            register.take(&symbol, date!(2026 - 03 - 01)),
            Err(Refused::DateBeforeSeries { last: date!(2026 - 03 - 02) })
        );
        assert_eq!(register.take(&symbol, date!(2027 - 01 - 01)), Err(Refused::WrongRegister));
    }

    #[test]
    fn legal_documents_and_councils_have_series_of_their_own() {
        let of = |family, kind, council| Series::of(family, kind, SeriesRule::One, council).to_string();
        assert_eq!(of(Family::Legal, DocumentType::Decision, None), "legal:quyet_dinh");
        assert_eq!(of(Family::Administrative, DocumentType::Decision, None), "administrative");
        assert_eq!(of(Family::Administrative, DocumentType::Extract, None), "copies");
        assert_eq!(of(Family::Administrative, DocumentType::Plan, Some("HĐTĐ")), "council:HĐTĐ");
    }

    proptest! {
        #[test]
        fn a_series_survives_text(kind in 0..DocumentType::ALL.len(), which in 0..4, council in "[A-ZĐ:]{1,8}") {
            let kind = DocumentType::ALL[kind];
            let series = match which {
                0 => Series::OfType(kind),
                1 => Series::Legal(kind),
                2 => Series::Council(council),
                _ => Series::Copies,
            };
            prop_assert_eq!(series.to_string().parse(), Ok(series));
        }

        #[test]
        fn what_is_written_fits_the_lengths_of_the_law(office in "\\PC{0,40}", unit in "\\PC{0,40}", last in 0u32..10_000_000) {
            let symbol = Symbol {
                family: Family::Administrative, kind: DocumentType::Letter, office, unit: Some(unit),
            };
            let register = Register { last, ..register() };
            if let Ok(taken) = register.take(&symbol, date!(2026 - 05 - 05)) {
                prop_assert!(taken.number.notation.chars().count() <= 30);
                prop_assert!(taken.number.serial.to_string().len() <= 11);
                prop_assert_eq!(taken.number.serial.0, last + 1);
            }
        }
    }
}
