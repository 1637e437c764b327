//! `UTCTime` and `GeneralizedTime` (RFC 5280 4.1.2.5, RFC 3161 2.4.2) as `OffsetDateTime` in UTC.

use der::asn1::AnyRef;
use der::{Error, Tag};
use time::{Date, Month, OffsetDateTime, Time};

/// `Time ::= CHOICE { utcTime UTCTime, generalTime GeneralizedTime }`, both to the second and in UTC.
pub(crate) fn rfc5280_time(any: AnyRef<'_>) -> der::Result<OffsetDateTime> {
    let text = any.value();
    match any.header().tag() {
        Tag::UtcTime => {
            let (year, rest) = digits(text, 2).ok_or_else(|| value_error(Tag::UtcTime))?;
            let year = if year < 50 { 2000 + year } else { 1900 + year };
            whole(year, rest, false).ok_or_else(|| value_error(Tag::UtcTime))
        }
        _ => generalized(any, false),
    }
}

/// `GeneralizedTime` as RFC 3161 has it: UTC, fractions of a second allowed.
pub(crate) fn generalized_time(any: AnyRef<'_>) -> der::Result<OffsetDateTime> {
    generalized(any, true)
}

fn generalized(any: AnyRef<'_>, fraction: bool) -> der::Result<OffsetDateTime> {
    any.header().tag().assert_eq(Tag::GeneralizedTime)?;
    let (year, rest) = digits(any.value(), 4).ok_or_else(|| value_error(Tag::GeneralizedTime))?;
    whole(year, rest, fraction).ok_or_else(|| value_error(Tag::GeneralizedTime))
}

fn value_error(tag: Tag) -> Error {
    tag.value_error().into()
}

fn digits(text: &[u8], count: usize) -> Option<(u32, &[u8])> {
    let (head, rest) = text.split_at_checked(count)?;
    let mut value = 0;
    for byte in head {
        value = value * 10 + u32::from(byte.checked_sub(b'0').filter(|d| *d < 10)?);
    }
    Some((value, rest))
}

fn two(text: &[u8]) -> Option<(u8, &[u8])> {
    let (value, rest) = digits(text, 2)?;
    Some((u8::try_from(value).ok()?, rest))
}

/// The rest after the year: `MMDDhhmmss[.fff]Z`.
fn whole(year: u32, rest: &[u8], fraction: bool) -> Option<OffsetDateTime> {
    let (month, rest) = two(rest)?;
    let (day, rest) = two(rest)?;
    let (hour, rest) = two(rest)?;
    let (minute, rest) = two(rest)?;
    let (second, rest) = two(rest)?;
    let nano = match rest {
        b"Z" => 0,
        [b'.', fraction_digits @ .., b'Z'] if fraction => nanoseconds(fraction_digits)?,
        _ => return None,
    };
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, Month::try_from(month).ok()?, day).ok()?;
    Some(date.with_time(Time::from_hms_nano(hour, minute, second, nano).ok()?).assume_utc())
}

fn nanoseconds(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 20 {
        return None;
    }
    let mut nano = 0;
    for at in 0..9 {
        let digit = digits.get(at).copied().unwrap_or(b'0').checked_sub(b'0').filter(|d| *d < 10)?;
        nano = nano * 10 + u32::from(digit);
    }
    digits.iter().all(u8::is_ascii_digit).then_some(nano)
}

#[cfg(test)]
mod tests {
    use der::{Decode, asn1::AnyRef};

    use super::{generalized_time, rfc5280_time};
    use crate::asn1::wrap;

    fn read(tag: u8, text: &str, fraction: bool) -> Option<String> {
        let der = wrap(tag, text.as_bytes());
        let any = AnyRef::from_der(&der).unwrap();
        let time = if fraction { generalized_time(any) } else { rfc5280_time(any) };
        time.ok().map(|t| t.to_string())
    }

    #[test]
    fn both_forms() {
        assert_eq!(read(0x17, "491231235959Z", false).unwrap(), "2049-12-31 23:59:59.0 +00:00:00");
        assert_eq!(read(0x17, "500101000000Z", false).unwrap(), "1950-01-01 0:00:00.0 +00:00:00");
        assert_eq!(read(0x18, "20261124150518.25Z", true).unwrap(), "2026-11-24 15:05:18.25 +00:00:00");
    }

    #[test]
    fn other_forms_are_refused() {
        for text in ["20261124150518+0700", "20261324150518Z", "202611241505Z", "2026112415051Z", "", "Z"] {
            assert_eq!(read(0x18, text, false), None, "{text}");
        }
        assert_eq!(read(0x18, "20261124150518.25Z", false), None);
        assert_eq!(read(0x18, "20261124150518.Z", true), None);
    }
}
