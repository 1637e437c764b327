//! Raising documents: what is asked for, in which order, what is appended, and when it is refused.

#![expect(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod timeline;

use time::{Duration, OffsetDateTime};
use timeline::Use;
use timeline::life::{DAY, Life, signature, years};
use trinhky_pades::{
    Need, Step, Target, Upgrade, UpgradeRefused, Upgraded, crypto,
    pdf::{File, Limits, Object},
    verify::{Level, VerifyPolicy},
};

/// Somebody at the door who answers what is asked, and what was asked.
struct Desk {
    now: OffsetDateTime,
    authority: &'static str,
    /// Whose responder is silent.
    silent_ocsp: bool,
    silent_lists: bool,
    asked: Vec<String>,
}

impl Desk {
    fn at(now: OffsetDateTime, authority: &'static str) -> Self {
        Self { now, authority, silent_ocsp: false, silent_lists: false, asked: Vec::new() }
    }

    fn raise(&mut self, life: &Life, target: Target) -> Result<Upgraded, UpgradeRefused> {
        let anchors = life.line.anchors();
        let policy = VerifyPolicy::new(&anchors, self.now, crypto::pure());
        let mut upgrade = Upgrade::begin(&life.bytes, &policy, target, [8; 16])?;
        loop {
            self.now += Duration::SECOND;
            let need = match upgrade.poll(self.now)? {
                Step::Done(upgraded) => return Ok(*upgraded),
                Step::Ask(need) => need,
            };
            assert_eq!(upgrade.poll(self.now)?, Step::Ask(need.clone()), "asked again, the same question");
            match need {
                Need::Timestamp { request, .. } => {
                    self.asked.push("stamp".to_owned());
                    upgrade.answer(&life.line.stamp(self.authority, &request, self.now), self.now)?;
                }
                Need::Ocsp { certificate, .. } => {
                    let who = life.line.who(certificate.as_der());
                    self.asked.push(format!("ocsp {who}"));
                    if self.silent_ocsp {
                        upgrade.unanswered("timed out")?;
                    } else {
                        upgrade.answer(&life.line.ocsp(&who, self.now), self.now)?;
                    }
                }
                Need::Crl { url } => {
                    let issuer = url.rsplit('/').next().unwrap().strip_suffix(".crl").unwrap();
                    self.asked.push(format!("crl {issuer}"));
                    if self.silent_lists {
                        upgrade.answer(b"<html>", self.now)?;
                    } else {
                        upgrade.answer(&life.line.crl(issuer, self.now), self.now)?;
                    }
                }
            }
        }
    }

    /// Raises and appends.
    fn take(&mut self, life: &mut Life, target: Target) -> Upgraded {
        let upgraded = self.raise(life, target).unwrap();
        let before = life.bytes.clone();
        life.append(&upgraded.tail, upgraded.index.clone(), upgraded.midstate.clone());
        assert!(life.bytes.starts_with(&before));
        assert_eq!(upgraded.index.sha256, upgraded.sha256);
        upgraded
    }
}

fn revisions(life: &Life) -> usize {
    File::open_strict(&life.bytes, &Limits::default()).unwrap().revisions().len()
}

const SOON: Duration = Duration::hours(1);

#[test]
fn every_level_is_reached_from_every_lower_one() {
    for (stamp, target, level, more) in [
        (None, Target::T, Level::BT, 1),
        (None, Target::Lt, Level::BLt, 2),
        (None, Target::Lta, Level::BLta, 3),
        (Some("tsa"), Target::T, Level::BT, 0),
        (Some("tsa"), Target::Lt, Level::BLt, 1),
        (Some("tsa"), Target::Lta, Level::BLta, 2),
    ] {
        let mut life = Life::new();
        life.sign(DAY, stamp);
        let before = revisions(&life);
        let mut desk = Desk::at(DAY + SOON, "tsa2");
        let upgraded = desk.take(&mut life, target);
        assert_eq!(signature(&upgraded.report).level, level, "{stamp:?} {target:?}");
        assert_eq!(revisions(&life) - before, more, "{stamp:?} {target:?}: {:?}", desk.asked);
        assert_eq!(life.at(desk.now).2, level);
        // The page is the one that was signed, and the store holds no VRI.
        let file = File::open_strict(&life.bytes, &Limits::default()).unwrap();
        let view = file.latest();
        let store = view.dict(&view.root().unwrap(), "DSS").unwrap();
        assert!(!store.contains("VRI"));
        if target >= Target::Lt {
            // Signer, authority of the stamp, and the two above both.
            assert_eq!(view.array(&store, "Certs").unwrap().len(), 4);
            assert!(view.array(&store, "OCSPs").unwrap().iter().all(|one| matches!(one, Object::Ref(_))));
        }
    }
}

#[test]
fn status_is_asked_after_the_stamp_and_once() {
    let mut life = Life::new();
    life.sign(DAY, None);
    let mut desk = Desk::at(DAY + SOON, "tsa");
    desk.take(&mut life, Target::Lta);
    assert_eq!(desk.asked, ["stamp", "ocsp tsa", "ocsp ca", "ocsp signer", "stamp"]);
    // Good enough already: nothing is asked, nothing appended.
    let mut life = Life::new();
    life.sign(DAY, Some("tsa"));
    let mut desk = Desk::at(DAY + SOON, "tsa");
    desk.take(&mut life, Target::Lt);
    let mut again = Desk::at(desk.now, "tsa");
    let upgraded = again.raise(&life, Target::Lt).unwrap();
    assert!(upgraded.tail.is_empty() && again.asked.is_empty(), "{:?}", again.asked);
}

#[test]
fn the_archive_is_renewed_for_what_comes() {
    let mut life = Life::new();
    life.sign(DAY, Some("tsa"));
    Desk::at(DAY + SOON, "tsa").take(&mut life, Target::Lta);
    let renewal = DAY + years(2) - Duration::days(20);
    let mut desk = Desk::at(renewal, "tsa2");
    desk.take(&mut life, Target::Lta);
    assert!(desk.asked.iter().any(|asked| asked == "ocsp tsa"), "{:?}", desk.asked);
    Desk::at(DAY + years(9) - Duration::days(20), "tsa3").take(&mut life, Target::Lta);
    let report = life.report(DAY + years(25));
    assert!(report.passed(), "{report:#?}");
    assert_eq!(signature(&report).level, Level::BLta);
    // Too late is too late: nobody can prove any more that it was good.
    let mut forgotten = Life::new();
    forgotten.sign(DAY, Some("tsa"));
    let refused = Desk::at(DAY + years(3), "tsa2").raise(&forgotten, Target::Lta).unwrap_err();
    assert_eq!(refused.code(), "signature_not_valid");
}

#[test]
fn silent_responders_are_replaced_by_lists_and_silence_ends_it() {
    let mut life = Life::new();
    life.sign(DAY, Some("tsa"));
    let mut desk = Desk { silent_ocsp: true, ..Desk::at(DAY + SOON, "tsa") };
    let upgraded = desk.raise(&life, Target::Lt).unwrap();
    assert_eq!(signature(&upgraded.report).level, Level::BLt);
    assert_eq!(desk.asked.iter().filter(|asked| *asked == "crl ca").count(), 1, "{:?}", desk.asked);
    let mut desk = Desk { silent_lists: true, ..desk };
    let refused = desk.raise(&life, Target::Lt).unwrap_err();
    assert_eq!(refused.code(), "revocation_unavailable");
    assert!(refused.to_string().contains("timed out"), "{refused}");
}

#[test]
fn a_delegated_responder_serves() {
    let mut life = Life::new();
    life.line.issue("ca-responder", "ca", Use::Responding, DAY - years(1), DAY + years(1));
    life.sign(DAY, Some("tsa"));
    Desk::at(DAY + SOON, "tsa").take(&mut life, Target::Lta);
    assert_eq!(life.at(DAY + Duration::days(1)).2, Level::BLta);
}

#[test]
fn what_is_not_valid_is_not_raised() {
    let mut life = Life::new();
    assert_eq!(Desk::at(DAY, "tsa").raise(&life, Target::T).unwrap_err(), UpgradeRefused::NoSignature);
    life.sign(DAY, Some("tsa"));
    // Revoked before the stamp: the responder says so, and nothing is written.
    life.line.revoke("signer", DAY - Duration::days(1));
    let refused = Desk::at(DAY + SOON, "tsa").raise(&life, Target::Lta).unwrap_err();
    assert_eq!(refused.code(), "not_trusted", "{refused}");
    // Changed after signing.
    let at = life.bytes.windows(9).position(|window| window == b"/MediaBox").unwrap();
    life.bytes[at + 1] = b'X';
    assert!(Desk::at(DAY + SOON, "tsa").raise(&life, Target::T).is_err());
}
