//! Long-term life of a document, with a clock that the test moves: document time stamps, the archive chain and its
//! renewal, certificates that expire or are revoked before and after what proves the signature, and broken hashes.

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod timeline;

use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use timeline::life::{DAY, Life, signature, years};
use trinhky_pades::{
    DssContent, Midstate, crypto, prepare_timestamp,
    tsp::TimestampRequest,
    verify::{Indication, Kind, Level, Report, SubIndication},
};

const PASSED: Indication = Indication::TotalPassed;

#[test]
fn the_archive_chain_outlives_every_certificate() {
    let mut life = Life::new();
    life.sign(DAY, Some("tsa"));
    assert_eq!(life.at(DAY).1, Some(SubIndication::TryLater), "nothing tells of revocation");
    life.store(&["signer", "tsa"], DAY + Duration::hours(1));
    assert_eq!(life.at(DAY + Duration::days(1)), (PASSED, None, Level::BLt));
    life.archive("tsa", DAY + Duration::hours(2));
    let report = life.report(DAY + Duration::days(1));
    assert!(report.passed(), "{report:#?}");
    assert_eq!(signature(&report).level, Level::BLta);
    let stamp = report.signatures.last().unwrap();
    assert_eq!((stamp.kind, stamp.sub_filter.as_str()), (Kind::DocumentTimestamp, "ETSI.RFC3161"));
    assert_eq!(stamp.timestamp_time, Some(DAY + Duration::hours(2)));
    let allowed: Vec<_> =
        signature(&report).later_changes.iter().map(|one| (one.code, one.allowed)).collect();
    assert!(allowed.iter().all(|(_, allowed)| *allowed), "{allowed:?}");

    // The signer's certificate and the authority's have ended, and nobody renewed.
    let late = DAY + years(3);
    assert_eq!(life.at(late).1, Some(SubIndication::OutOfBoundsNoPoe));

    // Renewed in time: what the last stamp needs, and another stamp over it.
    let renewal = DAY + years(2) - Duration::days(30);
    life.store(&["tsa"], renewal);
    let without_cover = life.at(renewal + Duration::days(1));
    assert_eq!(without_cover, (PASSED, None, Level::BLta), "the older answers are archived already");
    life.archive("tsa2", renewal + Duration::hours(1));
    life.store(&["tsa2"], renewal + Duration::hours(2));
    assert_eq!(life.at(late), (PASSED, None, Level::BLta));
    assert_eq!(life.at(DAY + years(10)).1, Some(SubIndication::OutOfBoundsNoPoe));

    // And once more.
    let renewal = DAY + years(9) - Duration::days(30);
    life.store(&["tsa2"], renewal);
    life.archive("tsa3", renewal + Duration::hours(1));
    life.store(&["tsa3"], renewal + Duration::hours(2));
    let report = life.report(DAY + years(20));
    assert!(report.passed(), "{report:#?}");
    assert_eq!(report.signatures.len(), 4);
    assert_eq!(signature(&report).level, Level::BLta);
    assert_eq!(signature(&report).timestamp_time, Some(DAY));
}

#[test]
fn a_signature_without_a_stamp_is_proven_by_a_document_time_stamp() {
    let mut life = Life::new();
    life.sign(DAY, None);
    life.archive("tsa2", DAY + years(1) + Duration::days(1));
    let after = DAY + years(1) + Duration::days(2);
    life.store(&["signer", "tsa2"], after);
    assert_eq!(life.at(after), (PASSED, None, Level::BLt));
    assert_eq!(life.at(DAY + years(5)), (PASSED, None, Level::BLt), "the signer's certificate has ended");
    let report = life.report(after);
    assert_eq!(signature(&report).timestamp_time, None, "it has no time stamp of its own");
}

#[test]
fn revocation_counts_from_the_time_that_is_proven() {
    let revoked = DAY + Duration::days(10);
    let later = DAY + Duration::days(20);
    let told = later + Duration::hours(1);
    let life = |stamp: Option<&str>, when: OffsetDateTime| {
        let mut life = Life::new();
        life.sign(DAY, stamp);
        life.line.revoke("signer", when);
        life
    };
    // Revoked after the stamp: what was signed before stays signed.
    let mut stamped = life(Some("tsa"), revoked);
    stamped.store(&["signer", "tsa"], later);
    assert_eq!(stamped.at(told), (PASSED, None, Level::BLt));
    // Revoked before it: no.
    let mut early = life(Some("tsa"), DAY - Duration::days(1));
    early.store(&["signer", "tsa"], later);
    assert_eq!(early.at(told), (Indication::TotalFailed, Some(SubIndication::Revoked), Level::BT));
    // Nothing proves when it was signed.
    let mut bare = life(None, revoked);
    bare.store(&["signer"], later);
    assert_eq!(bare.at(told).1, Some(SubIndication::RevokedNoPoe));
    // A document time stamp from before the revocation does.
    let mut archived = life(None, revoked);
    archived.archive("tsa", DAY + Duration::days(5));
    archived.store(&["signer", "tsa"], later);
    assert_eq!(archived.at(told), (PASSED, None, Level::BLt));
    // One from after it does not.
    let mut late = life(None, revoked);
    late.archive("tsa", DAY + Duration::days(11));
    late.store(&["signer", "tsa"], later);
    assert_eq!(late.at(told).1, Some(SubIndication::Revoked));
}

#[test]
fn an_authority_that_was_revoked_counts_only_where_another_archived_it() {
    let revoked = DAY + Duration::days(100);
    let later = DAY + Duration::days(200);
    let told = later + Duration::hours(1);
    let mut life = Life::new();
    life.sign(DAY, Some("tsa"));
    life.line.revoke("tsa", revoked);
    let mut alone = life;
    alone.store(&["signer", "tsa"], later);
    let report = alone.report(told);
    let one = signature(&report);
    // Its certificate still stands, so it passes as a signature without a time.
    assert_eq!((one.indication, one.level), (PASSED, Level::BB), "{one:#?}");
    assert_eq!(one.checks.timestamp.reason.as_deref(), Some("timestamp_authority_revoked"));
    assert_eq!(alone.at(DAY + years(3)).1, Some(SubIndication::OutOfBoundsNoPoe));

    let mut life = Life::new();
    life.sign(DAY, Some("tsa"));
    life.line.revoke("tsa", revoked);
    life.archive("tsa2", revoked - Duration::days(1));
    life.store(&["signer", "tsa", "tsa2"], later);
    assert_eq!(life.at(told), (PASSED, None, Level::BLt));
    let report = life.report(told);
    assert_eq!(signature(&report).timestamp_time, Some(DAY));
}

#[test]
fn a_stamp_from_after_the_one_that_covers_it_is_a_lie() {
    let mut life = Life::new();
    life.sign(DAY + Duration::days(3), Some("tsa"));
    life.archive("tsa2", DAY);
    life.store(&["signer", "tsa", "tsa2"], DAY + Duration::days(3));
    let report = life.report(DAY + Duration::days(3) + Duration::hours(1));
    let one = signature(&report);
    assert_eq!(one.sub_indication, Some(SubIndication::TimestampOrderFailure), "{one:#?}");
    assert_eq!(one.checks.timestamp.reason.as_deref(), Some("timestamp_order"));
}

#[test]
fn a_broken_hash_is_good_as_long_as_it_was_proven_before() {
    let day = datetime!(2008-03-03 09:00 +7);
    let old = |stamp: Option<OffsetDateTime>, old_stamp: bool, archive: Option<OffsetDateTime>| {
        let mut life = Life::on(day);
        life.sign_with_sha1(day, stamp, old_stamp);
        if let Some(at) = archive {
            life.archive("tsa3", at);
        }
        life.report_if_available(day + years(10))
    };
    let verdict = |report: &Report| signature(report).sub_indication;
    let weak = Some(SubIndication::CryptoConstraintsFailureNoPoe);
    assert_eq!(verdict(&old(None, false, None)), weak);
    assert_eq!(verdict(&old(Some(day), false, None)), None, "proven while SHA-1 was good");
    assert_eq!(verdict(&old(Some(day + years(2)), false, None)), weak, "proven only when it no longer was");
    let by_sha1 = old(Some(day), true, None);
    assert_eq!(verdict(&by_sha1), weak, "a stamp of the same weakness proves nothing today");
    let reason = signature(&by_sha1).checks.timestamp.reason.clone();
    assert_eq!(reason.as_deref(), Some("timestamp_weak_algorithm"));
    assert_eq!(verdict(&old(Some(day), true, Some(day + Duration::days(30)))), None, "but archived in time");
    assert_eq!(verdict(&old(Some(day), true, Some(day + years(2)))), weak, "archived too late");
}

/// SHA-1 gave assurance until 2009: an answer or list that it signs says "good" only if it is proven to be older.
#[test]
fn weak_revocation_data_need_a_proof_that_they_are_old() {
    let day = datetime!(2007-06-01 09:00 +7);
    let weak = Some(SubIndication::CryptoConstraintsFailureNoPoe);
    for by_list in [false, true] {
        let life = |old_hash: bool, revoked: bool, archive: Option<OffsetDateTime>| {
            let mut life = Life::on(day);
            life.sign(day, Some("tsa3"));
            if revoked {
                life.line.revoke("signer", day - Duration::days(1));
            }
            let later = day + Duration::hours(1);
            life.line.old_hash.set(old_hash);
            let (own, list) = (life.line.ocsp("signer", later), life.line.crl("ca", later));
            life.line.old_hash.set(false);
            let mut ocsps = ["ca", "tsa3"].map(|who| life.line.ocsp(who, later)).to_vec();
            let crls = if by_list { vec![list] } else { Vec::new() };
            ocsps.extend((!by_list).then_some(own));
            life.store_these(&DssContent { certs: vec![life.line.certificate("ca")], ocsps, crls });
            if let Some(at) = archive {
                life.archive("tsa3", at);
            }
            life
        };
        let now = day + years(1);
        let archived = Some(day + Duration::days(1));
        assert_eq!(life(false, false, None).at(now).0, PASSED, "{by_list}");
        assert_eq!(life(true, false, None).at(now).0, PASSED, "SHA-1 was good then");
        let now = day + years(10);
        assert_eq!(life(false, false, archived).at(now), (PASSED, None, Level::BLta), "{by_list}");
        assert_eq!(life(true, false, archived).at(now), (PASSED, None, Level::BLta), "archived in time");
        let late = life(true, false, Some(day + years(2)));
        assert_eq!(late.at(now).1, weak, "archived when anybody could have made it");
        let unarchived = life(true, false, None);
        assert_eq!(unarchived.at(now).1, weak);
        let reason = signature(&unarchived.report(now)).checks.certificate.reason.clone();
        assert_eq!(reason.as_deref(), Some("revocation_weak"));
        // Whoever does not insist is told that nothing usable was there, and the level says so too.
        let report = unarchived.report_if_available(now);
        assert_eq!((signature(&report).indication, signature(&report).level), (PASSED, Level::BT));
        // A revocation counts, whatever signed it.
        assert_eq!(life(true, true, None).at(now).1, Some(SubIndication::Revoked));
    }
}

#[test]
fn a_token_over_something_else_is_not_embedded() {
    let mut life = Life::new();
    life.sign(DAY, None);
    let prepared = prepare_timestamp(&life.bytes, &life.index, &life.midstate, &[3; 16]).unwrap();
    let asked = TimestampRequest::over(b"something else", [6; 16]).unwrap();
    let answer = life.line.stamp("tsa", asked.as_der(), DAY);
    let token = asked.accept(&answer, crypto::pure()).unwrap();
    assert_eq!(prepared.clone().complete(&token).unwrap_err().code(), "other_digest");
    let moved = prepare_timestamp(&life.bytes, &life.index, &Midstate::start(), &[3; 16]).unwrap_err();
    assert_eq!(moved.code(), "base_moved");
    // Deterministic: made again it is the same, so a lost answer costs nothing but another question.
    assert!(prepare_timestamp(&life.bytes, &life.index, &life.midstate, &[3; 16]).unwrap() == prepared);
}
