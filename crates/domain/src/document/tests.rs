//! The whole life, step by step, and whatever order the steps come in.

use proptest::prelude::*;
use time::macros::{date, datetime};
use time::{Duration, OffsetDateTime};

use super::*;
use crate::change::{Change, Write};
use crate::ids::{AttemptId, CopyId, DecisionId, DeviceId, RegisterId, SealId};
use crate::paper::{Capacity, Channel, DocumentType, Family, FileRole, Recipient, Secrecy, Urgency};
use crate::people::{Actor, Appointed, Appointment, Client, Office, Person, Role, appointed};
use crate::policy::Profile;
use crate::register::Register;
use crate::seal::{SEAL_FIELD, SealTask, SignatureCheck};
use crate::signing::{Attempt, AttemptStateName, CmsFrom, Decision, Failure, NewAttempt};

pub(crate) const NOW: OffsetDateTime = datetime!(2026-08-20 10:00 +7);

/// One small office: drafter, two checkers, two leaders, two clerks.
struct House {
    office: Office,
    people: Vec<Person>,
    profile: Profile,
    register: Register,
}

const DRAFTER: u128 = 1;
const CHECKER: u128 = 2;
const FORMAT: u128 = 3;
const LEADER: u128 = 4;
const SECOND: u128 = 5;
const CLERK: u128 = 6;
const OTHER_CLERK: u128 = 7;

impl House {
    fn new(profile: &str) -> Self {
        let office = OfficeId::at(NOW, 100);
        let person = |n, role| Person {
            id: PersonId::at(NOW, n),
            office,
            login: format!("p{n}"),
            name: format!("Người {n}"),
            title: String::new(),
            roles: vec![role],
            active: true,
        };
        let people = vec![
            person(DRAFTER, Role::Drafter),
            person(CHECKER, Role::ContentChecker),
            person(FORMAT, Role::FormatChecker),
            person(LEADER, Role::Leader),
            person(SECOND, Role::Leader),
            person(CLERK, Role::Clerk),
            person(OTHER_CLERK, Role::Clerk),
        ];
        let register = Register::new(RegisterId::at(NOW, 9), office, Series::Administrative, 2026);
        let office = Office {
            id: office,
            parent: None,
            code: "H53.6".into(),
            name: "UBND tỉnh".into(),
            symbol: "UBND".into(),
            policy: String::new(),
        };
        Self { office, people, profile: Profile::named(profile).expect("shipped"), register }
    }

    fn actor(&self, n: u128) -> Actor {
        let person =
            self.people.iter().find(|person| person.id == PersonId::at(NOW, n)).expect("one of the house");
        Actor {
            person: person.id,
            office: self.office.id,
            roles: person.roles.clone(),
            device: Some(DeviceId::at(NOW, n)),
            client: Client::Native,
        }
    }

    fn draft_of(signers: &[u128], steps: bool) -> Draft {
        let base = Digest::of(b"base");
        let steps = if steps {
            vec![
                Step { kind: StepKind::Content, person: PersonId::at(NOW, CHECKER) },
                Step { kind: StepKind::Format, person: PersonId::at(NOW, FORMAT) },
            ]
        } else {
            Vec::new()
        };
        let signers = signers.iter().enumerate().map(|(k, n)| Signer {
            person: PersonId::at(NOW, *n),
            capacity: Capacity::Head,
            field: format!("Signer{}", k + 1),
        });
        Draft {
            particulars: Particulars {
                family: Family::Administrative,
                kind: DocumentType::Decision,
                subject: "Về việc ban hành quy chế".into(),
                unit: None,
                council: None,
                urgency: Urgency::Normal,
                secrecy: Secrecy::None,
                language: "vi".into(),
                pages: 2,
                reply_by: None,
                remark: None,
                recipients: vec![Recipient {
                    code: Some("H53.7".into()),
                    name: "Sở Nội vụ".into(),
                    channel: Channel::Exchange,
                }],
            },
            chain: Chain { steps, signers: signers.collect(), clerk: PersonId::at(NOW, CLERK) },
            bundle: Bundle(vec![
                BundleFile { role: FileRole::Main, name: "a.pdf".into(), sha256: base, length: 9 },
                BundleFile {
                    role: FileRole::Attachment,
                    name: "b.pdf".into(),
                    sha256: Digest::of(b"attachment"),
                    length: 9,
                },
            ]),
            manifest: Digest::of(b"manifest"),
            head: Head { sha256: base, length: 9 },
        }
    }

    fn draft(&self, draft: Draft) -> Result<Change, Refused> {
        let id = DocumentId::at(NOW, 50);
        Document::draft(id, draft, &self.actor(DRAFTER), &self.office, &self.people, &self.profile, NOW)
    }

    fn submitted(&mut self, signers: &[u128], steps: bool) -> Document {
        let document = doc(&self.draft(Self::draft_of(signers, steps)).expect("drafted"));
        let register = Some(self.register.clone());
        let change = document.submit(&self.actor(DRAFTER), register.as_ref(), NOW).expect("submitted");
        self.apply(&change)
    }

    /// What the store does with a register.
    fn apply(&mut self, change: &Change) -> Document {
        if let Some(taken) = change.taken() {
            assert_eq!(taken.expected(), self.register.version, "the register moved");
            self.register.last = taken.number().serial.0;
            self.register.last_date = Some(taken.number().date);
            self.register.version = self.register.version.next();
        }
        doc(change)
    }

    fn appointed(&self, n: u128, capacity: Capacity) -> Appointed {
        let person = PersonId::at(NOW, n);
        let list = [Appointment {
            person,
            office: self.office.id,
            capacity,
            from: date!(2026 - 01 - 01),
            until: None,
        }];
        appointed(&list, person, self.office.id, capacity, date!(2026 - 08 - 20)).expect("appointed")
    }

    fn prepared(&self, document: &Document, n: u128, id: u128) -> Attempt {
        let new = NewAttempt {
            id: AttemptId::at(NOW, id),
            msisdn: "84900000001".parse().expect("a number"),
            certificate: Digest::of(&n.to_be_bytes()),
            dtbs: Digest::of(b"attributes"),
        };
        let awaiting = document.clone().awaiting(&self.actor(n)).expect("the leader's turn");
        let change = awaiting.prepare(&self.actor(n), new, NOW).expect("prepared");
        change.attempt().expect("an attempt").to().clone()
    }

    fn decision(&self, attempt: &Attempt, n: u128) -> Decision {
        Decision {
            id: DecisionId::at(NOW, 70 + n),
            attempt: attempt.id,
            person: self.actor(n).person,
            device: self.actor(n).device.expect("enrolled"),
            client: Client::Native,
            jws: "e30.e30.AA".into(),
            expires: NOW + Duration::minutes(10),
            at: NOW,
        }
    }

    fn approve(&self, document: &Document, n: u128, seen: &Terms) -> Result<(Document, Attempt), Refused> {
        let attempt = self.prepared(document, n, 60 + n);
        let decision = self.decision(&attempt, n);
        let awaiting = document.clone().awaiting(&self.actor(n))?;
        let change = awaiting.approve(
            &self.actor(n),
            self.appointed(n, Capacity::Head),
            seen,
            attempt,
            decision,
            &self.profile,
        )?;
        Ok((doc(&change), change.attempt().expect("an attempt").to().clone()))
    }

    /// From `AwaitingSignature` to the embedded signature of leader `n`.
    fn sign(&mut self, document: &Document, n: u128) -> Document {
        let terms = document.terms(Capacity::Head);
        let (document, attempt) = self.approve(document, n, &terms).expect("approved");
        let attempt = to_stamped(attempt);
        let decision = DecisionId::at(NOW, 70 + n);
        let signing = document.signing(attempt).expect("its attempt");
        let register = signing.takes_number().then(|| self.register.clone());
        let head =
            Head { sha256: Digest::of(&[b"signed".as_slice(), &n.to_be_bytes()].concat()), length: 20 };
        let change = signing.embedded(Embedded { head, decision }, register.as_ref(), NOW).expect("embedded");
        self.apply(&change)
    }

    fn checks(document: &Document) -> Vec<SignatureCheck> {
        let leaders = document.signed.iter().map(|signed| SignatureCheck {
            field: signed.field.clone(),
            certificate: signed.certificate,
            passed: true,
            stamped: Some(signed.stamped),
        });
        leaders.collect()
    }

    fn task(document: &Document) -> SealTask {
        SealTask {
            id: SealId::at(NOW, 80),
            document: document.id,
            clerk: document.chain.clerk,
            head: document.head.sha256,
            tail: Digest::of(b"tail"),
            dtbs: Digest::of(b"seal attributes"),
            certificate: Digest::of(b"seal certificate"),
            at: NOW,
        }
    }

    fn seal(&mut self, document: &Document) -> Document {
        let clerk = self.actor(CLERK);
        let sealable = document.clone().sealable(&clerk, &Self::checks(document)).expect("sealable");
        let register = sealable.takes_number().then(|| self.register.clone());
        let task = Self::task(document);
        let numbered = sealable.number(register.as_ref(), NOW).expect("numbered");
        let change = numbered.prepared(&clerk, task.clone(), NOW).expect("prepared");
        let document = self.apply(&change);
        let mut checks = Self::checks(&document);
        checks.push(SignatureCheck {
            field: SEAL_FIELD.into(),
            certificate: task.certificate,
            passed: true,
            stamped: Some(NOW),
        });
        let head = Head { sha256: Digest::of(b"sealed"), length: 30 };
        let sealing = document.sealing(&clerk).expect("sealing");
        doc(&sealing.sealed(&clerk, &task, head, &checks, NOW).expect("sealed"))
    }

    fn all_checks(document: &Document) -> Vec<SignatureCheck> {
        let mut checks = Self::checks(document);
        checks.push(SignatureCheck {
            field: SEAL_FIELD.into(),
            certificate: Digest::of(b"seal certificate"),
            passed: true,
            stamped: Some(NOW),
        });
        checks
    }
}

fn doc(change: &Change) -> Document {
    change.document().expect("changes the document").to().clone()
}

fn attempt_of(change: &Change) -> Attempt {
    change.attempt().expect("changes the attempt").to().clone()
}

fn to_stamped(attempt: Attempt) -> Attempt {
    let attempt = attempt_of(&attempt.sending(Duration::minutes(2), NOW).expect("sending"));
    let attempt = attempt_of(&attempt.accepted("t".into(), NOW).expect("accepted"));
    let attempt = attempt_of(&attempt.signed_raw(vec![1], NOW).expect("signed"));
    let attempt = attempt_of(&attempt.verified(vec![2], CmsFrom::Device, NOW).expect("verified"));
    attempt_of(&attempt.stamped(vec![3], NOW, NOW).expect("stamped"))
}

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
    let clerk = house.actor(CLERK);
    let checks = House::all_checks(&document);
    let seal = Digest::of(b"seal certificate");
    let head = document.head;
    let releasable = document
        .releasable(&clerk, &checks, seal, ScanVerdict::NotScanned, &house.profile)
        .expect("releasable");
    let change = releasable.release(&clerk, head, &[CopyId::at(NOW, 1)], NOW).expect("released");
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
    let document = doc(&document.revise(draft, &house.actor(DRAFTER), &house.people, NOW).expect("revised"));
    assert_eq!((document.revision, document.number_drawn), (2, false));
    let register = house.register.clone();
    let change = document.submit(&house.actor(DRAFTER), Some(&register), NOW).expect("submitted");
    assert!(change.taken().is_none(), "no second number");
    assert!(house.apply(&change).is_drawing_number());
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
fn a_number_of_last_year_is_replaced_before_the_leader_signs() {
    let mut house = House::new("kien_giang_2017");
    let document = house.submitted(&[LEADER], false);
    let (base, bundle) = (document.head, document.bundle.clone());
    let document = doc(&document.number_drawn(bundle, base, Digest::of(b"m"), NOW).expect("drawn"));
    let january = datetime!(2027-01-04 08:00 +7);
    let new = NewAttempt {
        id: AttemptId::at(NOW, 1),
        msisdn: "84900000001".parse().expect("a number"),
        certificate: Digest::of(b"c"),
        dtbs: Digest::of(b"d"),
    };
    let leader = house.actor(LEADER);
    let awaiting = document.clone().awaiting(&leader).expect("the turn");
    assert_eq!(
        awaiting.prepare(&leader, new, january).expect_err("refused"),
        Refused::NumberOfAnotherYear { year: 2026 }
    );
    let register = Register { year: 2027, last: 0, last_date: None, ..house.register.clone() };
    let change = document.renumber(&register, january).expect("renumbered");
    assert_eq!(change.voided().expect("void").serial().0, 1);
    assert!(doc(&change).is_drawing_number());
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
    assert_eq!(document.clone().sealable(&clerk, &[]).expect_err("too early").code(), "wrong_state");
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
    more.particulars.recipients.push(Recipient { code: None, name: "Báo".into(), channel: Channel::Email });
    assert_eq!(code(&more, &checks, ScanVerdict::Clean, &house.profile), "outside_decision");
    assert_eq!(code(&document, &checks[..1], ScanVerdict::Clean, &house.profile), "signature_missing");
    assert_eq!(code(&document, &checks[1..], ScanVerdict::Clean, &house.profile), "signature_missing");
    assert_eq!(code(&document, &checks, ScanVerdict::Infected, &house.profile), "not_scanned");
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

/// One of the steps there are, tried on a document by somebody; many are refused, which is the point.
fn any_step(
    house: &mut House,
    document: &Document,
    attempt: &mut Option<Attempt>,
    which: u8,
    who: u128,
) -> Option<Document> {
    let actor = house.actor(who);
    let register = house.register.clone();
    let document = document.clone();
    let change = match which {
        0 => document.submit(&actor, Some(&register), NOW),
        1 => {
            let seen = document.bundle.digest();
            document.reviewing(&actor).and_then(|turn| turn.pass(&actor, "", seen, Some(&register), NOW))
        }
        2 => {
            let (bundle, head) = (document.bundle.clone(), document.bundle.main().map(|main| main.sha256));
            let head = Head { sha256: head.expect("a main file"), length: 9 };
            document.number_drawn(bundle, head, Digest::of(b"m"), NOW)
        }
        3 => {
            let terms = document.terms(Capacity::Head);
            let turn = document.clone().awaiting(&actor);
            let Ok((document, approved)) = turn.and_then(|_| house.approve(&document, who, &terms)) else {
                return None;
            };
            *attempt = Some(to_stamped(approved));
            return Some(document);
        }
        4 => {
            let head = Head { sha256: Digest::of(&who.to_be_bytes()), length: 9 };
            let embedded = Embedded { head, decision: DecisionId::at(NOW, who) };
            let attempt = attempt.clone()?;
            document.signing(attempt).and_then(|signing| signing.embedded(embedded, Some(&register), NOW))
        }
        5 => document.signing(attempt.clone()?).and_then(|signing| signing.hold(vec![1], NOW)),
        6 => {
            let task = House::task(&document);
            let checks = House::checks(&document);
            document
                .sealable(&actor, &checks)
                .and_then(|sealable| sealable.number(Some(&register), NOW))
                .and_then(|numbered| numbered.prepared(&actor, task, NOW))
        }
        7 => {
            let (task, checks) = (House::task(&document), House::all_checks(&document));
            let head = Head { sha256: Digest::of(b"sealed"), length: 9 };
            document.sealing(&actor).and_then(|sealing| sealing.sealed(&actor, &task, head, &checks, NOW))
        }
        8 => {
            let (checks, head) = (House::all_checks(&document), document.head);
            let seal = Digest::of(b"seal certificate");
            document
                .releasable(&actor, &checks, seal, ScanVerdict::Clean, &house.profile)
                .and_then(|releasable| releasable.release(&actor, head, &[CopyId::at(NOW, 1)], NOW))
        }
        9 => document.give_back(&actor, WishKind::Return, "lý do", NOW),
        10 => document.give_back(&actor, WishKind::Withdraw, "lý do", NOW),
        11 => document.give_back(&actor, WishKind::Reject, "lý do", NOW),
        _ => document.revise(House::draft_of(&[LEADER, SECOND], true), &actor, &house.people, NOW),
    };
    let change = change.ok()?;
    if let Some(Write::Moved { expected, to }) = change.document() {
        assert_eq!(to.version, expected.next());
    }
    Some(house.apply(&change))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn in_whatever_order_steps_come_the_law_holds(
        profile in prop::sample::select(vec!["nd30_default", "kien_giang_2017", "hau_giang_2019"]),
        steps: bool,
        moves in proptest::collection::vec((0u8..13, 1u128..8), 1..120),
    ) {
        let mut house = House::new(profile);
        let drafted = house.draft(House::draft_of(&[LEADER, SECOND], steps)).expect("drafted");
        let mut document = doc(&drafted);
        let mut attempt = None;
        for (which, who) in moves {
            let before = document.clone();
            let Some(next) = any_step(&mut house, &document, &mut attempt, which, who) else { continue };
            prop_assert!(before.state.is_open(), "a closed document moved");
            prop_assert_eq!(next.version, before.version.next());
            if let Some(number) = &before.number {
                prop_assert_eq!(next.number.as_ref(), Some(number), "a number changed");
            }
            let complete = next.signed.len() == next.chain.signers.len();
            match next.state {
                State::AwaitingNumber => prop_assert!(complete),
                State::Sealing { .. } | State::Sealed | State::Released { .. } => {
                    prop_assert!(complete && next.number.is_some());
                }
                State::AwaitingSignature { signer } => {
                    prop_assert_eq!(usize::from(signer), next.signed.len());
                    if profile == "kien_giang_2017" {
                        prop_assert!(next.number_drawn);
                    }
                }
                _ => {}
            }
            document = next;
        }
        prop_assert!(house.register.last <= 1, "one document, one number");
    }
}
