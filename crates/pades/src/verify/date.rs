//! Dates as PDF writes them: `D:YYYYMMDDHHmmSSOHH'mm'` (ISO 32000-2, 7.9.4).

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

/// Reads a date; fields left out have their lowest value, a zone left out is UTC.
pub(crate) fn parse(text: &str) -> Option<OffsetDateTime> {
    let rest = text.strip_prefix("D:").unwrap_or(text);
    if !rest.is_ascii() {
        return None;
    }
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, zone) = rest.split_at_checked(digits.min(14))?;
    let field = |at: usize, len: usize, lowest: u8| -> Option<u8> {
        match number.get(at..at + len) {
            Some(text) => text.parse().ok(),
            None if number.len() <= at => Some(lowest),
            None => None,
        }
    };
    let year: i32 = number.get(..4)?.parse().ok()?;
    let month = Month::try_from(field(4, 2, 1)?).ok()?;
    let date = Date::from_calendar_date(year, month, field(6, 2, 1)?).ok()?;
    let time = Time::from_hms(field(8, 2, 0)?, field(10, 2, 0)?, field(12, 2, 0)?).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_offset(offset(zone)?))
}

fn offset(zone: &str) -> Option<UtcOffset> {
    let sign = match zone.chars().next() {
        None | Some('Z') => return Some(UtcOffset::UTC),
        Some('+') => 1,
        Some('-') => -1,
        Some(_) => return None,
    };
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    let hours: i8 = digits.get(..2)?.parse().ok()?;
    let minutes: i8 = digits.get(2..4).map_or(Some(0), |text| text.parse().ok())?;
    UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::parse;

    #[test]
    fn reads_what_writers_write() {
        assert_eq!(parse("D:20211214083000+07'00'"), Some(datetime!(2021-12-14 08:30:00 +7)));
        assert_eq!(parse("D:20211214083000+07'00"), Some(datetime!(2021-12-14 08:30:00 +7)));
        assert_eq!(parse("D:20211214013000Z"), Some(datetime!(2021-12-14 01:30:00 UTC)));
        assert_eq!(parse("20211214"), Some(datetime!(2021-12-14 00:00:00 UTC)));
        for wrong in
            ["", "D:", "D:2021121", "D:20211314", "D:20211214253000", "D:2021é", "D:20211214083000+99'00'"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
