//! The whole gate over rows in SQLite: claims, leases, grounds, journal, and what becomes of a row when a gate dies.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use trinhky_domain::Digest;
use trinhky_domain::ids::OfficeId;
use trinhky_domain::people::{Actor, Client, Office, Person, Role};
use trinhky_domain::signing::{Attempt, AttemptState, AttemptStateName as Name, NewAttempt};
use trinhky_server::ambient::{Clock, SystemClock, SystemRandom};
use trinhky_server::config::Config;
use trinhky_server::gate::Gate;
use trinhky_server::jws;
use trinhky_simpki::attempt::Step;
use trinhky_store::{Device, DeviceState, Sim, Store};

use crate::rig::{Phone, Rig, Wish, approve, chance};

/// A database of one office, and gates on it.
struct House {
    folder: TempDir,
    store: Store,
    office: OfficeId,
}

/// A gate that runs until it is stopped.
struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store =
            Store::open(&format!("sqlite:{}", folder.path().join("rows.db").display()), 4).await.unwrap();
        store.migrate().await.unwrap();
        let office = OfficeId::at(SystemClock.now(), chance());
        let mut tx = store.begin().await.unwrap();
        let office_row = Office {
            id: office,
            parent: None,
            code: "H53".into(),
            name: "UBND tỉnh".into(),
            symbol: "UBND".into(),
            policy: String::new(),
        };
        tx.put_office(&office_row).await.unwrap();
        tx.commit().await.unwrap();
        Self { folder, store, office }
    }

    /// Everything a server would have written by the time a wish is approved.
    async fn approved(&self, rig: &Rig, wish: &Wish) {
        let now = SystemClock.now();
        let person = Person {
            id: wish.person,
            office: self.office,
            login: format!("l{}", wish.person).to_lowercase(),
            name: "Nguyễn Văn A".into(),
            title: "Chủ tịch".into(),
            roles: vec![Role::Leader],
            active: true,
        };
        let mut tx = self.store.begin().await.unwrap();
        tx.put_person(&person).await.unwrap();
        tx.put_sim(&Sim {
            person: wish.person,
            msisdn: wish.msisdn.parse().unwrap(),
            certificate: wish.certificate.clone(),
            chain: rig.chain(),
            image: None,
            at: now,
        })
        .await
        .unwrap();
        tx.add_device(&Device {
            id: wish.device,
            person: wish.person,
            name: "điện thoại".into(),
            client: Client::Native,
            jwk: serde_json::to_string(&wish.phone.jwk).unwrap(),
            thumbprint: jws::thumbprint(&wish.phone.jwk).to_string(),
            state: DeviceState::Pending,
            statement: None,
            cms: None,
            created: now,
            enrolled: None,
            revoked: None,
        })
        .await
        .unwrap();
        tx.propose_enrolment(wish.device, wish.statement.clone()).await.unwrap();
        self.wished(tx, &self.leader(wish), wish).await;
    }

    fn leader(&self, wish: &Wish) -> Actor {
        Actor {
            person: wish.person,
            office: self.office,
            roles: vec![Role::Leader],
            device: None,
            client: Client::Native,
        }
    }

    async fn wished(&self, mut tx: trinhky_store::Tx, actor: &Actor, wish: &Wish) {
        let now = SystemClock.now();
        let new = NewAttempt {
            id: wish.attempt,
            msisdn: wish.msisdn.parse().unwrap(),
            certificate: Digest::of(&wish.certificate),
            dtbs: wish.dtbs,
        };
        tx.apply(&Attempt::enrolment(actor, new, wish.device, now)).await.unwrap();
        let prepared = tx.attempt(wish.attempt).await.unwrap();
        let until = now + time::Duration::minutes(5);
        let approval = prepared.approve_enrolment(actor, wish.decision.clone(), until).unwrap();
        tx.apply(&approval).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn gate(&self, rig: &Rig, journal: &Path) -> Running {
        let folder = self.folder.path();
        let word = |key: &str| rig.ready[key].as_str().unwrap().to_owned();
        let settings = format!(
            r#"
[database]
url = "sqlite:rows.db"
[files]
url = "file:files"
[trust]
roots = ["{roots}"]
[tsa]
url = "{tsa}"
[revocation]
allow = ["{responder}"]
[scanner]
mode = "off"
[jobs]
poll_milliseconds = 20
retry_milliseconds = 100
[gate]
mssp_url = "{mssp}"
mssp_ca = "{mssp_ca}"
ap_cert = "{ap_cert}"
ap_key = "{ap_key}"
ap_id = "{ap_id}"
ap_password_file = "{ap_password}"
journal = "{journal}"
roots = ["{roots}"]
timeout_seconds = 4
poll_milliseconds = 100
dialog_seconds = 4
grace_seconds = 3
lease_milliseconds = 1000
"#,
            roots = word("roots_pem"),
            tsa = word("tsa_url"),
            responder = word("page_url").trim_start_matches("http://").trim_end_matches('/'),
            mssp = word("mssp_url"),
            mssp_ca = word("mssp_ca_pem"),
            ap_cert = word("ap_cert_pem"),
            ap_key = word("ap_key_pem"),
            ap_id = word("ap_id"),
            ap_password = word("ap_password_file"),
            journal = journal.display(),
        );
        let path = folder.join("trinhky.toml");
        std::fs::write(&path, settings).unwrap();
        let config = Config::load(&path, []).unwrap();
        let open = || Gate::open(&config, self.store.clone(), Arc::new(SystemClock), Arc::new(SystemRandom));
        // A task that was aborted lets go of the journal a moment later; a process that was killed does so at once.
        let mut gate = open();
        for _ in 0..100 {
            if gate.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            gate = open();
        }
        let gate = gate.unwrap();
        let (stop, told) = oneshot::channel();
        let task = tokio::spawn(async move {
            gate.run(async move {
                // Dropped is as good as told.
                drop(told.await);
            })
            .await
            .unwrap();
        });
        Running { stop, task }
    }

    fn journal(&self) -> std::path::PathBuf {
        self.folder.path().join("journal")
    }

    async fn state(&self, wish: &Wish) -> Name {
        self.store.read().await.unwrap().attempt(wish.attempt).await.unwrap().state.name()
    }

    async fn until(&self, wish: &Wish, wanted: Name) -> Attempt {
        for _ in 0..400 {
            let row = self.store.read().await.unwrap().attempt(wish.attempt).await.unwrap();
            if row.state.name() == wanted {
                return row;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} instead of {wanted}", self.state(wish).await);
    }
}

impl Running {
    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }

    /// As a power cut would: nothing is released, nothing tidied up.
    async fn kill(self) {
        self.task.abort();
        drop(self.task.await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_wish_becomes_a_raw_signature_after_one_request() {
    let (rig, house) = (Rig::start(), House::new().await);
    let wish = Wish::new(&rig.sims()["84900000001"]);
    house.approved(&rig, &wish).await;
    let gate = house.gate(&rig, &house.journal()).await;
    let row = house.until(&wish, Name::SignedRaw).await;
    assert!(matches!(row.state, AttemptState::SignedRaw { signature, .. } if signature.len() == 256));
    let named = house.store.read().await.unwrap().transaction_of(wish.attempt).await.unwrap();
    assert!(named.is_some_and(|id| id.starts_with('T')));
    assert_eq!(rig.asked_for(&wish.msisdn).await, 1);
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_declined_frees_the_number_for_the_next_wish() {
    let (rig, house) = (Rig::start(), House::new().await);
    let first = Wish::new(&rig.sims()["code_401"]);
    let next = first.again();
    house.approved(&rig, &first).await;
    let tx = house.store.begin().await.unwrap();
    house.wished(tx, &house.leader(&next), &next).await;
    let gate = house.gate(&rig, &house.journal()).await;
    // Had the second been sent while the first was open, the service would have called the SIM busy.
    for wish in [&first, &next] {
        house.until(wish, Name::Declined).await;
    }
    assert_eq!(rig.asked_for(&first.msisdn).await, 2);
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_grounds_no_sim_is_asked() {
    let (rig, house) = (Rig::start(), House::new().await);
    let sims = rig.sims();
    let gone = Wish::new(&sims["84900000003"]);
    let forged = {
        let mut wish = Wish::new(&sims["84900000001"]);
        wish.decision.jws = Phone::new().say(wish.device, &json!({"iss": wish.device}));
        wish
    };
    let elsewhere = {
        let mut wish = Wish::new(&sims["84900000002"]);
        wish.dtbs = Digest::of(b"a document that nobody showed");
        wish
    };
    for wish in [&forged, &elsewhere, &gone] {
        house.approved(&rig, wish).await;
    }
    // Suspended, or gone, since the decision.
    let mut tx = house.store.begin().await.unwrap();
    let person = tx.person(gone.person).await.unwrap();
    tx.put_person(&Person { active: false, ..person }).await.unwrap();
    tx.commit().await.unwrap();
    let gate = house.gate(&rig, &house.journal()).await;
    for wish in [&forged, &elsewhere, &gone] {
        house.until(wish, Name::Rejected).await;
        assert_eq!(rig.asked_for(&wish.msisdn).await, 0);
    }
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_certificate_asks_no_sim_and_a_silent_responder_waits() {
    let (rig, house) = (Rig::start(), House::new().await);
    let sims = rig.sims();
    let (revoked, good) = (Wish::new(&sims["84900000001"]), Wish::new(&sims["84900000002"]));
    rig.control("/revoke", &json!({"msisdn": revoked.msisdn})).await;
    for wish in [&revoked, &good] {
        house.approved(&rig, wish).await;
    }
    for service in ["ocsp", "crl"] {
        rig.control("/fault", &json!({"service": service, "fault": "down"})).await;
    }
    let gate = house.gate(&rig, &house.journal()).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    for wish in [&revoked, &good] {
        assert_eq!(
            house.state(wish).await,
            Name::Approved,
            "nobody could be asked, so nothing is asked of the SIM"
        );
    }
    for service in ["ocsp", "crl"] {
        rig.control("/fault", &json!({"service": service, "fault": null})).await;
    }
    house.until(&revoked, Name::CertInvalid).await;
    house.until(&good, Name::SignedRaw).await;
    assert_eq!((rig.asked_for(&revoked.msisdn).await, rig.asked_for(&good.msisdn).await), (0, 1));
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_from_a_backup_do_not_ask_a_second_time() {
    let (rig, house, restored) = (Rig::start(), House::new().await, House::new().await);
    let wish = Wish::new(&rig.sims()["code_401"]);
    house.approved(&rig, &wish).await;
    restored.approved(&rig, &wish).await;
    let gate = house.gate(&rig, &house.journal()).await;
    house.until(&wish, Name::Declined).await;
    gate.stop().await;
    // The same wish, still approved, in rows from before; the journal is where it was.
    let gate = restored.gate(&rig, &house.journal()).await;
    restored.until(&wish, Name::Rejected).await;
    assert_eq!(rig.asked_for(&wish.msisdn).await, 1);
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_dies_is_followed_by_one_that_asks_after_the_prompt() {
    let (rig, house) = (Rig::start(), House::new().await);
    let wish = Wish::new(&rig.sims()["84900000001"]);
    rig.control(&format!("/sims/{}/behaviour", wish.msisdn), &json!({"behaviour": "manual"})).await;
    house.approved(&rig, &wish).await;
    let first = house.gate(&rig, &house.journal()).await;
    house.until(&wish, Name::Accepted).await;
    first.kill().await;
    let second = house.gate(&rig, &house.journal()).await;
    rig.control(&format!("/sims/{}/accept", wish.msisdn), &json!({})).await;
    house.until(&wish, Name::SignedRaw).await;
    assert_eq!(rig.asked_for(&wish.msisdn).await, 1);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_sending_is_waited_out_and_never_sent_again() {
    let (rig, house) = (Rig::start(), House::new().await);
    let wish = Wish::new(&rig.sims()["84900000001"]);
    house.approved(&rig, &wish).await;
    // What a gate leaves behind that died between row and socket.
    let now = SystemClock.now();
    let mut attempt = approve(&wish.grounds(&rig));
    assert!(matches!(attempt.poll(now), Step::Send(_)));
    let mut tx = house.store.begin().await.unwrap();
    let row = tx.attempt(wish.attempt).await.unwrap();
    let change = row.sending(time::Duration::minutes(2), now).unwrap();
    tx.apply(&change.with_protocol(serde_json::to_string(&attempt).unwrap())).await.unwrap();
    tx.commit().await.unwrap();

    let gate = house.gate(&rig, &house.journal()).await;
    house.until(&wish, Name::Indeterminate).await;
    house.until(&wish, Name::Lapsed).await;
    assert_eq!(rig.asked_for(&wish.msisdn).await, 0);
    gate.stop().await;
}
