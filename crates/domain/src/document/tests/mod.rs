//! The whole life, step by step, and whatever order the steps come in.

mod any_order;
mod copies;
mod held;
mod house;
mod years;

use time::Duration;
use time::macros::date;

use super::*;
use house::*;

use crate::change::Write;
use crate::ids::{AttemptId, CopyId, DecisionId, DeviceId};
use crate::paper::{Capacity, Channel, DocumentType, Family, FileRole, Recipient, Secrecy, Urgency};
use crate::people::{Actor, Client};
use crate::policy::Profile;
use crate::register::Series;
use crate::seal::SignatureCheck;
use crate::signing::{Attempt, AttemptStateName, Decision, Failure};

#[test]
fn the_main_job_numbers_after_the_signature() {
    let mut house = House::new("nd30_default");
    let document = house.submitted(&[LEADER, SECOND], false);
    assert_eq!(document.waits_for(), Some(PersonId::at(NOW, LEADER)));
    let document = house.sign(&document, LEADER);
    assert_eq!(document.state, State::AwaitingSignature { signer: 1 });
    let document = house.sign(&document, SECOND);
    assert_eq!((document.state.name(), document.number.is_none()), (StateName::AwaitingNumber, true));
    let document = house.seal(&document);
    assert_eq!(document.number.as_ref().expect("numbered").to_string(), "01/QĐ-UBND");
    let change = house.release(&document);
    assert_eq!(change.copies().len(), 1);
    assert_eq!(doc(&change).waits_for(), None);
}

#[test]
fn kien_giang_numbers_before_the_signature_and_draws_it_in_a_new_base() {
    let mut house = House::new("kien_giang_2017");
    let document = house.submitted(&[LEADER], false);
    assert!(document.is_drawing_number());
    assert_eq!(document.number.as_ref().expect("taken").to_string(), "01/QĐ-UBND");
    assert_eq!(document.clone().awaiting(&house.actor(LEADER)).expect_err("not yet").code(), "wrong_state");
    let base = Head { sha256: Digest::of(b"numbered base"), length: 10 };
    let mut bundle = document.bundle.clone();
    bundle.0[0].sha256 = base.sha256;
    let mut swapped = bundle.clone();
    swapped.0[1].sha256 = Digest::of(b"another attachment");
    let refused = document.clone().number_drawn(swapped, base, Digest::of(b"m"), NOW).expect_err("refused");
    assert_eq!(refused.code(), "content_changed");
    let document = doc(&document.number_drawn(bundle, base, Digest::of(b"m"), NOW).expect("drawn"));
    let document = house.sign(&document, LEADER);
    let document = house.seal(&document);
    assert_eq!(house.register.last, 1, "one number for one document");
    assert_eq!(document.state, State::Sealed);
}

#[test]
fn hau_giang_takes_the_number_with_the_signature() {
    let mut house = House::new("hau_giang_2019");
    let document = house.submitted(&[LEADER], false);
    assert_eq!(document.number, None);
    let document = house.sign(&document, LEADER);
    assert_eq!(document.number.as_ref().expect("taken").to_string(), "01/QĐ-UBND");
    assert_eq!(house.seal(&document).number, document.number);
}

#[test]
fn the_bundle_digest_is_of_roles_bytes_and_lengths_in_order() {
    let file = |role, name: &str, sha256, length| BundleFile { role, name: name.into(), sha256, length };
    let (main, other) = (Digest::of(b"main"), Digest::of(b"other"));
    let bundle = |name| {
        Bundle(vec![file(FileRole::Main, name, main, 4), file(FileRole::Background, "b.pdf", other, 5)])
    };
    let lines = format!("main {main} 4\nbackground {other} 5\n");
    assert_eq!(bundle("a.pdf").digest(), Digest::of(lines.as_bytes()));
    assert_eq!(bundle("a.pdf").digest(), bundle("renamed.pdf").digest());
    let mut swapped = bundle("a.pdf");
    swapped.0.reverse();
    assert_ne!(swapped.digest(), bundle("a.pdf").digest());
}

#[test]
fn opinions_go_down_the_chain_and_name_their_bytes() {
    let mut house = House::new("nd30_default");
    let document = house.submitted(&[LEADER], true);
    let seen = document.bundle.digest();
    let wrong = document.clone().reviewing(&house.actor(FORMAT)).expect_err("not the turn");
    assert_eq!(wrong, Refused::NotYours);
    let checker = house.actor(CHECKER);
    let reviewing = document.clone().reviewing(&checker).expect("the turn");
    let other =
        reviewing.clone().pass(&checker, "", Digest::of(b"other"), None, NOW).expect_err("other bytes");
    assert_eq!(other, Refused::OpinionOnOtherBytes);
    let empty = reviewing.clone().give_back(&checker, "  ", seen, NOW).expect_err("no reason");
    assert_eq!(empty, Refused::ReasonNeeded);
    let returned = doc(&reviewing.clone().give_back(&checker, "thiếu căn cứ", seen, NOW).expect("returned"));
    assert_eq!(returned.waits_for(), Some(document.drafter));
    let change = reviewing.pass(&checker, "nhất trí", seen, None, NOW).expect("passed");
    assert_eq!(change.opinion().expect("an opinion").about, seen);
    let format = house.actor(FORMAT);
    let document = doc(&change).reviewing(&format).expect("the turn").pass(&format, "", seen, None, NOW);
    assert_eq!(doc(&document.expect("passed")).state, State::AwaitingSignature { signer: 0 });
}

#[test]
fn a_revised_document_starts_again() {
    let mut house = House::new("kien_giang_2017");
    let document = house.submitted(&[LEADER], false);
    let first = document.number.clone();
    let base = document.head;
    let bundle = document.bundle.clone();
    let document = doc(&document.number_drawn(bundle, base, Digest::of(b"m"), NOW).expect("drawn"));
    let leader = house.actor(LEADER);
    let document = doc(&document.give_back(&leader, WishKind::Return, "sửa khoản 2", NOW).expect("returned"));
    assert_eq!(document.number, first, "the number follows the document through returns");
    let draft = House::draft_of(&[LEADER], false);
    let document = doc(&house.revise(document, draft, &house.actor(DRAFTER)).expect("revised"));
    assert_eq!((document.revision, document.number_drawn), (2, false));
    let register = house.register.clone();
    let change = document.submit(&house.actor(DRAFTER), Some(&register), NOW).expect("submitted");
    assert!(change.taken().is_none(), "no second number");
    assert!(house.apply(&change).is_drawing_number());
}

#[test]
fn a_kind_that_was_corrected_draws_its_number_from_its_own_series() {
    let house = House::new("nd30_default");
    let document = doc(&house.draft(House::draft_of(&[LEADER], false)).expect("drafted"));
    assert_eq!(document.series, Series::Administrative);
    let mut legal = House::draft_of(&[LEADER], false);
    legal.particulars.family = Family::Legal;
    let revised =
        doc(&house.revise(document.clone(), legal.clone(), &house.actor(DRAFTER)).expect("revised"));
    assert_eq!(revised.series, Series::Legal(DocumentType::Decision));
    let mut council = House::draft_of(&[LEADER], false);
    council.particulars.council = Some("HĐTĐ".into());
    let revised = doc(&house.revise(document, council, &house.actor(DRAFTER)).expect("revised"));
    assert_eq!((revised.series.to_string(), revised.symbol.office), ("council:HĐTĐ".into(), "HĐTĐ".into()));

    let mut house = House::new("kien_giang_2017");
    let document = Document { state: State::Draft, ..house.submitted(&[LEADER], false) };
    let refused = house.revise(document, legal, &house.actor(DRAFTER)).expect_err("numbered");
    assert_eq!(refused.code(), "number_unwritable");
}

#[test]
fn a_document_that_is_signed_anew_on_a_later_day_takes_a_number_of_that_day() {
    let mut house = House::new("nd30_default");
    let document = house.submitted(&[LEADER], false);
    let document = house.sign(&document, LEADER);
    let sealed = house.seal(&document);
    assert_eq!(sealed.number.as_ref().expect("numbered").serial.0, 1);
    let returned =
        doc(&sealed.give_back(&house.actor(CLERK), WishKind::Return, "in sai", NOW).expect("returned"));
    let draft = House::draft_of(&[LEADER], false);
    let revised = doc(&house.revise(returned, draft, &house.actor(DRAFTER)).expect("revised"));
    let submitted = doc(&revised.submit(&house.actor(DRAFTER), None, NOW).expect("submitted"));
    let same_day = house.sign(&submitted, LEADER);
    let clerk = house.actor(CLERK);
    let checks = House::checks(&same_day);
    let sealable = same_day.clone().sealable(&clerk, &checks).expect("sealable");
    assert!(!sealable.takes_number(), "a number of the day it was signed on is good");

    let later = NOW + time::Duration::days(2);
    let mut document = same_day;
    document.signed[0].stamped = later;
    let checks = House::checks(&document);
    let task = House::task(&document);
    let sealable = document.sealable(&clerk, &checks).expect("sealable");
    assert!(sealable.takes_number());
    let numbered = sealable.number(Some(&house.register), later).expect("numbered");
    let change = numbered.prepared(&clerk, task, later).expect("prepared");
    let voided = change.voided().expect("the first one is void");
    assert_eq!((voided.serial().0, voided.reason()), (1, "ký lại sau ngày cấp số"));
    let number = doc(&change).number.expect("numbered");
    assert_eq!((number.serial.0, number.date), (2, crate::calendar::day(later)));
}

#[test]
fn a_rejected_document_leaves_its_number_void_in_the_book() {
    let mut house = House::new("kien_giang_2017");
    let document = house.submitted(&[LEADER], false);
    let (base, bundle) = (document.head, document.bundle.clone());
    let document = doc(&document.number_drawn(bundle, base, Digest::of(b"m"), NOW).expect("drawn"));
    let change =
        document.give_back(&house.actor(LEADER), WishKind::Reject, "không đồng ý", NOW).expect("rejected");
    let voided = change.voided().expect("void");
    assert_eq!((voided.serial().0, voided.reason()), (1, "không đồng ý"));
}

#[test]
fn the_leader_approves_exactly_what_was_shown() {
    let mut house = House::new("nd30_default");
    let document = house.submitted(&[LEADER], false);
    let terms = document.terms(Capacity::Head);
    let spoils: [fn(&mut Terms); 7] = [
        |terms| terms.bundle = Digest::of(b"x"),
        |terms| terms.head = Digest::of(b"x"),
        |terms| terms.manifest = Digest::of(b"x"),
        |terms| terms.recipients.clear(),
        |terms| terms.urgency = Urgency::Flash,
        |terms| terms.capacity = Capacity::ForHead,
        |terms| terms.number = Some("99/QĐ-UBND".into()),
    ];
    for spoil in spoils {
        let mut seen = terms.clone();
        spoil(&mut seen);
        let refused = house.approve(&document, LEADER, &seen).expect_err("refused");
        assert_eq!(refused.code(), "content_changed");
    }
    let (deciding, _) = house.approve(&document, LEADER, &terms).expect("approved");
    assert_eq!(deciding.awaiting(&house.actor(LEADER)), Err(Refused::AlreadyDeciding));
}

#[test]
fn only_the_right_person_device_capacity_and_time_decide() {
    let mut house = House::new("nd30_default");
    let document = house.submitted(&[LEADER], false);
    assert_eq!(document.clone().awaiting(&house.actor(SECOND)), Err(Refused::NotYours));
    assert_eq!(document.clone().awaiting(&house.actor(CLERK)).expect_err("a clerk").code(), "role_needed");
    let leader = house.actor(LEADER);
    let attempt = house.prepared(&document, LEADER, 60);
    let decision = house.decision(&attempt, LEADER);
    let terms = document.terms(Capacity::Head);
    let awaiting = document.awaiting(&leader).expect("the turn");
    let head = house.appointed(LEADER, Capacity::Head);
    let try_with = |actor: &Actor, appointed, attempt: &Attempt, decision: &Decision, profile: &Profile| {
        awaiting
            .clone()
            .approve(actor, appointed, &terms, attempt.clone(), decision.clone(), profile)
            .expect_err("refused")
            .code()
    };
    let deputy = house.appointed(LEADER, Capacity::ForHead);
    assert_eq!(try_with(&leader, deputy, &attempt, &decision, &house.profile), "not_appointed");
    let elsewhere = Actor { device: Some(DeviceId::at(NOW, 99)), ..leader.clone() };
    assert_eq!(try_with(&elsewhere, head, &attempt, &decision, &house.profile), "device_needed");
    let late = Decision { at: decision.expires, ..decision.clone() };
    assert_eq!(try_with(&leader, head, &attempt, &late, &house.profile), "decision_expired");
    let native = Profile::parse("leader_client = \"native\"").expect("a profile");
    let web = Decision { client: Client::Web, ..decision.clone() };
    assert_eq!(try_with(&leader, head, &attempt, &web, &native), "client_refused");
    let another = Decision { attempt: AttemptId::at(NOW, 61), ..decision };
    assert_eq!(try_with(&leader, head, &attempt, &another, &house.profile), "wrong_attempt");
}

#[test]
fn a_failed_attempt_leads_back_to_the_leader() {
    let mut house = House::new("nd30_default");
    let document = house.submitted(&[LEADER], false);
    let (document, attempt) =
        house.approve(&document, LEADER, &document.terms(Capacity::Head)).expect("approved");
    let attempt = attempt_of(&attempt.sending(Duration::minutes(2), NOW).expect("sending"));
    let change =
        document.signing(attempt).expect("its attempt").ended(Failure::Declined, NOW).expect("ended");
    assert_eq!(doc(&change).state, State::AwaitingSignature { signer: 0 });
    assert_eq!(attempt_of(&change).state.name(), AttemptStateName::Declined);
}

#[test]
fn a_wish_waits_for_the_attempt_and_a_late_signature_is_held() {
    let mut house = House::new("nd30_default");
    let document = house.submitted(&[LEADER], false);
    let (document, attempt) =
        house.approve(&document, LEADER, &document.terms(Capacity::Head)).expect("approved");
    let change =
        document.give_back(&house.actor(DRAFTER), WishKind::Withdraw, "sai nơi nhận", NOW).expect("noted");
    let document = doc(&change);
    assert_eq!(document.state.name(), StateName::Signing);
    let again = document.clone().give_back(&house.actor(CLERK), WishKind::Withdraw, "x", NOW);
    assert_eq!(again.expect_err("one wish").code(), "wrong_state");
    let signing = document.signing(to_stamped(attempt)).expect("its attempt");
    let head = Head { sha256: Digest::of(b"signed"), length: 20 };
    let embedded = Embedded { head, decision: DecisionId::at(NOW, 1) };
    assert!(signing.clone().embedded(embedded, None, NOW).is_err());
    let change = signing.hold(vec![9], NOW).expect("held");
    assert_eq!(doc(&change).state, State::Withdrawn);
    assert_eq!(attempt_of(&change).state.name(), AttemptStateName::SignedHeld);
}

#[test]
fn the_organisation_signs_only_over_every_leaders_valid_signature() {
    let mut house = House::new("nd30_default");
    let document = house.submitted(&[LEADER], false);
    let clerk = house.actor(CLERK);
    assert_eq!(document.clone().sealable(&clerk, &[]).expect_err("too early").code(), "signature_missing");
    let document = house.sign(&document, LEADER);
    let good = House::checks(&document);
    let code = |actor: &Actor, checks: &[SignatureCheck]| {
        document.clone().sealable(actor, checks).expect_err("refused").code()
    };
    assert_eq!(code(&house.actor(OTHER_CLERK), &good), "not_assigned_clerk");
    assert_eq!(code(&house.actor(LEADER), &good), "role_needed");
    assert_eq!(code(&clerk, &[]), "signature_missing");
    let mut broken = good.clone();
    broken[0].passed = false;
    assert_eq!(code(&clerk, &broken), "signature_broken");
    let mut other = good;
    other[0].certificate = Digest::of(b"somebody else");
    assert_eq!(code(&clerk, &other), "signed_by_other");
}

#[test]
fn a_number_is_never_dated_before_the_leaders_time_stamp() {
    let mut house = House::new("nd30_default");
    let document = house.submitted(&[LEADER], false);
    let document = house.sign(&document, LEADER);
    let clerk = house.actor(CLERK);
    let sealable = document.clone().sealable(&clerk, &House::checks(&document)).expect("sealable");
    let yesterday = sealable.number(Some(&house.register), NOW - Duration::days(1)).expect_err("refused");
    assert_eq!(yesterday, Refused::DateBeforeSignature { signed: date!(2026 - 08 - 20) });
}

#[test]
fn nothing_is_released_that_the_leader_did_not_decide_on() {
    let mut house = House::new("nd30_default");
    let document = house.submitted(&[LEADER], false);
    let document = house.sign(&document, LEADER);
    let document = house.seal(&document);
    let clerk = house.actor(CLERK);
    let seal = Digest::of(b"seal certificate");
    let checks = House::all_checks(&document);
    let code = |document: &Document, checks: &[SignatureCheck], scan, profile: &Profile| {
        document.clone().releasable(&clerk, checks, seal, scan, profile).expect_err("refused").code()
    };
    let mut more = document.clone();
    more.bundle.0.push(BundleFile {
        role: FileRole::Attachment,
        name: "c.pdf".into(),
        sha256: Digest::of(b"smuggled"),
        length: 1,
    });
    assert_eq!(code(&more, &checks, ScanVerdict::Clean, &house.profile), "outside_decision");
    let mut more = document.clone();
    let paper = Channel::Paper;
    more.particulars.recipients.push(Recipient {
        code: None,
        name: "Báo".into(),
        channel: paper,
        email: None,
    });
    assert_eq!(code(&more, &checks, ScanVerdict::Clean, &house.profile), "outside_decision");
    assert_eq!(code(&document, &checks[..1], ScanVerdict::Clean, &house.profile), "signature_missing");
    assert_eq!(code(&document, &checks[1..], ScanVerdict::Clean, &house.profile), "signature_missing");
    assert_eq!(code(&document, &checks, ScanVerdict::Infected, &house.profile), "infected");
    let strict = Profile::parse("scan = \"required\"").expect("a profile");
    assert_eq!(code(&document, &checks, ScanVerdict::NotScanned, &strict), "not_scanned");
}

#[test]
fn what_may_not_enter_is_refused_at_the_door() {
    let house = House::new("nd30_default");
    let code = |spoil: fn(&mut Draft)| {
        let mut draft = House::draft_of(&[LEADER], true);
        spoil(&mut draft);
        house.draft(draft).expect_err("refused").code()
    };
    assert_eq!(code(|draft| draft.particulars.secrecy = Secrecy::Secret), "classified");
    assert_eq!(code(|draft| draft.particulars.secrecy = Secrecy::TopSecret), "classified");
    assert_eq!(code(|draft| draft.particulars.secrecy = Secrecy::Utmost), "classified");
    assert_eq!(code(|draft| draft.particulars.subject = "  ".into()), "metadata_missing");
    assert_eq!(code(|draft| draft.particulars.subject = "x".repeat(501)), "metadata_missing");
    assert_eq!(code(|draft| draft.particulars.recipients.clear()), "metadata_missing");
    assert_eq!(code(|draft| draft.particulars.kind = DocumentType::Letter), "metadata_missing");
    assert_eq!(code(|draft| draft.chain.signers.clear()), "chain_unusable");
    assert_eq!(code(|draft| draft.chain.signers[0].person = PersonId::at(NOW, 999)), "unknown_signer");
    assert_eq!(code(|draft| draft.chain.signers[0].person = PersonId::at(NOW, CLERK)), "unknown_signer");
    assert_eq!(code(|draft| draft.chain.clerk = PersonId::at(NOW, DRAFTER)), "unknown_signer");
    assert_eq!(code(|draft| draft.head.sha256 = Digest::of(b"other")), "content_changed");
}
