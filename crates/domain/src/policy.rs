//! What differs between agencies, as data (A17): a named profile, and an agency's own keys laid over it.
//!
//! A profile is TOML. `profile = "kien_giang_2017"` names the one to start from (`nd30_default` when absent); every
//! other key overrides. An unknown key or a bad value is refused with its line. The six shipped profiles stand in
//! `profiles/` beside this crate's sources and are compiled in.

use serde::Deserialize;
use time::{Duration, Time};

use crate::codes::codes;
use crate::paper::DocumentType;

codes! {
    /// When number and date are given (R49-R51).
    Numbering "numbering" {
        /// Before the leader signs: Kiên Giang 2017 (R50).
        BeforeSign = "before_sign",
        /// Automatically with the leader's signature: Hậu Giang 2019 (R51).
        AtSign = "at_sign",
        /// By the clerk, after the leader signed: Decree 30/2020 Articles 14-15 (R49).
        AfterSign = "after_sign",
    }
}

codes! {
    /// Whether administrative documents share one series a year or each kind has its own (C1.7).
    SeriesRule "series_rule" {
        /// One series for all administrative documents.
        One = "one",
        /// One series per kind.
        PerType = "per_type",
    }
}

codes! {
    /// The latest moment of release (R72).
    ReleaseDeadline "release_deadline" {
        /// The end of the next working day.
        NextWorkingDayEnd = "next_working_day_end",
        /// The end of the morning of the next working day.
        NextWorkingDayMorning = "next_working_day_morning",
        /// The agency's rules state none.
        NotStated = "not_stated",
    }
}

codes! {
    /// How a signature looks (R61 ff.).
    Appearance "appearance" {
        /// Blue image, red seal, no text.
        Nd30 = "nd30",
        /// Circular 01/2019: the seal carries name and time.
        Tt012019 = "tt01_2019",
        /// A block of text beside the image.
        TextBlock = "text_block",
    }
}

codes! {
    /// Where the leader's signature stands.
    LeaderAnchor "leader_anchor" {
        /// Ô 7c.
        BetweenTitleAndName = "between_title_and_name",
        /// Bottom right of the last page.
        BottomRightLastPage = "bottom_right_last_page",
    }
}

codes! {
    /// Where the organisation's signature stands.
    OrgAnchor "org_anchor" {
        /// Over a third of the leader's image, on its left.
        OverlapLeftThird = "overlap_left_third",
        /// Left of the leader's.
        LeftOfLeader = "left_of_leader",
        /// Centred below.
        CentredBelow = "centred_below",
    }
}

codes! {
    /// Where a separate attachment is marked.
    AttachmentAnchor "attachment_anchor" {
        /// Top right of the first page.
        TopRightFirst = "top_right_first",
        /// Top left of the first page.
        TopLeftFirst = "top_left_first",
        /// Bottom right of the last page.
        BottomRightLast = "bottom_right_last",
    }
}

codes! {
    /// The mark of documents that exist only electronically (R8).
    EonlyMark "eonly_mark" {
        /// No mark.
        None = "none",
        /// An asterisk at the top right corner of page 1.
        AsteriskTopRight = "asterisk_top_right",
    }
}

codes! {
    /// By when a receiver is expected to answer (R86).
    ReceiptNotice "receipt_notice" {
        /// Within the day.
        SameDay = "same_day",
        /// No rule.
        None = "none",
    }
}

codes! {
    /// Which programs a leader may sign with.
    LeaderClient "leader_client" {
        /// Only an application whose code does not come from the server.
        Native = "native",
        /// The web app too.
        Any = "any",
    }
}

codes! {
    /// Whether a document may wait for its time stamp after release.
    Timestamp "timestamp" {
        /// Nothing goes on without the time stamp.
        Required = "required",
        /// An urgent document may go out at B-B, so marked.
        UrgentMayWait = "urgent_may_wait",
    }
}

codes! {
    /// Which code the SIM computes and shows; with `None` the screen shows no code and says so.
    VerificationCode "verification_code" {
        /// Four digits, as Mobile-ID.
        MobileId4 = "mobile_id_4",
        /// Six digits, the Vietnamese form.
        Vn6 = "vn_6",
        /// The SIM shows none.
        None = "none",
    }
}

codes! {
    /// What the code is computed over.
    CodeOver "verification_code_over" {
        /// The bare digest.
        Digest = "digest",
        /// The DER `DigestInfo`.
        DigestInfo = "digest_info",
    }
}

codes! {
    /// Whether files are scanned for malware before they are taken and released (R80).
    Scan "scan" {
        /// A scanner must have passed them.
        Required = "required",
        /// No scanner is configured.
        Off = "off",
    }
}

/// One agency's rules, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Name of the shipped profile it started from.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// When number and date are given.
    pub numbering: Numbering,
    /// Which series administrative documents draw from.
    pub series: SeriesRule,
    /// Latest moment of release.
    pub release_deadline: ReleaseDeadline,
    /// When the morning ends, +07:00.
    pub morning_end: Time,
    /// How signatures look.
    pub appearance: Appearance,
    /// Where the leader's stands.
    pub leader_anchor: LeaderAnchor,
    /// Where the organisation's stands.
    pub org_anchor: OrgAnchor,
    /// Where attachments are marked.
    pub attachment_anchor: AttachmentAnchor,
    /// The mark of e-only documents.
    pub eonly_mark: EonlyMark,
    /// By when a receiver answers.
    pub receipt_notice: ReceiptNotice,
    /// Hours within which a lost key is reported; absent where the rule only says "kịp thời".
    pub compromise_notice_hours: Option<u16>,
    /// Working days to hand a device back.
    pub device_return_days: u16,
    /// Days of the year on which reports are due, `MM-DD`.
    pub report_dates: Vec<String>,
    /// Kinds that go out on paper too (R5-R7).
    pub paper_types: Vec<DocumentType>,
    /// Which programs a leader may sign with.
    pub leader_client: LeaderClient,
    /// Whether a time stamp may be waited for after release.
    pub timestamp: Timestamp,
    /// The code both screens show.
    pub verification_code: VerificationCode,
    /// What it is computed over.
    pub verification_code_over: CodeOver,
    /// How long an approval may wait in all before it lapses.
    pub approval_window: Duration,
    /// How long an approval may stay unsent once it heads its queue.
    pub send_window: Duration,
    /// Whether a malware scan is required.
    pub scan: Scan,
    /// Whether push messages hide what the document is about.
    pub hide_push_content: bool,
}

/// A policy text was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy, line {line}: {message}")]
pub struct PolicyError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

impl Profile {
    /// The names of the shipped profiles.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, _)| *name)
    }

    /// A shipped profile.
    ///
    /// # Errors
    /// [`PolicyError`] at line 1 when none has this name.
    pub fn named(name: &str) -> Result<Self, PolicyError> {
        let (name, text) = SHIPPED
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| PolicyError { line: 1, message: format!("no profile is called {name:?}") })?;
        let mut keys = Keys::read(SHIPPED_DEFAULT)?;
        if *name != DEFAULT {
            keys.lay_over(Keys::read(text)?);
        }
        keys.profile = Some((*name).to_owned());
        keys.complete()
    }

    /// An agency's own text: a shipped profile with keys laid over it.
    ///
    /// # Errors
    /// [`PolicyError`] with the line of the first unknown key or bad value.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let own = Keys::read(text)?;
        let name = own.profile.clone().unwrap_or_else(|| DEFAULT.to_owned());
        let Some((_, base)) = SHIPPED.iter().find(|(known, _)| *known == name) else {
            let line =
                text.lines().position(|line| line.trim_start().starts_with("profile")).unwrap_or(0) + 1;
            return Err(PolicyError { line, message: format!("no profile is called {name:?}") });
        };
        let mut keys = Keys::read(SHIPPED_DEFAULT)?;
        keys.lay_over(Keys::read(base)?);
        keys.lay_over(own);
        keys.profile = Some(name);
        keys.complete()
    }
}

const DEFAULT: &str = "nd30_default";
const SHIPPED_DEFAULT: &str = include_str!("../profiles/nd30_default.toml");
const SHIPPED: &[(&str, &str)] = &[
    (DEFAULT, SHIPPED_DEFAULT),
    ("dien_bien_2021", include_str!("../profiles/dien_bien_2021.toml")),
    ("tuan_giao_2022", include_str!("../profiles/tuan_giao_2022.toml")),
    ("hau_giang_2019", include_str!("../profiles/hau_giang_2019.toml")),
    ("kien_giang_2017", include_str!("../profiles/kien_giang_2017.toml")),
    ("tay_ninh_2025", include_str!("../profiles/tay_ninh_2025.toml")),
];

/// The keys as a text gives them: all optional, none unknown.
macro_rules! keys {
    ($($key:ident: $kind:ty),+ $(,)?) => {
        #[derive(Debug, Clone, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Keys { profile: Option<String>, $($key: Option<$kind>),+ }

        impl Keys {
            fn lay_over(&mut self, other: Self) {
                if other.profile.is_some() { self.profile = other.profile; }
                $(if other.$key.is_some() { self.$key = other.$key; })+
            }
        }
    };
}

keys! {
    title: String,
    numbering: Numbering,
    series: SeriesRule,
    release_deadline: ReleaseDeadline,
    morning_end: Clock,
    appearance: Appearance,
    leader_anchor: LeaderAnchor,
    org_anchor: OrgAnchor,
    attachment_anchor: AttachmentAnchor,
    eonly_mark: EonlyMark,
    receipt_notice: ReceiptNotice,
    compromise_notice_hours: u16,
    device_return_days: u16,
    report_dates: Vec<MonthDay>,
    paper_types: Vec<DocumentType>,
    leader_client: LeaderClient,
    timestamp: Timestamp,
    verification_code: VerificationCode,
    verification_code_over: CodeOver,
    approval_window_seconds: Seconds,
    send_window_seconds: Seconds,
    scan: Scan,
    hide_push_content: bool,
}

impl Keys {
    fn read(text: &str) -> Result<Self, PolicyError> {
        toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start).min(text.len());
            let line = text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
            PolicyError { line, message: error.message().to_owned() }
        })
    }

    fn complete(self) -> Result<Profile, PolicyError> {
        let missing =
            || PolicyError { line: 1, message: "a key of the default profile is missing".to_owned() };
        Ok(Profile {
            name: self.profile.ok_or_else(missing)?,
            title: self.title.ok_or_else(missing)?,
            numbering: self.numbering.ok_or_else(missing)?,
            series: self.series.ok_or_else(missing)?,
            release_deadline: self.release_deadline.ok_or_else(missing)?,
            morning_end: self.morning_end.ok_or_else(missing)?.0,
            appearance: self.appearance.ok_or_else(missing)?,
            leader_anchor: self.leader_anchor.ok_or_else(missing)?,
            org_anchor: self.org_anchor.ok_or_else(missing)?,
            attachment_anchor: self.attachment_anchor.ok_or_else(missing)?,
            eonly_mark: self.eonly_mark.ok_or_else(missing)?,
            receipt_notice: self.receipt_notice.ok_or_else(missing)?,
            compromise_notice_hours: self.compromise_notice_hours,
            device_return_days: self.device_return_days.ok_or_else(missing)?,
            report_dates: self.report_dates.ok_or_else(missing)?.into_iter().map(|day| day.0).collect(),
            paper_types: self.paper_types.ok_or_else(missing)?,
            leader_client: self.leader_client.ok_or_else(missing)?,
            timestamp: self.timestamp.ok_or_else(missing)?,
            verification_code: self.verification_code.ok_or_else(missing)?,
            verification_code_over: self.verification_code_over.ok_or_else(missing)?,
            approval_window: self.approval_window_seconds.ok_or_else(missing)?.0,
            send_window: self.send_window_seconds.ok_or_else(missing)?.0,
            scan: self.scan.ok_or_else(missing)?,
            hide_push_content: self.hide_push_content.ok_or_else(missing)?,
        })
    }
}

/// `HH:MM`.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct Clock(Time);

impl TryFrom<String> for Clock {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (hour, minute) = text.split_once(':').ok_or("expected a time as HH:MM")?;
        let hour = hour.parse().map_err(|_| "expected a time as HH:MM")?;
        let minute = minute.parse().map_err(|_| "expected a time as HH:MM")?;
        Time::from_hms(hour, minute, 0).map(Self).map_err(|_| "expected a time as HH:MM")
    }
}

/// `MM-DD`, a day that every year has.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct MonthDay(String);

impl TryFrom<String> for MonthDay {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const WRONG: &str = "expected a day of the year as MM-DD";
        let (month, day) = text.split_once('-').ok_or(WRONG)?;
        let month: u8 = month.parse().map_err(|_| WRONG)?;
        let day: u8 = day.parse().map_err(|_| WRONG)?;
        let month = time::Month::try_from(month).map_err(|_| WRONG)?;
        time::Date::from_calendar_date(2026, month, day).map_err(|_| WRONG)?;
        Ok(Self(text))
    }
}

/// A positive number of seconds, at most a day.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "i64")]
struct Seconds(Duration);

impl TryFrom<i64> for Seconds {
    type Error = &'static str;

    fn try_from(seconds: i64) -> Result<Self, Self::Error> {
        if (1..=86_400).contains(&seconds) {
            Ok(Self(Duration::seconds(seconds)))
        } else {
            Err("expected between 1 and 86400 seconds")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_shipped_profile_is_complete() {
        for name in Profile::names() {
            assert_eq!(Profile::named(name).expect(name).name, name);
        }
    }

    #[test]
    fn profiles_number_as_their_acts_say() {
        let numbering = |name| Profile::named(name).expect("shipped").numbering;
        assert_eq!(numbering("nd30_default"), Numbering::AfterSign);
        assert_eq!(numbering("kien_giang_2017"), Numbering::BeforeSign);
        assert_eq!(numbering("hau_giang_2019"), Numbering::AtSign);
    }

    #[test]
    fn an_agency_overrides_keys() {
        let text = "profile = \"kien_giang_2017\"\nmorning_end = \"12:00\"\nleader_client = \"native\"\n";
        let profile = Profile::parse(text).expect("accepted");
        assert_eq!(profile.numbering, Numbering::BeforeSign);
        assert_eq!(profile.leader_client, LeaderClient::Native);
        assert_eq!(profile.morning_end, time::macros::time!(12:00));
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let error =
            Profile::parse("numbering = \"at_sign\"\n\nnumberring = \"at_sign\"\n").expect_err("refused");
        assert_eq!(error.line, 3, "{error}");
        assert!(error.message.contains("numberring"), "{error}");
    }

    #[test]
    fn a_bad_value_is_refused_with_its_line() {
        for (text, line) in [
            ("numbering = \"sometimes\"", 1),
            ("title = \"x\"\nmorning_end = \"25:00\"", 2),
            ("approval_window_seconds = 0", 1),
            ("\nreport_dates = [\"02-30\"]", 2),
            ("\nprofile = \"nobody_2020\"", 2),
        ] {
            assert_eq!(Profile::parse(text).expect_err(text).line, line, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            if let Err(error) = Profile::parse(&text) {
                prop_assert!(error.line >= 1 && error.line <= text.lines().count() + 1);
            }
        }
    }
}
