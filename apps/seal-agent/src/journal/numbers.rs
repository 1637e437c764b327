//! Which number may go to which document, by what this desk has sealed: the register's rules (architecture, section 4,
//! Numbers), checked without believing the server.
//!
//! A number goes to one document a year and stays in the book for ever, void or not. A document keeps its number, unless
//! the register made it void because the leader signed anew: on a later day, or, where the number comes before the
//! signature, in a later year. That day is read from the time stamp of the leader's signature, not from the server.

use time::macros::{format_description, offset};
use time::{Date, OffsetDateTime};
use trinhky_protos::ids::DocumentId;

use super::line::Entry;
use crate::error::Error;

/// A document that asks for the seal under a number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'a> {
    pub(crate) document: DocumentId,
    pub(crate) number: &'a str,
    /// `YYYY-MM-DD`.
    pub(crate) date: &'a str,
    /// When the number is given: `before_sign`, `at_sign`, `after_sign`.
    pub(crate) numbering: &'a str,
    /// The time stamp of the last leader's signature, verified here.
    pub(crate) signed_at: Option<OffsetDateTime>,
}

/// Whether the claim fits everything sealed before, oldest first.
///
/// # Errors
/// [`Error::NumberConflict`] when the number is another document's, or was this one's and is void; [`Error::SecondNumber`]
/// when the document has a number that still stands.
pub(super) fn check(sealed: &[Entry], claim: &Claim<'_>) -> Result<(), Error> {
    let told =
        |entry: &Entry| format!("{} went to document {} on {}", entry.number, entry.document, entry.date);
    let same = |entry: &Entry| entry.number == claim.number && year(&entry.date) == year(claim.date);
    if let Some(other) = sealed.iter().find(|entry| same(entry) && entry.document != claim.document) {
        return Err(Error::NumberConflict(told(other)));
    }
    let mut own = sealed.iter().rev().filter(|entry| entry.document == claim.document);
    let Some(newest) = own.next() else { return Ok(()) };
    if same(newest) {
        return if newest.date == claim.date { Ok(()) } else { Err(Error::NumberConflict(told(newest))) };
    }
    if let Some(void) = own.find(|entry| same(entry)) {
        return Err(Error::NumberConflict(format!("{}, and is void since", told(void))));
    }
    if is_void(newest, claim) { Ok(()) } else { Err(Error::SecondNumber(told(newest))) }
}

/// Whether the register took that number back when the leader signed what is sealed now.
fn is_void(earlier: &Entry, claim: &Claim<'_>) -> bool {
    let (Some(given), Some(signed_at)) = (day(&earlier.date), claim.signed_at) else { return false };
    let signed = signed_at.to_offset(offset!(+7)).date();
    if claim.numbering == "before_sign" { given.year() < signed.year() } else { given < signed }
}

fn day(date: &str) -> Option<Date> {
    Date::parse(date, format_description!("[year]-[month]-[day]")).ok()
}

fn year(date: &str) -> Option<&str> {
    date.get(..4)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::journal::tests::entry;

    fn claim<'a>(document: u128, number: &'a str, date: &'a str) -> Claim<'a> {
        let document = entry(document, "", "").document;
        Claim {
            document,
            number,
            date,
            numbering: "after_sign",
            signed_at: Some(datetime!(2026-03-02 01:02:03 UTC)),
        }
    }

    fn refused(sealed: &[Entry], claim: &Claim<'_>) -> String {
        check(sealed, claim).expect_err("must be refused").code().to_owned()
    }

    #[test]
    fn a_number_goes_to_one_document_a_year() {
        let sealed = [entry(1, "29/QĐ-UBND", "2026-03-02"), entry(2, "30/QĐ-UBND", "2026-03-02")];
        check(&sealed, &claim(1, "29/QĐ-UBND", "2026-03-02")).unwrap();
        assert_eq!(refused(&sealed, &claim(2, "29/QĐ-UBND", "2026-03-03")), "number_conflict");
        assert_eq!(
            refused(&sealed, &claim(1, "29/QĐ-UBND", "2026-03-03")),
            "number_conflict",
            "another date"
        );
        check(&sealed, &claim(3, "29/QĐ-UBND", "2027-01-04")).unwrap();
    }

    #[test]
    fn a_document_keeps_a_number_that_still_stands() {
        let sealed = [entry(1, "29/QĐ-UBND", "2026-03-02")];
        assert_eq!(refused(&sealed, &claim(1, "31/QĐ-UBND", "2026-03-03")), "second_number");
        let unstamped = Claim { signed_at: None, ..claim(1, "31/QĐ-UBND", "2026-03-04") };
        assert_eq!(refused(&sealed, &unstamped), "second_number", "nothing shows when the leader signed");
    }

    #[test]
    fn a_number_that_the_register_took_back_makes_way_for_the_next_one_and_never_comes_again() {
        let mut sealed = vec![entry(1, "29/QĐ-UBND", "2026-03-02")];
        // 00:30 of the third of March in Hà Nội.
        let anew = Claim {
            signed_at: Some(datetime!(2026-03-02 17:30 UTC)),
            ..claim(1, "31/QĐ-UBND", "2026-03-03")
        };
        check(&sealed, &anew).unwrap();
        sealed.push(entry(1, "31/QĐ-UBND", "2026-03-03"));
        check(&sealed, &anew).unwrap();
        let back = Claim { number: "29/QĐ-UBND", date: "2026-03-02", ..anew };
        assert_eq!(refused(&sealed, &back), "number_conflict");
        let other = Claim { document: entry(2, "", "").document, ..back };
        assert_eq!(refused(&sealed, &other), "number_conflict", "void, and in the book for ever");
    }

    #[test]
    fn where_the_number_comes_before_the_signature_only_the_turn_of_the_year_takes_it_back() {
        let sealed = [entry(1, "29/QĐ-UBND", "2026-12-30")];
        let signed = |signed_at| Claim {
            numbering: "before_sign",
            signed_at: Some(signed_at),
            ..claim(1, "01/QĐ-UBND", "2027-01-02")
        };
        assert_eq!(refused(&sealed, &signed(datetime!(2026-12-31 16:59:59 UTC))), "second_number");
        check(&sealed, &signed(datetime!(2026-12-31 17:00 UTC))).unwrap();
    }
}
