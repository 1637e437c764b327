//! The time stamp of a signature, or the one that a document time stamp is: whether it proves a time.
//!
//! A token is believed like any signature: its authority's certificate must stand now, or have stood when a later
//! document time stamp covered the token (EN 319 102-1, 5.4 and 5.6). A token whose authority has expired and that
//! nothing archived proves nothing any more; a signature that needs it is as good as one without.

use time::{Duration, OffsetDateTime};

use super::{
    VerifyPolicy,
    message::Judged,
    report::{Check, SubIndication},
    trust::{self, Held, Subject, was_strong},
};
use crate::{tsp::CheckedToken, x509::path::Purpose};

/// How far the clocks of two authorities may differ.
const SKEW: Duration = Duration::minutes(5);

/// What the time stamps of one signature say.
pub(super) struct Stamps {
    /// For people.
    pub(super) check: Check,
    /// The time stated by the stamp that counts.
    pub(super) time: Option<OffsetDateTime>,
    /// The time before which the signature demonstrably existed; a document time stamp proves nothing about itself.
    pub(super) proven: Option<OffsetDateTime>,
    /// What an invalid stamp makes of the signature.
    pub(super) problem: Option<SubIndication>,
    /// The authorities that were believed.
    pub(super) believed: Vec<Subject>,
}

/// Judges them; `archived` is the time at which a later document time stamp saw them.
pub(super) fn judge(
    judged: &Judged,
    archived: Option<OffsetDateTime>,
    held: &Held<'_>,
    policy: &VerifyPolicy<'_>,
) -> Stamps {
    let none = |check| Stamps { check, time: None, proven: None, problem: None, believed: Vec::new() };
    if let Some(own) = &judged.stamp {
        // Its authority is judged as the signer that it is.
        let disorder = is_out_of_order(own.time(), archived);
        let check = if disorder { Check::fail("timestamp_order") } else { Check::pass() };
        let problem = disorder.then_some(SubIndication::TimestampOrderFailure);
        return Stamps { time: Some(own.time()), problem, ..none(check) };
    }
    if judged.is_stamp {
        return none(Check::fail("timestamp_wrong"));
    }
    let mut stamps = none(Check::fail("no_timestamp"));
    let mut refused: Option<&'static str> = None;
    for stamp in &judged.inner_stamps {
        let found = stamp.as_ref().map_err(|code| (*code, Some(SubIndication::FormatFailure)));
        match found.and_then(|token| believe(token, archived, held, policy)) {
            Ok((time, subject)) => {
                stamps.proven = stamps.proven.into_iter().chain([time]).min();
                stamps.believed.push(subject);
            }
            Err((code, problem)) => {
                refused.get_or_insert(code);
                // A stamp over something else is not a missing stamp: somebody put it there.
                stamps.problem = stamps.problem.or(problem);
            }
        }
    }
    stamps.time = stamps.proven;
    stamps.check = match refused.filter(|_| stamps.proven.is_none() || stamps.problem.is_some()) {
        Some(code) => Check::fail(code),
        None if stamps.proven.is_some() => Check::pass(),
        None => stamps.check,
    };
    stamps
}

/// The time that a token proves, or why it proves none.
fn believe(
    token: &CheckedToken,
    archived: Option<OffsetDateTime>,
    held: &Held<'_>,
    policy: &VerifyPolicy<'_>,
) -> Result<(OffsetDateTime, Subject), (&'static str, Option<SubIndication>)> {
    let time = token.time();
    if is_out_of_order(time, archived) {
        return Err(("timestamp_order", Some(SubIndication::TimestampOrderFailure)));
    }
    let weak = |at| token.weaknesses().iter().any(|weakness| !was_strong(*weakness, at));
    if weak(archived) {
        return Err(("timestamp_weak_algorithm", None));
    }
    // Not archived: its authority must stand at the time of verification, though not before it gave the stamp.
    let at = archived.unwrap_or(policy.at).max(time);
    let subject = Subject {
        certificate: token.certificate().clone(),
        purpose: Purpose::TimeStamping,
        proven: Some(at),
        stated: Some(time),
    };
    let trusted = trust::certificate(&subject, held, policy, policy.revocation);
    match (trusted.sub_indication, trusted.check.reason.as_deref()) {
        (None, _) => Ok((time, subject)),
        (_, Some("certificate_expired")) => Err(("timestamp_authority_expired", None)),
        (_, Some("certificate_revoked" | "issuer_revoked")) => Err(("timestamp_authority_revoked", None)),
        (_, Some("revocation_unknown")) => Err(("timestamp_revocation_unknown", None)),
        (_, Some("revocation_weak")) => Err(("timestamp_revocation_weak", None)),
        _ => Err(("timestamp_not_trusted", None)),
    }
}

/// Whether a stamp states a later time than the one that saw it: one of the two clocks lies.
fn is_out_of_order(time: OffsetDateTime, archived: Option<OffsetDateTime>) -> bool {
    archived.is_some_and(|archived| time > archived.saturating_add(SKEW))
}
