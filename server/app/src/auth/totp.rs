//! The second factor: six digits that change every 30 seconds (RFC 6238, SHA-1 as authenticator apps do it).
//!
//! One step of clock difference either way is taken. A step is good once: the caller stores the step that was used and
//! gives it back as `last`, so that a code read over a shoulder opens nothing.

use time::OffsetDateTime;
use totp_rs::{Algorithm, TOTP};

const STEP_SECONDS: u64 = 30;

/// The step that `code` belongs to, when it is right at `now` and later than the `last` step used.
pub fn step(secret: &[u8], code: &str, now: OffsetDateTime, last: Option<u64>) -> Option<u64> {
    let current = u64::try_from(now.unix_timestamp()).ok()? / STEP_SECONDS;
    let totp = totp(secret)?;
    // Every candidate is compared, whichever fits, so that time tells nothing.
    let found = [current.saturating_sub(1), current, current + 1]
        .into_iter()
        .filter(|step| same(totp.generate(step * STEP_SECONDS).as_bytes(), code.as_bytes()))
        .fold(None, |_, step| Some(step));
    found.filter(|step| last.is_none_or(|last| *step > last))
}

/// The secret as people are given it: base32 without padding, RFC 4648 section 6.
pub fn from_base32(text: &str) -> Option<Vec<u8>> {
    totp_rs::Secret::Encoded(text.trim().to_ascii_uppercase()).to_bytes().ok()
}

fn totp(secret: &[u8]) -> Option<TOTP> {
    // RFC 4226 section 4 wants 128 bits; a shorter secret is a broken row and opens nothing.
    TOTP::new(Algorithm::SHA1, 6, 1, STEP_SECONDS, secret.to_vec()).ok()
}

fn same(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn the_rfc_vector_opens_once() {
        // RFC 6238 Appendix B, SHA-1, T = 1111111109 s: 07081804, of which we take six digits.
        let now = OffsetDateTime::from_unix_timestamp(1_111_111_109).expect("a time");
        let used = step(SECRET, "081804", now, None).expect("right");
        assert_eq!(used, 0x0235_23EC);
        assert_eq!(step(SECRET, "081804", now, Some(used)), None, "a replay");
        assert_eq!(step(SECRET, "081804", now + time::Duration::seconds(30), None), Some(used));
        assert_eq!(step(SECRET, "081804", now + time::Duration::seconds(90), None), None);
    }

    #[test]
    fn wrong_codes_and_weak_secrets_open_nothing() {
        let now = datetime!(2026-01-02 03:04:05 UTC);
        for code in ["", "000000", "12345", "1234567", "٠٨١٨٠٤"] {
            assert_eq!(step(SECRET, code, now, None), None, "{code}");
        }
        assert_eq!(step(b"short", "081804", now, None), None);
    }

    #[test]
    fn base32_is_read_in_either_case() {
        assert_eq!(from_base32("gezdgnbvgy3tqojqgezdgnbvgy3tqojq").as_deref(), Some(SECRET));
        assert_eq!(from_base32("not base32!"), None);
    }
}
