//! A world, a gate's settings for it, and a phone that may enrol itself with any SIM: the simplest grounds there are.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::Context as _;
use aws_lc_rs::rand;
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
use trinhky_domain::signing::{Attempt, AttemptState, Decision, DecisionKind, Purpose};
use trinhky_domain::{Digest, Version};
use trinhky_pades::x509::path::RevocationMode;
use trinhky_pades::x509::{Certificate, RevocationData, TrustAnchors, certificates_from_pem};
use trinhky_pades::{cms, crypto};
use trinhky_protos::HexDigest;
use trinhky_protos::device::{ENROLMENT_TYP, PublicJwk};
use trinhky_server::ambient::{Clock, Random, SystemClock, SystemRandom};
use trinhky_server::gate::{Belief, Case, Device, Grounds, Service};
use trinhky_server::{config, jws};
use trinhky_simpki::attempt::{self, Timing};
use trinhky_simpki::ids::ApTransId;

/// A world and a gate's service that speaks to it.
pub(crate) struct Rig {
    _folder: TempDir,
    _world: World,
    /// The world's ready line.
    pub(crate) ready: Value,
    pub(crate) service: Service,
    pub(crate) stop: watch::Sender<bool>,
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

/// A leader's phone.
pub(crate) struct Phone {
    key: EcdsaKeyPair,
    pub(crate) jwk: PublicJwk,
}

/// One wish to enrol a phone with a SIM, as rows would carry it.
pub(crate) struct Wish {
    pub(crate) phone: Arc<Phone>,
    pub(crate) person: PersonId,
    pub(crate) device: DeviceId,
    pub(crate) attempt: AttemptId,
    pub(crate) msisdn: String,
    pub(crate) certificate: Vec<u8>,
    pub(crate) statement: Vec<u8>,
    pub(crate) dtbs: Digest,
    pub(crate) decision: Decision,
}

impl Rig {
    pub(crate) fn start() -> Self {
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
        let settings = gate_settings(&ready, &folder.path().join("service"));
        let service = Service::open(&settings, Arc::new(SystemClock), stopping).unwrap();
        let http = reqwest::Client::builder().build().unwrap();
        Self { _folder: folder, _world: world, ready, service, stop, http }
    }

    /// Every SIM, number and certificate: magic ones by the name of their behaviour, leaders' by their number.
    pub(crate) fn sims(&self) -> HashMap<String, (String, Vec<u8>)> {
        let mut sims = HashMap::new();
        for (list, key) in [("magic", "name"), ("sims", "msisdn")] {
            for sim in self.ready[list].as_array().unwrap() {
                let word = |key: &str| sim[key].as_str().unwrap().to_owned();
                let der = pem(&sim["certificate_pem"])[0].as_der().to_vec();
                sims.insert(word(key), (word("msisdn"), der));
            }
        }
        sims
    }

    /// The certificates between a SIM's and the root.
    pub(crate) fn chain(&self) -> Vec<Vec<u8>> {
        pem(&self.ready["chain_pem"]).iter().map(|certificate| certificate.as_der().to_vec()).collect()
    }

    async fn signature_requests(&self) -> Vec<Value> {
        let url = format!("{}/mssp/log", self.ready["control_url"].as_str().unwrap());
        let log = self.http.get(url).send().await.unwrap().bytes().await.unwrap();
        let log: Vec<Value> = serde_json::from_slice(&log).unwrap();
        log.into_iter().filter(|entry| entry["operation"] == "MSS_Signature").collect()
    }

    /// Signature requests that the service saw under this name.
    pub(crate) async fn asked(&self, id: &ApTransId) -> usize {
        self.signature_requests().await.iter().filter(|entry| entry["ap_trans_id"] == id.as_str()).count()
    }

    /// Signature requests that the service saw for this number.
    pub(crate) async fn asked_for(&self, msisdn: &str) -> usize {
        self.signature_requests().await.iter().filter(|entry| entry["msisdn"] == msisdn).count()
    }

    pub(crate) async fn control(&self, path: &str, body: &Value) {
        let url = format!("{}{path}", self.ready["control_url"].as_str().unwrap());
        let request = self.http.post(url).header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }
}

impl Phone {
    pub(crate) fn new() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = key.public_key().as_ref().to_vec();
        let text = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
        let jwk = PublicJwk { kty: "EC".into(), crv: "P-256".into(), x: text(1..33), y: text(33..65) };
        Self { key, jwk }
    }

    pub(crate) fn say(&self, device: DeviceId, claims: &Value) -> String {
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": "ES256", "typ": ENROLMENT_TYP, "kid": device.to_string()});
        let signed = format!("{}.{}", text(&header), text(claims));
        let signature = self.key.sign(&rand::SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

impl Wish {
    pub(crate) fn new((msisdn, certificate): &(String, Vec<u8>)) -> Self {
        let now = SystemClock.now();
        let phone = Arc::new(Phone::new());
        let (person, device) = (PersonId::at(now, chance()), DeviceId::at(now, chance()));
        let statement = json!({
            "version": 1, "person": person, "full_name": "Nguyễn Văn A", "device": device,
            "key_thumbprint": HexDigest(jws::thumbprint(&phone.jwk).0), "public_key": phone.jwk, "msisdn": msisdn,
            "certificate": HexDigest(Digest::of(certificate).0), "made_at": "2026-08-01T00:00:00Z",
        });
        let statement = statement.to_string().into_bytes();
        Self::of(phone, person, device, (msisdn, certificate), statement)
    }

    /// The same leader and phone wish again.
    pub(crate) fn again(&self) -> Self {
        let sim = (self.msisdn.as_str(), self.certificate.as_slice());
        Self::of(self.phone.clone(), self.person, self.device, sim, self.statement.clone())
    }

    fn of(
        phone: Arc<Phone>,
        person: PersonId,
        device: DeviceId,
        (msisdn, certificate): (&str, &[u8]),
        statement: Vec<u8>,
    ) -> Self {
        let now = SystemClock.now();
        let attempt = AttemptId::at(now, chance());
        let digest = trinhky_pades::Digest::of(&statement);
        let dtbs = cms::signed_attributes(&digest, certificate, cms::ID_ENROLMENT).unwrap().dtbs_digest();
        let claims = json!({
            "iss": device, "sub": person, "iat": now.unix_timestamp(), "exp": now.unix_timestamp() + 600,
            "attempt": attempt, "challenge": "c", "statement": HexDigest(digest.0), "dtbs": HexDigest(dtbs.0),
            "certificate": HexDigest(Digest::of(certificate).0),
            "display_text": "Dang ky thiet bi ky so cho A. Ma %%VC%%",
        });
        let decision = Decision {
            id: DecisionId::at(now, chance()),
            kind: DecisionKind::Approve,
            attempt,
            person,
            device,
            client: Client::Native,
            jws: phone.say(device, &claims),
            expires: now + time::Duration::minutes(10),
            at: now,
        };
        Self {
            phone,
            person,
            device,
            attempt,
            msisdn: msisdn.to_owned(),
            certificate: certificate.to_vec(),
            statement,
            dtbs: Digest(dtbs.0),
            decision,
        }
    }

    /// What the gate itself would find.
    pub(crate) fn grounds(&self, rig: &Rig) -> Grounds {
        let now = SystemClock.now();
        let case = Case {
            attempt: Attempt {
                id: self.attempt,
                purpose: Purpose::Enrolment { device: self.device },
                person: self.person,
                msisdn: self.msisdn.parse().unwrap(),
                certificate: Digest::of(&self.certificate),
                dtbs: self.dtbs,
                urgency: Urgency::Normal,
                state: AttemptState::Approved { decision: self.decision.id, until: now, heading_since: None },
                protocol: None,
                created: now,
                changed: now,
                version: Version::FIRST,
            },
            decision: self.decision.clone(),
            device: Device { id: self.device, enrolled: false, statement: self.statement.clone(), cms: None },
            certificate: self.certificate.clone(),
            chain: rig.chain(),
            document: None,
        };
        let anchors = TrustAnchors::new(pem(&rig.ready["roots_pem"]));
        let belief = Belief {
            anchors: &anchors,
            revocation: &RevocationData::none(),
            mode: RevocationMode::IfAvailable,
            provider: crypto::aws_lc(),
        };
        case.grounds(&belief, now).unwrap()
    }
}

/// Short enough for a test, with room for the world's two seconds of delay.
fn timing() -> Timing {
    Timing {
        timeout_seconds: 4,
        first_poll_ms: 100,
        poll_ms: 100,
        late_poll_ms: 200,
        final_polls_ms: [500, 3_500],
        answer_ms: 4_000,
        reconnect_ms: 100,
        ..Timing::default()
    }
}

/// An attempt on these grounds, as the gate would begin it.
pub(crate) fn approve(grounds: &Grounds) -> attempt::Attempt {
    let now: OffsetDateTime = SystemClock.now();
    let id = ApTransId::mint(now, (&SystemRandom as &dyn Random).bytes());
    grounds.asked().clone().approve(id, timing(), now + time::Duration::seconds(2))
}

/// `[gate]` for a world, with a journal of its own.
pub(crate) fn gate_settings(ready: &Value, journal: &Path) -> config::Gate {
    let path = |key: &str| PathBuf::from(ready[key].as_str().unwrap());
    config::Gate {
        mssp_url: ready["mssp_url"].as_str().unwrap().to_owned(),
        mssp_ca: path("mssp_ca_pem"),
        ap_cert: path("ap_cert_pem"),
        ap_key: path("ap_key_pem"),
        ap_id: ready["ap_id"].as_str().unwrap().to_owned(),
        ap_password_file: path("ap_password_file"),
        journal: journal.to_owned(),
        roots: vec![path("roots_pem")],
        timeout_seconds: 4,
        poll_milliseconds: 100,
        dialog_seconds: 4,
        grace_seconds: 3,
        send_window_seconds: 120,
        lease_milliseconds: 1_000,
    }
}

pub(crate) fn chance() -> u128 {
    (&SystemRandom as &dyn Random).chance()
}

fn pem(path: &Value) -> Vec<Certificate> {
    certificates_from_pem(&std::fs::read_to_string(path.as_str().unwrap()).unwrap()).unwrap()
}

/// One of our own binaries, built before: it lies beside this test.
fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let found = own.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.with_context(|| format!("{name} is not built; run: cargo build --workspace --bins")).unwrap()
}
