//! An office with its people, and the steps of the main job as plain values.

use time::macros::{date, datetime};
use time::{Duration, OffsetDateTime};

use super::*;
use crate::change::Change;
use crate::ids::{AttemptId, CopyId, DecisionId, DeviceId, RegisterId, SealId};
use crate::paper::{Capacity, Channel, DocumentType, Family, FileRole, Recipient, Secrecy, Urgency};
use crate::people::{Actor, Appointed, Appointment, Client, Office, Person, Role, appointed};
use crate::policy::Profile;
use crate::register::Register;
use crate::seal::{SEAL_FIELD, SealTask, SignatureCheck};
use crate::signing::{Attempt, CmsFrom, Decision, DecisionKind, NewAttempt};

pub(super) const NOW: OffsetDateTime = datetime!(2026-08-20 10:00 +7);

/// One small office: drafter, two checkers, two leaders, two clerks.
pub(super) struct House {
    pub(super) office: Office,
    pub(super) people: Vec<Person>,
    pub(super) profile: Profile,
    pub(super) register: Register,
}

pub(super) const DRAFTER: u128 = 1;
pub(super) const CHECKER: u128 = 2;
pub(super) const FORMAT: u128 = 3;
pub(super) const LEADER: u128 = 4;
pub(super) const SECOND: u128 = 5;
pub(super) const CLERK: u128 = 6;
pub(super) const OTHER_CLERK: u128 = 7;

impl House {
    pub(super) fn new(profile: &str) -> Self {
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

    pub(super) fn actor(&self, n: u128) -> Actor {
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

    pub(super) fn draft_of(signers: &[u128], steps: bool) -> Draft {
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
                    email: None,
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

    pub(super) fn draft(&self, draft: Draft) -> Result<Change, Refused> {
        let id = DocumentId::at(NOW, 50);
        Document::draft(id, draft, &self.actor(DRAFTER), &self.office, &self.people, &self.profile, NOW)
    }

    pub(super) fn revise(&self, document: Document, draft: Draft, actor: &Actor) -> Result<Change, Refused> {
        document.revise(draft, actor, &self.office, &self.people, &self.profile, NOW)
    }

    pub(super) fn submitted(&mut self, signers: &[u128], steps: bool) -> Document {
        self.submit(Self::draft_of(signers, steps))
    }

    pub(super) fn submit(&mut self, draft: Draft) -> Document {
        let document = doc(&self.draft(draft).expect("drafted"));
        let register = Some(self.register.clone());
        let change = document.submit(&self.actor(DRAFTER), register.as_ref(), NOW).expect("submitted");
        self.apply(&change)
    }

    /// What the store does with a register.
    pub(super) fn apply(&mut self, change: &Change) -> Document {
        if let Some(taken) = change.taken() {
            assert_eq!(taken.expected(), self.register.version, "the register moved");
            self.register.last = taken.number().serial.0;
            self.register.last_date = Some(taken.number().date);
            self.register.version = self.register.version.next();
        }
        doc(change)
    }

    pub(super) fn appointed(&self, n: u128, capacity: Capacity) -> Appointed {
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

    pub(super) fn prepared(&self, document: &Document, n: u128, id: u128) -> Attempt {
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

    pub(super) fn decision(&self, attempt: &Attempt, n: u128) -> Decision {
        Decision {
            id: DecisionId::at(NOW, 70 + n),
            kind: DecisionKind::Approve,
            attempt: attempt.id,
            person: self.actor(n).person,
            device: self.actor(n).device.expect("enrolled"),
            client: Client::Native,
            jws: "e30.e30.AA".into(),
            expires: NOW + Duration::minutes(10),
            at: NOW,
        }
    }

    pub(super) fn approve(
        &self,
        document: &Document,
        n: u128,
        seen: &Terms,
    ) -> Result<(Document, Attempt), Refused> {
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
    pub(super) fn sign(&mut self, document: &Document, n: u128) -> Document {
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

    pub(super) fn checks(document: &Document) -> Vec<SignatureCheck> {
        let leaders = document.signed.iter().map(|signed| SignatureCheck {
            field: signed.field.clone(),
            certificate: signed.certificate,
            passed: true,
            stamped: Some(signed.stamped),
        });
        leaders.collect()
    }

    pub(super) fn task(document: &Document) -> SealTask {
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

    pub(super) fn seal(&mut self, document: &Document) -> Document {
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

    pub(super) fn release(&self, sealed: &Document) -> Change {
        let clerk = self.actor(CLERK);
        let checks = Self::all_checks(sealed);
        let seal = Digest::of(b"seal certificate");
        let ids: Vec<_> =
            (1..).map(|n| CopyId::at(NOW, n)).take(sealed.particulars.recipients.len()).collect();
        let releasable =
            sealed.clone().releasable(&clerk, &checks, seal, ScanVerdict::NotScanned, &self.profile);
        releasable.expect("releasable").release(&clerk, sealed.head, &ids, NOW).expect("released")
    }

    pub(super) fn all_checks(document: &Document) -> Vec<SignatureCheck> {
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

pub(super) fn doc(change: &Change) -> Document {
    change.document().expect("changes the document").to().clone()
}

pub(super) fn attempt_of(change: &Change) -> Attempt {
    change.attempt().expect("changes the attempt").to().clone()
}

pub(super) fn to_stamped(attempt: Attempt) -> Attempt {
    let attempt = attempt_of(&attempt.sending(Duration::minutes(2), NOW).expect("sending"));
    let attempt = attempt_of(&attempt.accepted("t".into(), NOW).expect("accepted"));
    let attempt = attempt_of(&attempt.signed_raw(vec![1], NOW).expect("signed"));
    let attempt = attempt_of(&attempt.verified(vec![2], CmsFrom::Device, NOW).expect("verified"));
    attempt_of(&attempt.stamped(vec![3], NOW, NOW).expect("stamped"))
}
