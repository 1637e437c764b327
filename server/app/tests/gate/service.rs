//! The gate's conversation with the service, for every magic number and fault of the imaginary province: the state it
//! ends in, the sentence the leader is told, and how often the SIM was asked.
//!
//! The row is kept in memory, so that every state that was written can be looked at.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::json;
use time::OffsetDateTime;
use tokio::sync::{Notify, watch};
use trinhky_server::ambient::{Clock, Random, SystemClock, SystemRandom};
use trinhky_server::gate::{NoCertificates, Row, Service};
use trinhky_simpki::attempt::{Attempt, Outcome};
use trinhky_simpki::ids::ApTransId;
use trinhky_simpki::reply::Code;

use crate::rig::{Rig, Wish, approve, gate_settings};

/// A row that remembers everything that was written to it.
#[derive(Default)]
struct Memory {
    names: Vec<&'static str>,
    written: Vec<serde_json::Value>,
    row: String,
    accepted: Arc<Notify>,
}

impl Row for Memory {
    async fn keep(&mut self, at: &Attempt, _: OffsetDateTime) -> anyhow::Result<()> {
        if at.state_name() == "accepted" {
            self.accepted.notify_one();
        }
        self.names.push(at.state_name());
        self.row = serde_json::to_string(at)?;
        self.written.push(serde_json::to_value(at)?);
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
}

/// A clock that somebody can set forward.
#[derive(Default)]
struct Turned(AtomicI64);

impl Clock for Turned {
    fn now(&self) -> OffsetDateTime {
        SystemClock.now() + time::Duration::seconds(self.0.load(Ordering::Relaxed))
    }
}

/// A row whose process is stopped for a while right after it wrote that it is sending, as a laptop's lid or a hypervisor
/// does; in the meantime another gate may have taken the lease.
struct Slept {
    clock: Arc<Turned>,
    seconds: i64,
    written: u32,
}

impl Row for Slept {
    async fn keep(&mut self, at: &Attempt, _: OffsetDateTime) -> anyhow::Result<()> {
        anyhow::ensure!(self.written == 0, "another gate has the lease");
        if at.state_name() == "sending" {
            self.written += 1;
            self.clock.0.store(self.seconds, Ordering::Relaxed);
        }
        Ok(())
    }
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
        // The provider's own trouble, asked about a live prompt, decides nothing before the prompt's time is over.
        "code_423" | "code_424" | "code_666" | "code_780" | "code_900" => ("provider_down", TROUBLED),
        // What was signed and by whom is for whoever verifies; the gate only keeps it.
        "code_500" | "delay" | "drop_final" | "late_signature" | "registration_105" | "wrong_hash"
        | "wrong_key" | "certificate_swap" | "short_signature" => ("signed_raw", LATER),
        "duplicate_reply" => ("signed_raw", AT_ONCE),
        "code_450" | "no_signature" => ("rejected", LATER),
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
    let all = magic.iter().map(|(name, sim)| {
        let rig = &rig;
        async move {
            let grounds = Wish::new(sim).grounds(rig);
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
        let (rig, sim) = (&rig, &sims[sim]);
        async move {
            rig.control(&format!("/sims/{}/behaviour", sim.0), &json!({"behaviour": "accept"})).await;
            let grounds = Wish::new(sim).grounds(rig);
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
    let sim = rig.sims()["delay"].clone();
    let mut ready = rig.ready.clone();
    ready["mssp_url"] = "https://127.0.0.1:1/soap/services/".into();
    let folder = tempfile::tempdir().unwrap();
    let (_stop, stopping) = watch::channel(false);
    let down = Service::open(&gate_settings(&ready, folder.path()), Arc::new(SystemClock), stopping).unwrap();
    let grounds = Wish::new(&sim).grounds(&rig);
    let mut row = Memory::default();
    let outcome = down.converse(approve(&grounds), Some(&grounds), &mut row).await.unwrap();
    assert!(matches!(outcome, Some(Outcome::Ended(end)) if end.sentence.key() == "simpki.service_down"));
    // Every try is in the row: whoever reads it after a crash must wait from the last one on, not from the first.
    let tries = row.written.iter().filter(|at| at["at"]["state"] == "sending");
    let since: Vec<_> = tries.map(|at| at["at"]["since"].as_str().unwrap()).collect();
    assert!(since.len() > 2 && since.is_sorted() && since.first() != since.last(), "{since:?}");
    row.names.dedup();
    assert_eq!(row.names, ["sending", "provider_down"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_slept_between_row_and_socket_asks_no_sim() {
    let rig = Rig::start();
    let clock = Arc::new(Turned::default());
    let folder = tempfile::tempdir().unwrap();
    let (_stop, stopping) = watch::channel(false);
    let settings = gate_settings(&rig.ready, folder.path());
    let service = Service::open(&settings, clock.clone(), stopping).unwrap();
    let sim = &rig.sims()["84900000001"];
    for (seconds, why) in [(60, "too long ago"), (2, "another gate has the lease")] {
        clock.0.store(0, Ordering::Relaxed);
        let grounds = Wish::new(sim).grounds(&rig);
        let mut row = Slept { clock: clock.clone(), seconds, written: 0 };
        let refused = service.converse(approve(&grounds), Some(&grounds), &mut row).await.unwrap_err();
        assert!(refused.to_string().contains(why), "{refused:#}");
    }
    assert_eq!(rig.asked_for(&sim.0).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_is_stopped_leaves_the_prompt_to_the_next() {
    let rig = Rig::start();
    let sim = rig.sims()["code_504"].clone();
    let grounds = Wish::new(&sim).grounds(&rig);
    let mut row = Memory::default();
    let accepted = row.accepted.clone();
    let (outcome, ()) =
        tokio::join!(rig.service.converse(approve(&grounds), Some(&grounds), &mut row), async {
            accepted.notified().await;
            rig.stop.send_replace(true);
        });
    assert_eq!(outcome.unwrap(), None);
    assert_eq!(row.names, ["sending", "accepted"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificates_on_a_sim_are_those_that_were_issued() {
    let rig = Rig::start();
    let sims = rig.sims();
    let fresh = || ApTransId::mint(SystemClock.now(), (&SystemRandom as &dyn Random).bytes());
    let (msisdn, certificate) = sims["84900000001"].clone();
    let found = rig.service.certificates(fresh(), msisdn.parse().unwrap()).await.unwrap();
    assert_eq!(found.iter().map(|c| c.der.clone()).collect::<Vec<_>>(), [certificate]);
    let (refusing, _) = sims["registration_105"].clone();
    let refused = rig.service.certificates(fresh(), refusing.parse().unwrap()).await.unwrap_err();
    assert!(matches!(refused, NoCertificates::Refused { code, .. } if code == Code::plain(105)), "{refused}");
}
