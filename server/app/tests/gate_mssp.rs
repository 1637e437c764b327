//! The gate's conversation with the service, for every magic number and fault of the imaginary province: the state it
//! ends in, the sentence the leader is told, and how often the SIM was asked.
//!
//! The service is the world's binary in a process of its own, over mutual TLS; the row is kept in memory, so that every
//! state that was written can be looked at. The same through database, phone and PDF is the concern of `tests/flows`.

#![expect(clippy::unwrap_used, reason = "a test may end where it fails")]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::Context as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::sync::watch;
use trinhky_domain::ids::{AttemptId, DecisionId, DeviceId, PersonId};
use trinhky_domain::paper::Urgency;
use trinhky_domain::people::Client;
use trinhky_domain::signing::{self, AttemptState, Decision, Purpose};
use trinhky_domain::{Digest, Version};
use trinhky_pades::x509::path::RevocationMode;
use trinhky_pades::x509::{Certificate, RevocationData, TrustAnchors, certificates_from_pem};
use trinhky_pades::{cms, crypto};
use trinhky_protos::HexDigest;
use trinhky_protos::device::{ENROLMENT_TYP, PublicJwk};
use trinhky_server::ambient::{Clock, Random, SystemClock, SystemRandom as Chance};
use trinhky_server::gate::{Belief, Case, Device, Grounds, NoCertificates, Row, Service};
use trinhky_server::{config, jws};
use trinhky_simpki::attempt::{Attempt, Outcome, Timing};
use trinhky_simpki::ids::ApTransId;
use trinhky_simpki::reply::Code;

/// The world, the gate's service, and a phone that may enrol itself with any SIM: the simplest grounds there are.
struct Rig {
    _folder: TempDir,
    _world: World,
    ready: Value,
    service: Service,
    stop: watch::Sender<bool>,
    phone: EcdsaKeyPair,
    jwk: PublicJwk,
    http: reqwest::Client,
}

struct World(Child);

impl Drop for World {
    fn drop(&mut self) {
        // Gone already is as good as killed.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A row that remembers everything that was written to it.
#[derive(Default)]
struct Memory {
    names: Vec<&'static str>,
    row: String,
}

impl Row for Memory {
    async fn keep(&mut self, at: &Attempt, _: OffsetDateTime) -> anyhow::Result<()> {
        self.names.push(at.state_name());
        self.row = serde_json::to_string(at)?;
        Ok(())
    }

    async fn hold(&mut self, _: OffsetDateTime) -> anyhow::Result<()> {
        Ok(())
    }
}

/// A row whose process dies at the write of this state: before it, or right after.
struct Dying {
    memory: Memory,
    at: &'static str,
    stored: bool,
}

impl Row for Dying {
    async fn keep(&mut self, at: &Attempt, now: OffsetDateTime) -> anyhow::Result<()> {
        let dies = at.state_name() == self.at;
        if !dies || self.stored {
            self.memory.keep(at, now).await?;
        }
        anyhow::ensure!(!dies, "the process died");
        Ok(())
    }

    async fn hold(&mut self, _: OffsetDateTime) -> anyhow::Result<()> {
        Ok(())
    }
}

/// Short enough for a test, with room for the world's two seconds of delay.
fn timing() -> Timing {
    Timing {
        timeout_seconds: 4,
        first_poll_ms: 100,
        poll_ms: 100,
        late_poll_ms: 200,
        final_polls_ms: [500, 2_500],
        answer_ms: 4_000,
        reconnect_ms: 100,
        ..Timing::default()
    }
}

impl Rig {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut world = Command::new(binary("trinhky-world"))
            .args(["serve", "--accept-after-ms", "150", "--until-stdin-closes", "--dir"])
            .arg(folder.path().join("world"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(world.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let world = World(world);
        let ready: Value = serde_json::from_str(&line).unwrap();
        trinhky_server::gateways::install_crypto();
        let (stop, stopping) = watch::channel(false);
        let settings = settings(&ready, folder.path());
        let service = Service::open(&settings, Arc::new(SystemClock), stopping).unwrap();
        let phone = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = phone.public_key().as_ref().to_vec();
        let text = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
        let jwk = PublicJwk { kty: "EC".into(), crv: "P-256".into(), x: text(1..33), y: text(33..65) };
        let http = reqwest::Client::builder().build().unwrap();
        Self { _folder: folder, _world: world, ready, service, stop, phone, jwk, http }
    }

    /// Every SIM by the name of its behaviour.
    fn sims(&self) -> HashMap<String, (String, Vec<u8>)> {
        let mut sims = HashMap::new();
        for (list, key) in [("magic", "name"), ("sims", "msisdn")] {
            for sim in self.ready[list].as_array().unwrap() {
                let word = |key: &str| sim[key].as_str().unwrap().to_owned();
                let pem = std::fs::read_to_string(word("certificate_pem")).unwrap();
                let der = certificates_from_pem(&pem).unwrap()[0].as_der().to_vec();
                sims.insert(word(key), (word("msisdn"), der));
            }
        }
        sims
    }

    fn grounds(&self, msisdn: &str, certificate: &[u8]) -> Grounds {
        let now = SystemClock.now();
        let chance = &Chance as &dyn Random;
        let (person, device) = (PersonId::at(now, chance.chance()), DeviceId::at(now, chance.chance()));
        let attempt = AttemptId::at(now, chance.chance());
        let certificate_digest = HexDigest(Digest::of(certificate).0);
        let statement = json!({
            "version": 1, "person": person, "full_name": "Nguyễn Văn A", "device": device,
            "key_thumbprint": HexDigest(jws::thumbprint(&self.jwk).0), "public_key": self.jwk, "msisdn": msisdn,
            "certificate": certificate_digest, "made_at": "2026-08-01T00:00:00Z",
        });
        let statement = statement.to_string().into_bytes();
        let digest = trinhky_pades::Digest::of(&statement);
        let dtbs = cms::signed_attributes(&digest, certificate, cms::ID_ENROLMENT).unwrap().dtbs_digest();
        let claims = json!({
            "iss": device, "sub": person, "iat": now.unix_timestamp(), "exp": now.unix_timestamp() + 600,
            "attempt": attempt, "challenge": "c", "statement": HexDigest(digest.0), "dtbs": HexDigest(dtbs.0),
            "certificate": certificate_digest, "display_text": "Dang ky thiet bi ky so cho A. Ma %%VC%%",
        });
        let decision = DecisionId::at(now, chance.chance());
        let case = Case {
            attempt: signing::Attempt {
                id: attempt,
                purpose: Purpose::Enrolment { device },
                person,
                msisdn: msisdn.parse().unwrap(),
                certificate: Digest::of(certificate),
                dtbs: Digest(dtbs.0),
                urgency: Urgency::Normal,
                state: AttemptState::Approved { decision, until: now, heading_since: None },
                protocol: None,
                created: now,
                version: Version::FIRST,
            },
            decision: Decision {
                id: decision,
                attempt,
                person,
                device,
                client: Client::Native,
                jws: self.say(device, &claims),
                expires: now,
                at: now,
            },
            device: Device { id: device, enrolled: false, statement, cms: None },
            certificate: certificate.to_vec(),
            chain: pem(&self.ready["chain_pem"]).iter().map(|c| c.as_der().to_vec()).collect(),
            document: None,
        };
        let anchors = TrustAnchors::new(pem(&self.ready["roots_pem"]));
        let belief = Belief {
            anchors: &anchors,
            revocation: &RevocationData::none(),
            mode: RevocationMode::IfAvailable,
            provider: crypto::aws_lc(),
        };
        case.grounds(&belief, now).unwrap()
    }

    fn say(&self, device: DeviceId, claims: &Value) -> String {
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": "ES256", "typ": ENROLMENT_TYP, "kid": device.to_string()});
        let signed = format!("{}.{}", text(&header), text(claims));
        let signature = self.phone.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Signature requests that the service saw under this name, and raised prompts.
    async fn asked(&self, id: &ApTransId) -> usize {
        let url = format!("{}/mssp/log", self.ready["control_url"].as_str().unwrap());
        let log: Vec<Value> =
            serde_json::from_slice(&self.http.get(url).send().await.unwrap().bytes().await.unwrap()).unwrap();
        log.iter()
            .filter(|entry| entry["operation"] == "MSS_Signature" && entry["ap_trans_id"] == id.as_str())
            .count()
    }

    async fn control(&self, path: &str, body: &Value) {
        let url = format!("{}{path}", self.ready["control_url"].as_str().unwrap());
        let request = self.http.post(url).header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }
}

fn settings(ready: &Value, folder: &Path) -> config::Gate {
    let path = |key: &str| PathBuf::from(ready[key].as_str().unwrap());
    config::Gate {
        mssp_url: ready["mssp_url"].as_str().unwrap().to_owned(),
        mssp_ca: path("mssp_ca_pem"),
        ap_cert: path("ap_cert_pem"),
        ap_key: path("ap_key_pem"),
        ap_id: ready["ap_id"].as_str().unwrap().to_owned(),
        ap_password_file: path("ap_password_file"),
        journal: folder.join("journal"),
        roots: vec![path("roots_pem")],
        timeout_seconds: 4,
        poll_milliseconds: 100,
        dialog_seconds: 4,
        grace_seconds: 3,
        send_window_seconds: 120,
    }
}

fn pem(path: &Value) -> Vec<Certificate> {
    certificates_from_pem(&std::fs::read_to_string(path.as_str().unwrap()).unwrap()).unwrap()
}

fn approve(grounds: &Grounds) -> Attempt {
    let now = SystemClock.now();
    let id = ApTransId::mint(now, (&Chance as &dyn Random).bytes());
    grounds.asked().clone().approve(id, timing(), now + time::Duration::seconds(2))
}

/// One of our own binaries, built before: it lies beside this test.
fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let found = own.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.with_context(|| format!("{name} is not built; run: cargo build --workspace --bins")).unwrap()
}

/// Where each behaviour ends, and through which states that were written.
fn expected(name: &str) -> (&'static str, &'static [&'static str]) {
    const AT_ONCE: &[&str] = &["sending"];
    const LATER: &[&str] = &["sending", "accepted"];
    const DOUBT: &[&str] = &["sending", "indeterminate"];
    const TROUBLED: &[&str] = &["sending", "accepted", "indeterminate"];
    match name {
        "code_101" | "code_102" | "code_103" | "code_104" | "code_107" | "code_108" => ("rejected", AT_ONCE),
        "code_105" | "code_109" => ("not_enrolled", AT_ONCE),
        "code_406" => ("undeliverable", AT_ONCE),
        "code_208" | "code_720" | "code_504" => ("expired", LATER),
        "code_209" => ("undeliverable", LATER),
        "code_401" => ("declined", LATER),
        "code_402" | "code_403" => ("blocked", LATER),
        "code_404" | "code_407" => ("not_enrolled", LATER),
        "code_405" | "code_422" | "code_425" | "code_501" | "code_503" | "code_505" => {
            ("cert_invalid", LATER)
        }
        "code_450" => ("rejected", LATER),
        // The provider's own trouble, asked about a live prompt, decides nothing before the prompt's time is over.
        "code_423" | "code_424" | "code_666" | "code_780" | "code_900" => ("provider_down", TROUBLED),
        "code_500" | "delay" | "drop_final" | "late_signature" | "registration_105" => ("signed_raw", LATER),
        // What was signed and by whom is for whoever verifies; the gate only keeps it.
        "wrong_hash" | "wrong_key" | "certificate_swap" | "short_signature" => ("signed_raw", LATER),
        "duplicate_reply" => ("signed_raw", AT_ONCE),
        "no_signature" => ("rejected", LATER),
        // Another number from the acknowledgement on: followed, since a prompt may be anywhere, and never trusted.
        "wrong_number_echo" => ("rejected", DOUBT),
        "duplicate_element" | "bad_base64" => ("lapsed", LATER),
        "drop_ack" | "error_page" | "empty_500" | "truncated_ack" | "wrong_transaction_echo" => {
            ("lapsed", DOUBT)
        }
        other => panic!("the world has a behaviour that nobody expects: {other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_outcome_and_fault_ends_in_its_named_state_after_one_request() {
    let rig = Rig::start();
    let sims = rig.sims();
    let magic: Vec<_> = sims.iter().filter(|(name, _)| !name.starts_with("84")).collect();
    assert!(magic.len() > 40, "{}", magic.len());
    let all = magic.iter().map(|(name, (msisdn, certificate))| {
        let rig = &rig;
        async move {
            let grounds = rig.grounds(msisdn, certificate);
            let attempt = approve(&grounds);
            let id = attempt.ap_trans_id().clone();
            let mut row = Memory::default();
            let outcome = rig.service.converse(attempt, Some(&grounds), &mut row).await.unwrap();
            let (end, through) = expected(name);
            let mut written = through.to_vec();
            if written.last() != Some(&end) {
                written.push(end);
            }
            assert_eq!(row.names, written, "{name}: {outcome:?}");
            assert_eq!(matches!(outcome, Some(Outcome::Signed(_))), end == "signed_raw", "{name}");
            assert_eq!(rig.asked(&id).await, 1, "{name}: requests that reached the service");
            assert!(rig.service.unused(&grounds).is_err(), "{name}: the journal knows");
            let again = rig.service.converse(approve(&grounds), Some(&grounds), &mut Memory::default()).await;
            assert!(again.unwrap_err().to_string().contains("before"), "{name}: never a second prompt");
        }
    });
    futures::future::join_all(all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_dies_at_any_write_asks_no_sim_twice_and_loses_no_signature() {
    let rig = Rig::start();
    let sims = rig.sims();
    let cases = [
        // The row still says approved, and nothing had left: whoever reads it may send.
        ("delay", "sending", false, None, "signed_raw", 1),
        ("drop_final", "sending", true, Some("indeterminate"), "lapsed", 0),
        ("wrong_hash", "accepted", false, Some("indeterminate"), "lapsed", 1),
        ("wrong_key", "accepted", true, Some("accepted"), "signed_raw", 1),
        ("no_signature", "signed_raw", false, Some("accepted"), "signed_raw", 1),
        ("bad_base64", "signed_raw", true, Some("signed_raw"), "signed_raw", 1),
    ];
    futures::future::join_all(cases.map(|(sim, at, stored, resumed, end, asked)| {
        let (rig, (msisdn, certificate)) = (&rig, sims[sim].clone());
        async move {
            rig.control(&format!("/sims/{msisdn}/behaviour"), &json!({"behaviour": "accept"})).await;
            let grounds = rig.grounds(&msisdn, &certificate);
            let attempt = approve(&grounds);
            let id = attempt.ap_trans_id().clone();
            let mut row = Dying { memory: Memory::default(), at, stored };
            rig.service.converse(attempt.clone(), Some(&grounds), &mut row).await.unwrap_err();
            let attempt = match resumed {
                Some(name) => {
                    let attempt: Attempt = serde_json::from_str(&row.memory.row).unwrap();
                    assert_eq!(attempt.state_name(), name, "{at} stored: {stored}");
                    attempt
                }
                None => attempt,
            };
            let grounds = resumed.is_none().then_some(&grounds);
            let mut memory = Memory::default();
            rig.service.converse(attempt, grounds, &mut memory).await.unwrap();
            let last = memory.names.last().copied().or(resumed);
            assert_eq!((last, rig.asked(&id).await), (Some(end), asked), "{at} stored: {stored}");
        }
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cannot_be_reached_is_tried_until_the_approval_is_stale() {
    let rig = Rig::start();
    let (msisdn, certificate) = rig.sims()["delay"].clone();
    let mut ready = rig.ready.clone();
    ready["mssp_url"] = "https://127.0.0.1:1/soap/services/".into();
    let folder = tempfile::tempdir().unwrap();
    let (_stop, stopping) = watch::channel(false);
    let down = Service::open(&settings(&ready, folder.path()), Arc::new(SystemClock), stopping).unwrap();
    let grounds = rig.grounds(&msisdn, &certificate);
    let mut row = Memory::default();
    let outcome = down.converse(approve(&grounds), Some(&grounds), &mut row).await.unwrap();
    assert_eq!(row.names, ["sending", "provider_down"]);
    assert!(matches!(outcome, Some(Outcome::Ended(end)) if end.sentence.key() == "simpki.service_down"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_is_stopped_leaves_the_prompt_to_the_next() {
    let rig = Rig::start();
    let (msisdn, certificate) = rig.sims()["code_504"].clone();
    let grounds = rig.grounds(&msisdn, &certificate);
    let mut row = Memory::default();
    let (outcome, ()) =
        tokio::join!(rig.service.converse(approve(&grounds), Some(&grounds), &mut row), async {
            tokio::time::sleep(std::time::Duration::from_millis(700)).await;
            rig.stop.send_replace(true);
        });
    assert_eq!(outcome.unwrap(), None);
    assert_eq!(row.names, ["sending", "accepted"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificates_on_a_sim_are_those_that_were_issued() {
    let rig = Rig::start();
    let sims = rig.sims();
    let fresh = || ApTransId::mint(SystemClock.now(), (&Chance as &dyn Random).bytes());
    let (msisdn, certificate) = sims["84900000001"].clone();
    let found = rig.service.certificates(fresh(), msisdn.parse().unwrap()).await.unwrap();
    assert_eq!(found.iter().map(|c| c.der.clone()).collect::<Vec<_>>(), [certificate]);
    let (refusing, _) = sims["registration_105"].clone();
    let refused = rig.service.certificates(fresh(), refusing.parse().unwrap()).await.unwrap_err();
    assert!(matches!(refused, NoCertificates::Refused { code, .. } if code == Code::plain(105)), "{refused}");
}
