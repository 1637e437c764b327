//! A store with one small office in it, and the steps of the main job as they go through the store.

use std::sync::atomic::{AtomicU64, Ordering};

use time::macros::{date, datetime};
use time::{Duration, OffsetDateTime};
use trinhky_domain::calendar::day;
use trinhky_domain::document::{
    Bundle, BundleFile, Chain, Document, Draft, Embedded, Head, Particulars, ScanVerdict, Signer, Step,
};
use trinhky_domain::ids::*;
use trinhky_domain::paper::{Capacity, Channel, DocumentType, Family, FileRole, Recipient, Secrecy, Urgency};
use trinhky_domain::people::{Actor, Appointed, Appointment, Client, Office, Person, Role, appointed};
use trinhky_domain::policy::Profile;
use trinhky_domain::seal::{SEAL_FIELD, SealTask, SignatureCheck};
use trinhky_domain::signing::{Attempt, CmsFrom, Decision, DecisionKind, NewAttempt};
use trinhky_domain::{Change, Digest};
use trinhky_store::{Device, DeviceState, Error, Layout, Result, Store, StoredFile, Tx};

pub(crate) const NOW: OffsetDateTime = datetime!(2026-08-20 03:00 UTC);
pub(crate) const DRAFTER: u128 = 1;
pub(crate) const LEADER: u128 = 2;
pub(crate) const SECOND: u128 = 3;
pub(crate) const CLERK: u128 = 4;

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) url: String,
    pub(crate) office: Office,
    pub(crate) people: Vec<Person>,
    pub(crate) profile: Profile,
    _folder: std::sync::Arc<Option<tempfile::TempDir>>,
}

/// A number nobody had before.
pub(crate) fn fresh() -> u128 {
    static NEXT: AtomicU64 = AtomicU64::new(1_000);
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn person_id(n: u128) -> PersonId {
    PersonId::at(NOW, n)
}

pub(crate) fn device_id(n: u128) -> DeviceId {
    DeviceId::at(NOW, n)
}

impl World {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("t.db").display());
        Self::on(url, Some(folder)).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::on(crate::cluster::database().await, None).await
    }

    async fn on(url: String, folder: Option<tempfile::TempDir>) -> Self {
        let store = Store::open(&url, 12).await.expect("opens");
        store.migrate().await.expect("migrates");
        store.ping().await.expect("answers");
        let office = Office {
            id: OfficeId::at(NOW, 1),
            parent: None,
            code: "H53.6".into(),
            name: "UBND tỉnh".into(),
            symbol: "UBND".into(),
            policy: String::new(),
        };
        let person = |n, role| Person {
            id: person_id(n),
            office: office.id,
            login: format!("p{n}"),
            name: format!("Người {n}"),
            title: "Chức vụ".into(),
            roles: vec![role],
            active: true,
        };
        let people = vec![
            person(DRAFTER, Role::Drafter),
            person(LEADER, Role::Leader),
            person(SECOND, Role::Leader),
            person(CLERK, Role::Clerk),
        ];
        let mut tx = store.begin().await.expect("begins");
        tx.put_office(&office).await.expect("stored");
        for person in &people {
            tx.put_person(person).await.expect("stored");
        }
        for n in [LEADER, SECOND] {
            tx.add_device(&device(n)).await.expect("stored");
            tx.put_appointment(&Appointment {
                person: person_id(n),
                office: office.id,
                capacity: Capacity::Head,
                from: date!(2026 - 01 - 01),
                until: None,
            })
            .await
            .expect("stored");
        }
        tx.commit().await.expect("commits");
        let profile = Profile::named("nd30_default").expect("shipped");
        Self { store, url, office, people, profile, _folder: std::sync::Arc::new(folder) }
    }

    pub(crate) fn actor(&self, n: u128) -> Actor {
        let person = self.people.iter().find(|person| person.id == person_id(n)).expect("of this office");
        Actor {
            person: person.id,
            office: self.office.id,
            roles: person.roles.clone(),
            device: Some(device_id(n)),
            client: Client::Native,
        }
    }

    pub(crate) async fn apply(&self, change: &Change) -> Result<()> {
        let mut tx = self.store.begin().await?;
        tx.apply(change).await?;
        tx.commit().await
    }

    pub(crate) async fn document(&self, id: DocumentId) -> Document {
        self.store.read().await.expect("reads").document(id).await.expect("there")
    }

    pub(crate) async fn attempt(&self, id: AttemptId) -> Attempt {
        self.store.read().await.expect("reads").attempt(id).await.expect("there")
    }

    /// A submitted document with one signer, waiting for the leader since `since`.
    pub(crate) async fn submitted(
        &self,
        leader: u128,
        urgency: Urgency,
        since: OffsetDateTime,
    ) -> DocumentId {
        self.submitted_through(Vec::new(), leader, urgency, since).await
    }

    /// The same with checks before the signature.
    pub(crate) async fn submitted_through(
        &self,
        steps: Vec<Step>,
        leader: u128,
        urgency: Urgency,
        since: OffsetDateTime,
    ) -> DocumentId {
        let id = DocumentId::at(since, fresh());
        let base = Digest::of(id.to_string().as_bytes());
        let mut tx = self.store.begin().await.expect("begins");
        tx.add_file(&whole(base, 1_000)).await.expect("stored");
        let draft = Draft {
            particulars: Particulars {
                family: Family::Administrative,
                kind: DocumentType::Decision,
                subject: "Về việc ban hành quy chế".into(),
                unit: None,
                council: None,
                urgency,
                secrecy: Secrecy::None,
                language: "vi".into(),
                pages: 2,
                reply_by: Some(date!(2026 - 09 - 01)),
                remark: None,
                recipients: vec![Recipient {
                    code: Some("H53.7".into()),
                    name: "Sở Nội vụ".into(),
                    channel: Channel::Exchange,
                    email: None,
                }],
            },
            chain: Chain {
                steps,
                signers: vec![Signer {
                    person: person_id(leader),
                    capacity: Capacity::Head,
                    field: "Signer1".into(),
                }],
                clerk: person_id(CLERK),
            },
            bundle: Bundle(vec![BundleFile {
                role: FileRole::Main,
                name: "a.pdf".into(),
                sha256: base,
                length: 1_000,
            }]),
            manifest: Digest::of(b"manifest"),
            head: Head { sha256: base, length: 1_000 },
        };
        let drafter = self.actor(DRAFTER);
        let change = Document::draft(id, draft, &drafter, &self.office, &self.people, &self.profile, since)
            .expect("drafted");
        tx.apply(&change).await.expect("stored");
        let document = tx.document(id).await.expect("there");
        assert_eq!(
            change.document().expect("a document").to(),
            &document,
            "what is read is what was written"
        );
        let change = document.submit(&drafter, None, since).expect("submitted");
        tx.apply(&change).await.expect("stored");
        tx.commit().await.expect("commits");
        id
    }

    pub(crate) async fn prepared(&self, id: DocumentId, leader: u128, msisdn: &str) -> Attempt {
        let awaiting = self.document(id).await.awaiting(&self.actor(leader)).expect("the leader's turn");
        let new = NewAttempt {
            id: AttemptId::at(NOW, fresh()),
            msisdn: msisdn.parse().expect("a number"),
            certificate: Digest::of(&leader.to_be_bytes()),
            dtbs: Digest::of(b"attributes"),
        };
        let change = awaiting.prepare(&self.actor(leader), new, NOW).expect("prepared");
        self.apply(&change).await.expect("stored");
        let attempt = change.attempt().expect("an attempt").to();
        assert_eq!(attempt, &self.attempt(attempt.id).await);
        attempt.clone()
    }

    pub(crate) fn decision(attempt: &Attempt, leader: u128) -> Decision {
        let number = fresh();
        Decision {
            id: DecisionId::at(NOW, number),
            kind: DecisionKind::Approve,
            attempt: attempt.id,
            person: person_id(leader),
            device: device_id(leader),
            client: Client::Native,
            jws: format!("e30.e30.{number}"),
            expires: NOW + Duration::minutes(10),
            at: NOW,
        }
    }

    pub(crate) fn appointed(&self, leader: u128) -> Appointed {
        let (person, office, capacity) = (person_id(leader), self.office.id, Capacity::Head);
        let list = [Appointment { person, office, capacity, from: date!(2026 - 01 - 01), until: None }];
        appointed(&list, person, office, capacity, date!(2026 - 08 - 20)).expect("appointed")
    }

    pub(crate) fn approval(
        &self,
        document: Document,
        leader: u128,
        attempt: Attempt,
        decision: Decision,
    ) -> Change {
        let appointed = self.appointed(leader);
        let actor = self.actor(leader);
        let terms = document.terms(Capacity::Head);
        let awaiting = document.awaiting(&actor).expect("the leader's turn");
        awaiting.approve(&actor, appointed, &terms, attempt, decision, &self.profile).expect("approved")
    }

    pub(crate) async fn approved(&self, id: DocumentId, leader: u128, msisdn: &str) -> Attempt {
        let attempt = self.prepared(id, leader, msisdn).await;
        let decision = Self::decision(&attempt, leader);
        let change = self.approval(self.document(id).await, leader, attempt, decision);
        self.apply(&change).await.expect("stored");
        self.attempt(change.attempt().expect("an attempt").to().id).await
    }

    /// From `Approved` to `Stamped`, each step read back.
    pub(crate) async fn stamped(&self, attempt: Attempt) -> Attempt {
        let id = attempt.id;
        let window = Duration::minutes(2);
        let change = attempt.sending(window, NOW).expect("sending").with_protocol("{\"a\":1}".into());
        self.apply(&change).await.expect("stored");
        assert_eq!(self.attempt(id).await.protocol.as_deref(), Some("{\"a\":1}"));
        let steps: [fn(Attempt, OffsetDateTime) -> Change; 4] = [
            |attempt, now| attempt.accepted("t1".into(), now).expect("accepted"),
            |attempt, now| attempt.signed_raw(vec![1, 2, 3], now).expect("signed"),
            |attempt, now| attempt.verified(vec![4, 5], CmsFrom::Device, now).expect("verified"),
            |attempt, now| attempt.stamped(vec![6, 7], NOW, now).expect("stamped"),
        ];
        for (step, now) in steps.into_iter().zip(1..).map(|(step, n)| (step, NOW + Duration::milliseconds(n)))
        {
            let change = step(self.attempt(id).await, now);
            self.apply(&change).await.expect("stored");
            let attempt = self.attempt(id).await;
            assert_eq!(&attempt, change.attempt().expect("an attempt").to());
            assert_eq!((attempt.created, attempt.changed), (NOW, now));
        }
        self.attempt(id).await
    }

    pub(crate) async fn signed(&self, id: DocumentId, leader: u128, msisdn: &str) -> Document {
        let attempt = self.approved(id, leader, msisdn).await;
        let attempt = self.stamped(attempt).await;
        let document = self.document(id).await;
        let mut tx = self.store.begin().await.expect("begins");
        let decision = tx.decision_of(attempt.id).await.expect("reads").expect("decided").id;
        let (base, tail) = (document.head, Digest::of(b"tail of the signature"));
        let sha256 = Digest::of(format!("{id} signed").as_bytes());
        let layout = Layout::Appended { base: base.sha256, tail, tail_length: 500 };
        tx.add_file(&StoredFile { layout, ..whole(sha256, base.length + 500) }).await.expect("stored");
        let head = Head { sha256, length: base.length + 500 };
        let signing = document.signing(attempt).expect("its attempt");
        let change = signing.embedded(Embedded { head, decision }, None, NOW).expect("embedded");
        tx.apply(&change).await.expect("stored");
        tx.commit().await.expect("commits");
        self.document(id).await
    }

    /// Takes the number under the register's lock and prepares the seal.
    pub(crate) async fn sealing(&self, id: DocumentId) -> Result<Document> {
        let clerk = self.actor(CLERK);
        let mut tx = self.store.begin().await?;
        let document = tx.document(id).await?;
        let year = day(NOW).year();
        let register =
            tx.register(document.office, &document.series, year, RegisterId::at(NOW, fresh())).await?;
        let change = Self::numbering(document, &register, &clerk);
        tx.apply(&change).await?;
        tx.commit().await?;
        Ok(self.document(id).await)
    }

    pub(crate) fn numbering(
        document: Document,
        register: &trinhky_domain::register::Register,
        clerk: &Actor,
    ) -> Change {
        let checks = checks(&document);
        let task = SealTask {
            id: SealId::at(NOW, fresh()),
            document: document.id,
            clerk: clerk.person,
            head: document.head.sha256,
            tail: Digest::of(b"tail of the seal"),
            dtbs: Digest::of(b"seal attributes"),
            certificate: Digest::of(b"seal certificate"),
            at: NOW,
        };
        let sealable = document.sealable(clerk, &checks).expect("sealable");
        let numbered = sealable.number(Some(register), NOW).expect("numbered");
        numbered.prepared(clerk, task, NOW).expect("prepared")
    }

    pub(crate) async fn sealed(&self, id: DocumentId) -> Document {
        let clerk = self.actor(CLERK);
        let document = self.document(id).await;
        let mut tx = self.store.begin().await.expect("begins");
        let task = tx.seal_task_of(id).await.expect("reads").expect("prepared");
        assert_eq!(tx.seal_task(task.id).await.expect("there"), task);
        let sha256 = Digest::of(format!("{id} sealed").as_bytes());
        let layout = Layout::Appended { base: document.head.sha256, tail: task.tail, tail_length: 700 };
        let length = document.head.length + 700;
        tx.add_file(&StoredFile { layout, ..whole(sha256, length) }).await.expect("stored");
        let mut checks = checks(&document);
        checks.push(seal_check());
        let sealing = document.sealing(&clerk).expect("sealing");
        let change = sealing.sealed(&clerk, &task, Head { sha256, length }, &checks, NOW).expect("sealed");
        tx.apply(&change).await.expect("stored");
        tx.commit().await.expect("commits");
        self.document(id).await
    }

    pub(crate) async fn released(&self, id: DocumentId) -> Document {
        let clerk = self.actor(CLERK);
        let document = self.document(id).await;
        let mut checks = checks(&document);
        checks.push(seal_check());
        let (head, seal) = (document.head, Digest::of(b"seal certificate"));
        let releasable = document
            .releasable(&clerk, &checks, seal, ScanVerdict::NotScanned, &self.profile)
            .expect("releasable");
        let change = releasable.release(&clerk, head, &[CopyId::at(NOW, fresh())], NOW).expect("released");
        self.apply(&change).await.expect("stored");
        self.document(id).await
    }

    pub(crate) async fn read(&self) -> Tx {
        self.store.read().await.expect("reads")
    }

    pub(crate) async fn begin(&self) -> Tx {
        self.store.begin().await.expect("begins")
    }

    /// Runs a statement of the test's own, behind the store's back.
    pub(crate) async fn raw(&self, sql: &str) -> std::result::Result<(), sqlx::Error> {
        use sqlx::Connection as _;
        let url = self.url.replace("sqlite:", "sqlite://");
        let mut connection = sqlx::AnyConnection::connect(&url).await?;
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut connection).await?;
        connection.close().await
    }
}

pub(crate) fn whole(sha256: Digest, length: u64) -> StoredFile {
    StoredFile {
        sha256,
        length,
        layout: Layout::Whole,
        pages: Some(2),
        remarks: "{}".into(),
        midstate: Some(vec![1, 2, 3]),
        index: None,
        manifest: None,
        by: Some(person_id(DRAFTER)),
        at: NOW,
    }
}

pub(crate) fn device(n: u128) -> Device {
    Device {
        id: device_id(n),
        person: person_id(n),
        name: "Điện thoại".into(),
        client: Client::Native,
        jwk: "{}".into(),
        thumbprint: format!("thumbprint {n}"),
        state: DeviceState::Pending,
        statement: None,
        cms: None,
        created: NOW,
        enrolled: None,
        revoked: None,
    }
}

fn checks(document: &Document) -> Vec<SignatureCheck> {
    let check = |signed: &trinhky_domain::document::SignedBy| SignatureCheck {
        field: signed.field.clone(),
        certificate: signed.certificate,
        passed: true,
        stamped: Some(signed.stamped),
    };
    document.signed.iter().map(check).collect()
}

fn seal_check() -> SignatureCheck {
    SignatureCheck {
        field: SEAL_FIELD.into(),
        certificate: Digest::of(b"seal certificate"),
        passed: true,
        stamped: Some(NOW),
    }
}

pub(crate) fn is_conflict<T: std::fmt::Debug>(result: &Result<T>) -> bool {
    matches!(result, Err(Error::Conflict(_)))
}
