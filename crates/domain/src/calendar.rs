//! Days as Vietnamese offices count them: +07:00, working days with holidays and swapped days, release deadlines.
//!
//! Labour Code 2019 Articles 111-112, QĐ 28/2018/QĐ-TTg Article 6, R71-R73, C9. The table of days is data: a year
//! without entries is counted with weekends only, and [`Calendar::knows`] says so.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime, Time, UtcOffset, Weekday};

use crate::codes::codes;
use crate::paper::Urgency;
use crate::policy::{Profile, ReleaseDeadline};

/// Vietnam's legal time, +07:00; it has no summer time.
pub const VIETNAM: UtcOffset = match UtcOffset::from_hms(7, 0, 0) {
    Ok(offset) => offset,
    Err(_) => panic!("+07:00 is an offset"),
};

/// The day in Vietnam at this instant; every date on a document is such a day (C1.7).
pub fn day(instant: OffsetDateTime) -> Date {
    instant.to_offset(VIETNAM).date()
}

codes! {
    /// Why a day is not an ordinary one.
    DayKind "day_kind" {
        /// Ngày nghỉ lễ, Tết.
        Holiday = "holiday",
        /// Nghỉ bù.
        CompensatoryRest = "compensatory_rest",
        /// Ngày làm bù: a weekend day that is worked.
        MakeupWorkday = "makeup_workday",
    }
}

/// The table of extraordinary days of one office.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    days: BTreeMap<Date, DayKind>,
}

impl Calendar {
    /// A calendar of these days.
    pub fn new(days: impl IntoIterator<Item = (Date, DayKind)>) -> Self {
        Self { days: days.into_iter().collect() }
    }

    /// Officials' days of 2026 as announced (C9), to start from.
    pub fn officials_2026() -> Self {
        use DayKind::{CompensatoryRest, Holiday, MakeupWorkday};
        let days: [(u16, DayKind); 14] = [
            (1, Holiday),
            (47, Holiday),
            (48, Holiday),
            (49, Holiday),
            (50, Holiday),
            (51, Holiday),
            (116, Holiday),
            (117, CompensatoryRest),
            (120, Holiday),
            (121, Holiday),
            (234, MakeupWorkday),
            (243, CompensatoryRest),
            (244, Holiday),
            (245, Holiday),
        ];
        let ordinary =
            days.into_iter().filter_map(|(n, kind)| Some((Date::from_ordinal_date(2026, n).ok()?, kind)));
        let culture = Date::from_ordinal_date(2026, 328).ok().map(|date| (date, Holiday));
        Self::new(ordinary.chain(culture))
    }

    /// Whether the table has any entry for the year: without one, the office should be warned.
    pub fn knows(&self, year: i32) -> bool {
        self.days.keys().any(|date| date.year() == year)
    }

    /// Whether the day is worked.
    pub fn is_worked(&self, date: Date) -> bool {
        match self.days.get(&date) {
            Some(DayKind::MakeupWorkday) => true,
            Some(DayKind::Holiday | DayKind::CompensatoryRest) => false,
            None => !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday),
        }
    }

    /// The first worked day after `date`; `None` when the table leaves none within a year.
    pub fn next_worked(&self, date: Date) -> Option<Date> {
        let mut day = date;
        for _ in 0..366 {
            day = day.next_day()?;
            if self.is_worked(day) {
                return Some(day);
            }
        }
        None
    }
}

/// By when a signed document is to be released (R71, R72).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseDue {
    /// At once: an urgent document (R73).
    Immediately,
    /// At this instant at the latest.
    By(OffsetDateTime),
    /// The agency's rules state none.
    NotStated,
}

/// The deadline that starts with the leader's signature (R71-R73).
pub fn release_due(
    signed: OffsetDateTime,
    urgency: Urgency,
    profile: &Profile,
    calendar: &Calendar,
) -> ReleaseDue {
    if urgency.is_urgent() {
        return ReleaseDue::Immediately;
    }
    let at = match profile.release_deadline {
        ReleaseDeadline::NotStated => return ReleaseDue::NotStated,
        ReleaseDeadline::NextWorkingDayMorning => profile.morning_end,
        ReleaseDeadline::NextWorkingDayEnd => END_OF_DAY,
    };
    match calendar.next_worked(day(signed)) {
        Some(date) => ReleaseDue::By(date.with_time(at).assume_offset(VIETNAM)),
        None => ReleaseDue::NotStated,
    }
}

const END_OF_DAY: Time = match Time::from_hms(23, 59, 59) {
    Ok(time) => time,
    Err(_) => panic!("23:59:59 is a time"),
};

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime, time};

    #[test]
    fn the_deadlines_of_2026_fall_where_the_announcement_puts_them() {
        let table = [
            (datetime!(2026-08-20 10:00 +7), date!(2026 - 08 - 21)),
            (datetime!(2026-08-21 16:50 +7), date!(2026 - 08 - 22)),
            (datetime!(2026-08-28 16:50 +7), date!(2026 - 09 - 03)),
            (datetime!(2026-02-13 17:30 +7), date!(2026 - 02 - 23)),
            (datetime!(2026-04-24 09:00 +7), date!(2026 - 04 - 28)),
            (datetime!(2026-11-23 15:00 +7), date!(2026 - 11 - 25)),
        ];
        let calendar = Calendar::officials_2026();
        let end = Profile::named("dien_bien_2021").expect("shipped");
        let morning = Profile::named("tuan_giao_2022").expect("shipped");
        for (signed, due) in table {
            assert_eq!(
                release_due(signed, Urgency::Normal, &end, &calendar),
                ReleaseDue::By(due.with_time(END_OF_DAY).assume_offset(VIETNAM))
            );
            assert_eq!(
                release_due(signed, Urgency::Normal, &morning, &calendar),
                ReleaseDue::By(due.with_time(time!(11:30)).assume_offset(VIETNAM))
            );
            for urgency in [Urgency::Urgent, Urgency::VeryUrgent, Urgency::Flash] {
                assert_eq!(release_due(signed, urgency, &end, &calendar), ReleaseDue::Immediately);
            }
        }
    }

    #[test]
    fn the_day_is_vietnams() {
        assert_eq!(day(datetime!(2026-12-31 17:00 UTC)), date!(2027 - 01 - 01));
        assert_eq!(day(datetime!(2026-12-31 16:59:59 UTC)), date!(2026 - 12 - 31));
    }

    #[test]
    fn a_year_without_a_table_is_known_as_such() {
        let calendar = Calendar::officials_2026();
        assert!(calendar.knows(2026));
        assert!(!calendar.knows(2027));
    }
}
